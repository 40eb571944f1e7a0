//! A request as a page.

use std::fmt::Write;

use tessera_guest::{HeaderField, Variable, WebCall, escape, request};

const PAGE: &str = include_str!("page.html");

/// What the page shows.
pub(crate) struct Page<'a> {
    pub(crate) call: &'a WebCall,
    /// Who was let in to the private area.
    pub(crate) user: Option<&'a String>,
    pub(crate) accepted: u32,
    pub(crate) variables: Vec<Variable>,
    pub(crate) headers: Vec<HeaderField>,
}

impl Page<'_> {
    pub(crate) fn render(&self) -> String {
        let (before, after) = PAGE.split_once("<!-- request -->").unwrap_or((PAGE, ""));
        let mut page = String::with_capacity(PAGE.len() + 8_192);
        page.push_str(before);
        self.request_line(&mut page);
        self.private_area(&mut page);
        let secured = if request::is_secured_connection() {
            "yes"
        } else {
            "no"
        };
        table(
            &mut page,
            "The web process",
            [
                ("protocol", request::version().as_str()),
                ("over TLS", secured),
                ("request in the log", &request::id()),
                (
                    "time left",
                    &format!("{:.1} s", request::remaining_time().as_secs_f64()),
                ),
                (
                    "let in by this instance",
                    &format!("{}, counted by COMPILER_WEB", self.accepted),
                ),
            ],
        );
        let variables = self
            .variables
            .iter()
            .map(|it| (it.name.as_str(), it.value.as_str()));
        table(&mut page, "Variables", variables);
        self.six_parameters(&mut page);
        let headers = self
            .headers
            .iter()
            .map(|it| (it.name.as_str(), it.value.as_str()));
        table(&mut page, "Header fields", headers);
        page.push_str(after);
        page
    }

    fn request_line(&self, page: &mut String) {
        let (method, url) = (request::method(), escape(&self.call.url));
        let _ = writeln!(
            page,
            "<p class=\"line\"><code>{} {url}</code>",
            escape(&method)
        );
    }

    fn private_area(&self, page: &mut String) {
        let prefix = request::header("x-forwarded-prefix").unwrap_or_default();
        if let Some(user) = self.user {
            let (prefix, user) = (escape(&prefix), escape(user));
            let _ = writeln!(
                page,
                "<p class=\"note\">On Web Authentication let in as <strong>{user}</strong>. \
                 <a href=\"{prefix}/\">Back to what is open</a>"
            );
            return;
        }
        let host = request::header("host").unwrap_or_else(|| "127.0.0.1:8081".to_owned());
        let (prefix, host) = (escape(&prefix), escape(&host));
        let _ = write!(
            page,
            "<div class=\"note\"><p><a href=\"{prefix}/private\">{prefix}/private</a> is guarded by On Web Authentication: \
             401, unless the request comes from user <strong>ann</strong> with the password <strong>secret</strong>.\n\
             <pre><code>curl -u ann:secret http://{host}{prefix}/private</code></pre>\n\
             <p><button type=\"button\" data-private=\"{prefix}/private\" hidden>Ask as ann</button></div>\n"
        );
    }

    fn six_parameters(&self, page: &mut String) {
        let WebCall {
            url,
            header,
            browser_ip,
            server_ip,
            user,
            password,
        } = self.call;
        table(
            page,
            "The six parameters of On Web Connection",
            [
                ("$1 url", url.as_str()),
                ("$3 browser IP", browser_ip),
                ("$4 server IP", server_ip),
                ("$5 user", user),
                ("$6 password", password),
            ],
        );
        let _ = write!(
            page,
            "<h3>$2 header and body</h3>\n<pre><code>{}</code></pre>\n",
            escape(header)
        );
    }
}

fn table<'a>(page: &mut String, caption: &str, rows: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let mut rows = rows.into_iter().peekable();
    let _ = writeln!(page, "<h2>{caption}</h2>");
    if rows.peek().is_none() {
        page.push_str("<p class=\"none\">None.\n");
        return;
    }
    page.push_str("<table>\n");
    for (name, value) in rows {
        let value = if value.is_empty() {
            "–".into()
        } else {
            escape(value)
        };
        let _ = writeln!(page, "<tr><th scope=\"row\">{}<td>{value}", escape(name));
    }
    page.push_str("</table>\n");
}
