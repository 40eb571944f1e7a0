//! The pages of the shop.

use tessera_guest::escape;

use crate::orders::Order;
use crate::{ARTICLES, Cart};

fn page(title: &str, content: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · The Ink Shop</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{content}</main>\n</body>\n</html>\n"
    )
}

fn price(cents: u32) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn total(cart: &Cart) -> u32 {
    let pieces = |name: &str| cart.get(name).copied().unwrap_or_default();
    ARTICLES
        .iter()
        .map(|(name, cents)| cents * pieces(name))
        .sum()
}

/// The articles, the cart, and who is there.
pub(crate) fn store(user: &str, cart: &Cart) -> String {
    let mut content = match user {
        "" => "<p class=\"lead\">Welcome. <a href=\"login\">Log in</a></p>\n".to_owned(),
        user => format!(
            "<form method=\"post\" action=\"logout\"><p class=\"lead\">Welcome, {}. <button>Log out</button></p></form>\n",
            escape(user)
        ),
    };
    for (name, cents) in ARTICLES {
        let pieces = cart.get(name).copied().unwrap_or_default();
        content.push_str(&format!(
            "<form method=\"post\" action=\"cart\">\n<input type=\"hidden\" name=\"article\" value=\"{name}\">\n\
             <label for=\"{name}\">{name}, {}</label>\n\
             <input type=\"number\" id=\"{name}\" min=\"0\" max=\"99\" name=\"pieces\" value=\"{pieces}\">\n\
             <button>Into the cart</button>\n</form>\n",
            price(cents)
        ));
    }
    let total = price(total(cart));
    content.push_str(&format!(
        "<h2>Your cart: {total}</h2>\n<p><a class=\"button\" href=\"checkout\">Check out</a></p>\n<p><a href=\"orders\">Orders</a> (for clerks)</p>\n"
    ));
    page("The store", &content)
}

/// The form to log in, which goes on to the page `next`.
pub(crate) fn login(fault: &str, next: &str) -> String {
    let fault = match fault {
        "" => String::new(),
        fault => format!("<p class=\"fault\" role=\"alert\">{}</p>\n", escape(fault)),
    };
    let content = format!(
        "{fault}<form method=\"post\" action=\"login\">\n<input type=\"hidden\" name=\"next\" value=\"{}\">\n\
         <label for=\"name\">Name</label>\n<input type=\"text\" id=\"name\" name=\"name\" autocomplete=\"username\" required>\n\
         <label for=\"password\">Password</label>\n\
         <input type=\"password\" id=\"password\" name=\"password\" autocomplete=\"current-password\" required>\n\
         <button>Log in</button>\n</form>\n",
        escape(next)
    );
    page("Log in", &content)
}

fn lines(cart: &Cart) -> String {
    let line = |(name, pieces): (&String, &u32)| format!("<li>{pieces} × {}</li>\n", escape(name));
    cart.iter().map(line).collect()
}

/// What is about to be bought.
pub(crate) fn checkout(user: &str, cart: &Cart) -> String {
    let content = format!(
        "<p class=\"lead\">For {}:</p>\n<ul>\n{}</ul>\n<p>{}</p>\n<form method=\"post\" action=\"checkout\"><button>Buy</button></form>\n\
         <p><a href=\"./\">Back to the store</a></p>\n",
        escape(user),
        lines(cart),
        price(total(cart))
    );
    page("Check out", &content)
}

/// What was bought.
pub(crate) fn orders(orders: &[Order]) -> String {
    let one = |order: &Order| {
        let (customer, lines) = (escape(&order.customer), lines(&order.cart));
        format!("<article>\n<h3>{customer}</h3>\n<ul>\n{lines}</ul>\n</article>\n")
    };
    let mut content: String = orders.iter().map(one).collect();
    if orders.is_empty() {
        content.push_str("<p class=\"none\">Nobody has bought anything yet.</p>\n");
    }
    page("Orders", &content)
}

/// One sentence, and the way back.
pub(crate) fn message(text: &str) -> String {
    let content = format!(
        "<p class=\"lead\">{}</p>\n<p><a href=\"./\">Back to the store</a></p>\n",
        escape(text)
    );
    page("The store", &content)
}
