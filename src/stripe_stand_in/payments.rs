//! Charges, payments of invoices, and refunds.

use super::{
    errors::{ApiError, Checked},
    form::Params,
    lists::{TimeRange, fits, newest_first},
    store::{Store, built, integer, set, take_metadata, text},
};
use serde_json::{Value, json};

impl Store {
    /// Records a payment of an invoice, by card or outside Stripe.
    pub fn record_payment(&mut self, invoice: &Value, amount: i64, out_of_band: bool) {
        let means = if out_of_band {
            json!({"type": "payment_record", "payment_record": self.id("pr_")})
        } else {
            let intent = self.id("pi_");
            let charge = self.charge(invoice, amount, &intent, true);
            json!({"type": "payment_intent", "payment_intent": intent, "charge": charge["id"]})
        };
        let now = self.now;
        let payment = built(
            "invoice_payment",
            json!({
                "id": self.id("inpay_"), "invoice": invoice["id"], "amount_paid": amount, "amount_requested": amount, "created": now,
                "currency": invoice["currency"], "is_default": true, "payment": means, "status": "paid",
                "status_transitions": {"paid_at": now, "canceled_at": null},
            }),
        );
        self.add("invoice_payment", payment, "invoice_payment.paid");
    }

    /// The card was declined: the invoice stays open, and counts the attempt.
    pub fn record_failed_payment(&mut self, invoice: &Value) -> Checked<Value> {
        let intent = self.id("pi_");
        self.charge(invoice, integer(invoice, "amount_remaining"), &intent, false);
        let next = self.now + 3 * 86_400;
        self.change("invoice", text(invoice, "id"), &["invoice.updated", "invoice.payment_failed"], |invoice| {
            let attempts = integer(invoice, "attempt_count") + 1;
            set(invoice, json!({"attempted": true, "attempt_count": attempts, "next_payment_attempt": next}));
        })
    }

    fn charge(&mut self, invoice: &Value, amount: i64, intent: &str, succeeds: bool) -> Value {
        let mut charge = built(
            "charge",
            json!({
                "id": self.id("ch_"), "created": self.now, "customer": invoice["customer"], "payment_intent": intent, "amount": amount,
                "currency": invoice["currency"], "amount_captured": if succeeds { amount } else { 0 }, "captured": succeeds, "paid": succeeds,
                "status": if succeeds { "succeeded" } else { "failed" },
            }),
        );
        set(&mut charge["billing_details"], json!({"name": invoice["customer_name"], "email": invoice["customer_email"]}));
        if !succeeds {
            set(&mut charge, json!({"failure_code": "card_declined", "failure_message": "Your card was declined."}));
        }
        self.add("charge", charge, if succeeds { "charge.succeeded" } else { "charge.failed" })
    }

    pub fn list_invoice_payments(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["invoice", "status", "created", "payment"])?;
        let created = TimeRange::read(params, "created")?;
        let (invoice, status) = (params.text("invoice"), params.word("status", &["open", "paid", "canceled"])?);
        let intent = params.text("payment[payment_intent]");
        newest_first(self.all("invoice_payment"), "invoice_payment", params, "/v1/invoice_payments", |payment| {
            created.holds(payment, "created")
                && fits(payment, "invoice", invoice)
                && fits(payment, "status", status)
                && fits(&payment["payment"], "payment_intent", intent)
        })
    }

    pub fn list_charges(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["customer", "payment_intent", "created", "transfer_group"])?;
        let created = TimeRange::read(params, "created")?;
        let (customer, intent) = (params.text("customer"), params.text("payment_intent"));
        newest_first(self.all("charge"), "charge", params, "/v1/charges", |charge| {
            created.holds(charge, "created") && fits(charge, "customer", customer) && fits(charge, "payment_intent", intent)
        })
    }

    pub fn create_refund(&mut self, params: &Params) -> Checked<Value> {
        params.only(&["charge", "payment_intent", "amount", "reason", "metadata", "currency", "customer"])?;
        let charge = match (params.text("charge"), params.text("payment_intent")) {
            (Some(charge), _) => self.named("charge", charge, "charge")?.clone(),
            (None, Some(intent)) => {
                let of_intent = |charge: &&Value| charge["payment_intent"] == intent && charge["paid"] == true;
                let found = self.all("charge").objects.values().rev().find(of_intent).cloned();
                found.ok_or_else(|| ApiError::no_such("payment_intent", intent, "payment_intent"))?
            }
            (None, None) => return Err(ApiError::missing("charge")),
        };
        let reason = params.word("reason", &["duplicate", "fraudulent", "requested_by_customer"])?;
        let mut refund = self.refund(&charge, params.integer("amount")?, reason)?;
        take_metadata(&mut refund, params);
        self.put("refund", refund.clone());
        Ok(refund)
    }

    /// Refunds an amount, or the rest of a charge.
    pub fn refund(&mut self, charge: &Value, amount: Option<i64>, reason: Option<&str>) -> Checked<Value> {
        let id = text(charge, "id");
        let (paid, before) = (integer(charge, "amount_captured"), integer(charge, "amount_refunded"));
        if before >= paid {
            return Err(ApiError::invalid_code("charge_already_refunded", &format!("Charge {id} has already been refunded."), "charge"));
        }
        let amount = amount.unwrap_or(paid - before);
        if amount < 1 {
            return Err(ApiError::invalid_code("parameter_invalid_integer", "This value must be greater than or equal to 1.", "amount"));
        }
        if amount > paid - before {
            let message = format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({})", paid - before);
            return Err(ApiError::invalid_code("amount_too_large", &message, "amount"));
        }
        let refund = built(
            "refund",
            json!({
                "id": self.id("re_"), "created": self.now, "amount": amount, "charge": id, "currency": charge["currency"], "reason": reason,
                "payment_intent": charge["payment_intent"],
            }),
        );
        let refund = self.add("refund", refund, "refund.created");
        self.change("charge", id, &["charge.refunded"], |charge| {
            set(charge, json!({"amount_refunded": before + amount, "refunded": before + amount == paid}));
        })?;
        Ok(refund)
    }

    pub fn list_refunds(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["charge", "payment_intent", "created"])?;
        let created = TimeRange::read(params, "created")?;
        let (charge, intent) = (params.text("charge"), params.text("payment_intent"));
        newest_first(self.all("refund"), "refund", params, "/v1/refunds", |refund| {
            created.holds(refund, "created") && fits(refund, "charge", charge) && fits(refund, "payment_intent", intent)
        })
    }
}
