//! A component with every hook, run as the host would run it.

use tessera_guest::prelude::*;
use tessera_guest::request::Part;
use tessera_guest::test::{self, Session};
use tessera_guest::web_server::{Property, Selector, ServerError, WebServer};

#[on_web_authentication]
fn admit(call: &WebCall) -> Result<bool, Error> {
    match call.user.as_str() {
        "mallory" => Ok(false),
        "broken" => Err(Error::new("the list of users is gone")),
        _ => Ok(true),
    }
}

#[compiler_web]
fn declare() {
    let _ = variables::set("vTitle", "Shop");
}

#[on_web_connection]
fn shop(call: &WebCall) -> impl Reply {
    let title = variables::get("VTITLE");
    let title = title.as_text().unwrap_or_default().to_owned();
    match call.path() {
        "/missing" => None,
        path => Some(html(format!("{title} {path} {}", call.query())).with_header("X-Shop", "1")),
    }
}

#[web_method(name = "addUp")]
fn add_up(a: f64, b: Option<f64>) -> f64 {
    a + b.unwrap_or(1.0)
}

#[web_method]
fn upload() -> Result<impl Reply, Error> {
    let mut seen = Vec::new();
    for number in 1..=request::body_part_count()? {
        let part = request::body_part(number)?;
        let content = request::read_body_part(number, 1, 3)?;
        let content = String::from_utf8_lossy(&content).into_owned();
        seen.push(format!(
            "{}/{:?}/{}/{content}",
            part.name, part.file_name, part.size
        ));
    }
    Ok(text(seen.join(" ")))
}

#[web_method]
fn visit() -> Result<impl Reply, Error> {
    let visits = session::update("visits", |visits: &mut u32| {
        *visits += 1;
        *visits
    })?;
    Ok(json(visits))
}

#[web_method(available = false)]
fn hidden() {}

#[on_web_close_process]
fn bye() {
    let _ = session::close();
}

#[test]
fn goes_the_way_of_a_request() {
    let response = test::get("/a?b=c").send();
    assert_eq!((response.status, response.text()), (200, "Shop /a b=c"));
    assert_eq!(response.header("x-shop"), Some("1"));
    assert_eq!(
        response.header("content-type"),
        Some("text/html; charset=UTF-8")
    );
    assert_eq!(response.variable("vtitle"), Value::from("Shop"));
    assert_eq!(test::get("/missing").send().status, 404);
}

#[test]
fn refuses_whom_authentication_refuses() {
    let refused = test::get("/").user("mallory", "x").send();
    assert_eq!((refused.status, refused.text()), (401, ""));
    let failed = test::get("/").user("broken", "x").send();
    assert_eq!(failed.status, 401);
    assert_eq!(failed.error.as_deref(), Some("the list of users is gone"));
    assert_eq!(
        test::get("/").user("ann", "x").authenticate(admit),
        Ok(true)
    );
}

#[test]
fn calls_methods_by_url_and_by_function() {
    assert_eq!(
        test::get("/4daction/ADDUP/2").send().value,
        Value::Number(3.0)
    );
    assert_eq!(
        test::get("/")
            .argument(2)
            .argument(0.5)
            .method(add_up)
            .value,
        Value::Number(2.5)
    );
    let failed = test::get("/4DACTION/addUp/two").send();
    assert_eq!(failed.status, 500);
    let error = "argument 1 is a text, where the method takes a number";
    assert_eq!(failed.error.as_deref(), Some(error));
    assert_eq!(test::get("/4DACTION/hidden").send().status, 403);
    assert_eq!(test::get("/4DACTION/nope").send().status, 404);
}

#[test]
fn reads_the_parts_of_a_body() {
    let field = Part {
        name: "note".into(),
        ..Part::default()
    };
    let file = Part {
        name: "upload".into(),
        file_name: Some("a.txt".into()),
        ..Part::default()
    };
    let response = test::post("/4DACTION/upload")
        .part(field, "abc")
        .part(file, "12345")
        .send();
    assert_eq!(
        response.text(),
        "note/None/3/bc upload/Some(\"a.txt\")/5/234"
    );
    let broken = test::post("/4DACTION/upload")
        .broken_body(BodyError::TooLarge)
        .send();
    let told = "the body of the request is larger than maxRequestSize";
    assert_eq!((broken.status, broken.text()), (413, told));
}

#[test]
fn keeps_a_session_over_requests_until_it_is_closed() {
    let session = Session::new();
    let visit = || {
        test::get("/4DACTION/visit")
            .session(&session)
            .send()
            .json::<u32>()
    };
    assert_eq!((visit(), visit()), (1, 2));
    session.store("visits", "40");
    assert_eq!(visit(), 41);
    test::get("/").session(&session).close_process();
    assert!(session.is_closed());
}

