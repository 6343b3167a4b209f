//! The demo's invoices: together they have every kind of sum that a Stripe invoice can have.

use super::{
    MONTHS,
    stripe_events::{
        Credited, DemoCustomer, Item, Outcome, OverageLine, Particulars, Tax, credit_events, in_old_shape, item_events, month_events_with,
    },
};
use crate::domain::{money::Currency, period::Period};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// The months with events of an older API version.
const OLD_SHAPE: std::ops::Range<usize> = 0..3;

/// A month's invoice, and a separate invoice created during the month.
#[derive(Clone, Debug, Default)]
pub struct Month {
    outcome: Option<Outcome>,
    particulars: Particulars,
    /// A credit note on it, twelve days later: in minor units.
    credit: Option<(i64, Credited)>,
    extra: Option<Extra>,
}

/// An invoice without a subscription.
#[derive(Clone, Debug)]
struct Extra {
    currency: Option<Currency>,
    items: Vec<Item>,
    particulars: Particulars,
}

impl Month {
    fn ended(outcome: Outcome) -> Month {
        Month { outcome: Some(outcome), ..Month::default() }
    }

    fn with(mut self, change: impl FnOnce(&mut Particulars)) -> Month {
        change(&mut self.particulars);
        self
    }

    const fn credited(mut self, amount: i64, credited: Credited) -> Month {
        self.credit = Some((amount, credited));
        self
    }

    fn extra(mut self, items: Vec<Item>, particulars: Particulars) -> Month {
        self.extra = Some(Extra { currency: None, items, particulars });
        self
    }

    /// The events of the month's invoices so far, in order, and the number of invoices. `before`:
    /// the number of earlier ones.
    pub fn events(
        &self,
        customer: &DemoCustomer,
        index: usize,
        period: Period,
        lines: &[OverageLine],
        before: u32,
        now: OffsetDateTime,
    ) -> (Vec<Value>, u32) {
        let (mut events, mut invoices) = (Vec::new(), 0);
        if let Some(extra) = &self.extra {
            let at = period.start() + Duration::days(9) + Duration::hours(10);
            let billed = DemoCustomer { currency: extra.currency.unwrap_or(customer.currency), ..customer.clone() };
            let numbered = Particulars { number: Some(before + 1), ..extra.particulars.clone() };
            if at <= now {
                events.extend(item_events(&billed, at, Outcome::Paid, &extra.items, &numbered));
                invoices += 1;
            }
        }
        if period.end() <= now {
            let numbered = Particulars { number: Some(before + invoices + 1), ..self.particulars.clone() };
            let history = month_events_with(customer, period, self.outcome.unwrap_or(Outcome::Paid), lines, &numbered);
            let credit = self.credit.map(|(amount, credited)| credit_events(&history, amount, credited, period.end() + Duration::days(12)));
            events.extend(history);
            events.extend(credit.into_iter().flatten());
            invoices += 1;
        }
        if OLD_SHAPE.contains(&index) {
            // Object types that did not exist in that version are left out.
            events = events.iter().filter_map(in_old_shape).collect();
        }
        (events, invoices)
    }
}

/// A customer in dollars: billing credits, discounts on a line and on the invoice, credit notes
/// before and after payment, credit from an earlier invoice and from an overpayment, and an invoice
/// in a currency with three decimals.
pub fn lumen() -> anyhow::Result<[Month; MONTHS]> {
    use Outcome::*;
    let kuwait = Extra {
        currency: Some("kwd".parse().map_err(anyhow::Error::msg)?),
        items: vec![
            Item { description: "Gulf Game Week: sponsorship report", quantity: 1, unit_amount: 125_500, tax: Tax::None },
            Item { description: "Arabic store texts, per app", quantity: 3, unit_amount: 24_835, tax: Tax::None },
        ],
        particulars: Particulars::default(),
    };
    Ok([
        Month::ended(Paid),
        Month::ended(Paid),
        Month::ended(FailedThenPaid),
        Month::ended(Paid).with(|with| with.billing_credits = 10_000),
        Month { extra: Some(kuwait), ..Month::ended(Void) },
        Month::ended(Paid).with(|with| with.fee_discount_percent = 50),
        Month::ended(PartiallyRefunded),
        Month::ended(Paid).credited(5_000, Credited::Balance),
        Month::ended(Uncollectible).with(|with| with.starting_balance = -5_000),
        Month::ended(PaidOutOfBand).with(|with| with.overpaid = 2_000),
        Month::ended(Overdue).with(|with| with.starting_balance = -2_000),
        Month::ended(Open).credited(3_000, Credited::OutOfBand),
    ])
}

/// A customer in yen: reverse charge, tax on top, included tax, and both on one invoice, shipping,
/// a zero invoice, a negative total whose credit the next invoice uses, and an amount below the
/// minimum charge, which the next invoice adds.
pub fn kisetsu() -> [Month; MONTHS] {
    use Outcome::*;
    let reverse_charge = |with: &mut Particulars| {
        with.tax = Some(Tax::ReverseCharge);
        with.footer = Some("Consumption tax is to be accounted for by the recipient (reverse charge).");
    };
    let correction =
        vec![Item { description: "Correction for invalid traffic", quantity: 1, unit_amount: -3_000, tax: Tax::Exclusive(10) }];
    let event = vec![
        Item { description: "Tea and sweets for the players' event", quantity: 40, unit_amount: 540, tax: Tax::Inclusive(8) },
        Item { description: "Event staff, per person", quantity: 2, unit_amount: 12_000, tax: Tax::Exclusive(10) },
    ];
    let postage = vec![Item { description: "Postage for a paper contract", quantity: 1, unit_amount: 30, tax: Tax::Inclusive(10) }];
    let shipped = Particulars { shipping: Some((1_500, Tax::Exclusive(10))), ..Particulars::default() };
    [
        Month::ended(Paid).with(reverse_charge).with(|with| with.fee_discount_percent = 100),
        Month::ended(Paid).with(reverse_charge),
        Month::ended(PaidOutOfBand).with(reverse_charge),
        Month::ended(Paid),
        Month::ended(Paid),
        Month::ended(FailedThenPaid).with(|with| with.starting_balance = -3_300).extra(correction, Particulars::default()),
        Month::ended(Paid),
        Month::ended(PartiallyRefunded).extra(event, shipped),
        Month::ended(Paid).with(|with| with.starting_balance = 30).extra(postage, Particulars::default()),
        Month::ended(Paid).with(|with| with.tax = Some(Tax::Inclusive(10))),
        Month::ended(Paid).credited(1_100, Credited::Balance),
        Month::ended(Draft).with(|with| with.starting_balance = -1_100),
    ]
}

#[cfg(test)]
mod tests;
