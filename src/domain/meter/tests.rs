use super::*;
use crate::domain::period::months_later;
use proptest::prelude::*;
use std::collections::HashMap;
use time::macros::datetime;
use uuid::Uuid;

/// The first used hour; a month boundary is in the middle of the hours.
const FIRST: OffsetDateTime = datetime!(2026-10-30 00:00 UTC);
const HOURS: i64 = 96;
const GRACE: Duration = Duration::minutes(15);

fn november() -> Period {
    Period::calendar_month(datetime!(2026-11-15 00:00 UTC))
}

fn hour(n: i64) -> OffsetDateTime {
    FIRST + Duration::hours(n)
}

/// Stripe's behaviour as documented.
#[derive(Default)]
struct Stripe {
    events: HashMap<String, (OffsetDateTime, u64, OffsetDateTime)>,
}

impl Stripe {
    fn send(&mut self, identifier: &str, part: Part, now: OffsetDateTime) {
        assert!(part.quantity > 0 && part.hour >= now - WINDOW, "{part:?}");
        let known = self.events.get(identifier);
        assert!(known.is_none_or(|(_, _, at)| now - *at < REMEMBERED), "the identifier is too old to be deduplicated");
        self.events.entry(identifier.to_owned()).or_insert((part.hour, part.quantity, now));
    }

    /// Returns false to refuse.
    fn cancel(&mut self, identifier: &str, now: OffsetDateTime) -> bool {
        match self.events.get_mut(identifier) {
            Some((_, quantity, at)) if now - *at < REMEMBERED => {
                *quantity = 0;
                true
            }
            _ => false,
        }
    }

    fn counts(&self, of: impl Fn(OffsetDateTime) -> bool) -> u64 {
        self.events.values().filter(|(hour, _, _)| of(*hour)).map(|(_, quantity, _)| quantity).sum()
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    part: Part,
    status: Status,
    kept: bool,
    first_tried: OffsetDateTime,
}

/// When the process dies: never, before the call to Stripe, or before it records the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Well,
    Before,
    After,
}

#[derive(Clone, Debug)]
enum Op {
    Use(i64, u64),
    Correct(i64, u64),
    Wait(i64),
    Run(Vec<End>),
}

struct World {
    now: OffsetDateTime,
    truth: BTreeMap<OffsetDateTime, u64>,
    rows: Vec<Row>,
    stripe: Stripe,
}

impl World {
    fn new() -> World {
        World { now: hour(HOURS) + GRACE, truth: BTreeMap::new(), rows: Vec::new(), stripe: Stripe::default() }
    }

    fn after(ops: &[Op]) -> World {
        let mut world = World::new();
        for op in ops {
            match op {
                Op::Use(n, quantity) if hour(*n) >= world.now - WINDOW => *world.truth.entry(hour(*n)).or_default() += quantity,
                Op::Use(..) => {}
                Op::Correct(n, quantity) => {
                    world.truth.entry(hour(*n)).and_modify(|truth| *truth = truth.saturating_sub(*quantity));
                }
                Op::Wait(hours) => world.now += Duration::hours(*hours),
                Op::Run(ends) => drop(world.run(&mut ends.iter().copied())),
            }
        }
        // Until there is nothing left to do.
        while !world.run(&mut std::iter::empty()) {}
        world
    }

    fn hours(&self) -> Hours {
        let mut hours: Hours = self.truth.iter().map(|(start, truth)| (*start, Hour { truth: *truth, ..Hour::default() })).collect();
        for row in &self.rows {
            let hour = hours.get_mut(&row.part.hour).unwrap();
            hour.last_revision = row.part.revision;
            let Part { revision, quantity, .. } = row.part;
            match row.status {
                Status::Cancelled => {}
                Status::Expired => hour.expired += quantity,
                _ => {
                    let can_cancel = !row.kept && is_remembered(row.first_tried, self.now);
                    hour.counted.push(Counted { revision, quantity, can_cancel });
                }
            }
        }
        hours
    }

    fn plan(&self) -> Plan {
        plan(&self.hours(), &november(), self.now)
    }

