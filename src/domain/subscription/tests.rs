use super::*;
use crate::domain::period::months_later;
use proptest::prelude::*;
use time::{Duration, macros::datetime};

const START: OffsetDateTime = datetime!(2026-11-01 0:00 UTC);

fn period(start: OffsetDateTime, end: OffsetDateTime) -> Option<Period> {
    Some(Period::new(start, end).unwrap())
}

fn monthly() -> Option<Interval> {
    Interval::new(Unit::Month, 1)
}

fn yearly() -> Option<Interval> {
    Interval::new(Unit::Year, 1)
}

fn item(id: &str, metered: Option<bool>, interval: Option<Interval>, period: Option<Period>) -> Item {
    Item { id: id.into(), metered, interval, period, ..Item::default() }
}

/// An active growth subscription with one licensed item of this period.
fn subscription(id: &str, start: OffsetDateTime, end: OffsetDateTime) -> Subscription {
    Subscription {
        id: id.into(),
        status: "active".into(),
        plan: Some(PlanType::Growth),
        plan_name: None,
        currency: Currency::USD,
        created_at: start,
        start_date: Some(start),
        billing_cycle_anchor: Some(start),
        current_period: period(start, end),
        cancel_at_period_end: false,
        cancel_at: None,
        canceled_at: None,
        ended_at: None,
        deleted: false,
        pause: None,
        items: vec![Item { plan: Some(PlanType::Growth), ..item("si_1", Some(false), None, period(start, end)) }],
    }
}

fn november() -> Subscription {
    subscription("sub_1", START, datetime!(2026-12-01 0:00 UTC))
}

fn ids(subscriptions: &[Subscription], at: OffsetDateTime) -> Option<&str> {
    metered_at(subscriptions, at).subscription.map(|subscription| subscription.id.as_str())
}

/// A1: a yearly fee with monthly usage.
fn mixed() -> Subscription {
    let month = period(datetime!(2026-11-15 0:00 UTC), datetime!(2026-12-15 0:00 UTC));
    let year = period(datetime!(2026-03-15 0:00 UTC), datetime!(2027-03-15 0:00 UTC));
    Subscription {
        start_date: Some(datetime!(2026-03-15 0:00 UTC)),
        created_at: datetime!(2026-03-15 0:00 UTC),
        billing_cycle_anchor: Some(datetime!(2026-03-15 0:00 UTC)),
        current_period: month,
        items: vec![item("si_fee", Some(false), yearly(), year), item("si_usage", Some(true), monthly(), month)],
        ..november()
    }
}

#[test]
fn the_metered_items_period_is_used() {
    let at = datetime!(2026-11-30 15:00 UTC);
    let mixed = mixed();
    assert_eq!(Some(metered_at(std::slice::from_ref(&mixed), at).period), mixed.items[1].period);
    // The reverse: yearly usage, monthly fee.
    let mut reversed = mixed.clone();
    (reversed.items[0].metered, reversed.items[1].metered) = (Some(true), Some(false));
    assert_eq!(Some(metered_at(&[reversed], at).period), mixed.items[0].period);
}

#[test]
fn licensed_items_use_the_plan_items_period() {
    let mut licensed = mixed();
    licensed.items[1].metered = Some(false);
    licensed.items[0].plan = Some(PlanType::Growth);
    assert_eq!(licensed.metered_item().unwrap().id, "si_fee");
    licensed.items[0].plan = None;
    assert_eq!(licensed.metered_item().unwrap().id, "si_usage");
}

#[test]
fn unknown_prices_use_the_smallest_period() {
    let mut unknown = mixed();
    for item in &mut unknown.items {
        (item.metered, item.interval) = (None, None);
    }
    unknown.items[0].plan = Some(PlanType::Growth);
    assert_eq!(unknown.metered_item().unwrap().id, "si_usage");
}

#[test]
fn old_api_versions_give_the_longer_period_too() {
    let mixed = mixed();
    let of = |interval| Some(item_period(mixed.current_period.unwrap(), monthly(), interval, mixed.billing_cycle_anchor));
    assert_eq!((of(yearly()), of(monthly())), (mixed.items[0].period, mixed.items[1].period));
    assert_eq!(of(None), mixed.current_period);
}

