//! Subscriptions, their items and prices.

use super::{
    errors::{ApiError, Checked},
    form::Params,
    lines::Line,
    lists::{TimeRange, fits, in_order, newest_first},
    store::{Store, built, integer, set, take_metadata, text},
};
use serde_json::{Value, json};
use time::{Date, Month, OffsetDateTime};

const WRITTEN: [&str; 14] = [
    "items",
    "metadata",
    "cancel_at_period_end",
    "cancel_at",
    "description",
    "collection_method",
    "days_until_due",
    "proration_behavior",
    "payment_behavior",
    "default_payment_method",
    "automatic_tax",
    "off_session",
    "payment_settings",
    "cancellation_details",
];

impl Store {
    pub fn create_price(&mut self, params: &Params) -> Checked<Value> {
        params.only(&["currency", "unit_amount", "recurring", "product", "product_data", "lookup_key", "nickname", "metadata"])?;
        let amount = params.integer("unit_amount")?.ok_or_else(|| ApiError::missing("unit_amount"))?;
        let currency = params.need("currency")?.to_ascii_lowercase();
        let product = match params.text("product") {
            Some(product) => product.to_owned(),
            None => self.id("prod_"),
        };
        let mut price = built("price", json!({"id": self.id("price_"), "created": self.now, "currency": currency, "unit_amount": amount}));
        set(&mut price, json!({"unit_amount_decimal": amount.to_string(), "product": product, "nickname": params.text("nickname")}));
        price["lookup_key"] = json!(params.text("lookup_key"));
        for name in ["interval", "usage_type", "meter"] {
            if let Some(value) = params.text(&format!("recurring[{name}]")) {
                price["recurring"][name] = json!(value);
            }
        }
        take_metadata(&mut price, params);
        Ok(self.add("price", price, "price.created"))
    }

