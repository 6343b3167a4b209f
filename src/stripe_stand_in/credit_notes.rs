//! Credit notes, before or after an invoice's payment.

use super::{
    errors::{ApiError, Checked},
    form::Params,
    lists::{TimeRange, fits, newest_first},
    store::{Store, built, integer, set, take_metadata, text},
};
use serde_json::{Value, json};

const REASONS: [&str; 4] = ["duplicate", "fraudulent", "order_change", "product_unsatisfactory"];

impl Store {
    pub fn create_credit_note(&mut self, params: &Params) -> Checked<Value> {
        params.only(&[
            "invoice",
            "amount",
            "reason",
            "memo",
            "metadata",
            "refund_amount",
            "credit_amount",
            "out_of_band_amount",
            "email_type",
            "effective_at",
            "lines",
        ])?;
        let invoice = self.named("invoice", params.need("invoice")?, "invoice")?.clone();
        let reason = params.word("reason", &REASONS)?;
        let mut lines = Vec::new();
        for line in params.objects("lines") {
            lines.push(self.credit_line(&invoice, &line)?);
        }
        let of_lines = lines.iter().map(|line| integer(line, "amount")).sum();
        let amount = match params.integer("amount")? {
            Some(amount) if lines.is_empty() || amount == of_lines => amount,
            Some(_) => return Err(ApiError::invalid("`amount` must be equal to the sum of the lines.", "amount")),
            None if lines.is_empty() => return Err(ApiError::missing("amount")),
            None => of_lines,
        };
        if amount < 1 {
            return Err(ApiError::invalid_code("parameter_invalid_integer", "This value must be greater than or equal to 1.", "amount"));
        }
        let part = |name: &str| params.integer(name).map(|amount| amount.unwrap_or(0));
        let (refunded, credited, outside) = (part("refund_amount")?, part("credit_amount")?, part("out_of_band_amount")?);
        let paid = match text(&invoice, "status") {
            "paid" => true,
            "open" | "uncollectible" => false,
            _ => return Err(ApiError::invalid("Credit notes can only be issued for open, uncollectible or paid invoices.", "invoice")),
        };
        let earlier = integer(&invoice, "post_payment_credit_notes_amount");
        let creditable = if paid { integer(&invoice, "total") - earlier } else { integer(&invoice, "amount_remaining") };
        if amount > creditable {
            let message = format!("The credit note amount ({amount}) is greater than what can be credited ({creditable}).");
            return Err(ApiError::invalid_code("amount_too_large", &message, "amount"));
        }
        if paid && refunded + credited + outside != amount {
            let message =
                "The sum of credit amount, refund amount and out of band amount must equal the credit note amount for paid invoices.";
            return Err(ApiError::invalid(message, "amount"));
        }
        if !paid && refunded + credited + outside != 0 {
            return Err(ApiError::invalid("An unpaid invoice has nothing to give back.", "refund_amount"));
        }
        let mut refunds = Vec::new();
        if refunded > 0 {
            let charge = self
                .charge_of(text(&invoice, "id"))
                .ok_or_else(|| ApiError::invalid("The invoice has no charge to refund.", "refund_amount"))?;
            let refund = self.refund(&charge, Some(refunded), None)?;
            refunds.push(json!({"amount_refunded": refunded, "refund": refund["id"], "payment_record_refund": null, "type": "refund"}));
        }
        if credited > 0 {
            self.change("customer", text(&invoice, "customer"), &["customer.updated"], |customer| {
                customer["balance"] = json!(integer(customer, "balance") - credited);
            })?;
        }

        let id = self.id("cn_");
        let issued = self.all("credit_note").objects.values().filter(|note| note["invoice"] == invoice["id"]).count() + 1;
        let now = self.now;
        let mut note = built(
            "credit_note",
            json!({
                "id": id, "created": now, "effective_at": params.integer("effective_at")?.unwrap_or(now), "invoice": invoice["id"],
                "customer": invoice["customer"], "currency": invoice["currency"], "number": format!("{}-CN-{issued:02}", text(&invoice, "number")),
                "amount": amount, "subtotal": amount, "subtotal_excluding_tax": amount, "total": amount, "total_excluding_tax": amount,
                "memo": params.text("memo"), "reason": reason, "refunds": refunds, "out_of_band_amount": Some(outside).filter(|amount| *amount > 0),
                "type": if paid { "post_payment" } else { "pre_payment" },
                "post_payment_amount": if paid { amount } else { 0 }, "pre_payment_amount": if paid { 0 } else { amount },
                "pdf": format!("{}/cn/{id}/pdf", self.base_url),
            }),
        );
        note["lines"] = json!({"object": "list", "data": lines, "has_more": false, "url": format!("/v1/credit_notes/{id}/lines")});
        take_metadata(&mut note, params);
        let note = self.add("credit_note", note, "credit_note.created");
        self.credit(text(&invoice, "id"), amount, paid)?;
        Ok(note)
    }

