//! An invoice's sums: one function computes the rows between subtotal and amount remaining for
//! page, PDF, API and CSV.
//!
//! Each part is the difference between the sums around it, so the rows add up. Source: Stripe API
//! reference, "The Invoice object", and "Customer credit balance", version `2026-10-28.endive`.

mod tax;

pub use tax::{REVERSE_CHARGE, TaxGroup, by_rate, notes, rates};

use super::{InvoiceDetail, InvoiceStatus, PretaxCredit, PretaxCreditKind, ShippingCost, TaxAmount, TaxBehavior};
use crate::domain::money::{Currency, Money};
use serde::{Deserialize, Serialize};
use tax::Taxes;

/// The kind of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SumKind {
    Subtotal,
    Discount,
    /// Billing credits, which reduce the taxable amount.
    PretaxCredits,
    Shipping,
    /// Tax on top of the prices.
    Tax,
    /// A difference that Stripe's data don't explain.
    OtherAdjustments,
    Total,
    /// Tax that is part of the prices.
    TaxIncluded,
    /// Credit notes before the payment.
    CreditNotes,
    CreditApplied,
    /// Of a draft.
    CreditToBeApplied,
    /// A negative total that becomes customer credit.
    CreditAdded,
    /// The customer's debt from before this invoice.
    PreviousBalance,
    /// An amount below Stripe's minimum charge, carried to the next invoice.
    CarriedOver,
    AmountDue,
    Paid,
    PaidOutsideStripe,
    Overpaid,
    Voided,
    AmountRemaining,
    Refunded,
    CreditedAfterPayment,
}

/// How a row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SumRole {
    /// Added to the sum above, with its sign.
    Part,
    /// The result of all parts above; the subtotal starts the sum.
    Sum,
    /// For information: not part of any sum.
    Note,
}

/// One row of an invoice's sums.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SumRow {
    pub kind: SumKind,
    pub role: SumRole,
    /// Display label in English.
    pub label: String,
    /// Minor units of the invoice's currency.
    pub amount: i64,
    /// The tax of a row of the kinds `tax` and `tax_included`, for labels in other languages.
    #[serde(skip)]
    pub tax: Option<TaxGroup>,
}

/// An invoice's amounts as sent by Stripe, in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    pub status: InvoiceStatus,
    pub currency: Currency,
    pub subtotal: i64,
    /// Sum of `total_discount_amounts`.
    pub discount: i64,
    /// Sum of all taxes.
    pub tax: i64,
    /// None if the row was stored before individual taxes were.
    pub taxes: Option<Vec<TaxAmount>>,
    pub pretax_credits: Option<Vec<PretaxCredit>>,
    pub shipping: Option<ShippingCost>,
    pub total: i64,
    pub credit_notes_before_payment: i64,
    pub credit_notes_after_payment: i64,
    pub due: i64,
    pub paid: i64,
    pub remaining: i64,
    pub overpaid: i64,
    pub refunded: i64,
    pub starting_balance: i64,
    /// None until Stripe sets it.
    pub ending_balance: Option<i64>,
    pub paid_out_of_band: bool,
    /// Stripe's `customer_tax_exempt`.
    pub tax_exempt: Option<String>,
    /// None if lines are missing.
    pub lines: Option<LineFigures>,
}

/// Sums over the lines of an invoice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineFigures {
    /// Before discounts and taxes.
    pub amount: i128,
    pub discount: i128,
    /// Taxes on top of the amounts.
    pub tax: i128,
    pub taxes: Vec<TaxAmount>,
    pub pretax_credits: Vec<PretaxCredit>,
}

