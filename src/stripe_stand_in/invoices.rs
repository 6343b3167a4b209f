//! The life cycle of invoices.

use super::{
    errors::{ApiError, Checked},
    form::Params,
    lines::{attach, editable, recount},
    lists::{TimeRange, fits, newest_first},
    store::{Store, built, integer, set, take_metadata, text},
};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

impl Store {
    pub fn create_invoice(&mut self, params: &Params) -> Checked<Value> {
        params.only(&[
            "customer",
            "subscription",
            "currency",
            "collection_method",
            "days_until_due",
            "due_date",
            "auto_advance",
            "description",
            "metadata",
            "pending_invoice_items_behavior",
            "footer",
            "automatic_tax",
            "payment_settings",
            "statement_descriptor",
        ])?;
        let customer = self.named("customer", params.need("customer")?, "customer")?.clone();
        let subscription = match params.text("subscription") {
            Some(id) => Some(self.named("subscription", id, "subscription")?.clone()),
            None => None,
        };
        let method = params.word("collection_method", &["charge_automatically", "send_invoice"])?.unwrap_or("charge_automatically");
        let due = match (params.integer("days_until_due")?, params.integer("due_date")?) {
            (Some(days), _) => Some(self.now + days * DAY),
            (None, due) => due,
        };
        if method == "send_invoice" && due.is_none() {
            let message =
                "If invoices are set to be sent (`collection_method` is `send_invoice`), `days_until_due` or `due_date` must be given.";
            return Err(ApiError::invalid(message, "days_until_due"));
        }
        let currency = params.text("currency").or(customer["currency"].as_str()).unwrap_or("usd").to_ascii_lowercase();
        let auto_advance = params.boolean("auto_advance")?.unwrap_or(false);
        let reason = if subscription.is_some() { "subscription_update" } else { "manual" };
        let mut invoice = self.draft(&customer, &currency, subscription.as_ref(), reason);
        set(
            &mut invoice,
            json!({"collection_method": method, "due_date": due, "auto_advance": auto_advance, "footer": params.text("footer")}),
        );
        set(&mut invoice, json!({"description": params.text("description")}));
        take_metadata(&mut invoice, params);
        if params.word("pending_invoice_items_behavior", &["include", "exclude"])? == Some("include") {
            for item in self.take_pending_items(text(&customer, "id"), &currency) {
                attach(&mut invoice, item);
            }
        }
        recount(&mut invoice);
        Ok(self.add("invoice", invoice, "invoice.created"))
    }

    /// A draft without lines and without an event.
    pub fn draft(&mut self, customer: &Value, currency: &str, subscription: Option<&Value>, reason: &str) -> Value {
        let id = self.id("in_");
        let now = self.now;
        let parent = subscription.map(|subscription| {
            let details = json!({"subscription": subscription["id"], "metadata": subscription["metadata"]});
            json!({"type": "subscription_details", "subscription_details": details, "quote_details": null})
        });
        let mut invoice = built(
            "invoice",
            json!({
                "id": id, "created": now, "period_start": now, "period_end": now, "customer": customer["id"], "currency": currency,
                "billing_reason": reason, "parent": parent,
            }),
        );
        for member in ["name", "email", "phone", "address", "shipping", "tax_exempt"] {
            invoice[format!("customer_{member}")] = customer[member].clone();
        }
        invoice["lines"]["url"] = json!(format!("/v1/invoices/{id}/lines"));
        invoice
    }

