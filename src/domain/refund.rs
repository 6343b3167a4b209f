//! How much of an invoice was refunded.
//!
//! Stripe refunds a charge, not an invoice, and one payment intent may pay several invoices
//! ("Invoice Payments"). Only a credit note tells which invoice a partial refund belongs to. So
//! refunds are allocated in the order of their creation by these rules:
//!
//! 1. Invoices with post-payment credit notes come first, up to the sum of those.
//! 2. Otherwise, a refund of exactly the remainder of one payment belongs to that payment.
//! 3. The rest goes to the payments in the order of their creation.
//!
//! So the allocated total never exceeds the sum of the refunds, and an invoice's part never exceeds
//! its payments. Failed and canceled refunds count nothing, whatever the charge reported before.

use time::OffsetDateTime;

/// A payment of an invoice by the refunded intent or charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    pub id: String,
    /// Stripe's id of the invoice.
    pub invoice: String,
    pub amount: i64,
    /// False while the payment is not complete.
    pub complete: bool,
    pub at: OffsetDateTime,
    /// The sum of the invoice's post-payment credit notes.
    pub credited: i64,
}

/// What a charge reports about its refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charged {
    pub amount_refunded: i64,
    /// When Stripe reported it.
    pub said_at: OffsetDateTime,
}

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refunded {
    pub id: String,
    pub amount: i64,
    /// False if it failed or was canceled.
    pub counts: bool,
    pub created_at: OffsetDateTime,
    /// When Stripe reported this state.
    pub said_at: OffsetDateTime,
}

/// Whether a refund of this status returns money ("The Refund object": `status`).
pub fn counts(status: &str) -> bool {
    !matches!(status, "failed" | "canceled")
}

/// All known facts of one payment intent, or of one charge without an intent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub paid: Vec<Paid>,
    pub charged: Vec<Charged>,
    pub refunded: Vec<Refunded>,
}

/// An invoice's part of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Stripe's id of the invoice.
    pub invoice: String,
    /// None for refunds that only the charge reports.
    pub refund: Option<String>,
    pub amount: i64,
    /// False for the part that a failed or canceled refund would have had.
    pub counts: bool,
}

impl Account {
    /// The parts of every refund, independent of the order of the facts.
    pub fn shares(&self) -> Vec<Share> {
        let mut paid: Vec<&Paid> = self.paid.iter().filter(|paid| paid.amount > 0).collect();
        paid.sort_by_key(|paid| (!paid.complete, paid.at, &paid.id));
        let mut refunded: Vec<&Refunded> = self.refunded.iter().collect();
        refunded.sort_by_key(|refund| (refund.created_at, &refund.id));
        let unused = || Purse::of(&paid);
        let mut purse = unused();
        let mut shares = Vec::new();
        let mut add = |refund: Option<&Refunded>, parts: Vec<(usize, i64)>| {
            let share = |(place, amount): (usize, i64)| Share {
                invoice: paid[place].invoice.clone(),
                refund: refund.map(|refund| refund.id.clone()),
                amount,
                counts: refund.is_none_or(|refund| refund.counts),
            };
            shares.extend(parts.into_iter().map(share));
        };
        for refund in refunded {
            let parts = if refund.counts { purse.give(refund.amount) } else { unused().give(refund.amount) };
            add(Some(refund), parts);
        }
        let parts = purse.give(self.unknown());
        add(None, parts);
        shares
    }

    /// The amount that charges report beyond the known refunds. A refund that failed later is still
    /// in the charge's amount.
    fn unknown(&self) -> i64 {
        let sum = |amounts: &mut dyn Iterator<Item = i64>| amounts.fold(0i64, i64::saturating_add);
        let said = sum(&mut self.charged.iter().map(|charge| charge.amount_refunded));
        let said_at = self.charged.iter().map(|charge| charge.said_at).max();
        let void_since = |refund: &&Refunded| !refund.counts && said_at.is_some_and(|said_at| refund.said_at >= said_at);
        let void = sum(&mut self.refunded.iter().filter(void_since).map(|refund| refund.amount));
        let known = sum(&mut self.refunded.iter().filter(|refund| refund.counts).map(|refund| refund.amount));
        said.saturating_sub(void).saturating_sub(known).max(0)
    }
}

/// The refundable remainder of each payment.
struct Purse {
    left: Vec<i64>,
    credited: Vec<i64>,
}

impl Purse {
    fn of(paid: &[&Paid]) -> Purse {
        Purse { left: paid.iter().map(|paid| paid.amount).collect(), credited: paid.iter().map(|paid| paid.credited.max(0)).collect() }
    }

    /// Takes up to an amount out of the payments; returns how much of each.
    fn give(&mut self, amount: i64) -> Vec<(usize, i64)> {
        let mut parts = vec![0i64; self.left.len()];
        let mut rest = amount.max(0);
        let places = 0..self.left.len();
        for place in places.clone() {
            let part = rest.min(self.left[place]).min(self.credited[place]);
            self.credited[place] -= part;
            self.take(place, part, &mut parts, &mut rest);
        }
        if rest == amount
            && let Some(place) = places.clone().find(|place| self.left[*place] == rest)
        {
            let all = rest;
            self.take(place, all, &mut parts, &mut rest);
        }
        for place in places {
            let part = rest.min(self.left[place]);
            self.take(place, part, &mut parts, &mut rest);
        }
        parts.into_iter().enumerate().filter(|(_, part)| *part > 0).collect()
    }

