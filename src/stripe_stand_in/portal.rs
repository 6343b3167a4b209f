//! The customer portal: sessions over the API, and their page.

use super::{
    errors::{ApiError, Checked},
    form::Params,
    store::{Store, built, integer, set, text},
};
use crate::domain::money::{Currency, Money};
use serde_json::{Value, json};
use std::fmt::Write;
use time::{OffsetDateTime, format_description::FormatItem, macros::format_description};

const DATE: &[FormatItem<'_>] = format_description!("[day padding:none] [month repr:short] [year]");

const STYLE: &str = "
:root { color-scheme: light dark; --line: light-dark(#e2e8f0, #334155); --muted: light-dark(#475569, #94a3b8); }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 Inter, system-ui, sans-serif; background: light-dark(#f8fafc, #0f172a); color: light-dark(#0f172a, #f1f5f9); }
header, main { max-width: 52rem; margin: 0 auto; padding: 1.5rem; }
header { display: flex; gap: 1rem; align-items: baseline; justify-content: space-between; color: var(--muted); }
a { color: light-dark(#0369a1, #7dd3fc); }
h1 { margin: 0; font-size: 1.6rem; }
h2 { margin: 0 0 .5rem; font-size: 1.1rem; }
p { margin: .25rem 0; }
small, .muted { color: var(--muted); overflow-wrap: anywhere; }
section { margin-top: 1.5rem; padding: 1rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem; background: light-dark(#fff, #1e293b); overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--muted); }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
.amount { text-align: right; }
button { font: inherit; padding: .25rem .9rem; border: 0; border-radius: .5rem; background: #0369a1; color: #fff; cursor: pointer; }
";

impl Store {
    pub fn create_portal_session(&mut self, params: &Params) -> Checked<Value> {
        params.only(&["customer", "return_url", "configuration", "locale", "flow_data", "on_behalf_of"])?;
        let customer = params.need("customer")?;
        self.named("customer", customer, "customer")?;
        let id = self.id("bps_");
        let url = format!("{}/p/session/{id}", self.base_url);
        let mut session = built("billing_portal.session", json!({"id": id, "created": self.now, "customer": customer, "url": url}));
        set(&mut session, json!({"return_url": params.text("return_url"), "locale": params.text("locale")}));
        self.put("billing_portal.session", session.clone());
        Ok(session)
    }

    /// The page of a session: the customer, its subscriptions and its invoices, which can be paid
    /// here.
    pub fn portal_page(&self, session: &str) -> Option<String> {
        let session = self.get("billing_portal.session", session)?;
        let customer = text(session, "customer");
        let back = escaped(session["return_url"].as_str().unwrap_or("/"));
        let known = self.get("customer", customer);
        let member = |name: &str| escaped(known.map_or("", |known| text(known, name)));
        let (name, email) = (member("name"), member("email"));
        let mut page = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>Customer portal</title><style>{STYLE}</style></head><body>\
             <header><span>Stripe stand-in, test mode</span><a href=\"{back}\">Return</a></header>\
             <main><h1>Customer portal</h1><p>{name} <span class=\"muted\">{email}</span></p><small>{}</small>",
            escaped(customer)
        );
        self.portal_subscriptions(&mut page, customer);
        self.portal_invoices(&mut page, customer, text(session, "id"));
        page.push_str("</main></body></html>");
        Some(page)
    }

    fn portal_subscriptions(&self, page: &mut String, customer: &str) {
        page.push_str("<section><h2>Subscriptions</h2>");
        for subscription in self.all("subscription").objects.values().rev().filter(|known| text(known, "customer") == customer) {
            let item = &subscription["items"]["data"][0];
            let title = item["price"]["nickname"].as_str().unwrap_or("Subscription");
            let ends = item["current_period_end"].as_i64().or(subscription["current_period_end"].as_i64());
            let then = match (text(subscription, "status"), subscription["cancel_at_period_end"] == true) {
                ("canceled", _) => "ended",
                (_, true) => "ends on",
                _ => "renews on",
            };
            let at = ends.map_or_else(String::new, date);
            put(page, format_args!("<p>{} <span class=\"muted\">{} {at}</span></p>", escaped(title), escaped(then)));
        }
        page.push_str("</section>");
    }

    fn portal_invoices(&self, page: &mut String, customer: &str, session: &str) {
        page.push_str("<section><h2>Invoices</h2><table><thead><tr><th>Number</th><th>Date</th><th>Status</th><th class=\"amount\">Amount</th><th></th></tr></thead><tbody>");
        for invoice in self.all("invoice").objects.values().rev().filter(|known| text(known, "customer") == customer) {
            let (id, status) = (text(invoice, "id"), text(invoice, "status"));
            let amount = if status == "open" { integer(invoice, "amount_remaining") } else { integer(invoice, "total") };
            let pay = if status == "open" {
                format!(
                    "<form method=\"post\" action=\"/p/session/{}/pay\"><input type=\"hidden\" name=\"invoice\" value=\"{}\"><button>Pay</button></form>",
                    escaped(session),
                    escaped(id)
                )
            } else {
                String::new()
            };
            put(
                page,
                format_args!(
                    "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"amount\">{}</td><td>{pay}</td></tr>",
                    escaped(invoice["number"].as_str().unwrap_or("draft")),
                    date(integer(invoice, "created")),
                    escaped(status),
                    escaped(&money(amount, text(invoice, "currency"))),
                ),
            );
        }
        page.push_str("</tbody></table></section>");
    }

    /// Pays an invoice of the session's customer by card.
    pub fn pay_in_portal(&mut self, session: &str, params: &Params) -> Checked<()> {
        let customer = text(self.find("billing_portal.session", session)?, "customer").to_owned();
        let id = params.need("invoice")?.to_owned();
        if self.find("invoice", &id)?["customer"] != customer {
            return Err(ApiError::no_such("invoice", &id, "id"));
        }
        self.pay_invoice(&id, &Params::parse("")?).map(drop)
    }
}

/// Writing to a string can't fail.
fn put(page: &mut String, what: std::fmt::Arguments<'_>) {
    page.write_fmt(what).ok();
}

fn money(amount: i64, currency: &str) -> String {
    currency.parse::<Currency>().map_or_else(|_| amount.to_string(), |currency| Money::new(amount, currency).to_string())
}

fn date(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|at| at.format(DATE).ok()).unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