impl LineFigures {
    /// Adds a line; `tax` is the part of its tax that is on top of its amount.
    pub fn add(&mut self, amount: i64, discount: i64, tax: i64, taxes: &[TaxAmount], pretax_credits: &[PretaxCredit]) {
        self.amount += i128::from(amount);
        self.discount += i128::from(discount);
        self.tax += i128::from(tax);
        // One entry per kind, however many lines there are.
        for tax in taxes {
            let like =
                |known: &&mut TaxAmount| (known.behavior, &known.reason, &known.rate_id) == (tax.behavior, &tax.reason, &tax.rate_id);
            match self.taxes.iter_mut().find(like) {
                Some(known) => {
                    known.amount = known.amount.saturating_add(tax.amount);
                    known.taxable_amount = known.taxable_amount.zip(tax.taxable_amount).map(|(all, more)| all.saturating_add(more));
                }
                None => self.taxes.push(tax.clone()),
            }
        }
        for credit in pretax_credits {
            match self.pretax_credits.iter_mut().find(|known| known.kind == credit.kind) {
                Some(known) => known.amount = known.amount.saturating_add(credit.amount),
                None => self.pretax_credits.push(credit.clone()),
            }
        }
    }
}

/// An invoice's sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    pub rows: Vec<SumRow>,
    /// Item discounts, which the subtotal already contains.
    pub item_discount: i64,
    /// The total without taxes.
    pub net: i64,
    pub taxes: Vec<TaxGroup>,
    /// Whether a difference remains unexplained although all lines are known.
    pub unexplained: bool,
}

impl Sums {
    /// What the customer's balance adds to or subtracts from the total.
    pub fn balance(&self) -> i64 {
        use SumKind::{CarriedOver, CreditAdded, CreditApplied, CreditToBeApplied, PreviousBalance};
        let kinds = [CreditApplied, CreditToBeApplied, CreditAdded, PreviousBalance, CarriedOver];
        kinds.into_iter().map(|kind| self.of(kind)).fold(0, i64::saturating_add)
    }

    /// The sum of all rows of a kind.
    pub fn of(&self, kind: SumKind) -> i64 {
        clamp(self.rows.iter().filter(|row| row.kind == kind).map(|row| i128::from(row.amount)).sum())
    }
}

/// Computes the rows of an invoice's sums.
pub fn sums(figures: &Figures) -> Sums {
    let mut rows = Rows(Vec::new());
    let explained = explain(figures);
    let known = figures.lines.is_some();
    let rest_label = if known { "Other adjustments" } else { "Not known before all lines are read" };

    rows.sum(SumKind::Subtotal, "Subtotal", figures.subtotal.into());
    rows.part(SumKind::Discount, "Discount", -explained.discount);
    rows.part(SumKind::PretaxCredits, "Credits applied (before tax)", -explained.credits);
    rows.part(SumKind::Shipping, "Shipping", explained.shipping);
    let groups = explained.taxes.groups();
    for tax in groups.iter().filter(|tax| tax.behavior == TaxBehavior::Exclusive && tax.shows()) {
        rows.tax(SumKind::Tax, SumRole::Part, tax.label(figures.currency), tax);
    }
    rows.part(SumKind::OtherAdjustments, rest_label, explained.rest);
    rows.sum(SumKind::Total, "Total", figures.total.into());
    for tax in groups.iter().filter(|tax| tax.behavior == TaxBehavior::Inclusive && tax.shows()) {
        rows.tax(SumKind::TaxIncluded, SumRole::Note, tax.included_label(figures.currency), tax);
    }
    let settled = settle(figures, &mut rows);
    let taxed: i128 = groups.iter().map(|tax| tax.amount).sum();
    Sums {
        rows: rows.0,
        item_discount: clamp(explained.item_discount),
        net: clamp(i128::from(figures.total) - taxed),
        taxes: groups,
        unexplained: (known && explained.rest != 0) || settled != 0,
    }
}

struct Rows(Vec<SumRow>);

impl Rows {
    fn row(&mut self, kind: SumKind, role: SumRole, label: String, amount: i128) {
        self.0.push(SumRow { kind, role, label, amount: clamp(amount), tax: None });
    }

    fn tax(&mut self, kind: SumKind, role: SumRole, label: String, tax: &TaxGroup) {
        self.0.push(SumRow { kind, role, label, amount: clamp(tax.amount), tax: Some(tax.clone()) });
    }

    fn sum(&mut self, kind: SumKind, label: &str, amount: i128) {
        self.row(kind, SumRole::Sum, label.to_owned(), amount);
    }