    fn take(&mut self, place: usize, part: i64, parts: &mut [i64], rest: &mut i64) {
        self.left[place] -= part;
        parts[place] += part;
        *rest -= part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_790_000_000 + second).unwrap()
    }

    fn paid(invoice: &str, amount: i64) -> Paid {
        Paid { id: format!("inpay_{invoice}"), invoice: invoice.into(), amount, complete: true, at: at(0), credited: 0 }
    }

    fn refund(id: &str, amount: i64, counts: bool) -> Refunded {
        Refunded { id: id.into(), amount, counts, created_at: at(10), said_at: at(20) }
    }

    fn on(account: &Account, invoice: &str) -> i64 {
        account.shares().iter().filter(|share| share.counts && share.invoice == invoice).map(|share| share.amount).sum()
    }

    #[test]
    fn a_partial_refund_is_shown_once() {
        let charged = vec![Charged { amount_refunded: 3_000, said_at: at(11) }];
        let mut account = Account { paid: vec![paid("a", 10_000), paid("b", 5_000)], charged, refunded: vec![refund("re_1", 3_000, true)] };
        assert_eq!((on(&account, "a"), on(&account, "b")), (3_000, 0));
        // Before Stripe has sent the refund itself.
        account.refunded.clear();
        assert_eq!((on(&account, "a"), on(&account, "b")), (3_000, 0));
        // The rest of it.
        account.refunded = vec![refund("re_1", 3_000, true), refund("re_2", 12_000, true)];
        assert_eq!((on(&account, "a"), on(&account, "b")), (10_000, 5_000));
    }

    #[test]
    fn credit_notes_or_amounts_allocate_refunds() {
        let mut account =
            Account { paid: vec![paid("a", 10_000), paid("b", 5_000)], charged: vec![], refunded: vec![refund("re_1", 5_000, true)] };
        assert_eq!((on(&account, "a"), on(&account, "b")), (0, 5_000));
        account.refunded = vec![refund("re_1", 3_000, true)];
        account.paid[1].credited = 2_500;
        assert_eq!((on(&account, "a"), on(&account, "b")), (500, 2_500));
    }

    #[test]
    fn failed_refunds_count_nothing() {
        let charged = |said_at| vec![Charged { amount_refunded: 3_000, said_at }];
        let mut account = Account { paid: vec![paid("a", 10_000)], charged: charged(at(11)), refunded: vec![refund("re_1", 3_000, false)] };
        assert_eq!(on(&account, "a"), 0);
        assert_eq!(account.shares(), [Share { invoice: "a".into(), refund: Some("re_1".into()), amount: 3_000, counts: false }]);
        // The charge's later amount is from other refunds.
        account.charged = charged(at(21));
        assert_eq!(on(&account, "a"), 3_000);
        account.charged.clear();
        account.refunded.push(refund("re_2", 1_000, true));
        assert_eq!(on(&account, "a"), 1_000);
    }

    #[test]
    fn every_status_but_failed_and_canceled_counts() {
        assert!(["succeeded", "pending", "requires_action", "invented"].into_iter().all(counts));
        assert!(!counts("failed") && !counts("canceled"));
    }

    fn accounts() -> impl Strategy<Value = Account> {
        let payment = (0i64..5, -10i64..1_000, any::<bool>(), 0i64..3, -10i64..600);
        let refund = (-10i64..1_000, any::<bool>(), 0i64..3, 0i64..30);
        let charge = (0i64..2_000, 0i64..30);
        (prop::collection::vec(payment, 0..5), prop::collection::vec(refund, 0..5), prop::collection::vec(charge, 0..3)).prop_map(
            |(payments, refunds, charges)| Account {
                paid: payments
                    .into_iter()
                    .enumerate()
                    .map(|(n, (invoice, amount, complete, seconds, credited))| Paid {
                        id: format!("inpay_{n}"),
                        invoice: format!("in_{invoice}"),
                        amount,
                        complete,
                        at: at(seconds),
                        credited,
                    })
                    .collect(),
                refunded: refunds
                    .into_iter()
                    .enumerate()
                    .map(|(n, (amount, counts, created, said))| Refunded {
                        id: format!("re_{n}"),
                        amount,
                        counts,
                        created_at: at(created),
                        said_at: at(said),
                    })
                    .collect(),
                charged: charges.into_iter().map(|(amount_refunded, said)| Charged { amount_refunded, said_at: at(said) }).collect(),
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn parts_never_exceed_refunds_or_payments(account in accounts(), turn in 0usize..5) {
            let shares = account.shares();
            let counted = |share: &&Share| share.counts;
            for refund in &account.refunded {
                let sum: i64 = shares.iter().filter(|share| share.refund.as_ref() == Some(&refund.id)).map(|share| share.amount).sum();
                prop_assert!(sum <= refund.amount.max(0));
            }
            for invoice in (0..5).map(|n| format!("in_{n}")) {
                let paid: i64 = account.paid.iter().filter(|paid| paid.invoice == invoice).map(|paid| paid.amount.max(0)).sum();
                prop_assert!(shares.iter().filter(counted).filter(|share| share.invoice == invoice).map(|share| share.amount).sum::<i64>() <= paid);
            }
            // All of it is allocated, as far as the invoices were paid.
            let refunds: i64 = account.refunded.iter().filter(|refund| refund.counts).map(|refund| refund.amount.max(0)).sum();
            let paid: i64 = account.paid.iter().map(|paid| paid.amount.max(0)).sum();
            let given: i64 = shares.iter().filter(counted).map(|share| share.amount).sum();
            prop_assert!(given >= refunds.min(paid) && given <= paid);
            prop_assert!(shares.iter().all(|share| share.amount > 0));
            // Independent of the order of the facts.
            let mut turned = account.clone();
            if !turned.paid.is_empty() { let by = turn % turned.paid.len(); turned.paid.rotate_left(by) }
            turned.refunded.reverse();
            turned.charged.reverse();
            prop_assert_eq!(turned.shares(), shares);
        }
    }
}