    fn credit_line(&mut self, invoice: &Value, line: &Params) -> Checked<Value> {
        line.only(&["type", "amount", "quantity", "invoice_line_item", "description", "unit_amount"])?;
        let quantity = line.integer("quantity")?.unwrap_or(1);
        let amount = match (line.integer("amount")?, line.integer("unit_amount")?) {
            (Some(amount), _) => amount,
            (None, Some(unit)) => unit.saturating_mul(quantity),
            (None, None) => return Err(ApiError::missing(&line.name("amount"))),
        };
        let kind = line.word("type", &["invoice_line_item", "custom_line_item"])?.unwrap_or("custom_line_item");
        let of = line.text("invoice_line_item");
        let lines = invoice["lines"]["data"].as_array().map_or(&[][..], Vec::as_slice);
        let billed = lines.iter().find(|known| Some(text(known, "id")) == of);
        if let Some(of) = of.filter(|_| billed.is_none()) {
            return Err(ApiError::no_such("invoice line item", of, &line.name("invoice_line_item")));
        }
        let description = line.text("description").or(billed.and_then(|line| line["description"].as_str()));
        let mut made =
            built("credit_note_line_item", json!({"id": self.id("cnli_"), "amount": amount, "quantity": quantity, "type": kind}));
        set(&mut made, json!({"description": description, "unit_amount": line.integer("unit_amount")?, "invoice_line_item": of}));
        Ok(made)
    }

    /// Reduces an invoice's amount due; a negative amount increases it.
    fn credit(&mut self, invoice: &str, amount: i64, paid: bool) -> Checked<()> {
        let changed = self.change("invoice", invoice, &["invoice.updated"], |invoice| {
            let member = if paid { "post_payment_credit_notes_amount" } else { "pre_payment_credit_notes_amount" };
            invoice[member] = json!(integer(invoice, member) + amount);
            if !paid {
                for member in ["amount_due", "amount_remaining"] {
                    invoice[member] = json!(integer(invoice, member) - amount);
                }
            }
        })?;
        if !paid && integer(&changed, "amount_remaining") == 0 {
            self.settle_invoice(invoice, 0)?;
        }
        Ok(())
    }

    fn charge_of(&self, invoice: &str) -> Option<Value> {
        let payments = self.all("invoice_payment").objects.values().rev();
        let of_invoice = payments.filter(|payment| payment["invoice"] == invoice);
        of_invoice.filter_map(|payment| self.get("charge", payment["payment"]["charge"].as_str()?)).next().cloned()
    }

    /// Only those of open invoices can be voided.
    pub fn void_credit_note(&mut self, id: &str, params: &Params) -> Checked<Value> {
        params.only(&[])?;
        let note = self.find("credit_note", id)?;
        if note["status"] == "void" {
            return Err(ApiError::invalid("This credit note is already void.", ""));
        }
        let (invoice, amount) = (text(note, "invoice").to_owned(), integer(note, "amount"));
        if self.named("invoice", &invoice, "invoice")?["status"] != "open" {
            return Err(ApiError::invalid("You can only void credit notes of open invoices.", ""));
        }
        let now = self.now;
        let note =
            self.change("credit_note", id, &["credit_note.voided"], |note| set(note, json!({"status": "void", "voided_at": now})))?;
        self.credit(&invoice, -amount, false)?;
        Ok(note)
    }

    pub fn list_credit_notes(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["customer", "invoice", "created"])?;
        let created = TimeRange::read(params, "created")?;
        let (customer, invoice) = (params.text("customer"), params.text("invoice"));
        newest_first(self.all("credit_note"), "credit_note", params, "/v1/credit_notes", |note| {
            created.holds(note, "created") && fits(note, "customer", customer) && fits(note, "invoice", invoice)
        })
    }
}
