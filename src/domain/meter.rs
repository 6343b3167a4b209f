//! Which usage is still to be sent to Stripe's billing meters, hour by hour.
//!
//! Only what was sent is stored. For each period, the usage of its hours is compared with what
//! Stripe counts: missing usage is sent, excess is cancelled if Stripe allows it, otherwise other
//! hours of the period send less. The same comparison works after a crash or a correction, in any
//! order.

#[cfg(test)]
mod tests;

use super::{
    identity::CustomerId,
    metric::Metric,
    period::{Period, hour_of},
    subscription::{Grid, Subscription, metered_at},
};
use std::{collections::BTreeMap, str::FromStr};
use time::{Duration, OffsetDateTime};

/// Stripe accepts usage up to this age ("Record usage for billing").
pub const WINDOW: Duration = Duration::days(35);
/// For this long after an event, Stripe deduplicates its identifier and accepts a cancellation.
pub const REMEMBERED: Duration = Duration::days(1);
/// Margin for a request's duration and clock differences.
const MARGIN: Duration = Duration::minutes(30);

/// The identifier of a revision of an hour or a part of an hour; it is deterministic.
pub fn identifier(customer: CustomerId, metric: Metric, hour: OffsetDateTime, revision: u32) -> String {
    let part = hour.to_offset(time::UtcOffset::UTC);
    let (year, month, day) = (part.year(), u8::from(part.month()), part.day());
    // The first part of an hour has the name of the whole hour.
    let within = if hour_of(part) == part { String::new() } else { format!("{:02}{:02}", part.minute(), part.second()) };
    format!("apex-{customer}-{metric}-{year:04}{month:02}{day:02}{:02}{within}-{revision}", part.hour())
}

/// When an hour has ended and late events have had time to arrive.
pub fn closes_at(hour: OffsetDateTime, grace: Duration) -> OffsetDateTime {
    hour_of(hour) + Duration::HOUR + grace
}

/// The end of the closed hours at an instant.
pub fn closed_until(now: OffsetDateTime, grace: Duration) -> OffsetDateTime {
    hour_of(now - grace)
}

/// Whether Stripe still accepts usage of an hour.
pub fn is_open(hour: OffsetDateTime, now: OffsetDateTime) -> bool {
    hour >= now - WINDOW + MARGIN
}

/// Whether Stripe still deduplicates and cancels an event first sent at that time.
pub fn is_remembered(first_tried: OffsetDateTime, now: OffsetDateTime) -> bool {
    now < first_tried + REMEMBERED - MARGIN
}

/// Finds the billing period of an instant.
pub trait Periods {
    /// Start of the period of an hour or a part of an hour: the period of its first instant, as on
    /// our own pages.
    fn start_of(&self, hour: OffsetDateTime) -> OffsetDateTime;
}

impl Periods for [Subscription] {
    fn start_of(&self, hour: OffsetDateTime) -> OffsetDateTime {
        metered_at(self, hour).period.start()
    }
}

/// Periods of the same length, before and after it.
impl Periods for Period {
    fn start_of(&self, hour: OffsetDateTime) -> OffsetDateTime {
        Grid::of(*self, None, None).around(hour).0
    }
}

/// From when on hours matter at an instant: all periods that still accept usage, as a whole,
/// because other hours of a period can make up for excess. Nothing before `since`.
pub fn look_back(periods: &(impl Periods + ?Sized), now: OffsetDateTime, since: Option<OffsetDateTime>) -> OffsetDateTime {
    let start = periods.start_of(now - WINDOW);
    // Hours belong to the period in which they begin.
    let since = since.map(|since| hour_of(since + Duration::HOUR - Duration::NANOSECOND));
    since.map_or(start, |since| start.max(since))
}

/// Status of a sent revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The call has started; the result is unknown.
    Sending,
    /// Counted by Stripe.
    Sent,
    /// Refused by Stripe; retried, because the cause may be fixed.
    Failed,
    /// The cancellation has started.
    Cancelling,
    Cancelled,
    /// Not sent within Stripe's window.
    Expired,
    /// It is unknown whether Stripe counts it. It is treated as counted, so that usage is never
    /// billed twice; staff have to check.
    Unclear,
}

impl Status {
    const ALL: [Status; 7] =
        [Status::Sending, Status::Sent, Status::Failed, Status::Cancelling, Status::Cancelled, Status::Expired, Status::Unclear];

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Sending => "sending",
            Status::Sent => "sent",
            Status::Failed => "failed",
            Status::Cancelling => "cancelling",
            Status::Cancelled => "cancelled",
            Status::Expired => "expired",
            Status::Unclear => "unclear",
        }
    }

    /// A customer and metric has at most one unfinished revision, and continues once that is
    /// finished.
    pub const fn is_in_flight(self) -> bool {
        matches!(self, Status::Sending | Status::Failed | Status::Cancelling)
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Status::ALL.into_iter().find(|status| status.as_str() == s).ok_or_else(|| format!("`{s}` is not a status of a meter event"))
    }
}

/// A revision that Stripe counts, or may count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub revision: u32,
    pub quantity: u64,
    /// Stripe would accept a cancellation.
    pub can_cancel: bool,
}

/// An hour's usage here and at Stripe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// The true usage.
    pub truth: u64,
    /// By revision.
    pub counted: Vec<Counted>,
    /// Usage known to be too late to send.
    pub expired: u64,
    /// The highest revision so far.
    pub last_revision: u32,
}

