//! Taxes by rate.

use super::{Figures, clamp};
use crate::domain::{
    invoice::{TaxAmount, TaxBehavior},
    money::{Currency, Money},
};

/// The wording that Directive 2006/112/EC, Article 226(11a) requires, and its meaning.
pub const REVERSE_CHARGE: &str = "Reverse charge: the customer is liable for the tax.";

/// All taxes of one rate and behaviour on an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaxGroup {
    pub behavior: TaxBehavior,
    /// Minor units; wider than an amount, because it is a sum.
    pub amount: i128,
    /// None unless known for each tax.
    pub taxable_amount: Option<i128>,
    pub reason: Option<String>,
    /// The rate's display name, else `Tax`.
    pub name: String,
    /// An exact decimal.
    pub percentage: Option<String>,
    pub jurisdiction: Option<String>,
    rate_id: Option<String>,
}

impl TaxGroup {
    fn of(tax: &TaxAmount) -> TaxGroup {
        let rate = tax.rate.as_ref();
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        TaxGroup {
            behavior: tax.behavior,
            amount: tax.amount.into(),
            taxable_amount: tax.taxable_amount.map(i128::from),
            reason: tax.reason.clone(),
            name: rate.and_then(|rate| text(&rate.display_name)).unwrap_or_else(|| "Tax".to_owned()),
            percentage: rate.and_then(|rate| rate.percentage.as_deref()).and_then(text),
            jurisdiction: rate.and_then(|rate| rate.jurisdiction.as_deref()).and_then(text),
            rate_id: tax.rate_id.clone(),
        }
    }

    fn is_like(&self, other: &TaxGroup) -> bool {
        let key = |tax: &TaxGroup| (tax.behavior, tax.name.clone(), tax.percentage.clone(), tax.jurisdiction.clone(), tax.reason.clone());
        // Two unknown rates are different rates.
        key(self) == key(other) && (self.percentage.is_some() || self.rate_id == other.rate_id)
    }

    /// A zero tax is only shown if there is a legal reason for it.
    pub(super) fn shows(&self) -> bool {
        const REASONS: [&str; 5] = ["reverse_charge", "customer_exempt", "product_exempt", "product_exempt_holiday", "zero_rated"];
        self.amount != 0 || self.reason.as_deref().is_some_and(|reason| REASONS.contains(&reason))
    }

    /// Minor units.
    pub fn total(&self) -> i64 {
        clamp(self.amount)
    }

    /// `VAT 19%`.
    pub fn rate(&self) -> String {
        match &self.percentage {
            Some(percentage) => format!("{} {percentage}%", self.name),
            None => self.name.clone(),
        }
    }

    /// `VAT 19% (Germany) on €100.00, reverse charge`.
    pub fn label(&self, currency: Currency) -> String {
        let mut label = self.rate();
        if let Some(jurisdiction) = &self.jurisdiction {
            label.push_str(&format!(" ({jurisdiction})"));
        }
        if let Some(taxable) = self.taxable_amount {
            label.push_str(&format!(" on {}", Money::new(clamp(taxable), currency)));
        }
        match self.reason.as_deref() {
            Some("reverse_charge") => label.push_str(", reverse charge"),
            Some("customer_exempt" | "product_exempt" | "product_exempt_holiday") => label.push_str(", exempt"),
            Some("zero_rated") => label.push_str(", zero-rated"),
            _ => {}
        }
        label
    }

    /// `Tax included in total`, with the rate if known.
    pub(super) fn included_label(&self, currency: Currency) -> String {
        let label = self.label(currency);
        if label == "Tax" { "Tax included in total".to_owned() } else { format!("Tax included in total ({label})") }
    }
}

/// Groups taxes by rate, in the order of their first appearance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taxes(Vec<TaxGroup>);

impl Taxes {
    pub fn of<'a>(taxes: impl IntoIterator<Item = &'a TaxAmount>) -> Taxes {
        let mut groups = Taxes::default();
        taxes.into_iter().for_each(|tax| groups.add(tax));
        groups
    }

    pub fn add(&mut self, tax: &TaxAmount) {
        let one = TaxGroup::of(tax);
        match self.0.iter_mut().find(|group| group.is_like(&one)) {
            Some(group) => {
                group.amount += one.amount;
                group.taxable_amount = group.taxable_amount.zip(one.taxable_amount).map(|(all, more)| all + more);
            }
            None => self.0.push(one),
        }
    }

    /// What they add to the prices.
    pub fn added(&self) -> i128 {
        self.0.iter().filter(|tax| tax.behavior == TaxBehavior::Exclusive).map(|tax| tax.amount).sum()
    }

    pub fn groups(self) -> Vec<TaxGroup> {
        self.0
    }
}

/// Taxes by rate.
pub fn by_rate(taxes: &[TaxAmount]) -> Vec<TaxGroup> {
    Taxes::of(taxes).groups()
}

/// The rates of these taxes on a line: `VAT 19%, City tax 2%`. None if a rate is unknown.
pub fn rates(taxes: &[TaxAmount]) -> Option<String> {
    let groups = Taxes::of(taxes).groups();
    let known = !groups.is_empty() && groups.iter().all(|tax| tax.percentage.is_some());
    known.then(|| groups.iter().map(TaxGroup::rate).collect::<Vec<_>>().join(", "))
}

/// The taxes of an invoice: from its totals, else from its lines. For rows stored before individual
/// taxes were, only the sum is known, and how much of it the lines add.
pub(super) fn readings(figures: &Figures) -> Vec<Taxes> {
    let of_invoice = figures.taxes.as_deref().unwrap_or_default();
    let of_lines = figures.lines.as_ref().map_or(&[][..], |lines| &lines.taxes);
    // One amount without rate, reason or taxable amount: all that old API versions contain about an
    // invoice's tax.
    let is_bare = |tax: &TaxAmount| tax.rate_id.is_none() && tax.reason.is_none() && tax.taxable_amount.is_none();
    match (of_invoice, of_lines) {
        ([], []) => {}
        ([only], []) if is_bare(only) => {}
        ([], of_lines) => return vec![Taxes::of(of_lines)],
        (of_invoice, _) => return vec![Taxes::of(of_invoice)],
    }
    let tax = i128::from(figures.tax);
    if tax == 0 {
        return vec![Taxes::default()];
    }
    let split = |added: i128| {
        let part = |amount: i128, behavior| TaxAmount { amount: clamp(amount), behavior, ..TaxAmount::default() };
        let parts = [part(added, TaxBehavior::Exclusive), part(tax - added, TaxBehavior::Inclusive)];
        Taxes::of(parts.iter().filter(|tax| tax.amount != 0))
    };
    let by_lines = figures.lines.as_ref().map(|lines| lines.tax).filter(|added| *added != 0);
    let as_said = Some(of_invoice).filter(|taxes| !taxes.is_empty()).map(Taxes::of);
    as_said.into_iter().chain(by_lines.into_iter().chain([tax, 0]).map(split)).collect()
}

/// Legally required statements about an invoice's taxes.
pub fn notes(groups: &[TaxGroup], tax_exempt: Option<&str>) -> Vec<String> {
    let reversed = tax_exempt == Some("reverse") || groups.iter().any(|tax| tax.reason.as_deref() == Some("reverse_charge"));
    if reversed { vec![REVERSE_CHARGE.to_owned()] } else { Vec::new() }
}
