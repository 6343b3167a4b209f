//! An invoice at each moment of its life cycle, its payment and its refund.

use super::{
    DemoCustomer, Item, Outcome, OverageLine, Particulars, Tax, base_fee, event, id, invoice_id, price_id, subscription_id,
    sums::{Entry, Line, Sums, add_up},
};
use crate::domain::{money::Currency, period::Period, rating::rate};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// The differences between an invoice's moments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub status: &'static str,
    pub created_at: OffsetDateTime,
    pub finalized_at: Option<OffsetDateTime>,
    pub paid_at: Option<OffsetDateTime>,
    pub voided_at: Option<OffsetDateTime>,
    pub marked_uncollectible_at: Option<OffsetDateTime>,
    pub attempts: i64,
}

impl Facts {
    pub const fn draft(created_at: OffsetDateTime) -> Facts {
        Facts {
            status: "draft",
            created_at,
            finalized_at: None,
            paid_at: None,
            voided_at: None,
            marked_uncollectible_at: None,
            attempts: 0,
        }
    }
}

/// An invoice and its sums.
pub(super) struct Bill<'a> {
    customer: &'a DemoCustomer,
    particulars: &'a Particulars,
    /// Its month; None without a subscription.
    period: Option<Period>,
    created_at: OffsetDateTime,
    outcome: Outcome,
    id: String,
    sums: Sums,
}