#[test]
fn repeats_a_change_that_another_process_forestalled() {
    let session = Session::new();
    let mut tries = 0;
    let response = test::get("/").session(&session).connect(|| {
        session::swap("log", |now| {
            tries += 1;
            if tries == 1 {
                session.store("log", "a");
            }
            let mut next = now.unwrap_or_default().to_vec();
            next.push(b'b');
            (next, ())
        })
    });
    assert_eq!((response.error, tries), (None, 2));
    assert_eq!(
        session.stored("log").map(|stored| stored.value),
        Some(b"ab".to_vec())
    );
}

#[test]
fn keeps_the_rules_of_responses() {
    let refused = |act: fn() -> Result<(), ResponseError>| {
        test::get("/").connect(act).error.unwrap_or_default()
    };
    assert!(refused(|| response::set_status(199)).contains("status 199"));
    assert!(refused(|| response::set_header("Content-Length", "1")).contains("Content-Length"));
    assert!(refused(|| response::add_header("X", "a\r\nb")).contains("refused"));
    let redirected = test::get("/").connect(|| {
        response::redirect("/ä b")?;
        response::send_html("not seen")
    });
    assert_eq!(redirected.status, 302);
    assert_eq!(redirected.header("location"), Some("/%C3%A4%20b"));
    let cookies = test::get("/").connect(|| {
        status(204)
            .with_header("Set-Cookie", "a=1")
            .with_header("Set-Cookie", "b=2")
    });
    let values: Vec<&str> = cookies.headers.iter().map(|field| &*field.value).collect();
    assert_eq!(values, ["a=1", "b=2"]);
    let posted = test::post("/").connect(|| redirect("/thanks").see_other());
    assert_eq!(posted.status, 303);
}

#[test]
fn knows_the_web_servers_it_was_given() {
    let request = test::get("/")
        .server("site", [Property::new("isRunning", true)])
        .server("shop", [Property::new("HTTPPort", 8081)]);
    let response = request.connect(|| {
        let running = WebServer::list()
            .into_iter()
            .filter(|server| server.is_running() == Ok(true));
        let names: Vec<String> = running.map(|server| server.name().to_owned()).collect();
        let own = WebServer::of(Selector::Database);
        let port = own.property("HTTPPort")?;
        Ok::<_, Error>(text(format!("{} {port:?} {names:?}", own.name())))
    });
    assert_eq!(response.text(), r#"shop Number(8081.0) ["site"]"#);
}

#[test]
fn steers_the_web_servers_that_it_may() {
    let codes = |result: Result<(), ServerError>| -> Vec<u32> {
        match result {
            Err(ServerError::Start(errors)) => errors.iter().map(|error| error.err_code).collect(),
            other => panic!("{other:?}"),
        }
    };
    let site = |control: &[&'static str]| {
        test::get("/")
            .control(control.iter().copied())
            .server("site", [Property::new("isRunning", true)])
            .server("blog", [Property::new("HTTPPort", 8081)])
            .server("shop", [Property::new("isRunning", true)])
    };
    let response = site(&["blog"]).connect(move || {
        let blog = WebServer::named("blog");
        let too_many = vec![Property::new("HTTPPort", 8082); 129];
        assert_eq!(codes(blog.start(&too_many)), [1103]);
        assert_eq!(codes(blog.start(&[Property::new("name", "b")])), [1101]);
        assert_eq!(blog.start(&[Property::new("HTTPPort", 8082)]), Ok(()));
        assert_eq!(blog.property("HTTPPort"), Ok(Value::from(8082)));
        assert_eq!(codes(blog.start(&[])), [1001]);
        assert_eq!(blog.stop(), Ok(()));
        assert_eq!(blog.property("HTTPPort"), Ok(Value::from(8081)));
        assert_eq!(blog.is_running(), Ok(false));
        assert_eq!(blog.stop(), Ok(()));
        for name in ["site", "shop"] {
            assert_eq!(web_server::stop(name), Err(ServerError::Denied));
        }
        assert_eq!(web_server::stop("gone"), Err(ServerError::NotFound));
    });
    assert_eq!(response.status, 200);
    for (control, allowed) in [
        ("self", &["shop"] as &[&str]),
        ("host", &["site"]),
        ("*", &["site", "blog"]),
    ] {
        site(&[control]).connect(move || {
            for name in web_server::servers() {
                let is_allowed = web_server::stop(&name) == Ok(());
                assert_eq!(is_allowed, allowed.contains(&&*name), "{control} {name}");
            }
        });
    }
}
