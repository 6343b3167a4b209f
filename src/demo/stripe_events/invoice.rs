//! One month's invoice at each moment of its life, its payment and its refund.

use super::{DemoCustomer, Outcome, OverageLine, base_fee, event, id, invoice_id, price_id, subscription_id};
use crate::domain::{
    metric::Metric,
    money::group_thousands,
    period::Period,
    usage::{rate, show_quantity},
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

/// What differs between an invoice's moments.
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

/// A month and what it comes to.
pub(super) struct Month<'a> {
    customer: &'a DemoCustomer,
    period: Period,
    outcome: Outcome,
    id: String,
    lines: Vec<Value>,
    subtotal: i64,
    discount: i64,
    tax: i64,
}

impl<'a> Month<'a> {
    pub fn new(customer: &'a DemoCustomer, period: Period, outcome: Outcome, overages: &[OverageLine]) -> Month<'a> {
        let id = invoice_id(customer, period);
        let fee = base_fee(customer.plan, customer.currency);
        let mut lines = vec![line(customer, period, &id, "base", &format!("{} plan", customer.plan.title()), 1, fee)];
        for overage in overages {
            let over = rate(overage.terms, overage.used).amount;
            let packages = i64::try_from(over.div_ceil(overage.terms.package.get())).unwrap_or(i64::MAX);
            if packages > 0 {
                let price = i64::from(overage.terms.price_per_package);
                lines.push(line(customer, period, &id, overage.metric.as_str(), &describe(overage), packages, price));
            }
        }
        let subtotal = lines.iter().filter_map(|line| line["amount"].as_i64()).sum();
        let discount = percent(subtotal, customer.discount_percent);
        Month { customer, period, outcome, id, lines, subtotal, discount, tax: percent(subtotal - discount, customer.tax_percent) }
    }

    pub const fn total(&self) -> i64 {
        self.subtotal - self.discount + self.tax
    }

    pub fn invoice_event(&self, event_type: &str, at: OffsetDateTime, facts: &Facts) -> Value {
        self.event(event_type, at, self.invoice(facts))
    }

    /// A card payment: all of it within one second, as Stripe's clock has it.
    pub fn payment(&self, before: &Facts, at: OffsetDateTime) -> Vec<Value> {
        let paid = Facts { status: "paid", paid_at: Some(at), attempts: before.attempts + 1, ..*before };
        let means = json!({"type": "payment_intent", "payment_intent": self.payment_intent()});
        vec![
            self.event("charge.succeeded", at, self.charge(at, 0)),
            self.event("invoice_payment.paid", at, self.invoice_payment(at, means)),
            self.invoice_event("invoice.payment_succeeded", at, &paid),
            self.invoice_event("invoice.paid", at, &paid),
        ]
    }

    /// Money that another bank moved: no charge, and `invoice.paid` alone.
    pub fn payment_out_of_band(&self, before: &Facts, at: OffsetDateTime) -> Vec<Value> {
        let paid = Facts { status: "paid", paid_at: Some(at), ..*before };
        let means = json!({"type": "payment_record", "payment_record": id("pr_1", &self.id)});
        vec![self.event("invoice_payment.paid", at, self.invoice_payment(at, means)), self.invoice_event("invoice.paid", at, &paid)]
    }

    /// Gives a part of the card payment back.
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
        let customer = self.customer;
        let seconds = |at: Option<OffsetDateTime>| at.map(OffsetDateTime::unix_timestamp);
        let total = self.total();
        let paid = if facts.status == "paid" { total } else { 0 };
        let (sends, days) = match self.outcome {
            Outcome::Open | Outcome::PaidOutOfBand => (true, 30),
            Outcome::Overdue => (true, 14),
            _ => (false, 0),
        };
        let due_date = facts.finalized_at.filter(|_| sends).map(|at| at + Duration::days(days));
        let discounts =
            if self.discount == 0 { json!([]) } else { json!([{"amount": self.discount, "discount": id("di_1", &customer.stripe_id)}]) };
        let taxes = if self.tax == 0 {
            json!([])
        } else {
            json!([{"amount": self.tax, "tax_behavior": "exclusive", "taxability_reason": "standard_rated", "taxable_amount": self.subtotal - self.discount,
                    "type": "tax_rate_details", "tax_rate_details": {"tax_rate": id("txr_1", &customer.tax_percent.to_string())}}])
        };
        let open_page = facts.finalized_at.map(|_| format!("https://invoice.stripe.com/i/acct_demo/{}", self.id));
        json!({
            "id": self.id, "object": "invoice", "customer": customer.stripe_id, "status": facts.status, "number": facts.finalized_at.map(|_| self.number()),
            "currency": customer.currency.code(), "created": facts.created_at.unix_timestamp(), "livemode": false, "billing_reason": "subscription_cycle",
            "collection_method": if sends { "send_invoice" } else { "charge_automatically" }, "due_date": seconds(due_date),
            "attempt_count": facts.attempts, "attempted": facts.attempts > 0, "auto_advance": !matches!(facts.status, "paid" | "void" | "uncollectible"),
            "customer_name": customer.name, "customer_email": customer.email, "customer_phone": null, "customer_tax_exempt": "none",
            "customer_address": {
                "line1": customer.address.line1, "line2": null, "city": customer.address.city, "postal_code": customer.address.postal_code,
                "state": null, "country": customer.address.country,
            },
            "customer_tax_ids": customer.tax_id.iter().map(|(kind, value)| json!({"type": kind, "value": value})).collect::<Vec<_>>(),
            "description": null, "discounts": [], "metadata": {}, "default_tax_rates": [],
            "subtotal": self.subtotal, "subtotal_excluding_tax": self.subtotal, "total": total, "total_excluding_tax": total - self.tax,
            "total_discount_amounts": discounts, "total_taxes": taxes,
            "amount_due": total, "amount_paid": paid, "amount_remaining": total - paid, "amount_overpaid": 0, "amount_shipping": 0,
            "starting_balance": 0, "ending_balance": facts.finalized_at.map(|_| 0),
            "pre_payment_credit_notes_amount": 0, "post_payment_credit_notes_amount": 0,
            "period_start": self.period.start().unix_timestamp(), "period_end": self.period.end().unix_timestamp(),
            "parent": {"type": "subscription_details", "subscription_details": {"subscription": subscription_id(customer), "metadata": {}}, "quote_details": null},
            "hosted_invoice_url": open_page, "invoice_pdf": open_page.as_ref().map(|url| format!("{url}/pdf")),
            "status_transitions": {
                "finalized_at": seconds(facts.finalized_at), "paid_at": seconds(facts.paid_at), "voided_at": seconds(facts.voided_at),
                "marked_uncollectible_at": seconds(facts.marked_uncollectible_at),
            },
            "lines": {"object": "list", "data": self.lines, "has_more": false, "url": format!("/v1/invoices/{}/lines", self.id)},
        })
    }