    /// A zero row is left out.
    fn part(&mut self, kind: SumKind, label: &str, amount: i128) {
        if amount != 0 {
            self.row(kind, SumRole::Part, label.to_owned(), amount);
        }
    }

    fn note(&mut self, kind: SumKind, label: &str, amount: i64) {
        if amount != 0 {
            self.row(kind, SumRole::Note, label.to_owned(), amount.into());
        }
    }
}

fn clamp(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}

/// The parts between subtotal and total.
#[derive(Clone)]
struct Explained {
    /// Positive, subtracted.
    discount: i128,
    item_discount: i128,
    /// Positive, subtracted.
    credits: i128,
    shipping: i128,
    taxes: Taxes,
    rest: i128,
}

/// The interpretation of the amounts that leaves no difference. API versions differ in what a total
/// contains, and totals may be missing.
fn explain(figures: &Figures) -> Explained {
    let discounts = discounts(figures);
    let on_items = figures.lines.as_ref().map_or(0, |lines| lines.amount - i128::from(figures.subtotal));
    // "Item discounts are already incorporated" in the subtotal ("The Invoice object", `subtotal`),
    // and in `total_discount_amounts`.
    let on_invoice = discounts - on_items;
    let mut readings = Vec::new();
    for taxes in tax::readings(figures) {
        for credits in credits(figures) {
            for (shipping, taxes) in with_shipping(figures, &taxes) {
                let before_discounts = i128::from(figures.subtotal) - credits + shipping + taxes.added();
                readings.push((taxes, credits, shipping, before_discounts - i128::from(figures.total)));
            }
        }
    }
    let explained = |(taxes, credits, shipping, gap): &(Taxes, i128, i128, i128), discount: i128| Explained {
        discount,
        item_discount: discounts - discount,
        credits: *credits,
        shipping: *shipping,
        taxes: taxes.clone(),
        rest: discount - gap,
    };
    for discount in [on_invoice, discounts, 0] {
        if let Some(reading) = readings.iter().find(|(.., gap)| *gap == discount) {
            return explained(reading, discount);
        }
    }
    // Some discounts are on items, and the lines don't tell which.
    match (readings.iter().find(|(.., gap)| is_part(*gap, discounts)), readings.first()) {
        (Some(reading), _) => explained(reading, reading.3),
        (None, Some(reading)) => explained(reading, if is_part(on_invoice, discounts) { on_invoice } else { discounts }),
        (None, None) => Explained {
            discount: 0,
            item_discount: 0,
            credits: 0,
            shipping: 0,
            taxes: Taxes::default(),
            rest: i128::from(figures.total) - i128::from(figures.subtotal),
        },
    }
}

fn is_part(part: i128, whole: i128) -> bool {
    if whole < 0 { (whole..=0).contains(&part) } else { (0..=whole).contains(&part) }
}

/// All discounts: of the invoice, else of its lines, else the discounts that the credits repeat.
fn discounts(figures: &Figures) -> i128 {
    let repeated = |credits: &[PretaxCredit]| of_kind(credits, PretaxCreditKind::Discount);
    let lines = figures.lines.as_ref();
    [
        i128::from(figures.discount),
        lines.map_or(0, |lines| lines.discount),
        figures.pretax_credits.as_deref().map_or(0, repeated),
        lines.map_or(0, |lines| repeated(&lines.pretax_credits)),
    ]
    .into_iter()
    .find(|amount| *amount != 0)
    .unwrap_or(0)
}

/// Pre-tax credits: of the invoice, else of its lines. A credit of unknown type may or may not
/// count.
fn credits(figures: &Figures) -> Vec<i128> {
    let of_invoice = figures.pretax_credits.as_deref().unwrap_or_default();
    let of_lines = figures.lines.as_ref().map_or(&[][..], |lines| &lines.pretax_credits);
    let source = if of_invoice.is_empty() { of_lines } else { of_invoice };
    let credits = of_kind(source, PretaxCreditKind::CreditBalanceTransaction);
    let others = of_kind(source, PretaxCreditKind::Other);
    if others == 0 { vec![credits] } else { vec![credits, credits + others] }
}

