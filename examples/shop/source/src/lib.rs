//! The shop: whoever comes fills a cart, customers buy what is in it, clerks see what was bought.

mod orders;
mod pages;
mod people;

use std::collections::BTreeMap;

use serde::Deserialize;
use tessera_guest::prelude::*;
use tessera_guest::{request, session};

use orders::Order;

/// What there is, and what it costs in cents.
pub(crate) const ARTICLES: [(&str, u32); 3] = [("ink", 450), ("paper", 320), ("pen", 1290)];
const PIECES_MAX: u32 = 99;
/// The key of the cart in the session.
const CART: &str = "cart";

/// Pieces by article.
pub(crate) type Cart = BTreeMap<String, u32>;

#[derive(Deserialize)]
struct Login {
    name: String,
    password: String,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    article: String,
    pieces: u32,
}

#[on_web_connection]
fn shop(call: &WebCall) -> impl Reply {
    routes!(call,
        GET "/" => browse,
        POST "/cart" => put,
        GET "/login" => ask,
        POST "/login" => login,
        POST "/logout" => logout,
        GET "/checkout" => check,
        POST "/checkout" => buy,
        GET "/orders" => list,
    )
}

fn cart() -> Result<Cart, Error> {
    Ok(session::get(CART)?.unwrap_or_default())
}

fn browse() -> Result<impl Reply, Error> {
    Ok(html(pages::store(&session::user_name(), &cart()?)))
}

/// Puts pieces of an article into the cart, in place of those that are there. Others of the same visitor, in another
/// window, are not lost: the host refuses to overwrite what changed meanwhile, and `update` tries again.
fn put(choice: Form<Choice>) -> Result<impl Reply, Error> {
    if !ARTICLES.iter().any(|(name, _)| *name == choice.article) {
        return Err(Error::refused(404, "There is no such article."));
    }
    let pieces = choice.pieces.min(PIECES_MAX);
    session::update(CART, |cart: &mut Cart| match pieces {
        0 => drop(cart.remove(&choice.article)),
        _ => drop(cart.insert(choice.article.clone(), pieces)),
    })?;
    // See other: reloading the page posts nothing a second time.
    Ok(redirect("./").see_other())
}

fn ask() -> impl Reply {
    let next = request::variable("next").unwrap_or_default();
    html(pages::login("", page_after(&next)))
}

/// Gives the session the role of who logs in. The host gives it a new identifier with that: one that somebody else knew or
/// planted before is worth nothing.
fn login(form: Form<Login>) -> Result<impl Reply, Error> {
    let next = page_after(form.next.as_deref().unwrap_or_default());
    let Some(role) = people::role(&form.name, &form.password) else {
        let page = pages::login("Name and password do not belong together.", next);
        return Ok(html(page).with_status(401).boxed());
    };
    session::set_privileges(&[role], Some(&form.name))?;
    Ok(redirect(next).see_other().boxed())
}

/// The page to go to after the login: one of this shop, whatever a link to the login says.
fn page_after(next: &str) -> &'static str {
    match next {
        "checkout" => "checkout",
        "orders" => "orders",
        _ => "./",
    }
}

/// Ends the session, with the cart and the role.
fn logout() -> Result<impl Reply, Error> {
    session::close()?;
    Ok(redirect("./").see_other())
}

/// What keeps a visitor from a page that needs a privilege: nobody yet goes to the login, everybody else is told.
fn barrier(privilege: &str, page: &str) -> Option<tessera_guest::Boxed<'static>> {
    if session::has_privilege(privilege) {
        return None;
    }
    Some(match session::is_guest() {
        true => redirect(format!("login?next={page}")).see_other().boxed(),
        false => html(pages::message("This page is for clerks only."))
            .with_status(403)
            .boxed(),
    })
}

fn check() -> Result<impl Reply, Error> {
    if let Some(barrier) = barrier("customer", "checkout") {
        return Ok(barrier);
    }
    Ok(html(pages::checkout(&session::user_name(), &cart()?)).boxed())
}

/// Takes the cart out of the session in one step: of two clicks one finds it empty.
fn buy() -> Result<impl Reply, Error> {
    if let Some(barrier) = barrier("customer", "checkout") {
        return Ok(barrier);
    }
    let cart = session::update(CART, |cart: &mut Cart| std::mem::take(cart))?;
    if cart.is_empty() {
        return Ok(html(pages::message("Your cart is empty."))
            .with_status(409)
            .boxed());
    }
    orders::write(&Order {
        customer: session::user_name(),
        cart,
    })?;
    Ok(html(pages::message("Thank you. Your order is on its way.")).boxed())
}

fn list() -> Result<impl Reply, Error> {
    if let Some(barrier) = barrier("clerk", "orders") {
        return Ok(barrier);
    }
    Ok(html(pages::orders(&orders::latest()?)).boxed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tessera_guest::test;

    #[test]
    fn a_cart_is_filled_and_changed() {
        let visitor = test::Session::new();
        let put = |article: &str, pieces: &str| {
            let form = [("article", article), ("pieces", pieces)];
            test::post("/cart")
                .session(&visitor)
                .form(form)
                .connect(shop)
        };
        assert_eq!(
            (put("ink", "2").status, put("pen", "1000").status),
            (303, 303)
        );
        assert_eq!(put("gold", "1").status, 404);
        put("paper", "1");
        put("paper", "0");
        let page = test::get("/").session(&visitor).connect(shop);
        for part in ["name=\"pieces\" value=\"2\"", "value=\"99\"", "1286.10"] {
            assert!(page.text().contains(part), "{part}: {}", page.text());
        }
        // Guests buy nothing.
        let away = test::post("/checkout").session(&visitor).connect(shop);
        assert_eq!(away.header("location"), Some("login?next=checkout"));
    }

    #[test]
    fn roles_open_pages() {
        for (privileges, checkout, orders) in [(&[][..], 303, 303), (&["customer"], 200, 403)] {
            let visitor = test::Session::new().with_privileges(privileges);
            let get = |path| test::get(path).session(&visitor).connect(shop).status;
            assert_eq!((get("/checkout"), get("/orders")), (checkout, orders));
        }
    }

    #[test]
    fn nobody_is_sent_to_another_site_after_the_login() {
        for next in ["//evil.example", "https://evil.example", "../../x", ""] {
            assert_eq!(page_after(next), "./");
        }
    }
}