#[test]
fn a_subscription_that_names_a_plan_is_preferred() {
    let at = START + Duration::days(20);
    let plan = november();
    let newer = |id: &str, status: &str, plan: Option<PlanType>| Subscription {
        status: status.into(),
        plan,
        created_at: START + Duration::days(5),
        ..subscription(id, START, datetime!(2026-12-01 0:00 UTC))
    };
    let of = |other: Subscription| ids(&[plan.clone(), other], at).map(str::to_owned);
    assert_eq!(of(newer("support", "active", None)).as_deref(), Some("sub_1"));
    assert_eq!(of(newer("newer", "active", Some(PlanType::Scale))).as_deref(), Some("newer"));
    assert_eq!(of(newer("unpaid", "unpaid", Some(PlanType::Scale))).as_deref(), Some("sub_1"));
    assert_eq!(of(newer("late", "past_due", Some(PlanType::Scale))).as_deref(), Some("sub_1"));
    let unknown = Subscription { plan_name: Some("platinum".into()), ..newer("unknown", "active", None) };
    assert_eq!(of(unknown.clone()).as_deref(), Some("sub_1"));
    assert_eq!(ids(&[newer("support", "active", None), unknown], at), Some("unknown"));
    assert_eq!(ids(&[newer("support", "active", None)], at), Some("support"));
    // A paused or unpaid plan still has priority over an add-on.
    assert_eq!(ids(&[newer("support", "active", None), newer("unpaid", "unpaid", Some(PlanType::Scale))], at), Some("unpaid"));
}

#[test]
fn unknown_plans_have_stripes_name() {
    let mut other = Subscription { plan: None, plan_name: Some("platinum".into()), ..november() };
    other.items[0].lookup_key = Some("priority_support".into());
    assert_eq!(other.other_plan(), Some("platinum"));
    assert_eq!(Subscription { plan_name: None, ..other.clone() }.other_plan(), Some("priority_support"));
    assert_eq!(Subscription { plan: Some(PlanType::Growth), ..other }.other_plan(), None);
}

fn spans(subscription: &Subscription, instants: &[OffsetDateTime]) -> Vec<Option<(OffsetDateTime, OffsetDateTime)>> {
    let schedule = subscription.schedule().unwrap();
    instants.iter().map(|at| schedule.period_at(*at).map(|period| (period.start(), period.end()))).collect()
}

#[test]
fn months_follow_the_billing_cycle_anchor() {
    for anchor in [Some(datetime!(2026-08-31 9:30:05 UTC)), None] {
        let mut late = subscription("sub_1", datetime!(2026-10-31 9:30:05 UTC), datetime!(2026-11-30 9:30:05 UTC));
        late.billing_cycle_anchor = anchor;
        late.start_date = Some(datetime!(2026-08-31 9:30:05 UTC));
        late.items[0].interval = anchor.and(monthly());
        assert_eq!(
            spans(&late, &[datetime!(2026-11-30 9:30:05 UTC), datetime!(2026-12-31 9:30:05 UTC), datetime!(2027-02-28 10:00 UTC)]),
            [
                Some((datetime!(2026-11-30 9:30:05 UTC), datetime!(2026-12-31 9:30:05 UTC))),
                Some((datetime!(2026-12-31 9:30:05 UTC), datetime!(2027-01-31 9:30:05 UTC))),
                Some((datetime!(2027-02-28 9:30:05 UTC), datetime!(2027-03-31 9:30:05 UTC))),
            ],
            "{anchor:?}"
        );
    }
}

#[test]
fn a_late_yearly_renewal_is_a_year() {
    for interval in [yearly(), None] {
        let mut late = subscription("sub_1", datetime!(2025-11-15 8:00 UTC), datetime!(2026-11-15 8:00 UTC));
        late.items[0].interval = interval;
        let year = Some((datetime!(2026-11-15 8:00 UTC), datetime!(2027-11-15 8:00 UTC)));
        assert_eq!(spans(&late, &[datetime!(2026-11-30 15:00 UTC)]), [year]);
    }
    // 29 February, every fourth year.
    let leap = subscription("sub_1", datetime!(2024-02-29 0:00 UTC), datetime!(2025-02-28 0:00 UTC));
    assert_eq!(
        spans(&leap, &[datetime!(2028-02-28 12:00 UTC), datetime!(2028-03-01 0:00 UTC)]),
        [
            Some((datetime!(2027-02-28 0:00 UTC), datetime!(2028-02-29 0:00 UTC))),
            Some((datetime!(2028-02-29 0:00 UTC), datetime!(2029-02-28 0:00 UTC)))
        ]
    );
}

