//! Components of sums: taxes, pre-tax credits, shipping, in all API versions.

use super::{owned, owned_id};
use crate::{
    domain::{
        invoice::{CustomField, PretaxCredit, PretaxCreditKind, ShippingCost, TaxAmount, TaxBehavior, TaxId, TransformQuantity},
        mirror::snapshot::{Lookup, Named, TaxRateSnapshot},
    },
    stripe::webhook::field::{Field, Read},
};

/// `taxes` and `total_taxes` with `tax_behavior` since 2025-03-31.basil; earlier `tax_amounts` and
/// `total_tax_amounts` with `inclusive`.
pub(super) fn taxes(list: &Field<'_>) -> Read<Vec<TaxAmount>> {
    list.entries()?.iter().map(tax).collect()
}

fn tax(tax: &Field<'_>) -> Read<TaxAmount> {
    let rate = rate_of(tax);
    let inclusive = match tax.get("tax_behavior").text()? {
        Some(behavior) => behavior == "inclusive",
        None => tax.get("inclusive").boolean()?.or(rate.get("inclusive").boolean()?).unwrap_or(false),
    };
    Ok(TaxAmount {
        amount: tax.get("amount").integer()?.unwrap_or(0),
        taxable_amount: tax.get("taxable_amount").integer()?,
        behavior: if inclusive { TaxBehavior::Inclusive } else { TaxBehavior::Exclusive },
        reason: owned(&tax.get("taxability_reason"))?,
        rate_id: owned_id(&rate)?,
        rate: None,
    })
}

fn rate_of<'a>(tax: &Field<'a>) -> Field<'a> {
    tax.any([&["tax_rate_details", "tax_rate"], &["tax_rate"]])
}

/// Sums of the lines' taxes per rate, behaviour and reason, in the order of their first appearance.
pub(super) fn of_lines<'a>(taxes: impl Iterator<Item = &'a TaxAmount>) -> Vec<TaxAmount> {
    let mut sums: Vec<TaxAmount> = Vec::new();
    for tax in taxes {
        let alike = |sum: &&mut TaxAmount| (&sum.rate_id, sum.behavior, &sum.reason) == (&tax.rate_id, tax.behavior, &tax.reason);
        match sums.iter_mut().find(alike) {
            Some(sum) => {
                sum.amount = sum.amount.saturating_add(tax.amount);
                sum.taxable_amount = sum.taxable_amount.zip(tax.taxable_amount).map(|(sum, more)| sum.saturating_add(more));
            }
            None => sums.push(tax.clone()),
        }
    }
    sums
}

/// The sum of taxes.
pub(super) fn total(taxes: &[TaxAmount], list: &Field<'_>) -> Read<i64> {
    let sum = taxes.iter().try_fold(0i64, |sum, tax| sum.checked_add(tax.amount));
    sum.ok_or_else(|| list.error("adds up to more than the maximum amount"))
}

pub(super) fn pretax_credits(list: &Field<'_>) -> Read<Vec<PretaxCredit>> {
    let credit = |entry: &Field<'_>| {
        let kind = match entry.get("type").text()? {
            Some("credit_balance_transaction") => PretaxCreditKind::CreditBalanceTransaction,
            Some("discount") => PretaxCreditKind::Discount,
            _ => PretaxCreditKind::Other,
        };
        Ok(PretaxCredit { amount: entry.get("amount").integer()?.unwrap_or(0), kind })
    };
    list.entries()?.iter().map(credit).collect()
}

/// Sums of the lines' credits per type.
pub(super) fn credits_of_lines<'a>(credits: impl Iterator<Item = &'a PretaxCredit>) -> Vec<PretaxCredit> {
    let mut sums: Vec<PretaxCredit> = Vec::new();
    for credit in credits {
        match sums.iter_mut().find(|sum| sum.kind == credit.kind) {
            Some(sum) => sum.amount = sum.amount.saturating_add(credit.amount),
            None => sums.push(credit.clone()),
        }
    }
    sums
}

