//! Pictures that visitors upload, with a caption each.

mod picture;
mod shelf;

use std::fmt::Write as _;

use tessera_guest::prelude::*;

use picture::Kind;

/// Most of one picture, in bytes. `maxRequestSize` in `settings.toml` refuses what is much larger before it is read.
const PICTURE_BYTES_MAX: u64 = 5_000_000;
const CAPTION_MAX: usize = 120;

#[on_web_connection]
fn photos(call: &WebCall) -> impl Reply {
    routes!(call,
        GET "/" => gallery,
        POST "/upload" => upload,
        GET "/pictures/{name}" => show,
    )
}

/// Keeps the picture of the form.
fn upload() -> Result<impl Reply, Error> {
    let part = request::file("picture")?.or_refuse(400, "Please choose a picture.")?;
    if part.size > PICTURE_BYTES_MAX {
        return Err(Error::refused(413, "A picture has at most 5 MB."));
    }
    // By its bytes: the type and the name of a part are what the client says.
    let kind = Kind::of(part.reader())?
        .or_refuse(415, "Please choose a PNG, JPEG, GIF or WebP picture.")?;
    let caption = caption()?;
    shelf::put(kind, &caption, &mut part.reader())?;
    Ok(redirect("./").see_other())
}

/// What the form says about the picture.
fn caption() -> Result<String, Error> {
    for part in request::parts()? {
        let part = part?;
        if part.name == "caption" && !part.is_file() {
            let text = part.text()?;
            return Ok(text.trim().chars().take(CAPTION_MAX).collect());
        }
    }
    Ok(String::new())
}

/// Sends one picture. Nobody writes it anew under its name, so browsers may keep it.
fn show(name: &str) -> Result<impl Reply, Error> {
    let (kind, content) = shelf::picture(name)?.or_refuse(404, "")?;
    Ok(blob(content, kind.media_type())
        .with_header("Cache-Control", "public, max-age=31536000, immutable")
        .with_header("X-Content-Type-Options", "nosniff"))
}

/// All pictures and the form, in the page of `gallery.html`.
fn gallery() -> Result<impl Reply, Error> {
    let mut figures = String::new();
    let shown = shelf::pictures()?;
    for (name, caption) in &shown {
        let (name, caption) = (escape(name), escape(caption));
        // Writing into a text cannot fail.
        let _ = writeln!(
            figures,
            "<figure><a href=\"pictures/{name}\"><img src=\"pictures/{name}\" alt=\"{caption}\" loading=\"lazy\"></a>\
             <figcaption>{caption}</figcaption></figure>"
        );
    }
    if shown.is_empty() {
        figures.push_str("<p class=\"none\">No picture yet: yours will be the first.</p>\n");
    }
    let page = include_str!("gallery.html");
    Ok(html(page.replace("{{figures}}", &figures)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_guest::request::Part;
    use tessera_guest::test;

    fn picture(content: &[u8]) -> test::Request {
        let field = Part {
            name: "caption".into(),
            ..Part::default()
        };
        let file = Part {
            name: "picture".into(),
            mime_type: "image/png".into(),
            file_name: Some("../../sun.png".into()),
            ..Part::default()
        };
        test::post("/upload")
            .part(field, "The <sun>")
            .part(file, content)
    }

    #[test]
    fn a_picture_is_kept_and_shown() {
        let content = b"\x89PNG\r\n\x1a\nrest of it";
        let kept = picture(content).connect(photos);
        assert_eq!((kept.status, kept.header("location")), (303, Some("./")));
        let page = test::get("/").connect(photos);
        assert!(
            page.text()
                .contains("<figcaption>The &lt;sun&gt;</figcaption>")
        );
        let name = page
            .text()
            .split("src=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let shown = test::get(format!("/{name}")).connect(photos);
        assert_eq!(shown.header("content-type"), Some("image/png"));
        assert_eq!(shown.body, content);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(picture(b"<script>").connect(photos).status, 415);
        let large = [b"\xff\xd8\xff".as_slice(), &vec![0; 5_000_000]].concat();
        assert_eq!(picture(&large).connect(photos).status, 413);
        let none = test::post("/upload")
            .form([("picture", "x")])
            .connect(photos);
        assert_eq!(
            (none.status, none.text()),
            (400, "Please choose a picture.")
        );
        for name in ["x.png", "..%2Fsecret.png", "1.txt", "a%2Fb.png", ".png"] {
            let shown = test::get(format!("/pictures/{name}")).connect(photos);
            assert_eq!(shown.status, 404, "{name}");
        }
    }
}