    /// One run of the job, possibly interrupted; true if there was nothing to do.
    fn run(&mut self, ends: &mut dyn Iterator<Item = End>) -> bool {
        for at in 0..self.rows.len() {
            if self.rows[at].status.is_in_flight() && !self.finish(at, ends) {
                return false;
            }
        }
        let plan = self.plan();
        let idle = plan.cancels.is_empty() && plan.sends.is_empty() && plan.expired.is_empty();
        for part in plan.expired {
            self.rows.push(Row { part, status: Status::Expired, kept: false, first_tried: self.now });
        }
        for (hour, revision) in plan.cancels {
            let at = self.rows.iter().position(|row| (row.part.hour, row.part.revision) == (hour, revision)).unwrap();
            assert_eq!(self.rows[at].status, Status::Sent);
            self.rows[at].status = Status::Cancelling;
            if !self.finish(at, ends) {
                return false;
            }
        }
        for part in plan.sends {
            let taken = self.rows.iter().any(|row| (row.part.hour, row.part.revision) == (part.hour, part.revision));
            assert!(!taken, "a revision is used once");
            self.rows.push(Row { part, status: Status::Sending, kept: false, first_tried: self.now });
            if !self.finish(self.rows.len() - 1, ends) {
                return false;
            }
        }
        idle
    }

    /// Sends a recorded row to Stripe; false if the process died.
    fn finish(&mut self, at: usize, ends: &mut dyn Iterator<Item = End>) -> bool {
        let end = ends.next().unwrap_or(End::Well);
        if end == End::Before {
            return false;
        }
        let Row { part, status, first_tried, .. } = self.rows[at];
        let id = identifier(CustomerId(Uuid::nil()), Metric::Impressions, part.hour, part.revision);
        let others = self.rows.iter().enumerate().filter(|(n, row)| *n != at && row.status == Status::Sent && row.part.hour == part.hour);
        let others = others.map(|(_, row)| row.part.quantity).sum();
        let found = verdict(self.stripe.counts(|hour| hour == part.hour), others, part.quantity);
        let send = match (status, retry(part.hour, first_tried, self.now), found) {
            (Status::Sending, Retry::Send, _) => true,
            (Status::Sending, Retry::Look, Verdict::Missing) if is_open(part.hour, self.now) => {
                self.rows[at].first_tried = self.now;
                true
            }
            (_, _, Verdict::Unclear) => panic!("{part:?} is ambiguous"),
            _ => false,
        };
        let cancelled = status == Status::Cancelling && (self.stripe.cancel(&id, self.now) || found == Verdict::Missing);
        if send {
            self.stripe.send(&id, part, self.now);
        }
        if end == End::After {
            return false;
        }
        let row = &mut self.rows[at];
        row.status = match status {
            Status::Cancelling if cancelled => Status::Cancelled,
            Status::Cancelling => Status::Sent,
            _ if send || found == Verdict::There => Status::Sent,
            _ => Status::Expired,
        };
        row.kept |= status == Status::Cancelling && !cancelled;
        true
    }

    fn assert_each_hour_is_true(&self) -> Result<(), TestCaseError> {
        for (start, truth) in &self.truth {
            prop_assert_eq!(self.stripe.counts(|hour| hour == *start), *truth, "{}", start);
        }
        Ok(())
    }
}

fn run() -> impl Strategy<Value = Op> {
    prop::collection::vec(prop_oneof![3 => Just(End::Well), 1 => Just(End::Before), 1 => Just(End::After)], 0..6).prop_map(Op::Run)
}

fn usage() -> impl Strategy<Value = Op> {
    (0..HOURS, 1u64..1000).prop_map(|(hour, quantity)| Op::Use(hour, quantity))
}

fn correction() -> impl Strategy<Value = Op> {
    (0..HOURS, 1u64..1000).prop_map(|(hour, quantity)| Op::Correct(hour, quantity))
}

/// Few hours, so that revisions of the same hour are likely.
fn narrow(op: impl Strategy<Value = Op>) -> impl Strategy<Value = Op> {
    op.prop_map(|op| match op {
        Op::Use(hour, quantity) => Op::Use(44 + hour % 8, quantity),
        Op::Correct(hour, quantity) => Op::Correct(44 + hour % 8, quantity),
        other => other,
    })
}