#[test]
fn weekly_and_daily_intervals_work() {
    let mut weekly = subscription("sub_1", START, START + Duration::WEEK * 2);
    weekly.items[0].interval = Interval::new(Unit::Week, 2);
    let third = START + Duration::WEEK * 4;
    assert_eq!(spans(&weekly, &[third]), [Some((third, third + Duration::WEEK * 2))]);
    assert_eq!(Interval::new(Unit::Day, 0), None);
}

#[test]
fn ended_subscriptions_have_no_period() {
    let end = datetime!(2026-12-01 0:00 UTC);
    let at_end = Subscription { cancel_at_period_end: true, ..november() };
    let mid = Subscription { cancel_at: Some(datetime!(2026-11-20 10:00 UTC)), ..november() };
    let gone = Subscription { status: "canceled".into(), ended_at: Some(datetime!(2026-11-20 10:00 UTC)), ..november() };
    for (ending, last) in [(at_end, end), (mid, datetime!(2026-11-20 10:00 UTC)), (gone, datetime!(2026-11-20 10:00 UTC))] {
        let subscriptions = [ending];
        let before = metered_at(&subscriptions, last - Duration::SECOND);
        assert_eq!((before.subscription.is_some(), before.period.end()), (true, last));
        let after = metered_at(&subscriptions, last);
        assert_eq!((after.subscription, after.period), (None, Period::calendar_month(last)));
    }
    // Never started, or without an end.
    for status in ["incomplete_expired", "canceled"] {
        assert_eq!(ids(&[Subscription { status: status.into(), canceled_at: Some(START), ..november() }], START), None);
    }
}

#[test]
fn a_trial_is_its_own_period() {
    let (start, trial_end) = (START, datetime!(2026-11-15 0:00 UTC));
    let mut trial = subscription("sub_1", start, trial_end);
    trial.status = "trialing".into();
    trial.billing_cycle_anchor = Some(trial_end);
    trial.items[0].interval = monthly();
    let first_month = Some((trial_end, datetime!(2026-12-15 0:00 UTC)));
    assert_eq!(spans(&trial, &[start, trial_end]), [Some((start, trial_end)), first_month]);
    // After the renewal, the trial is the previous period.
    let mut renewed = trial.clone();
    renewed.items[0].period = period(trial_end, datetime!(2026-12-15 0:00 UTC));
    assert_eq!(spans(&renewed, &[start, trial_end, start - Duration::SECOND]), [Some((start, trial_end)), first_month, None]);
}

#[test]
fn a_paused_subscription_is_not_renewed() {
    let paused = Subscription { status: "paused".into(), ..november() };
    let after = datetime!(2026-12-10 0:00 UTC);
    let metered = metered_at(std::slice::from_ref(&paused), after);
    assert_eq!((metered.subscription, metered.period), (Some(&paused), Period::calendar_month(after)));
    // Paused collection does not change the periods.
    let pause = Some(PauseCollection { behavior: "void".into(), resumes_at: None });
    let collecting = Subscription { pause, ..november() };
    assert_eq!(
        metered_at(&[collecting], after).period,
        Period::new(datetime!(2026-12-01 0:00 UTC), datetime!(2027-01-01 0:00 UTC)).unwrap()
    );
}

fn intervals() -> impl Strategy<Value = Interval> {
    let unit = prop::sample::select(vec![Unit::Day, Unit::Week, Unit::Month, Unit::Year]);
    (unit, 1u16..13).prop_map(|(unit, count)| Interval::new(unit, count).unwrap())
}