fn of_kind(credits: &[PretaxCredit], kind: PretaxCreditKind) -> i128 {
    credits.iter().filter(|credit| credit.kind == kind).map(|credit| i128::from(credit.amount)).sum()
}

/// The shipping cost. Its taxes are in the invoice's taxes or only with the shipping cost.
fn with_shipping(figures: &Figures, taxes: &Taxes) -> Vec<(i128, Taxes)> {
    let Some(shipping) = &figures.shipping else { return vec![(0, taxes.clone())] };
    let mut readings = vec![(i128::from(shipping.subtotal), taxes.clone())];
    let mut with_its_own = taxes.clone();
    if shipping.taxes.is_empty() {
        with_its_own.add(&TaxAmount { amount: shipping.tax, ..TaxAmount::default() });
    } else {
        shipping.taxes.iter().for_each(|tax| with_its_own.add(tax));
    }
    readings.push((shipping.subtotal.into(), with_its_own));
    readings.push((shipping.total.into(), taxes.clone()));
    readings
}

/// Computes the rows from the total to the amount remaining. Returns the unexplained difference.
fn settle(figures: &Figures, rows: &mut Rows) -> i128 {
    let [total, due, paid, remaining, notes] =
        [figures.total, figures.due, figures.paid, figures.remaining, figures.credit_notes_before_payment].map(i128::from);
    let is_void = figures.status == InvoiceStatus::Void;
    // Credit notes reduce the amount due; if Stripe did not reduce it, they reduce the amount
    // remaining.
    let after_due = notes != 0 && remaining != due - paid && remaining == due - paid - notes;
    if !after_due {
        rows.part(SumKind::CreditNotes, "Credit notes", -notes);
    }
    for (kind, amount) in balance(figures, if after_due { total } else { total - notes }) {
        rows.part(kind, balance_label(kind), amount);
    }

    let mut parts = Rows(Vec::new());
    if after_due {
        parts.part(SumKind::CreditNotes, "Credit notes", -notes);
    }
    parts.part(SumKind::Paid, "Paid", -paid);
    let overpaid = i128::from(figures.overpaid);
    let credited = i128::from(figures.credit_notes_after_payment);
    let gap = remaining - (due - paid - if after_due { notes } else { 0 });
    let mut rest = 0;
    match gap {
        0 => {}
        _ if gap == overpaid => parts.part(SumKind::Overpaid, OVERPAID, gap),
        _ if gap < 0 && remaining == 0 && figures.paid_out_of_band => parts.part(SumKind::PaidOutsideStripe, "Paid outside Stripe", gap),
        _ if gap == -credited => parts.part(SumKind::CreditedAfterPayment, CREDITED, gap),
        _ => {
            parts.part(SumKind::OtherAdjustments, "Other adjustments", gap);
            rest = gap;
        }
    }
    let counts = |kind| parts.0.iter().any(|row| row.kind == kind);
    let (overpaid_counts, credited_counts) = (counts(SumKind::Overpaid), counts(SumKind::CreditedAfterPayment));
    let due_label = if figures.status == InvoiceStatus::Uncollectible { "Amount due (written off)" } else { "Amount due" };
    match (is_void, parts.0.is_empty()) {
        (true, _) => {
            rows.0.append(&mut parts.0);
            rows.part(SumKind::Voided, "Voided", -remaining);
            rows.sum(SumKind::AmountRemaining, "Amount due", 0);
        }
        (false, true) => rows.sum(SumKind::AmountDue, due_label, due),
        (false, false) => {
            rows.sum(SumKind::AmountDue, "Amount due", due);
            rows.0.append(&mut parts.0);
            let written_off = figures.status == InvoiceStatus::Uncollectible;
            rows.sum(SumKind::AmountRemaining, if written_off { "Amount remaining (written off)" } else { "Amount remaining" }, remaining);
        }
    }
    rows.note(SumKind::Refunded, "Refunded", figures.refunded);
    if !credited_counts {
        rows.note(SumKind::CreditedAfterPayment, CREDITED, figures.credit_notes_after_payment);
    }
    if !overpaid_counts {
        rows.note(SumKind::Overpaid, OVERPAID, figures.overpaid);
    }
    rest
}

