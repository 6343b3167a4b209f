//! The API's routes.

use super::{
    errors::{ApiError, Checked},
    form::Params,
    lists::{TimeRange, newest_first},
    store::{Store, shown, text},
};
use serde_json::Value;

/// Retention of `/v1/events`.
const EVENTS_KEPT: i64 = 30 * 86_400;

impl Store {
    /// Serves a request with a valid key and parsed parameters.
    pub fn serve(&mut self, method: &str, path: &str, params: &Params) -> Checked<Value> {
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let Some(("v1", rest)) = segments.split_first().map(|(first, rest)| (*first, rest)) else {
            return Err(ApiError::unrecognized(method, path));
        };
        let mut answer = match method {
            "GET" => self.read(rest, params),
            "POST" => self.write(rest, params),
            "DELETE" => self.delete(rest),
            _ => None,
        }
        .unwrap_or_else(|| Err(ApiError::unrecognized(method, path)))?;
        if answer["object"] != "list" {
            answer = shown(&answer);
        }
        for path in params.texts("expand") {
            self.expand(&mut answer, path);
        }
        Ok(answer)
    }

    fn read(&self, segments: &[&str], params: &Params) -> Option<Checked<Value>> {
        Some(match segments {
            ["customers"] => self.list_customers(params),
            ["subscriptions"] => self.list_subscriptions(params),
            ["subscription_items"] => self.list_subscription_items(params),
            ["prices"] => self.list_prices(params),
            ["invoices"] => self.list_invoices(params),
            ["invoices", id, "lines"] => self.list_lines("invoice", id, params),
            ["invoice_payments"] => self.list_invoice_payments(params),
            ["charges"] => self.list_charges(params),
            ["refunds"] => self.list_refunds(params),
            ["credit_notes"] => self.list_credit_notes(params),
            ["credit_notes", id, "lines"] => self.list_lines("credit_note", id, params),
            ["tax_rates"] => self.list_tax_rates(params),
            ["events"] => self.list_events(params),
            ["billing", "meters"] => self.list_meters(params),
            ["billing", "meters", id] => self.retrieve("billing.meter", id, params),
            ["billing", "meters", id, "event_summaries"] => self.list_summaries(id, params),
            [kind @ ("customers" | "subscriptions" | "prices" | "invoices" | "invoice_payments"), id]
            | [kind @ ("charges" | "refunds" | "credit_notes" | "events" | "tax_rates"), id] => {
                self.retrieve(kind.strip_suffix('s')?, id, params)
            }
            _ => return None,
        })
    }

    fn write(&mut self, segments: &[&str], params: &Params) -> Option<Checked<Value>> {
        Some(match segments {
            ["customers"] => self.create_customer(params),
            ["customers", id] => self.update_customer(id, params),
            ["prices"] => self.create_price(params),
            ["tax_rates"] => self.create_tax_rate(params),
            ["subscriptions"] => self.create_subscription(params),
            ["subscriptions", id] => self.update_subscription(id, params),
            ["invoiceitems"] => self.create_invoice_item(params),
            ["invoices"] => self.create_invoice(params),
            ["invoices", id] => self.update_invoice(id, params),
            ["invoices", id, "add_lines"] => self.add_lines(id, params),
            ["invoices", id, "finalize"] => self.finalize_invoice(id, params),
            ["invoices", id, "send"] => self.send_invoice(id, params),
            ["invoices", id, "pay"] => self.pay_invoice(id, params),
            ["invoices", id, "void"] => self.void_invoice(id, params),
            ["invoices", id, "mark_uncollectible"] => self.mark_uncollectible(id, params),
            ["refunds"] => self.create_refund(params),
            ["credit_notes"] => self.create_credit_note(params),
            ["credit_notes", id, "void"] => self.void_credit_note(id, params),
            ["billing", "meters"] => self.create_meter(params),
            ["billing", "meters", id] => self.update_meter(id, params),
            ["billing", "meters", id, "deactivate"] => self.switch_meter(id, false, params),
            ["billing", "meters", id, "reactivate"] => self.switch_meter(id, true, params),
            ["billing", "meter_events"] => self.create_meter_event(params),
            ["billing", "meter_event_adjustments"] => self.create_meter_event_adjustment(params),
            ["billing_portal", "sessions"] => self.create_portal_session(params),
            _ => return None,
        })
    }

    fn delete(&mut self, segments: &[&str]) -> Option<Checked<Value>> {
        Some(match segments {
            ["customers", id] => self.delete_customer(id),
            ["subscriptions", id] => self.cancel_subscription(id),
            ["invoices", id] => self.delete_invoice(id),
            _ => return None,
        })
    }

    fn retrieve(&self, kind: &str, id: &str, params: &Params) -> Checked<Value> {
        params.only(&[])?;
        // A deleted customer can still be fetched.
        if let Some(gone) = self.get("deleted_customer", id).filter(|_| kind == "customer") {
            return Ok(gone.clone());
        }
        self.find(kind, id).cloned()
    }

    fn list_events(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["created", "type", "types", "delivery_success"])?;
        let created = TimeRange::read(params, "created")?;
        let (one, many) = (params.text("type"), params.texts("types"));
        if one.is_some() && !many.is_empty() {
            return Err(ApiError::invalid("You may not specify both the 'type' and 'types' parameters.", "types"));
        }
        if many.len() > 20 {
            return Err(ApiError::invalid("You may filter by up to 20 types.", "types"));
        }
        let oldest = self.now - EVENTS_KEPT;
        newest_first(self.all("event"), "event", params, "/v1/events", |event| {
            let event_type = text(event, "type");
            let wanted = |pattern: &str| match pattern.split_once('*') {
                Some((start, end)) => event_type.starts_with(start) && event_type.ends_with(end),
                None => event_type == pattern,
            };
            created.holds(event, "created")
                && event["created"].as_i64().is_some_and(|at| at >= oldest)
                && one.is_none_or(wanted)
                && (many.is_empty() || many.iter().any(|pattern| wanted(pattern)))
        })
    }
}
