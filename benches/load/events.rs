//! Signed events about objects of Stripe's published fixtures. The same number gives the same
//! event, and each event has its own object.
//!
//! Three in a row are one customer's renewal: the subscription's new period, the charge, and the
//! invoice that it pays, in a burst as from Stripe.

use anyhow::Context;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::time::SystemTime;

/// When the first event happened, in Unix seconds; ten happen per second.
const BEGINNING: usize = 1_790_000_000;
const MONTH: usize = 30 * 24 * 3600;

/// One event as sent.
pub struct Request {
    /// Head and body.
    pub bytes: Vec<u8>,
    pub body_bytes: usize,
}

/// The customers that events are about, and their number.
pub struct Sender<'a> {
    pub host: String,
    pub path: &'a str,
    pub secret: &'a str,
    pub customers: usize,
    fixtures: Value,
}

impl<'a> Sender<'a> {
    pub fn new(host: String, path: &'a str, secret: &'a str, customers: usize) -> anyhow::Result<Sender<'a>> {
        let fixtures = serde_json::from_str(include_str!("fixtures.json")).context("fixtures.json can't be read")?;
        Ok(Sender { host, path, secret, customers, fixtures })
    }

    /// The request of one event, signed now.
    pub fn request(&self, number: usize) -> anyhow::Result<Request> {
        let Sender { host, path, secret, .. } = self;
        let body = self.event(number).to_string();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock stands before 1970")?.as_secs();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
        mac.update(format!("{now}.{body}").as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        // The headers that Stripe sends.
        let bytes = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n\
             Accept: */*; q=0.5, application/xml\r\nCache-Control: no-cache\r\nContent-Type: application/json; charset=utf-8\r\n\
             Stripe-Signature: t={now},v1={signature}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes();
        Ok(Request { bytes, body_bytes: body.len() })
    }

    fn event(&self, number: usize) -> Value {
        let renewal = number / 3;
        let id = |prefix: &str| format!("{prefix}1Bench{renewal:017}");
        let at = BEGINNING + number / 10;
        let customer = customer(renewal % self.customers);
        let (event_type, object) = match number % 3 {
            0 => {
                let mut subscription = self.fixtures["subscription"].clone();
                subscription["id"] = json!(id("sub_"));
                subscription["created"] = json!(at - MONTH);
                subscription["start_date"] = json!(at - MONTH);
                subscription["billing_cycle_anchor"] = json!(at - MONTH);
                subscription["latest_invoice"] = json!(id("in_"));
                subscription["items"]["url"] = json!(format!("/v1/subscription_items?subscription={}", id("sub_")));
                let item = &mut subscription["items"]["data"][0];
                item["id"] = json!(id("si_"));
                item["subscription"] = json!(id("sub_"));
                item["current_period_start"] = json!(at);
                item["current_period_end"] = json!(at + MONTH);
                ("customer.subscription.updated", subscription)
            }
            1 => {
                let mut charge = self.fixtures["charge"].clone();
                charge["id"] = json!(id("ch_"));
                charge["created"] = json!(at);
                charge["balance_transaction"] = json!(id("txn_"));
                charge["payment_intent"] = json!(id("pi_"));
                charge["payment_method"] = json!(id("pm_"));
                charge["refunds"]["url"] = json!(format!("/v1/charges/{}/refunds", id("ch_")));
                ("charge.succeeded", charge)
            }
            _ => {
                let mut invoice = self.fixtures["invoice"].clone();
                invoice["id"] = json!(id("in_"));
                invoice["number"] = json!(format!("BENCH-{renewal:06}"));
                for key in ["created", "effective_at", "period_end", "webhooks_delivered_at"] {
                    invoice[key] = json!(at);
                }
                invoice["period_start"] = json!(at - MONTH);
                invoice["status"] = json!("paid");
                invoice["status_transitions"]["finalized_at"] = json!(at);
                invoice["status_transitions"]["paid_at"] = json!(at);
                invoice["amount_paid"] = invoice["amount_due"].clone();
                invoice["amount_remaining"] = json!(0);
                invoice["parent"]["subscription_details"]["subscription"] = json!(id("sub_"));
                invoice["lines"]["url"] = json!(format!("/v1/invoices/{}/lines", id("in_")));
                let line = &mut invoice["lines"]["data"][0];
                line["id"] = json!(id("il_"));
                line["invoice"] = json!(id("in_"));
                line["period"] = json!({"start": at, "end": at + MONTH});
                line["parent"]["subscription_item_details"]["subscription"] = json!(id("sub_"));
                line["parent"]["subscription_item_details"]["subscription_item"] = json!(id("si_"));
                ("invoice.paid", invoice)
            }
        };
        let mut event = json!({
            "id": format!("evt_1Bench{number:017}"), "object": "event", "api_version": "2026-07-29.dahlia", "created": at, "livemode": false,
            "pending_webhooks": 1, "request": {"id": null, "idempotency_key": null}, "type": event_type, "data": {"object": object},
        });
        event["data"]["object"]["customer"] = json!(customer);
        event
    }
}

/// `scripts/bench.sh` creates customers with these names.
fn customer(number: usize) -> String {
    format!("cus_bench{number:06}")
}
