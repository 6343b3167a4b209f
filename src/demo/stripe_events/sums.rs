//! Sums of an invoice's lines: discounts, billing credits and taxes, totalled as Stripe does ("The
//! Invoice object").

use super::{Tax, id};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A line before discounts and taxes.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Unique among the lines of an invoice.
    pub what: String,
    pub description: String,
    pub quantity: i64,
    /// Minor units.
    pub unit_amount: i64,
    /// Discount on this line only.
    pub discount_percent: i64,
    pub tax: Tax,
}

/// A line with its shares.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub entry: Entry,
    /// Before discounts, including included taxes.
    pub amount: i64,
    pub item_discount: i64,
    pub invoice_discount: i64,
    pub credits: i64,
    pub tax: i64,
    pub taxable: i64,
}

/// One rate's sum over the lines and the shipping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RateSum {
    pub rate: Tax,
    pub amount: i64,
    pub taxable: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub lines: Vec<Line>,
    /// After discounts on lines, before everything else.
    pub subtotal: i64,
    pub item_discount: i64,
    pub invoice_discount: i64,
    pub credits: i64,
    pub shipping: i64,
    pub shipping_tax: Option<RateSum>,
    pub taxes: Vec<RateSum>,
}

/// Computes the sums of an invoice. `discount_percent` applies to the whole invoice; `credits` are
/// deducted before tax, up to the remaining amount.
pub(super) fn add_up(entries: Vec<Entry>, discount_percent: i64, credits: i64, shipping: Option<(i64, Tax)>) -> Sums {
    let amounts: Vec<i64> = entries.iter().map(|entry| entry.quantity.saturating_mul(entry.unit_amount)).collect();
    let item_discounts: Vec<i64> = amounts.iter().zip(&entries).map(|(amount, entry)| percent(*amount, entry.discount_percent)).collect();
    let after_items = subtract(&amounts, &item_discounts);
    let subtotal: i64 = after_items.iter().sum();
    let invoice_discount = percent(subtotal.max(0), discount_percent);
    let invoice_discounts = allocate(invoice_discount, &after_items);
    let after_discounts = subtract(&after_items, &invoice_discounts);
    let credits = credits.min(after_discounts.iter().sum::<i64>().max(0));
    let credited = allocate(credits, &after_discounts);
    let charged = subtract(&after_discounts, &credited);

    // A rate is rounded once over all its lines; the lines share the result.
    let (shipping, shipping_rate) = shipping.unwrap_or((0, Tax::None));
    let mut bases: BTreeMap<Tax, i64> = BTreeMap::new();
    for (entry, amount) in entries.iter().zip(&charged) {
        *bases.entry(entry.tax).or_default() += amount;
    }
    let mut line_taxes = vec![0; entries.len()];
    let mut taxes = Vec::new();
    for (rate, base) in bases {
        let weights: Vec<i64> = entries.iter().zip(&charged).map(|(entry, amount)| if entry.tax == rate { *amount } else { 0 }).collect();
        let amount = rate.of(base);
        for (tax, share) in line_taxes.iter_mut().zip(allocate(amount, &weights)) {
            *tax += share;
        }
        if rate != Tax::None {
            taxes.push(RateSum { rate, amount, taxable: rate.base(base, amount) });
        }
    }
    let shipping_tax = (shipping_rate != Tax::None).then(|| {
        let amount = shipping_rate.of(shipping);
        RateSum { rate: shipping_rate, amount, taxable: shipping_rate.base(shipping, amount) }
    });
    if let Some(tax) = shipping_tax {
        match taxes.iter_mut().find(|sum| sum.rate == tax.rate) {
            Some(sum) => (sum.amount, sum.taxable) = (sum.amount + tax.amount, sum.taxable + tax.taxable),
            None => taxes.push(tax),
        }
    }
    let lines = entries
        .into_iter()
        .enumerate()
        .map(|(index, entry)| Line {
            amount: amounts[index],
            item_discount: item_discounts[index],
            invoice_discount: invoice_discounts[index],
            credits: credited[index],
            tax: line_taxes[index],
            taxable: entry.tax.base(charged[index], line_taxes[index]),
            entry,
        })
        .collect();
    Sums { lines, subtotal, item_discount: item_discounts.iter().sum(), invoice_discount, credits, shipping, shipping_tax, taxes }
}