const OVERPAID: &str = "Overpaid, added to credit balance";
const CREDITED: &str = "Credited after payment";

const fn balance_label(kind: SumKind) -> &'static str {
    match kind {
        SumKind::CreditToBeApplied => "Credit to be applied",
        SumKind::CreditAdded => "Added to credit balance",
        SumKind::PreviousBalance => "Previous balance",
        SumKind::CarriedOver => "Carried to the next invoice",
        _ => "Credit applied",
    }
}

/// What the customer's balance adds to and subtracts from `base` to reach the amount due.
///
/// The amount is the difference, whatever the balances are: since API version 2025-09-30.clover
/// they don't explain it. If they do, they show how much is credit and how much is debt. A negative
/// balance is credit.
fn balance(figures: &Figures, base: i128) -> Vec<(SumKind, i128)> {
    let due = i128::from(figures.due);
    let difference = due - base;
    if difference == 0 {
        return Vec::new();
    }
    let is_draft = figures.status == InvoiceStatus::Draft;
    let used = if is_draft { SumKind::CreditToBeApplied } else { SumKind::CreditApplied };
    let starting = i128::from(figures.starting_balance);
    let ending = figures.ending_balance.map(i128::from);
    let explained = starting - difference;
    if ending == Some(explained) || (ending.is_none() && is_draft) {
        let credit = explained.min(0) - starting.min(0);
        let debt = explained.max(0) - starting.max(0);
        if debt <= 0 || may_carry_over(figures, debt) {
            return [
                (SumKind::PreviousBalance, (-debt).max(0)),
                (used, -credit.max(0)),
                (SumKind::CreditAdded, (-credit).max(0)),
                (SumKind::CarriedOver, -debt.max(0)),
            ]
            .into();
        }
    }
    let carried = starting >= 0 && ending.is_none_or(|ending| ending > starting) && may_carry_over(figures, -difference);
    let kind = match difference < 0 {
        true if carried && least_charge(figures.currency).is_some() => SumKind::CarriedOver,
        true => used,
        false if due == 0 => SumKind::CreditAdded,
        false => SumKind::PreviousBalance,
    };
    vec![(kind, difference)]
}

/// Only amounts below the minimum charge are carried to the next invoice, and then nothing is due.
fn may_carry_over(figures: &Figures, amount: i128) -> bool {
    figures.due == 0 && amount > 0 && least_charge(figures.currency).is_none_or(|least| amount < i128::from(least))
}

/// Stripe's "Minimum and maximum charge amounts", in minor units. None if it depends on the
/// settlement currency.
fn least_charge(currency: Currency) -> Option<i64> {
    Some(match currency.code() {
        "usd" | "aud" | "brl" | "cad" | "chf" | "eur" | "inr" | "nzd" | "sgd" | "jpy" => 50,
        "gbp" => 30,
        "bgn" => 100,
        "aed" | "myr" | "pln" | "ron" => 200,
        "dkk" => 250,
        "nok" | "sek" => 300,
        "hkd" => 400,
        "mxn" | "thb" => 1_000,
        "czk" => 1_500,
        "huf" => 17_500,
        _ => return None,
    })
}

impl SumRow {
    pub const fn money(&self, currency: Currency) -> Money {
        Money::new(self.amount, currency)
    }
}

impl InvoiceDetail {
    /// The amounts with all derived values.
    #[must_use]
    pub fn with_sums(mut self, figures: &Figures) -> (InvoiceDetail, Sums) {
        let sums = sums(figures);
        self.discount = sums.of(SumKind::Discount).saturating_neg();
        self.item_discount = sums.item_discount;
        self.credit_applied = sums.of(SumKind::CreditApplied).saturating_add(sums.of(SumKind::CreditToBeApplied)).saturating_neg();
        self.tax_notes = notes(&sums.taxes, figures.tax_exempt.as_deref());
        self.sums.clone_from(&sums.rows);
        (self, sums)
    }
}

#[cfg(test)]
mod tests;