proptest! {
    #[test]
    fn growing_usage_reaches_stripe_despite_crashes(
        ops in prop::collection::vec(prop_oneof![3 => narrow(usage()), 2 => run(), 1 => (1i64..60).prop_map(Op::Wait)], 0..40)
    ) {
        let waited: i64 = ops.iter().map(|op| if let Op::Wait(hours) = op { *hours } else { 0 }).sum();
        prop_assume!(waited < 30 * 24);
        let world = World::after(&ops);
        world.assert_each_hour_is_true()?;
        prop_assert_eq!(world.plan(), Plan::default());
    }

    #[test]
    fn corrections_within_a_day_keep_each_hour_exact(
        ops in prop::collection::vec(prop_oneof![3 => narrow(usage()), 2 => narrow(correction()), 2 => run(), 1 => Just(Op::Wait(1))], 0..40)
    ) {
        let waits = ops.iter().filter(|op| matches!(op, Op::Wait(_))).count();
        prop_assume!(waits < 20);
        let world = World::after(&ops);
        world.assert_each_hour_is_true()?;
        prop_assert!(world.plan().excess.is_empty());
    }

    /// In all cases, Stripe's total of a period is right, except for recorded owed and late usage.
    #[test]
    fn a_period_is_exact_except_for_owed_or_late_usage(
        ops in prop::collection::vec(
            prop_oneof![4 => narrow(usage()), 2 => narrow(correction()), 3 => run(), 2 => (1i64..100).prop_map(Op::Wait)], 0..60)
    ) {
        let world = World::after(&ops);
        let plan = world.plan();
        prop_assert!(plan.sends.is_empty() && plan.cancels.is_empty() && plan.expired.is_empty());
        for period in [Period::calendar_month(FIRST), november()] {
            let at_stripe = i128::from(world.stripe.counts(|hour| period.contains(hour)));
            let truth: i128 = world.truth.iter().filter(|(hour, _)| period.contains(**hour)).map(|(_, truth)| i128::from(*truth)).sum();
            let Excess { excess, carried } = plan.excess.get(&period.start()).copied().unwrap_or_default();
            let owed = i128::from(excess - carried);
            let late: i128 = world.rows.iter().filter(|row| row.status == Status::Expired && period.contains(row.part.hour))
                .map(|row| i128::from(row.part.quantity)).sum();
            // Late usage may have been corrected since, or made up for.
            prop_assert!(at_stripe <= truth + owed && at_stripe >= truth + owed - late, "{at_stripe} {truth} {owed} {late}");
            prop_assert!(owed == 0 || at_stripe > truth - late);
        }
    }

    #[test]
    fn hours_tile_time_and_close_once(minute in 0i64..100_000, anchor in 0i64..60) {
        let start = datetime!(2026-01-31 13:37 UTC) + Duration::days(anchor);
        let anchor = Period::new(start, months_later(start, 1)).unwrap();
        let now = datetime!(2026-01-01 00:00 UTC) + Duration::minutes(minute);
        let until = closed_until(now, GRACE);
        prop_assert!(closes_at(until - Duration::HOUR, GRACE) <= now && closes_at(until, GRACE) > now);
        let (this, next) = (anchor.start_of(until), anchor.start_of(until + Duration::HOUR));
        prop_assert!(this <= until && (next == this || (next > until && next <= until + Duration::HOUR)));
        prop_assert_eq!(anchor.start_of(this), this);
        // Whole periods; after `since`, whole hours.
        let from = look_back(&anchor, now, None);
        prop_assert!(from <= now - WINDOW);
        prop_assert_eq!(anchor.start_of(from), from);
        let since = look_back(&anchor, now, Some(from + Duration::SECOND));
        prop_assert!(hour_of(since) == since && since > from && since <= from + Duration::HOUR);
    }
}

fn counted(revision: u32, quantity: u64, can_cancel: bool) -> Counted {
    Counted { revision, quantity, can_cancel }
}