impl Sums {
    pub fn total(&self) -> i64 {
        self.subtotal - self.invoice_discount - self.credits + self.shipping + self.exclusive_tax()
    }

    pub fn tax(&self) -> i64 {
        self.taxes.iter().map(|sum| sum.amount).sum()
    }

    fn exclusive_tax(&self) -> i64 {
        self.taxes.iter().filter(|sum| !matches!(sum.rate, Tax::Inclusive(_))).map(|sum| sum.amount).sum()
    }
}

impl Tax {
    /// The tax on top of, or included in, an amount.
    fn of(self, amount: i64) -> i64 {
        match self {
            Tax::None | Tax::ReverseCharge => 0,
            Tax::Exclusive(rate) => percent(amount, rate),
            Tax::Inclusive(rate) => amount - (amount * 100 + (100 + rate) / 2).div_euclid(100 + rate),
        }
    }

    /// The taxable amount.
    const fn base(self, amount: i64, tax: i64) -> i64 {
        if matches!(self, Tax::Inclusive(_)) { amount - tax } else { amount }
    }

    const fn percentage(self) -> i64 {
        match self {
            Tax::Exclusive(rate) | Tax::Inclusive(rate) => rate,
            Tax::None | Tax::ReverseCharge => 0,
        }
    }

    const fn behavior(self) -> &'static str {
        if matches!(self, Tax::Inclusive(_)) { "inclusive" } else { "exclusive" }
    }

    const fn reason(self) -> &'static str {
        match self {
            Tax::ReverseCharge => "reverse_charge",
            Tax::Exclusive(8) | Tax::Inclusive(8) => "reduced_rated",
            _ => "standard_rated",
        }
    }

    fn rate_id(self) -> String {
        id("txr_1", &format!("{}/{}/{}", self.percentage(), self.behavior(), self.reason()))
    }

    /// An entry of `taxes` or `total_taxes`.
    pub(super) fn entry(self, amount: i64, taxable: i64) -> Value {
        json!({
            "amount": amount, "tax_behavior": self.behavior(), "taxability_reason": self.reason(), "taxable_amount": taxable,
            "type": "tax_rate_details", "tax_rate_details": {"tax_rate": self.rate_id()},
        })
    }

    /// The rate itself, as `default_tax_rates` has it.
    pub(super) fn rate(self, country: &str) -> Value {
        json!({
            "id": self.rate_id(), "object": "tax_rate", "active": true, "country": country, "created": 1_577_836_800, "description": null,
            "display_name": if country == "JP" { "JCT" } else { "VAT" }, "effective_percentage": self.percentage() as f64, "flat_amount": null,
            "inclusive": matches!(self, Tax::Inclusive(_)), "jurisdiction": country, "jurisdiction_level": "country", "livemode": false,
            "metadata": {}, "percentage": self.percentage() as f64, "rate_type": "percentage", "state": null, "tax_type": null,
        })
    }
}

/// Rounded half up.
pub(super) const fn percent(amount: i64, percent: i64) -> i64 {
    (amount * percent + 50).div_euclid(100)
}

fn subtract(from: &[i64], amounts: &[i64]) -> Vec<i64> {
    from.iter().zip(amounts).map(|(from, amount)| from - amount).collect()
}

/// Shares of an amount by weight; they add up to it.
fn allocate(amount: i64, weights: &[i64]) -> Vec<i64> {
    let whole: i64 = weights.iter().sum();
    let share =
        |weight: i64| if whole == 0 { 0 } else { i64::try_from(i128::from(amount) * i128::from(weight) / i128::from(whole)).unwrap_or(0) };
    let mut so_far = 0;
    weights
        .iter()
        .map(|weight| {
            let before = share(so_far);
            so_far += weight;
            share(so_far) - before
        })
        .collect()
}
