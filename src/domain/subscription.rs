//! Which subscription and period are metered: one rule for usage, history, caps, alerts, meters and
//! reconciliation.
//!
//! A customer may have several subscriptions, and a subscription may have items with different
//! intervals. [`metered_at`] chooses the subscription at an instant, [`Subscription::metered_item`]
//! the item whose period counts, and [`Schedule`] the period that contains the instant, even if
//! Stripe has not reported the renewal yet.

mod grid;
#[cfg(test)]
mod tests;

pub use grid::{Grid, Interval, Unit, previous};

use super::{money::Currency, period::Period, plan::PlanType};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A subscription with the fields that the rule needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Stripe's id.
    pub id: String,
    /// Stripe's status: active, trialing, past_due, canceled, unpaid, incomplete,
    /// incomplete_expired, paused.
    pub status: String,
    pub plan: Option<PlanType>,
    /// The unknown plan in its metadata.
    pub plan_name: Option<String>,
    pub currency: Currency,
    pub created_at: OffsetDateTime,
    /// The start, which Stripe may backdate. None in rows from before it was mirrored.
    pub start_date: Option<OffsetDateTime>,
    pub billing_cycle_anchor: Option<OffsetDateTime>,
    /// The smallest of its items' periods.
    pub current_period: Option<Period>,
    pub cancel_at_period_end: bool,
    pub cancel_at: Option<OffsetDateTime>,
    pub canceled_at: Option<OffsetDateTime>,
    pub ended_at: Option<OffsetDateTime>,
    /// Stripe sent `customer.subscription.deleted`.
    pub deleted: bool,
    pub pause: Option<PauseCollection>,
    pub items: Vec<Item>,
}

/// Stripe's `pause_collection`: the subscription continues, but its invoices are not collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PauseCollection {
    /// keep_as_draft, mark_uncollectible or void.
    pub behavior: String,
    /// Null: until it is resumed manually.
    #[serde(with = "time::serde::rfc3339::option")]
    pub resumes_at: Option<OffsetDateTime>,
}

/// An item of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// Stripe's id.
    pub id: String,
    /// The plan that its price names.
    pub plan: Option<PlanType>,
    pub lookup_key: Option<String>,
    /// Billed by usage; None: unknown.
    pub metered: Option<bool>,
    pub interval: Option<Interval>,
    pub period: Option<Period>,
}

/// What is metered at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metered<'a> {
    /// None: no running subscription, and the period is the calendar month.
    pub subscription: Option<&'a Subscription>,
    pub period: Period,
}

/// What is metered at an instant, from all of a customer's subscriptions.
///
/// Of the running subscriptions, those that provide service and name a plan come first, then others
/// that name a plan, then the rest. Among equals, a better status, a known plan, and the newest
/// win. Without a subscription, and while a paused one has no period, the period is the calendar
/// month.
pub fn metered_at(subscriptions: &[Subscription], at: OffsetDateTime) -> Metered<'_> {
    let running = subscriptions.iter().filter(|subscription| subscription.runs_at(at));
    let subscription = running.max_by_key(|subscription| subscription.rank());
    let period = subscription.and_then(Subscription::schedule).and_then(|schedule| schedule.period_at(at));
    Metered { subscription, period: period.unwrap_or_else(|| Period::calendar_month(at)) }
}

/// Maximum number of periods in [`boundaries`]: ten years of weeks.
const MOST_PERIODS: usize = 520;

