//! Invoice lines, and invoice items.

use super::{
    errors::{ApiError, Checked},
    form::Params,
    lists::in_order,
    store::{Store, built, integer, text},
};
use serde_json::{Value, json};

/// A line of a new invoice.
pub struct Line {
    pub description: String,
    pub amount: i64,
    pub quantity: i64,
    /// Minor units, possibly with a fraction.
    pub unit_amount: String,
    pub period: (i64, i64),
    /// The subscription item that it bills.
    pub subscription_item: Option<String>,
    pub price: Option<(String, String)>,
}

impl Store {
    /// Adds a line to a draft that is not stored yet, or to a copy of a stored one.
    pub fn add_line(&mut self, invoice: &mut Value, line: &Line) {
        let parent = match (&line.subscription_item, invoice.pointer("/parent/subscription_details/subscription")) {
            (Some(item), Some(subscription)) => json!({
                "type": "subscription_item_details", "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": null, "proration": false, "proration_details": {"credited_items": null}, "subscription": subscription,
                    "subscription_item": item,
                },
            }),
            _ => json!({
                "type": "invoice_item_details", "subscription_item_details": null,
                "invoice_item_details": {
                    "invoice_item": self.id("ii_"), "proration": false, "proration_details": {"credited_items": null}, "subscription": null,
                },
            }),
        };
        let price = line.price.as_ref().map(|(price, product)| json!({"price": price, "product": product}));
        let entry = built(
            "line_item",
            json!({
                "id": self.id("il_"), "invoice": invoice["id"], "currency": invoice["currency"], "amount": line.amount, "subtotal": line.amount,
                "description": line.description, "quantity": line.quantity, "parent": parent,
                "period": {"start": line.period.0, "end": line.period.1},
                "pricing": {"type": "price_details", "unit_amount_decimal": line.unit_amount, "price_details": price},
            }),
        );
        attach(invoice, entry);
        recount(invoice);
    }

    pub fn create_invoice_item(&mut self, params: &Params) -> Checked<Value> {
        params.only(&[
            "customer",
            "amount",
            "currency",
            "description",
            "invoice",
            "metadata",
            "period",
            "quantity",
            "unit_amount_decimal",
            "discountable",
        ])?;
        let customer = self.named("customer", params.need("customer")?, "customer")?.clone();
        let invoice = params.text("invoice").map(str::to_owned);
        if let Some(invoice) = &invoice {
            editable(self.named("invoice", invoice, "invoice")?)?;
        }
        let line = self.line(params, "")?;
        let currency = params.text("currency").unwrap_or("usd").to_ascii_lowercase();
        // A temporary draft computes the line.
        let mut bearer = match &invoice {
            Some(invoice) => self.named("invoice", invoice, "invoice")?.clone(),
            None => self.draft(&customer, &currency, None, "manual"),
        };
        self.add_line(&mut bearer, &line);
        let made = bearer["lines"]["data"].as_array().and_then(|lines| lines.last()).cloned().unwrap_or_default();
        let item = json!({
            "id": made["parent"]["invoice_item_details"]["invoice_item"], "object": "invoiceitem", "amount": line.amount, "currency": currency,
            "customer": customer["id"], "date": self.now, "created": self.now, "description": line.description, "discountable": true, "discounts": [],
            "invoice": invoice, "livemode": false, "metadata": {}, "parent": null, "period": made["period"], "pricing": made["pricing"],
            "proration": false, "quantity": line.quantity, "tax_rates": [], "test_clock": null, "line": made,
        });
        let mut shown = item.clone();
        if let Some(members) = shown.as_object_mut() {
            members.remove("line");
        }
        self.put("invoiceitem", item);
        self.emit("invoiceitem.created", &shown);
        if let Some(invoice) = invoice {
            self.change("invoice", &invoice, &["invoice.updated"], |invoice| *invoice = bearer)?;
        }
        Ok(shown)
    }

    pub fn take_pending_items(&mut self, customer: &str, currency: &str) -> Vec<Value> {
        let pending = |item: &&Value| item["customer"] == customer && item["currency"] == currency && item["invoice"].is_null();
        let items: Vec<Value> = self.all("invoiceitem").objects.values().filter(pending).cloned().collect();
        for item in &items {
            self.remove("invoiceitem", text(item, "id"));
        }
        items.into_iter().map(|item| item["line"].clone()).collect()
    }

    pub fn add_lines(&mut self, id: &str, params: &Params) -> Checked<Value> {
        params.only(&["lines", "invoice_metadata"])?;
        let mut invoice = self.find("invoice", id)?.clone();
        editable(&invoice)?;
        for line in params.objects("lines") {
            line.only(&["amount", "description", "quantity", "unit_amount_decimal", "period", "metadata", "discountable"])?;
            let line = self.line(&line, "")?;
            self.add_line(&mut invoice, &line);
        }
        self.change("invoice", id, &["invoice.updated"], |kept| *kept = invoice)
    }

    fn line(&self, params: &Params, fallback: &str) -> Checked<Line> {
        let quantity = params.integer("quantity")?.unwrap_or(1);
        let (amount, unit_amount) = match (params.integer("amount")?, params.text("unit_amount_decimal")) {
            (Some(amount), _) => (amount, amount.to_string()),
            (None, Some(decimal)) => {
                let unit: i64 = decimal.parse().map_err(|_| ApiError::invalid("Invalid decimal", &params.name("unit_amount_decimal")))?;
                (unit.saturating_mul(quantity), decimal.to_owned())
            }
            (None, None) => return Err(ApiError::missing(&params.name("amount"))),
        };
        let bound = |name: &str| params.integer(name).map(|at| at.unwrap_or(self.now));
        let period = (bound("period[start]")?, bound("period[end]")?);
        let description = params.text("description").unwrap_or(fallback).to_owned();
        Ok(Line { description, amount, quantity, unit_amount, period, subscription_item: None, price: None })
    }

    pub fn list_lines(&self, kind: &str, id: &str, params: &Params) -> Checked<Value> {
        params.only_filters(&[])?;
        let lines = self.find(kind, id)?["lines"]["data"].as_array().map_or(&[][..], Vec::as_slice);
        in_order(lines, "line_item", params, &format!("/v1/{kind}s/{id}/lines"))
    }
}

/// Whether its lines may still change.
pub fn editable(invoice: &Value) -> Checked<()> {
    if invoice["status"] == "draft" {
        return Ok(());
    }
    Err(ApiError::state("invoice_not_editable", "This invoice is no longer a draft and can't be changed in this way."))
}

/// Appends a line.
pub fn attach(invoice: &mut Value, mut line: Value) {
    line["invoice"] = invoice["id"].clone();
    if let Some(lines) = invoice["lines"]["data"].as_array_mut() {
        lines.push(line);
    }
    recount(invoice);
}

/// Computes a draft's sums from its lines.
pub fn recount(invoice: &mut Value) {
    let lines = invoice["lines"]["data"].as_array().map_or(&[][..], Vec::as_slice);
    let sum: i64 = lines.iter().map(|line| integer(line, "amount")).sum();
    for member in ["subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"] {
        invoice[member] = json!(sum);
    }
    for member in ["amount_due", "amount_remaining"] {
        invoice[member] = json!(sum.max(0));
    }
}