impl Hour {
    fn sum(&self) -> u64 {
        self.counted.iter().map(|counted| counted.quantity).sum()
    }
}

/// The closed hours of a customer and metric, by their start.
pub type Hours = BTreeMap<OffsetDateTime, Hour>;

/// Excess usage of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excess {
    /// Counted at Stripe beyond the true usage of an hour, and not cancelled.
    pub excess: u64,
    /// The part that other hours of the period make up for. The rest is owed.
    pub carried: u64,
}

/// A quantity of an hour, under a new revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub hour: OffsetDateTime,
    pub revision: u32,
    /// Never 0.
    pub quantity: u64,
}

/// What to do so that Stripe counts the true usage, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Hour and revision.
    pub cancels: Vec<(OffsetDateTime, u32)>,
    pub sends: Vec<Part>,
    /// Missing at Stripe and too late to send; only what was not recorded yet.
    pub expired: Vec<Part>,
    /// By the period's start; periods without excess are left out.
    pub excess: BTreeMap<OffsetDateTime, Excess>,
}

impl Plan {
    /// Start of the oldest hour with usage to send.
    pub fn behind_since(&self) -> Option<OffsetDateTime> {
        self.sends.first().map(|part| part.hour)
    }
}

/// Compares the hours with what Stripe counts.
pub fn plan(hours: &Hours, billed: &(impl Periods + ?Sized), now: OffsetDateTime) -> Plan {
    let mut periods: BTreeMap<OffsetDateTime, Vec<(OffsetDateTime, &Hour)>> = BTreeMap::new();
    for (start, hour) in hours {
        periods.entry(billed.start_of(*start)).or_default().push((*start, hour));
    }
    let mut plan = Plan::default();
    for (period, hours) in periods {
        plan.add_period(period, &hours, now);
    }
    plan
}

impl Plan {
    fn add_period(&mut self, period: OffsetDateTime, hours: &[(OffsetDateTime, &Hour)], now: OffsetDateTime) {
        let mut missing = Vec::new();
        let mut found = Excess::default();
        for (start, hour) in hours {
            let counted = hour.sum() - self.cancel(*start, hour, now);
            found.excess += counted.saturating_sub(hour.truth);
            if hour.truth > counted {
                missing.push((*start, *hour, hour.truth - counted));
            }
        }
        for (start, hour, mut quantity) in missing {
            // The oldest hours make up for it first, so that it doesn't depend on future hours.
            let carried = quantity.min(found.excess - found.carried);
            found.carried += carried;
            quantity -= carried;
            let part = |quantity| Part { hour: start, revision: hour.last_revision + 1, quantity };
            if is_open(start, now) {
                self.sends.extend((quantity > 0).then(|| part(quantity)));
            } else if quantity > hour.expired {
                self.expired.push(part(quantity - hour.expired));
            }
        }
        if found.excess > 0 {
            self.excess.insert(period, found);
        }
    }

    /// Cancels the newest revisions of an hour until it has no excess, and returns the remaining
    /// excess. What is missing then is sent again; if it is too late for that, it cancels only as
    /// much as leaves nothing missing.
    fn cancel(&mut self, start: OffsetDateTime, hour: &Hour, now: OffsetDateTime) -> u64 {
        let (sum, mut cancelled) = (hour.sum(), 0);
        for part in hour.counted.iter().rev() {
            let surplus = (sum - cancelled).saturating_sub(hour.truth);
            if part.can_cancel && surplus > 0 && (is_open(start, now) || part.quantity <= surplus) {
                cancelled += part.quantity;
                self.cancels.push((start, part.revision));
            }
        }
        cancelled
    }
}

/// How to handle a revision whose call had no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Send it again: Stripe deduplicates its identifier.
    Send,
    /// First query what Stripe counts.
    Look,
}

pub fn retry(hour: OffsetDateTime, first_tried: OffsetDateTime, now: OffsetDateTime) -> Retry {
    if is_open(hour, now) && is_remembered(first_tried, now) { Retry::Send } else { Retry::Look }
}

/// Whether a revision is at Stripe, judged by what Stripe counts for its hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    There,
    Missing,
    /// Staff have to check.
    Unclear,
}

/// `others`: the revisions known to be counted besides it.
pub const fn verdict(counted: u64, others: u64, quantity: u64) -> Verdict {
    if counted == others {
        Verdict::Missing
    } else if counted == others + quantity {
        Verdict::There
    } else {
        Verdict::Unclear
    }
}

/// Which of an hour's revisions Stripe does not count, by their quantities and Stripe's total: all
/// if the total is 0, or the one (of equal ones the newest) whose quantity is exactly the missing
/// one. None if that is ambiguous.
pub fn lost(parts: &[u64], counted: u64) -> Vec<usize> {
    let sum: u64 = parts.iter().fold(0, |sum, quantity| sum.saturating_add(*quantity));
    if counted == 0 {
        return (0..parts.len()).collect();
    }
    let missing = sum.saturating_sub(counted);
    parts.iter().rposition(|quantity| missing > 0 && *quantity == missing).into_iter().collect()
}

/// Delay after this many failed attempts: a minute, doubled each time, up to `longest`.
pub fn pause(failures: u32, longest: Duration) -> Duration {
    Duration::minutes(1 << failures.saturating_sub(1).min(16)).min(longest)
}