/// The boundaries of the periods that overlap a span of time, in order.
pub fn boundaries(subscriptions: &[Subscription], from: OffsetDateTime, until: OffsetDateTime) -> Vec<OffsetDateTime> {
    let mut found = Vec::new();
    let mut at = from;
    for _ in 0..MOST_PERIODS {
        let period = metered_at(subscriptions, at).period;
        found.extend([period.start(), period.end()]);
        // Another subscription may become the metered one within the period.
        let ends = subscriptions.iter().filter_map(Subscription::ends).chain(subscriptions.iter().map(Subscription::starts));
        at = ends.filter(|end| at < *end && *end < period.end()).min().unwrap_or(period.end());
        if at > until {
            break;
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The item whose period is metered: of those billed by usage, the one with the shortest period.
/// Without one, of those whose price names a plan; if no price is known, of all. Older API versions
/// have the smallest item period on the subscription (Stripe changelog 2025-07-30.basil, "mixed
/// interval subscriptions").
pub fn metered_item(items: &[Item]) -> Option<&Item> {
    let shortest = |wanted: &dyn Fn(&Item) -> bool| {
        items.iter().filter(|item| wanted(item)).min_by_key(|item| {
            let length = item.period.map(|period| period.length());
            let interval = item.interval.map(Interval::about_days);
            (interval.is_none(), interval, length.is_none(), length, item.period.map(|period| period.end()), &item.id)
        })
    };
    let priced = items.iter().any(|item| item.metered.is_some());
    shortest(&|item| item.metered == Some(true)).or_else(|| shortest(&|item| priced && item.plan.is_some())).or_else(|| shortest(&|_| true))
}

impl Subscription {
    /// Greater is preferred.
    fn rank(&self) -> (bool, bool, u8, bool, OffsetDateTime, &str) {
        let names_plan = self.plan.is_some() || self.plan_name.is_some();
        let standing = match self.status.as_str() {
            "active" | "trialing" => 4,
            "past_due" => 3,
            // At an instant before its end, it was running.
            "canceled" => 2,
            "unpaid" | "paused" => 1,
            _ => 0,
        };
        (names_plan && standing >= 3, names_plan, standing, self.plan.is_some(), self.created_at, &self.id)
    }

    /// An unknown plan's name, from its metadata or else an item's lookup key.
    pub fn other_plan(&self) -> Option<&str> {
        let of_item = || self.items.iter().find_map(|item| item.lookup_key.as_deref());
        self.plan.is_none().then(|| self.plan_name.as_deref().or_else(of_item)).flatten()
    }

    /// The item whose period is metered.
    pub fn metered_item(&self) -> Option<&Item> {
        metered_item(&self.items)
    }

    /// Stripe's period of the metered item.
    pub fn known_period(&self) -> Option<Period> {
        self.metered_item().and_then(|item| item.period).or(self.current_period)
    }

    /// When it began.
    pub fn starts(&self) -> OffsetDateTime {
        let start = self.start_date.unwrap_or(self.created_at);
        self.known_period().map_or(start, |period| period.start().min(start))
    }

    /// When it ends or has ended, if known: no later period begins, and the current one ends there.
    pub fn ends(&self) -> Option<OffsetDateTime> {
        let known_end = || self.known_period().map(|period| period.end());
        match self.status.as_str() {
            // It never started.
            "incomplete_expired" => Some(self.starts()),
            _ if self.ended_at.is_some() => self.ended_at,
            "canceled" => Some(self.canceled_at.or_else(known_end).unwrap_or_else(|| self.starts())),
            _ if self.deleted => Some(self.canceled_at.or_else(known_end).unwrap_or_else(|| self.starts())),
            // Its first invoice was not paid in time.
            "incomplete" => known_end(),
            _ => self.cancels_at(),
        }
    }

    /// The scheduled end: Stripe's `cancel_at`, or the period's end if `cancel_at_period_end` is
    /// set.
    pub fn cancels_at(&self) -> Option<OffsetDateTime> {
        let known_end = || self.known_period().map(|period| period.end());
        self.cancel_at.or_else(|| self.cancel_at_period_end.then(known_end).flatten())
    }

    /// Whether it has started and not ended.
    pub fn runs_at(&self, at: OffsetDateTime) -> bool {
        self.starts() <= at && self.ends().is_none_or(|end| at < end)
    }

    /// Its periods; None while Stripe has none.
    pub fn schedule(&self) -> Option<Schedule> {
        let known = self.known_period()?;
        let interval = self.metered_item().and_then(|item| item.interval);
        Some(Schedule {
            known,
            grid: Grid::of(known, interval, self.billing_cycle_anchor),
            starts: self.starts(),
            ends: self.ends(),
            // Stripe doesn't renew a subscription whose trial ended without a payment method
            // ("Pause subscriptions", status `paused`).
            renews: self.status != "paused",
        })
    }
}

/// The periods of one subscription, from its start to its end: half-open, without gap or overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The period reported by Stripe.
    known: Period,
    grid: Grid,
    starts: OffsetDateTime,
    ends: Option<OffsetDateTime>,
    renews: bool,
}

impl Schedule {
    /// The period that contains an instant; None before the subscription's start and after its end.
    pub fn period_at(&self, at: OffsetDateTime) -> Option<Period> {
        if at < self.starts || self.ends.is_some_and(|end| end <= at) {
            return None;
        }
        let (start, end) = if self.known.contains(at) {
            (self.known.start(), self.known.end())
        } else {
            let (start, end) = self.grid.around(at);
            if at < self.known.start() {
                (start, end.min(self.known.start()))
            } else if self.renews {
                (start.max(self.known.end()), end)
            } else {
                return None;
            }
        };
        Period::new(start.max(self.starts), self.ends.map_or(end, |ends| ends.min(end)))
    }
}

/// The period of an item in API versions that only have one on the subscription, which is the
/// smallest of the items' periods. An item with a longer interval gets the period around it, by the
/// billing cycle anchor.
pub fn item_period(smallest: Period, shortest: Option<Interval>, interval: Option<Interval>, anchor: Option<OffsetDateTime>) -> Period {
    match (interval, anchor) {
        (Some(interval), Some(anchor)) if Some(interval) != shortest => {
            let (start, end) = Grid::new(anchor, interval).around(smallest.start());
            Period::new(start, end).unwrap_or(smallest)
        }
        _ => smallest,
    }
}
