//! Uses the commands for responses one by one, and declares handlers.

use tessera_guest::prelude::*;

#[on_web_connection]
fn connection() -> impl Reply {
    text("On Web Connection")
}

#[compiler_web]
fn compile() {
    // Seen in what no handler answers.
    let _ = response::add_header("X-Compiled", "1");
}

/// `/4DACTION/blob/.png`: bytes of that type.
#[web_method]
fn blob_of(param: Option<&str>) -> Result<(), Error> {
    response::send_blob(b"bytes", param.unwrap_or_default())?;
    Ok(())
}

/// `/4DACTION/header_array`: WEB SET HTTP HEADER with two arrays.
#[web_method]
fn header_array() -> Result<(), Error> {
    response::set_header("X-One", "0")?;
    response::set_headers(&[
        HeaderField::new("X-VERSION", "HTTP/1.0"),
        HeaderField::new("X-STATUS", "404"),
        HeaderField::new("X-One", "1"),
        HeaderField::new("Set-Cookie", "USER=ann; PATH=/"),
        HeaderField::new("Set-Cookie", "SHOP=1"),
    ])?;
    response::send_text("not here", "text/plain")?;
    Ok(())
}

/// `/4DACTION/header_text`: the same with one text, and what is refused.
#[web_method]
fn header_text() -> Result<(), Error> {
    response::set_header_text(
        "HTTP/1.0 404 Not Found\rX-One: 1\r\nSet-Cookie: USER=ann; PATH=/\r",
    )?;
    for wrong in [
        "X-Two: 2\rno field",
        "X-Two: 2\rX Three: 3",
        "X-Two: 2\rContent-Length: 5",
        "HTTP/1.0 99 Odd\rX-Two: 2",
    ] {
        if response::set_header_text(wrong).is_ok() {
            return Err(Error::new("it was accepted"));
        }
    }
    response::send_text("not here", "text/plain")?;
    Ok(())
}

/// `/4DACTION/go/how`: WEB SEND HTTP REDIRECT.
#[web_method]
fn go(param: &str) -> Result<(), Error> {
    match param {
        "encoded" => response::redirect("http://a.example/b c?d=\u{e9}&e=%20#f")?,
        "verbatim" => response::redirect_verbatim("/a?b='c|d'")?,
        "first" => {
            response::redirect("/first")?;
            response::send_text("later", "text/plain")?;
            response::send_raw_data(b"HTTP/1.1 200 OK\r\n\r\nlater")?;
        }
        "twice" => {
            response::redirect("/first")?;
            response::redirect("/second")?;
        }
        "moved" => {
            response::redirect("/moved")?;
            response::set_headers(&[HeaderField::new("X-STATUS", "301")])?;
        }
        "no-status" => {
            response::set_status(404)?;
            response::redirect("/found")?;
        }
        _ => response::redirect_verbatim("/a\r\nX-Split: 1")?,
    }
    Ok(())
}

/// `/4DACTION/last`: the last one wins.
#[web_method]
fn last() -> Result<(), Error> {
    response::set_header("X-Kept", "1")?;
    response::send_blob(b"one", ".png")?;
    response::send_text("two", "text/css")?;
    response::send_html("<p>three")?;
    Ok(())
}

/// `/4DACTION/home/path`: what was said of the page.
#[web_method]
fn home(param: Option<&str>) -> impl Reply {
    text(format!(
        "{:?}",
        response::set_home_page(param.unwrap_or_default())
    ))
}

/// `/4DACTION/header_of/name`: WEB GET HTTP HEADER in its forms.
#[web_method]
fn header_of(param: &str) -> impl Reply {
    text(format!(
        "{:?}\n{}",
        request::header(param),
        request::raw_header()
    ))
}

/// `/4DACTION/read_twice`: the body by pieces, whole and as a form.
#[web_method]
fn bodies() -> Result<impl Reply, Error> {
    let first = request::body()?.len();
    let again = request::body()?.len();
    let variables = request::variables()?.len();
    Ok(text(format!("{first} {again} {variables}")))
}

#[web_handler(pattern = "books", verbs = "GET, head")]
fn books() -> impl Reply {
    text(format!("books {}", request::url()))
}

#[web_handler(pattern = "books", verbs = "POST")]
fn add_book() -> Status {
    status(201)
}

#[web_handler(regex = "^/(books|papers)/")]
fn others() -> impl Reply {
    text("others")
}