proptest! {
    #[test]
    fn periods_tile_without_gap_or_overlap(
        anchor in 1_500_000_000i64..2_000_000_000, interval in intervals(), at in 0i64..200_000_000, renewals in 0usize..4,
        known in prop::sample::select(vec![true, false]), length in prop::option::of(1i64..90_000_000),
    ) {
        let anchor = OffsetDateTime::from_unix_timestamp(anchor).unwrap();
        let grid = Grid::new(anchor, interval);
        let mut first = grid.around(anchor);
        (0..renewals).for_each(|_| first = grid.around(first.1));
        let mut subscription = subscription("sub_1", anchor, first.1);
        subscription.items[0].period = period(first.0, first.1);
        // Rows from before the interval was mirrored.
        subscription.items[0].interval = known.then_some(interval);
        subscription.cancel_at = length.map(|seconds| anchor + Duration::seconds(seconds));
        let schedule = subscription.schedule().unwrap();
        let at = anchor + Duration::seconds(at);
        match schedule.period_at(at) {
            None => prop_assert!(subscription.ends().is_some_and(|end| end <= at)),
            Some(found) => {
                prop_assert!(found.contains(at));
                // Every instant of a period belongs to it, and the next period begins at its end.
                prop_assert_eq!(schedule.period_at(found.start()), Some(found));
                prop_assert_eq!(schedule.period_at(found.end() - Duration::SECOND), Some(found));
                match schedule.period_at(found.end()) {
                    Some(next) => prop_assert_eq!(next.start(), found.end()),
                    None => prop_assert_eq!(subscription.ends(), Some(found.end())),
                }
                if found.start() > anchor {
                    prop_assert_eq!(schedule.period_at(found.start() - Duration::SECOND).map(|before| before.end()), Some(found.start()));
                } else {
                    prop_assert_eq!(schedule.period_at(anchor - Duration::SECOND), None);
                }
            }
        }
    }

    #[test]
    fn boundaries_are_whole_intervals_from_the_anchor(anchor in 1_500_000_000i64..2_000_000_000, months in 1u16..25, k in -40i32..40) {
        let anchor = OffsetDateTime::from_unix_timestamp(anchor).unwrap();
        let grid = Grid::new(anchor, Interval::new(Unit::Month, months).unwrap());
        let boundary = months_later(anchor, k * i32::from(months));
        let next = months_later(anchor, (k + 1) * i32::from(months));
        prop_assert_eq!(grid.around(boundary), (boundary, next));
        prop_assert_eq!(grid.around(next - Duration::SECOND), (boundary, next));
    }

    #[test]
    fn each_event_is_in_exactly_one_period(first in 0i64..30, second in 0i64..30, plan in any::<bool>(), ends in any::<bool>(), at in 0i64..90) {
        let day = |day: i64| START + Duration::days(day);
        let mut older = subscription("sub_1", day(first), months_later(day(first), 1));
        older.ended_at = ends.then(|| day(first + 40));
        let mut newer = subscription("sub_2", day(second), months_later(day(second), 1));
        newer.plan = plan.then_some(PlanType::Scale);
        let subscriptions = [older, newer];
        let at = day(at);
        let found = metered_at(&subscriptions, at);
        prop_assert!(found.period.contains(at));
        prop_assert_eq!(found, metered_at(&subscriptions, at));
        let mut reversed = subscriptions.clone();
        reversed.reverse();
        prop_assert_eq!(metered_at(&reversed, at).period, found.period);
        // While the subscription stays the same, so does the period.
        for other in (0..90).map(day).filter(|other| found.period.contains(*other)) {
            let then = metered_at(&subscriptions, other);
            if then.subscription == found.subscription {
                prop_assert_eq!(then.period, found.period);
            }
        }
    }

    #[test]
    fn old_and_new_api_versions_agree(anchor in 1_500_000_000i64..1_800_000_000, long in intervals(), short in intervals(), at in 0i64..100_000_000, usage_is_long in any::<bool>()) {
        prop_assume!(short.about_days() < long.about_days());
        let anchor = OffsetDateTime::from_unix_timestamp(anchor).unwrap();
        let at = anchor + Duration::seconds(at);
        let around = |interval| { let (start, end) = Grid::new(anchor, interval).around(at); Period::new(start, end).unwrap() };
        let shape = |period_of: &dyn Fn(Interval) -> Period| Subscription {
            start_date: Some(anchor),
            created_at: anchor,
            billing_cycle_anchor: Some(anchor),
            current_period: Some(around(short)),
            items: vec![
                item("si_long", Some(usage_is_long), Some(long), Some(period_of(long))),
                item("si_short", Some(!usage_is_long), Some(short), Some(period_of(short))),
            ],
            ..november()
        };
        let new = shape(&around);
        let old = shape(&|interval| item_period(around(short), Some(short), Some(interval), Some(anchor)));
        // The smallest period begins within the longer one, unless that has just ended.
        prop_assume!(around(long).contains(around(short).start()));
        prop_assert_eq!(metered_at(&[old], at).period, metered_at(&[new], at).period);
    }
}