    pub fn update_invoice(&mut self, id: &str, params: &Params) -> Checked<Value> {
        params.only(&["description", "metadata", "footer", "auto_advance", "days_until_due", "due_date", "collection_method"])?;
        let invoice = self.find("invoice", id)?;
        let draft = invoice["status"] == "draft";
        let mut changed = invoice.clone();
        if !draft && ["days_until_due", "due_date", "collection_method"].iter().any(|name| params.sent(name)) {
            return Err(ApiError::state("invoice_not_editable", "Finalized invoices can't be updated in this way"));
        }
        for name in ["description", "footer"] {
            if params.sent(name) {
                changed[name] = json!(params.text(name));
            }
        }
        if let Some(auto_advance) = params.boolean("auto_advance")? {
            changed["auto_advance"] = json!(auto_advance);
        }
        if let Some(method) = params.word("collection_method", &["charge_automatically", "send_invoice"])? {
            changed["collection_method"] = json!(method);
        }
        if let Some(due) = params.integer("due_date")?.or(params.integer("days_until_due")?.map(|days| self.now + days * DAY)) {
            changed["due_date"] = json!(due);
        }
        take_metadata(&mut changed, params);
        self.change("invoice", id, &["invoice.updated"], |invoice| *invoice = changed)
    }

    pub fn list_invoices(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["customer", "status", "subscription", "collection_method", "created", "due_date"])?;
        let created = TimeRange::read(params, "created")?;
        let due = params.sent("due_date").then(|| TimeRange::read(params, "due_date")).transpose()?;
        let status = params.word("status", &["draft", "open", "paid", "uncollectible", "void"])?;
        let (customer, method) = (params.text("customer"), params.text("collection_method"));
        let subscription = params.text("subscription");
        newest_first(self.all("invoice"), "invoice", params, "/v1/invoices", |invoice| {
            created.holds(invoice, "created")
                && due.as_ref().is_none_or(|due| due.holds(invoice, "due_date"))
                && fits(invoice, "status", status)
                && fits(invoice, "customer", customer)
                && fits(invoice, "collection_method", method)
                && subscription
                    .is_none_or(|id| invoice.pointer("/parent/subscription_details/subscription").is_some_and(|known| known == id))
        })
    }

    pub fn finalize_invoice(&mut self, id: &str, params: &Params) -> Checked<Value> {
        params.only(&["auto_advance"])?;
        let auto_advance = params.boolean("auto_advance")?;
        let invoice = self.find("invoice", id)?;
        if invoice["status"] != "draft" {
            return Err(ApiError::state(
                "invoice_not_editable",
                "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
            ));
        }
        let customer = self.get("customer", text(invoice, "customer")).cloned();
        let (total, balance) = (integer(invoice, "total"), customer.as_ref().map_or(0, |customer| integer(customer, "balance")));
        // Credit is used first; the customer's debt or credit from this invoice changes its
        // balance.
        let due = (total + balance).max(0);
        let ending = (total + balance).min(0);
        let number = self.number(customer.as_ref());
        let now = self.now;
        if let Some(customer) = customer.filter(|_| ending != balance) {
            self.change("customer", text(&customer, "id"), &["customer.updated"], |customer| customer["balance"] = json!(ending))?;
        }
        let page = format!("{}/i/{id}", self.base_url);
        self.change("invoice", id, &["invoice.updated", "invoice.finalized"], |invoice| {
            set(
                invoice,
                json!({
                    "status": "open", "number": number, "effective_at": now, "starting_balance": balance, "ending_balance": ending,
                    "amount_due": due, "amount_remaining": due, "hosted_invoice_url": page, "invoice_pdf": format!("{page}/pdf"),
                }),
            );
            invoice["status_transitions"]["finalized_at"] = json!(now);
            if let Some(auto_advance) = auto_advance {
                invoice["auto_advance"] = json!(auto_advance);
            }
        })?;
        if due == 0 {
            return self.settle_invoice(id, 0);
        }
        self.find("invoice", id).cloned()
    }

    /// The customer's prefix and its next number.
    fn number(&mut self, customer: Option<&Value>) -> String {
        let Some(customer) = customer else { return "STANDIN-0001".to_owned() };
        let next = integer(customer, "next_invoice_sequence").max(1);
        let mut counted = customer.clone();
        counted["next_invoice_sequence"] = json!(next + 1);
        self.put("customer", counted);
        format!("{}-{next:04}", text(customer, "invoice_prefix"))
    }

    pub fn pay_invoice(&mut self, id: &str, params: &Params) -> Checked<Value> {
        params.only(&["paid_out_of_band", "payment_method", "source", "off_session", "forgive", "mandate"])?;
        if self.find("invoice", id)?["status"] == "draft" {
            self.finalize_invoice(id, &Params::parse("")?)?;
        }
        let invoice = self.find("invoice", id)?.clone();
        match text(&invoice, "status") {
            "open" | "uncollectible" => {}
            "paid" if integer(&invoice, "amount_due") == 0 => return Ok(invoice),
            "paid" => return Err(ApiError::state("invoice_payment_intent_requires_action", "Invoice is already paid")),
            status => return Err(ApiError::state("invoice_not_editable", &format!("You can't pay an invoice that is {status}."))),
        }
        let out_of_band = params.boolean("paid_out_of_band")?.unwrap_or(false);
        if !out_of_band && params.text("payment_method").is_some_and(|method| method.contains("Declined")) {
            self.record_failed_payment(&invoice)?;
            return Err(ApiError::declined());
        }
        let amount = integer(&invoice, "amount_remaining");
        self.record_payment(&invoice, amount, out_of_band);
        self.settle_invoice(id, amount)
    }

    /// Marks it as paid with this amount.
    pub fn settle_invoice(&mut self, id: &str, amount: i64) -> Checked<Value> {
        let now = self.now;
        self.change("invoice", id, &["invoice.updated", "invoice.paid", "invoice.payment_succeeded"], |invoice| {
            let paid = integer(invoice, "amount_paid") + amount;
            let tries = integer(invoice, "attempt_count") + i64::from(amount > 0);
            let remaining = (integer(invoice, "amount_due") - paid).max(0);
            set(
                invoice,
                json!({"status": "paid", "amount_paid": paid, "amount_remaining": remaining, "attempted": true, "attempt_count": tries}),
            );
            set(invoice, json!({"auto_advance": false, "next_payment_attempt": null}));
            invoice["status_transitions"]["paid_at"] = json!(now);
        })
    }

    pub fn void_invoice(&mut self, id: &str, params: &Params) -> Checked<Value> {
        self.end_invoice(id, params, ("void", "voided_at", "invoice.voided"), &["open", "uncollectible"])
    }

    pub fn mark_uncollectible(&mut self, id: &str, params: &Params) -> Checked<Value> {
        self.end_invoice(id, params, ("uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible"), &["open"])
    }

    fn end_invoice(&mut self, id: &str, params: &Params, (status, moment, event): (&str, &str, &str), from: &[&str]) -> Checked<Value> {
        params.only(&[])?;
        let was = text(self.find("invoice", id)?, "status");
        if !from.contains(&was) {
            let message = format!("You can only pass in open invoices. This invoice is {was}.");
            return Err(ApiError::state("invoice_not_editable", &message));
        }
        let now = self.now;
        self.change("invoice", id, &["invoice.updated", event], |invoice| {
            set(invoice, json!({"status": status, "auto_advance": false, "next_payment_attempt": null}));
            invoice["status_transitions"][moment] = json!(now);
        })
    }

    pub fn send_invoice(&mut self, id: &str, params: &Params) -> Checked<Value> {
        params.only(&[])?;
        let invoice = self.find("invoice", id)?;
        if invoice["collection_method"] != "send_invoice" {
            return Err(ApiError::invalid("You can only manually send an invoice if its collection method is set to 'send_invoice'.", ""));
        }
        if invoice["status"] == "draft" {
            self.finalize_invoice(id, params)?;
        }
        self.change("invoice", id, &["invoice.sent"], |_| {})
    }

    /// Only drafts can be deleted.
    pub fn delete_invoice(&mut self, id: &str) -> Checked<Value> {
        editable(self.find("invoice", id)?)?;
        if let Some(mut invoice) = self.remove("invoice", id) {
            invoice["status"] = json!("deleted");
            self.emit("invoice.deleted", &invoice);
        }
        Ok(json!({"id": id, "object": "invoice", "deleted": true}))
    }
}
