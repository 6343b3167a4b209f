//! What Stripe's billing meters are still to be told of a customer's usage, hour by hour.
//!
//! Nothing is remembered but what was sent. For each period the hours' truth is compared with what Stripe counts of them: what is missing is
//! sent, what is too much is taken back where Stripe allows it, and else made up for by sending less of the period's other hours. The same
//! comparison after a crash or a correction says what is left to do, so that the order of those does not matter.

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

/// Stripe takes usage that is at most this old ("Record usage for billing").
pub const WINDOW: Duration = Duration::days(35);
/// Stripe knows an identifier again, and takes an event back, for this long after it came.
pub const REMEMBERED: Duration = Duration::days(1);
/// What a request may take and clocks may differ by.
const MARGIN: Duration = Duration::minutes(30);

/// The identifier of what is sent of an hour, or a part of it, for the so-manyeth time: the same whenever it is made.
pub fn identifier(customer: CustomerId, metric: Metric, hour: OffsetDateTime, revision: u32) -> String {
    let part = hour.to_offset(time::UtcOffset::UTC);
    let (year, month, day) = (part.year(), u8::from(part.month()), part.day());
    // The first part of an hour is called as the whole.
    let within = if hour_of(part) == part { String::new() } else { format!("{:02}{:02}", part.minute(), part.second()) };
    format!("apex-{customer}-{metric}-{year:04}{month:02}{day:02}{:02}{within}-{revision}", part.hour())
}

/// When an hour is over and those whose events take a moment have had it.
pub fn closes_at(hour: OffsetDateTime, grace: Duration) -> OffsetDateTime {
    hour_of(hour) + Duration::HOUR + grace
}

/// The end of the hours that are closed at an instant.
pub fn closed_until(now: OffsetDateTime, grace: Duration) -> OffsetDateTime {
    hour_of(now - grace)
}

/// Whether Stripe still takes usage of an hour.
pub fn is_open(hour: OffsetDateTime, now: OffsetDateTime) -> bool {
    hour >= now - WINDOW + MARGIN
}

/// Whether Stripe still knows, and still takes back, what was first sent then.
pub fn is_remembered(first_tried: OffsetDateTime, now: OffsetDateTime) -> bool {
    now < first_tried + REMEMBERED - MARGIN
}

/// Tells in which billing period an instant lies.
pub trait Periods {
    /// Start of the period that an hour, or a part of one, belongs to: that of its first instant, as for the figures on our own pages.
    fn start_of(&self, hour: OffsetDateTime) -> OffsetDateTime;
}

impl Periods for [Subscription] {
    fn start_of(&self, hour: OffsetDateTime) -> OffsetDateTime {
        metered_at(self, hour).period.start()
    }
}

/// Periods as long as this one, before and after it.
impl Periods for Period {
    fn start_of(&self, hour: OffsetDateTime) -> OffsetDateTime {
        Grid::of(*self, None, None).around(hour).0
    }
}

/// From when on hours matter at an instant: the periods that can still be sent to, whole, for what is too much in one hour is made up for in
/// the others. Nothing from before `since`.
pub fn look_back(periods: &(impl Periods + ?Sized), now: OffsetDateTime, since: Option<OffsetDateTime>) -> OffsetDateTime {
    let start = periods.start_of(now - WINDOW);
    // Hours belong where they begin.
    let since = since.map(|since| hour_of(since + Duration::HOUR - Duration::NANOSECOND));
    since.map_or(start, |since| start.max(since))
}

/// What became of a part of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// On its way, perhaps there.
    Sending,
    /// Counted at Stripe.
    Sent,
    /// Refused; tried again, for what it was refused for may be put right.
    Failed,
    /// Being taken back.
    Cancelling,
    Cancelled,
    /// Not sent within Stripe's window, and never will be.
    Expired,
    /// Nobody can tell whether Stripe counts it. Taken as counted, for nobody is to be billed twice; a person looks.
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

    /// A customer and metric has at most one such part, and goes on once it is none any more.
    pub const fn is_in_flight(self) -> bool {
        matches!(self, Status::Sending | Status::Failed | Status::Cancelling)
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Status::ALL.into_iter().find(|status| status.as_str() == s).ok_or_else(|| format!("`{s}` is no status of a meter event"))
    }
}

/// A part of an hour that Stripe counts, or may count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub revision: u32,
    pub quantity: u64,
    /// Stripe would take it back.
    pub can_cancel: bool,
}

/// An hour as it is here and at Stripe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hour {
    /// What was used.
    pub truth: u64,
    /// By revision.
    pub counted: Vec<Counted>,
    /// What is known to be too late.
    pub expired: u64,
    /// Highest revision there ever was.
    pub last_revision: u32,
}

impl Hour {
    fn sum(&self) -> u64 {
        self.counted.iter().map(|counted| counted.quantity).sum()
    }
}

/// The closed hours of a customer and metric, by their start.
pub type Hours = BTreeMap<OffsetDateTime, Hour>;

/// What is too much in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excess {
    /// Counted at Stripe beyond the truth of an hour, and not taken back.
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

/// What is to be done so that Stripe counts what is true, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Hour and revision.
    pub cancels: Vec<(OffsetDateTime, u32)>,
    pub sends: Vec<Part>,
    /// Missing at Stripe, and too late for it; only what was not known yet.
    pub expired: Vec<Part>,
    /// By the period's start, those without any left out.
    pub excess: BTreeMap<OffsetDateTime, Excess>,
}

impl Plan {
    /// Start of the oldest hour that something is to be sent of.
    pub fn behind_since(&self) -> Option<OffsetDateTime> {
        self.sends.first().map(|part| part.hour)
    }
}

/// Compares the hours with what Stripe counts of them.
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
            // The oldest hours make up for it first, so that nothing waits for hours that may not come.
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

    /// Takes back the newest parts of an hour until it is not too much, and says how much that is. What then lacks is sent anew; where it
    /// is too late for that, only so much is taken back that nothing lacks.
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

/// What to do with a part whose sending did not end in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Send it again: if it came before, Stripe knows its identifier.
    Send,
    /// Ask first what Stripe counts.
    Look,
}

pub fn retry(hour: OffsetDateTime, first_tried: OffsetDateTime, now: OffsetDateTime) -> Retry {
    if is_open(hour, now) && is_remembered(first_tried, now) { Retry::Send } else { Retry::Look }
}

/// Whether a part is at Stripe, by what Stripe counts of its hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    There,
    Missing,
    /// A person looks.
    Unclear,
}

/// `others` is what is known to be counted besides it.
pub const fn verdict(counted: u64, others: u64, quantity: u64) -> Verdict {
    if counted == others {
        Verdict::Missing
    } else if counted == others + quantity {
        Verdict::There
    } else {
        Verdict::Unclear
    }
}

/// Which of an hour's parts Stripe does not count, by their quantities and what it counts of the hour: all of them when that is nothing, or the
/// one (of equal ones the newest) whose quantity is just what is missing. None where that does not say which.
pub fn lost(parts: &[u64], counted: u64) -> Vec<usize> {
    let sum: u64 = parts.iter().fold(0, |sum, quantity| sum.saturating_add(*quantity));
    if counted == 0 {
        return (0..parts.len()).collect();
    }
    let missing = sum.saturating_sub(counted);
    parts.iter().rposition(|quantity| missing > 0 && *quantity == missing).into_iter().collect()
}

/// How long to wait after so many tries that failed: a minute, doubled each time, up to `longest`.
pub fn pause(failures: u32, longest: Duration) -> Duration {
    Duration::minutes(1 << failures.saturating_sub(1).min(16)).min(longest)
}