#[test]
fn an_identifier_names_customer_metric_hour_and_revision() {
    let of = |at, revision| identifier(CustomerId(Uuid::nil()), Metric::DataTransferBytes, at, revision);
    assert_eq!(of(datetime!(2026-11-22 23:00 +2), 3), "apex-00000000-0000-0000-0000-000000000000-data_transfer_bytes-2026112221-3");
    // The part of an hour in which a period begins.
    let id = of(datetime!(2026-11-22 23:04:17 +2), 3);
    assert_eq!(id, "apex-00000000-0000-0000-0000-000000000000-data_transfer_bytes-20261122210417-3");
    assert_eq!(of(datetime!(2026-11-22 23:00:00 +2), 3), of(datetime!(2026-11-22 21:00 UTC), 3));
    assert!(id.len() <= 100);
}

#[test]
fn the_newest_revision_is_cancelled_and_resent() {
    let now = datetime!(2026-11-03 00:00 UTC);
    let of = |truth, parts: &[Counted]| {
        let hours = Hours::from([(hour(80), Hour { truth, counted: parts.to_vec(), expired: 0, last_revision: 2 })]);
        plan(&hours, &november(), now)
    };
    let both = [counted(1, 100, true), counted(2, 20, true)];
    let part = |quantity| vec![Part { hour: hour(80), revision: 3, quantity }];
    assert_eq!((of(110, &both).cancels, of(110, &both).sends), (vec![(hour(80), 2)], part(10)));
    assert_eq!((of(90, &both).cancels.len(), of(90, &both).sends), (2, part(90)));
    assert_eq!((of(0, &both).cancels.len(), of(0, &both).sends), (2, vec![]));
    let old = [counted(1, 100, false), counted(2, 20, true)];
    assert_eq!(of(90, &old).cancels, [(hour(80), 2)]);
    assert_eq!(of(90, &old).excess[&november().start()], Excess { excess: 10, carried: 0 });
}

#[test]
fn excess_is_made_up_for_within_its_period_only() {
    let now = datetime!(2026-11-03 00:15 UTC);
    let too_much = Hour { truth: 70, counted: vec![counted(1, 100, false)], expired: 0, last_revision: 1 };
    let fresh = |truth| Hour { truth, ..Hour::default() };
    // Hour 47 is October's last.
    let hours = Hours::from([
        (hour(46), fresh(5)),
        (hour(47), too_much.clone()),
        (hour(48), fresh(5)),
        (hour(49), too_much),
        (hour(50), fresh(90)),
    ]);
    let plan = plan(&hours, &november(), now);
    assert_eq!(plan.sends, [Part { hour: hour(50), revision: 1, quantity: 65 }]);
    let october = Period::calendar_month(FIRST).start();
    assert_eq!(plan.excess[&october], Excess { excess: 30, carried: 5 });
    assert_eq!(plan.excess[&november().start()], Excess { excess: 30, carried: 30 });
    assert_eq!(plan.behind_since(), Some(hour(50)));
}

#[test]
fn a_late_hour_is_reported_once() {
    let now = hour(0) + WINDOW;
    let mut late = Hour { truth: 7, ..Hour::default() };
    let of = |late: &Hour| plan(&Hours::from([(hour(0), late.clone())]), &november(), now);
    assert_eq!((of(&late).sends, of(&late).expired), (vec![], vec![Part { hour: hour(0), revision: 1, quantity: 7 }]));
    (late.expired, late.last_revision) = (7, 1);
    assert_eq!(of(&late), Plan::default());
    late.truth = 9;
    assert_eq!(of(&late).expired, [Part { hour: hour(0), revision: 2, quantity: 2 }]);
}

#[test]
fn delays_double_up_to_the_longest() {
    let minutes = |failures| pause(failures, Duration::hours(6)).whole_minutes();
    assert_eq!([0, 1, 2, 3, 9, 10, u32::MAX].map(minutes), [1, 1, 2, 4, 256, 360, 360]);
}

#[test]
fn a_revision_is_lost_only_if_the_sum_proves_it() {
    assert!(lost(&[100, 20], 120).is_empty());
    assert_eq!(lost(&[100, 20], 0), [0, 1]);
    assert_eq!(lost(&[100, 20], 100), [1]);
    assert_eq!(lost(&[100, 20], 20), [0]);
    // Of equal ones the newest; if ambiguous, none.
    assert_eq!(lost(&[50, 50], 50), [1]);
    assert!(lost(&[100, 20], 70).is_empty());
    assert!(lost(&[100], 150).is_empty());
    assert!(lost(&[], 0).is_empty());
}