    /// Stripe's default scheme: the customer's prefix and a running number; here the months count it.
    fn number(&self) -> String {
        let start = self.period.start();
        let months = (start.year() - 2020) * 12 + i32::from(u8::from(start.month()));
        format!("{}-{months:04}", id("", &self.customer.stripe_id)[..8].to_ascii_uppercase())
    }

    fn invoice_payment(&self, at: OffsetDateTime, means: Value) -> Value {
        json!({
            "id": id("inpay_1", &self.id), "object": "invoice_payment", "invoice": self.id, "amount_paid": self.total(), "amount_requested": self.total(),
            "currency": self.customer.currency.code(), "created": at.unix_timestamp(), "is_default": true, "livemode": false, "payment": means,
            "status": "paid", "status_transitions": {"paid_at": at.unix_timestamp(), "canceled_at": null},
        })
    }

    fn charge(&self, at: OffsetDateTime, refunded: i64) -> Value {
        json!({
            "id": self.charge_id(), "object": "charge", "customer": self.customer.stripe_id, "payment_intent": self.payment_intent(),
            "amount": self.total(), "amount_captured": self.total(), "amount_refunded": refunded, "captured": true, "refunded": refunded == self.total(),
            "currency": self.customer.currency.code(), "created": at.unix_timestamp(), "livemode": false, "paid": true, "status": "succeeded",
            "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2030}},
            "billing_details": {"name": self.customer.name, "email": self.customer.email}, "metadata": {}, "failure_code": null,
        })
    }
}

/// `Impressions over 10,000,000 (per started 1,000)`.
fn describe(overage: &OverageLine) -> String {
    let OverageLine { metric, terms, .. } = overage;
    let package = match metric {
        Metric::Impressions | Metric::ApiCalls => group_thousands(terms.package.get()),
        Metric::DataTransferBytes => show_quantity(*metric, terms.package.get()),
    };
    format!("{} over {} (per started {package})", metric.title(), show_quantity(*metric, terms.included))
}

fn line(customer: &DemoCustomer, period: Period, invoice: &str, what: &str, description: &str, quantity: i64, unit_amount: i64) -> Value {
    let amount = quantity.saturating_mul(unit_amount);
    json!({
        "id": id("il_1", &format!("{invoice}/{what}")), "object": "line_item", "invoice": invoice, "description": description, "quantity": quantity,
        "amount": amount, "subtotal": amount, "currency": customer.currency.code(), "discountable": true, "discount_amounts": [], "discounts": [],
        "livemode": false, "metadata": {}, "taxes": [],
        "period": {"start": period.start().unix_timestamp(), "end": period.end().unix_timestamp()},
        "parent": {
            "type": "subscription_item_details", "invoice_item_details": null,
            "subscription_item_details": {
                "invoice_item": null, "proration": false, "proration_details": {"credited_items": null}, "subscription": subscription_id(customer),
                "subscription_item": id("si_", &customer.stripe_id),
            },
        },
        "pricing": {
            "type": "price_details", "unit_amount_decimal": unit_amount.to_string(),
            "price_details": {"price": price_id(customer.plan, what, customer.currency), "product": id("prod_", customer.plan.as_str())},
        },
    })
}

/// Rounded half up.
const fn percent(amount: i64, percent: i64) -> i64 {
    (amount * percent + 50).div_euclid(100)
}