    pub fn list_prices(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["active", "currency", "product", "type", "created", "lookup_keys"])?;
        let created = TimeRange::read(params, "created")?;
        let (product, currency, keys) = (params.text("product"), params.text("currency"), params.texts("lookup_keys"));
        newest_first(self.all("price"), "price", params, "/v1/prices", |price| {
            created.holds(price, "created")
                && fits(price, "product", product)
                && fits(price, "currency", currency)
                && (keys.is_empty() || keys.contains(&text(price, "lookup_key")))
        })
    }

    /// A subscription and its first invoice, which is paid at once unless it is sent.
    pub fn create_subscription(&mut self, params: &Params) -> Checked<Value> {
        params.only(&[&WRITTEN[..], &["customer", "currency", "backdate_start_date", "billing_cycle_anchor", "trial_end"]].concat())?;
        let customer = self.named("customer", params.need("customer")?, "customer")?.clone();
        if params.objects("items").is_empty() {
            return Err(ApiError::missing("items"));
        }
        let start = params.integer("backdate_start_date")?.unwrap_or(self.now);
        let method = params.word("collection_method", &["charge_automatically", "send_invoice"])?.unwrap_or("charge_automatically");
        let days = params.integer("days_until_due")?;
        if method == "send_invoice" && days.is_none() {
            return Err(ApiError::missing("days_until_due"));
        }
        let id = self.id("sub_");
        let mut subscription = built(
            "subscription",
            json!({
                "id": id, "created": start, "start_date": start, "billing_cycle_anchor": start, "customer": customer["id"], "days_until_due": days,
                "collection_method": method, "status": "active",
            }),
        );
        subscription["items"]["url"] = json!(format!("/v1/subscription_items?subscription={id}"));
        self.write_subscription(&mut subscription, params, (start, a_month_after(start)))?;
        subscription["currency"] = subscription["items"]["data"][0]["price"]["currency"].clone();
        let subscription = self.add("subscription", subscription, "customer.subscription.created");
        let invoice = self.bill(&customer, &subscription)?;
        let mut subscription = subscription;
        subscription["latest_invoice"] = invoice["id"].clone();
        self.put("subscription", subscription.clone());
        Ok(subscription)
    }

    fn bill(&mut self, customer: &Value, subscription: &Value) -> Checked<Value> {
        let mut invoice = self.draft(customer, text(subscription, "currency"), Some(subscription), "subscription_create");
        let (sends, days) = (subscription["collection_method"] == "send_invoice", integer(subscription, "days_until_due"));
        set(
            &mut invoice,
            json!({"collection_method": subscription["collection_method"], "due_date": sends.then(|| self.now + days * 86_400)}),
        );
        let items = subscription["items"]["data"].as_array().map_or(&[][..], Vec::as_slice);
        for item in items.iter().filter(|item| item["price"]["recurring"]["usage_type"] != "metered") {
            let price = &item["price"];
            let (unit, quantity) = (integer(price, "unit_amount"), integer(item, "quantity"));
            let line = Line {
                description: format!("{quantity} × {}", price["nickname"].as_str().unwrap_or("Subscription")),
                amount: unit.saturating_mul(quantity),
                quantity,
                unit_amount: unit.to_string(),
                period: (integer(item, "current_period_start"), integer(item, "current_period_end")),
                subscription_item: item["id"].as_str().map(str::to_owned),
                price: Some((text(price, "id").to_owned(), text(price, "product").to_owned())),
            };
            self.add_line(&mut invoice, &line);
        }
        let invoice = self.add("invoice", invoice, "invoice.created");
        let id = text(&invoice, "id");
        let none = Params::parse("")?;
        if sends { self.finalize_invoice(id, &none) } else { self.pay_invoice(id, &none) }
    }

    pub fn update_subscription(&mut self, id: &str, params: &Params) -> Checked<Value> {
        params.only(&WRITTEN)?;
        let mut changed = self.find("subscription", id)?.clone();
        if changed["status"] == "canceled" {
            return Err(ApiError::invalid("A canceled subscription can only update its cancellation_details and metadata.", ""));
        }
        let first = &changed["items"]["data"][0];
        let period = (integer(first, "current_period_start"), integer(first, "current_period_end"));
        self.write_subscription(&mut changed, params, period)?;
        self.change("subscription", id, &["customer.subscription.updated"], |subscription| *subscription = changed)
    }

    fn write_subscription(&mut self, subscription: &mut Value, params: &Params, period: (i64, i64)) -> Checked<()> {
        for item in params.objects("items") {
            self.write_item(subscription, &item, period)?;
        }
        if let Some(at_end) = params.boolean("cancel_at_period_end")? {
            let (canceled, at) = if at_end { (Some(self.now), Some(period.1)) } else { (None, None) };
            set(subscription, json!({"cancel_at_period_end": at_end, "canceled_at": canceled, "cancel_at": at}));
        }
        if params.sent("cancel_at") {
            let at = params.integer("cancel_at")?;
            set(subscription, json!({"cancel_at": at, "canceled_at": at.map(|_| self.now)}));
        }
        if params.sent("description") {
            subscription["description"] = json!(params.text("description"));
        }
        take_metadata(subscription, params);
        Ok(())
    }

    /// Adds an item, or changes or removes the item `id`.
    fn write_item(&mut self, subscription: &mut Value, params: &Params, period: (i64, i64)) -> Checked<()> {
        params.only(&["id", "price", "quantity", "metadata", "deleted", "clear_usage", "discounts", "tax_rates"])?;
        let price = match params.text("price") {
            Some(id) => Some(self.named("price", id, &params.name("price"))?.clone()),
            None => None,
        };
        let made = match (params.text("id"), &price) {
            (Some(_), _) => None,
            (None, None) => return Err(ApiError::missing(&params.name("price"))),
            (None, Some(price)) => {
                let (start, end) = period;
                let mut item =
                    built("subscription_item", json!({"id": self.id("si_"), "created": self.now, "subscription": subscription["id"]}));
                set(&mut item, json!({"price": price, "current_period_start": start, "current_period_end": end}));
                // Metered items have no quantity.
                if price["recurring"]["usage_type"] == "metered" {
                    item.as_object_mut().map(|members| members.remove("quantity"));
                }
                Some(item)
            }
        };
        let Some(items) = subscription["items"]["data"].as_array_mut() else { return Ok(()) };
        let at = match params.text("id") {
            None => {
                items.extend(made);
                items.len() - 1
            }
            Some(id) => {
                let known = items.iter().position(|item| text(item, "id") == id);
                known.ok_or_else(|| ApiError::no_such("subscription_item", id, &params.name("id")))?
            }
        };
        if params.boolean("deleted")? == Some(true) {
            items.remove(at);
            return Ok(());
        }
        let item = &mut items[at];
        if let Some(price) = price {
            // The price's older name, which Stripe still returns.
            item["plan"] = plan(&price);
            item["price"] = price;
        }
        if let Some(quantity) = params.integer("quantity")? {
            item["quantity"] = json!(quantity);
        }
        take_metadata(item, params);
        Ok(())
    }

    pub fn cancel_subscription(&mut self, id: &str) -> Checked<Value> {
        if self.find("subscription", id)?["status"] == "canceled" {
            return Err(ApiError::no_such("subscription", id, "id"));
        }
        let now = self.now;
        self.change("subscription", id, &["customer.subscription.deleted"], |subscription| {
            set(subscription, json!({"status": "canceled", "canceled_at": now, "ended_at": now, "cancel_at_period_end": false}));
            subscription["cancellation_details"]["reason"] = json!("cancellation_requested");
        })
    }

    pub fn list_subscriptions(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&[
            "customer",
            "price",
            "status",
            "created",
            "collection_method",
            "current_period_start",
            "current_period_end",
        ])?;
        let created = TimeRange::read(params, "created")?;
        let (starts, ends) = (TimeRange::read(params, "current_period_start")?, TimeRange::read(params, "current_period_end")?);
        let by_period = params.sent("current_period_start") || params.sent("current_period_end");
        let (customer, price) = (params.text("customer"), params.text("price"));
        let known = ["all", "ended", "active", "canceled", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid"];
        let status = params.word("status", &known)?;
        let has = |subscription: &Value, holds: &dyn Fn(&Value) -> bool| {
            subscription["items"]["data"].as_array().is_some_and(|i| i.iter().any(holds))
        };
        newest_first(self.all("subscription"), "subscription", params, "/v1/subscriptions", |subscription| {
            let ended = matches!(text(subscription, "status"), "canceled" | "incomplete_expired");
            let in_status = match status {
                // Without a filter, canceled ones are left out.
                None => subscription["status"] != "canceled",
                Some("all") => true,
                Some("ended") => ended,
                Some(status) => subscription["status"] == status,
            };
            in_status
                && created.holds(subscription, "created")
                && fits(subscription, "customer", customer)
                && price.is_none_or(|price| has(subscription, &|item| item["price"]["id"] == price))
                && (!by_period
                    || has(subscription, &|item| starts.holds(item, "current_period_start") && ends.holds(item, "current_period_end")))
        })
    }

    pub fn list_subscription_items(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["subscription"])?;
        let subscription = self.named("subscription", params.need("subscription")?, "subscription")?;
        let items = subscription["items"]["data"].as_array().map_or(&[][..], Vec::as_slice);
        in_order(items, "subscription_item", params, "/v1/subscription_items")
    }
}

fn plan(price: &Value) -> Value {
    let recurring = &price["recurring"];
    built(
        "plan",
        json!({
            "id": price["id"], "created": price["created"], "currency": price["currency"], "product": price["product"], "nickname": price["nickname"],
            "amount": price["unit_amount"], "amount_decimal": price["unit_amount_decimal"], "billing_scheme": price["billing_scheme"],
            "interval": recurring["interval"], "interval_count": recurring["interval_count"], "usage_type": recurring["usage_type"],
            "meter": recurring["meter"], "metadata": price["metadata"],
        }),
    )
}

/// The same day of the next month, or its last.
fn a_month_after(seconds: i64) -> i64 {
    let Ok(at) = OffsetDateTime::from_unix_timestamp(seconds) else { return seconds };
    let month = at.month().next();
    let year = at.year() + i32::from(month == Month::January);
    let date = Date::from_calendar_date(year, month, at.day().min(month.length(year)));
    date.map_or(seconds, |date| at.replace_date(date).unix_timestamp())
}