pub(super) fn shipping(invoice: &Field<'_>) -> Read<Option<ShippingCost>> {
    let cost = invoice.get("shipping_cost");
    if !cost.exists() {
        return Ok(None);
    }
    let amount = |key: &'static str| cost.get(key).integer();
    let tax = amount("amount_tax")?.unwrap_or(0);
    let subtotal = match (amount("amount_subtotal")?, amount("amount_total")?) {
        (Some(subtotal), _) => subtotal,
        (None, Some(total)) => total.saturating_sub(tax),
        (None, None) => 0,
    };
    let total = amount("amount_total")?.unwrap_or_else(|| subtotal.saturating_add(tax));
    Ok(Some(ShippingCost { subtotal, tax, total, taxes: taxes(&cost.get("taxes"))? }))
}

/// Entries without a value are left out.
pub(super) fn tax_ids(list: &Field<'_>) -> Read<Vec<TaxId>> {
    let mut tax_ids = Vec::new();
    for entry in list.entries()? {
        if let Some(value) = owned(&entry.get("value"))? {
            tax_ids.push(TaxId { kind: owned(&entry.get("type"))?.unwrap_or_else(|| "unknown".into()), value });
        }
    }
    Ok(tax_ids)
}

pub(super) fn custom_fields(list: &Field<'_>) -> Read<Vec<CustomField>> {
    let text = |field: Field<'_>| owned(&field).map(Option::unwrap_or_default);
    list.entries()?.iter().map(|entry| Ok(CustomField { name: text(entry.get("name"))?, value: text(entry.get("value"))? })).collect()
}

/// None if the price has none, or only its id is present.
pub(super) fn transform_quantity(price: &Field<'_>) -> Read<Option<TransformQuantity>> {
    let transform = price.get("transform_quantity");
    let divide_by = transform.get("divide_by").integer()?.filter(|divide_by| *divide_by >= 1);
    let round_up = transform.get("round").text()? == Some("up");
    Ok(divide_by.map(|divide_by| TransformQuantity { divide_by, round_up }))
}

/// A complete rate; None if only its id is present.
pub(super) fn tax_rate(rate: &Field<'_>) -> Read<Option<TaxRateSnapshot>> {
    let Some(display_name) = (if rate.is_object() { owned(&rate.get("display_name"))? } else { None }) else { return Ok(None) };
    let Some(id) = owned_id(rate)? else { return Ok(None) };
    Ok(Some(TaxRateSnapshot {
        id,
        display_name,
        // For a rate of Stripe Tax, `percentage` is the statutory rate and `effective_percentage`
        // the charged one.
        percentage: rate.any([&["effective_percentage"], &["percentage"]]).decimal()?,
        inclusive: rate.get("inclusive").boolean()?.unwrap_or(false),
        tax_type: owned(&rate.get("tax_type"))?,
        country: owned(&rate.get("country"))?,
        state: owned(&rate.get("state"))?,
        jurisdiction: owned(&rate.get("jurisdiction"))?,
    }))
}

impl Named {
    /// Collects the rates of these taxes.
    pub(super) fn rates_of(&mut self, taxes: &Field<'_>) -> Read<()> {
        for tax in taxes.entries()? {
            self.rate(&rate_of(&tax))?;
        }
        Ok(())
    }

    /// Collects the rates in a list: `tax_rates`, `default_tax_rates`.
    pub(super) fn rates(&mut self, list: &Field<'_>) -> Read<()> {
        for entry in list.entries()? {
            if let Some(rate) = tax_rate(&entry)? {
                self.known(rate);
            }
        }
        Ok(())
    }

    fn rate(&mut self, rate: &Field<'_>) -> Read<()> {
        match (tax_rate(rate)?, owned_id(rate)?) {
            (Some(rate), _) => self.known(rate),
            (None, Some(id)) => drop(self.ids.insert((Lookup::TaxRate, id))),
            (None, None) => {}
        }
        Ok(())
    }

    fn known(&mut self, rate: TaxRateSnapshot) {
        if self.rates.iter().all(|known| known.id != rate.id) {
            self.rates.push(rate);
        }
    }

    /// Complete objects need no look-up.
    pub(super) fn settled(mut self) -> Named {
        let known = |id: &str| self.rates.iter().any(|rate| rate.id == id);
        self.ids.retain(|(lookup, id)| *lookup != Lookup::TaxRate || !known(id));
        self
    }
}