impl<'a> Bill<'a> {
    /// For a month of the subscription, created at the end of the month.
    pub fn of_month(
        customer: &'a DemoCustomer,
        period: Period,
        outcome: Outcome,
        overages: &[OverageLine],
        particulars: &'a Particulars,
    ) -> Bill<'a> {
        let usual = if customer.tax_percent == 0 { Tax::None } else { Tax::Exclusive(customer.tax_percent) };
        let tax = particulars.tax.unwrap_or(usual);
        let fee = Entry {
            what: "base".into(),
            description: format!("{} plan", customer.plan.title()),
            quantity: 1,
            unit_amount: base_fee(customer.plan, customer.currency),
            discount_percent: particulars.fee_discount_percent,
            tax,
        };
        let over = overages.iter().filter_map(|overage| {
            let over = rate(overage.terms, overage.used).amount;
            let packages = i64::try_from(over.div_ceil(overage.terms.package.get())).unwrap_or(i64::MAX);
            (packages > 0).then(|| Entry {
                what: overage.metric.as_str().to_owned(),
                description: describe(overage),
                quantity: packages,
                unit_amount: i64::from(overage.terms.price_per_package),
                discount_percent: 0,
                tax,
            })
        });
        let entries = std::iter::once(fee).chain(over).collect();
        Bill {
            customer,
            particulars,
            period: Some(period),
            created_at: period.end() + Duration::minutes(1),
            outcome,
            id: invoice_id(customer, period),
            sums: add_up(entries, customer.discount_percent, particulars.billing_credits, particulars.shipping),
        }
    }

    /// For items without a subscription.
    pub fn of_items(
        customer: &'a DemoCustomer,
        created_at: OffsetDateTime,
        outcome: Outcome,
        items: &[Item],
        particulars: &'a Particulars,
    ) -> Bill<'a> {
        let id = id("in_1", &format!("{}/items/{}", customer.stripe_id, created_at.unix_timestamp()));
        let entries = items
            .iter()
            .enumerate()
            .map(|(index, item)| Entry {
                what: format!("item/{index}"),
                description: item.description.to_owned(),
                quantity: item.quantity,
                unit_amount: item.unit_amount,
                discount_percent: 0,
                tax: item.tax,
            })
            .collect();
        let sums = add_up(entries, 0, particulars.billing_credits, particulars.shipping);
        Bill { customer, particulars, period: None, created_at, outcome, id, sums }
    }

    pub const fn created_at(&self) -> OffsetDateTime {
        self.created_at
    }

    /// The amount due at finalization: 0 if below Stripe's minimum charge ("Minimum and maximum
    /// charge amounts").
    pub fn due(&self) -> i64 {
        let owed = self.sums.total() + self.particulars.starting_balance;
        if owed < minimum(self.customer.currency) { 0 } else { owed }
    }

    pub fn invoice_event(&self, event_type: &str, at: OffsetDateTime, facts: &Facts) -> Value {
        self.event(event_type, at, self.invoice(facts))
    }

    /// A card payment: all events within one second by Stripe's clock. Without an amount due there
    /// is no charge.
    pub fn payment(&self, before: &Facts, at: OffsetDateTime) -> Vec<Value> {
        if self.due() == 0 {
            let paid = Facts { status: "paid", paid_at: Some(at), ..*before };
            return vec![self.invoice_event("invoice.payment_succeeded", at, &paid), self.invoice_event("invoice.paid", at, &paid)];
        }
        let paid = Facts { status: "paid", paid_at: Some(at), attempts: before.attempts + 1, ..*before };
        let means = json!({"type": "payment_intent", "payment_intent": self.payment_intent()});
        vec![
            self.event("charge.succeeded", at, self.charge(at, 0)),
            self.event("invoice_payment.paid", at, self.invoice_payment(at, means)),
            self.invoice_event("invoice.payment_succeeded", at, &paid),
            self.invoice_event("invoice.paid", at, &paid),
        ]
    }

    /// A bank transfer: no charge, only `invoice.paid`.
    pub fn payment_out_of_band(&self, before: &Facts, at: OffsetDateTime) -> Vec<Value> {
        let paid = Facts { status: "paid", paid_at: Some(at), ..*before };
        let means = json!({"type": "payment_record", "payment_record": id("pr_1", &self.id)});
        let mut events = vec![self.event("invoice_payment.paid", at, self.invoice_payment(at, means))];
        if self.particulars.overpaid > 0 {
            events.push(self.invoice_event("invoice.overpaid", at, &paid));
        }
        events.push(self.invoice_event("invoice.paid", at, &paid));
        events
    }

    /// Refunds a part of the card payment.
    pub fn refund(&self, amount: i64, charged_at: OffsetDateTime, at: OffsetDateTime) -> Vec<Value> {
        let refund = json!({
            "id": id("re_1", &self.id), "object": "refund", "amount": amount, "currency": self.customer.currency.code(), "charge": self.charge_id(),
            "payment_intent": self.payment_intent(), "created": at.unix_timestamp(), "status": "succeeded", "reason": "requested_by_customer",
            "metadata": {}, "customer": null, "destination_details": {"type": "card", "card": {"type": "refund"}},
        });
        vec![self.event("refund.created", at, refund), self.event("charge.refunded", at, self.charge(charged_at, amount))]
    }

    fn event(&self, event_type: &str, at: OffsetDateTime, object: Value) -> Value {
        event(&format!("{}/{event_type}", self.id), event_type, at, object)
    }

    fn payment_intent(&self) -> String {
        id("pi_3", &self.id)
    }

    fn charge_id(&self) -> String {
        id("ch_3", &self.id)
    }

    fn invoice(&self, facts: &Facts) -> Value {
        let (customer, particulars, sums) = (self.customer, self.particulars, &self.sums);
        let seconds = |at: Option<OffsetDateTime>| at.map(OffsetDateTime::unix_timestamp);
        let (total, due) = (sums.total(), self.due());
        let is_paid = facts.status == "paid";
        let paid = if is_paid { due } else { 0 };
        let (sends, days) = match self.outcome {
            Outcome::Open | Outcome::PaidOutOfBand => (true, 30),
            Outcome::Overdue => (true, 14),
            _ => (false, 0),
        };
        let due_date = facts.finalized_at.filter(|_| sends).map(|at| at + Duration::days(days));
        let inclusive: i64 = sums.taxes.iter().filter(|sum| matches!(sum.rate, Tax::Inclusive(_))).map(|sum| sum.amount).sum();
        let reverse_charge = sums.taxes.iter().any(|sum| sum.rate == Tax::ReverseCharge);
        let discounts = [(self.fee_discount(), sums.item_discount), (self.invoice_discount(), sums.invoice_discount)];
        let discounts: Vec<Value> =
            discounts.into_iter().filter(|(_, amount)| *amount > 0).map(|(id, amount)| json!({"amount": amount, "discount": id})).collect();
        let pretax: Vec<Value> = discounts.iter().map(pretax_discount).chain(self.credit(sums.credits)).collect();
        let (start, end) = self.period.map_or((self.created_at, self.created_at), |period| (period.start(), period.end()));
        let parent = self.period.map(|_| {
            json!({"type": "subscription_details", "subscription_details": {"subscription": subscription_id(customer), "metadata": {}}, "quote_details": null})
        });
        let open_page = facts.finalized_at.map(|_| format!("https://invoice.stripe.com/i/acct_demo/{}", self.id));
        json!({
            "id": self.id, "object": "invoice", "customer": customer.stripe_id, "customer_account": null, "status": facts.status,
            "number": facts.finalized_at.map(|_| self.number()),
            "currency": customer.currency.code(), "created": facts.created_at.unix_timestamp(), "livemode": false,
            "billing_reason": if self.period.is_some() { "subscription_cycle" } else { "manual" },
            "collection_method": if sends { "send_invoice" } else { "charge_automatically" }, "due_date": seconds(due_date),
            "attempt_count": facts.attempts, "attempted": facts.attempts > 0 || is_paid, "auto_advance": !matches!(facts.status, "paid" | "void" | "uncollectible"),
            "customer_name": customer.name, "customer_email": customer.email, "customer_phone": null,
            "customer_tax_exempt": if reverse_charge { "reverse" } else { "none" },
            "customer_address": {
                "line1": customer.address.line1, "line2": null, "city": customer.address.city, "postal_code": customer.address.postal_code,
                "state": customer.address.state, "country": customer.address.country,
            },
            "customer_tax_ids": customer.tax_id.iter().map(|(kind, value)| json!({"type": kind, "value": value})).collect::<Vec<_>>(),
            "description": null, "footer": particulars.footer, "custom_fields": null, "metadata": {},
            "discounts": if sums.invoice_discount > 0 { json!([self.invoice_discount()]) } else { json!([]) },
            "default_tax_rates": sums.taxes.iter().map(|sum| sum.rate.rate(&customer.address.country)).collect::<Vec<_>>(),
            "effective_at": seconds(facts.finalized_at),
            "subtotal": sums.subtotal, "subtotal_excluding_tax": sums.subtotal - inclusive, "total": total, "total_excluding_tax": total - sums.tax(),
            "total_discount_amounts": discounts, "total_pretax_credit_amounts": pretax,
            "total_taxes": sums.taxes.iter().map(|sum| sum.rate.entry(sum.amount, sum.taxable)).collect::<Vec<_>>(),
            "amount_due": due, "amount_paid": paid, "amount_remaining": due - paid, "amount_overpaid": if is_paid { particulars.overpaid } else { 0 },
            "amount_shipping": sums.shipping, "shipping_cost": self.shipping_cost(), "shipping_details": null,
            "starting_balance": particulars.starting_balance,
            "ending_balance": facts.finalized_at.map(|_| total + particulars.starting_balance - due),
            "pre_payment_credit_notes_amount": 0, "post_payment_credit_notes_amount": 0,
            "period_start": start.unix_timestamp(), "period_end": end.unix_timestamp(), "parent": parent,
            "hosted_invoice_url": open_page, "invoice_pdf": open_page.as_ref().map(|url| format!("{url}/pdf")),
            "status_transitions": {
                "finalized_at": seconds(facts.finalized_at), "paid_at": seconds(facts.paid_at), "voided_at": seconds(facts.voided_at),
                "marked_uncollectible_at": seconds(facts.marked_uncollectible_at),
            },
            "lines": {
                "object": "list", "data": sums.lines.iter().map(|line| self.line(line)).collect::<Vec<_>>(), "has_more": false,
                "url": format!("/v1/invoices/{}/lines", self.id),
            },
        })
    }

    fn fee_discount(&self) -> String {
        id("di_1", &format!("{}/fee", self.id))
    }

    fn invoice_discount(&self) -> String {
        id("di_1", &self.customer.stripe_id)
    }

    /// The entry of pretax credits for billing credits, if any.
    fn credit(&self, amount: i64) -> Option<Value> {
        let transaction = id("cbtxn_1", &self.id);
        (amount > 0).then(|| json!({"amount": amount, "type": "credit_balance_transaction", "credit_balance_transaction": transaction}))
    }

    fn shipping_cost(&self) -> Value {
        let sums = &self.sums;
        if sums.shipping == 0 {
            return Value::Null;
        }
        let tax = sums.shipping_tax.map_or(0, |tax| if matches!(tax.rate, Tax::Inclusive(_)) { 0 } else { tax.amount });
        let amount_tax = sums.shipping_tax.map_or(0, |tax| tax.amount);
        json!({"amount_subtotal": sums.shipping, "amount_tax": amount_tax, "amount_total": sums.shipping + tax, "shipping_rate": id("shr_1", "standard")})
    }

    /// Stripe's default scheme: the customer's prefix and a running number; by default numbered by
    /// month.
    fn number(&self) -> String {
        let start = self.period.map_or(self.created_at, |period| period.start());
        let months = ((start.year() - 2020) * 12 + i32::from(u8::from(start.month()))).unsigned_abs();
        format!("{}-{:04}", id("", &self.customer.stripe_id)[..8].to_ascii_uppercase(), self.particulars.number.unwrap_or(months))
    }

    fn line(&self, line: &Line) -> Value {
        let (customer, entry) = (self.customer, &line.entry);
        let invoice_item = id("ii_1", &format!("{}/{}", self.id, entry.what));
        let (start, end) = self.period.map_or((self.created_at, self.created_at), |period| (period.start(), period.end()));
        let discounts = [(self.fee_discount(), line.item_discount), (self.invoice_discount(), line.invoice_discount)];
        let discounts: Vec<Value> =
            discounts.into_iter().filter(|(_, amount)| *amount > 0).map(|(id, amount)| json!({"amount": amount, "discount": id})).collect();
        let pretax: Vec<Value> = discounts.iter().map(pretax_discount).chain(self.credit(line.credits)).collect();
        let own: Vec<String> = if line.item_discount > 0 { vec![self.fee_discount()] } else { Vec::new() };
        let taxes: Vec<Value> = if entry.tax == Tax::None { Vec::new() } else { vec![entry.tax.entry(line.tax, line.taxable)] };
        let parent = if self.period.is_some() {
            json!({
                "type": "subscription_item_details", "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": null, "proration": false, "proration_details": {"credited_items": null}, "subscription": subscription_id(customer),
                    "subscription_item": id("si_", &customer.stripe_id),
                },
            })
        } else {
            json!({
                "type": "invoice_item_details", "subscription_item_details": null,
                "invoice_item_details": {
                    "invoice_item": invoice_item, "proration": false, "proration_details": {"credited_items": null}, "subscription": null,
                },
            })
        };
        let price =
            if self.period.is_some() { price_id(customer.plan, &entry.what, customer.currency) } else { id("price_1", &entry.description) };
        let product = if self.period.is_some() { id("prod_", customer.plan.as_str()) } else { id("prod_", &entry.description) };
        json!({
            "id": id("il_1", &format!("{}/{}", self.id, entry.what)), "object": "line_item", "invoice": self.id, "description": entry.description,
            "quantity": entry.quantity, "quantity_decimal": entry.quantity.to_string(), "amount": line.amount, "subtotal": line.amount,
            "currency": customer.currency.code(), "discountable": line.amount > 0, "discount_amounts": discounts, "discounts": own,
            "pretax_credit_amounts": pretax, "livemode": false, "metadata": {}, "taxes": taxes,
            "period": {"start": start.unix_timestamp(), "end": end.unix_timestamp()},
            "parent": parent,
            "pricing": {
                "type": "price_details", "unit_amount_decimal": entry.unit_amount.to_string(), "price_details": {"price": price, "product": product},
            },
        })
    }

    fn invoice_payment(&self, at: OffsetDateTime, means: Value) -> Value {
        json!({
            "id": id("inpay_1", &self.id), "object": "invoice_payment", "invoice": self.id, "amount_paid": self.due(), "amount_requested": self.due(),
            "amount_overpaid": self.particulars.overpaid,
            "currency": self.customer.currency.code(), "created": at.unix_timestamp(), "is_default": true, "livemode": false, "payment": means,
            "status": "paid", "status_transitions": {"paid_at": at.unix_timestamp(), "canceled_at": null},
        })
    }

    fn charge(&self, at: OffsetDateTime, refunded: i64) -> Value {
        json!({
            "id": self.charge_id(), "object": "charge", "customer": self.customer.stripe_id, "payment_intent": self.payment_intent(),
            "amount": self.due(), "amount_captured": self.due(), "amount_refunded": refunded, "captured": true, "refunded": refunded == self.due(),
            "currency": self.customer.currency.code(), "created": at.unix_timestamp(), "livemode": false, "paid": true, "status": "succeeded",
            "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2030}},
            "billing_details": {"name": self.customer.name, "email": self.customer.email}, "metadata": {}, "failure_code": null,
        })
    }
}

/// A discount as repeated in `pretax_credit_amounts`.
fn pretax_discount(discount: &Value) -> Value {
    json!({"amount": discount["amount"], "type": "discount", "discount": discount["discount"]})
}

/// Stripe's minimum charge, in minor units.
fn minimum(currency: Currency) -> i64 {
    match currency.code() {
        "usd" | "eur" | "jpy" => 50,
        _ => 1,
    }
}

/// `Impressions over 10,000,000 (per 1,000 or part of it)`.
fn describe(overage: &OverageLine) -> String {
    let OverageLine { metric, terms, .. } = overage;
    let (included, package) = (metric.show(terms.included), metric.show(terms.package.get()));
    format!("{} over {included} (per {package} or part of it)", metric.title())
}
