use super::*;
use proptest::prelude::*;
use time::macros::datetime;

const START: OffsetDateTime = datetime!(2026-11-01 0:00 UTC);

fn november() -> Period {
    Period::calendar_month(START)
}

/// Hours from this many days before the period to its end.
fn hours(days_before: i64, quantity: impl Fn(OffsetDateTime) -> u64) -> History {
    let first = START - Duration::days(days_before);
    let count = (november().end() - first).whole_hours();
    History::new(first, (0..count).map(|hour| quantity(first + Duration::hours(hour))).collect())
}

/// Business hours on weekdays, little else.
fn office(at: OffsetDateTime) -> u64 {
    let weekday = at.weekday().number_days_from_monday() < 5;
    if weekday && (8..18).contains(&at.hour()) { 10_000 } else { 100 }
}

fn predicted(history: &History, at: OffsetDateTime) -> Forecast {
    forecast(&november(), &history.before(at), at).unwrap()
}

#[test]
fn a_repeating_week_is_forecast_exactly() {
    let history = hours(35, office);
    let truth = history.since(START).total();
    for at in [datetime!(2026-11-02 0:00 UTC), datetime!(2026-11-07 9:00 UTC), datetime!(2026-11-20 17:00 UTC)] {
        let forecast = predicted(&history, at);
        assert!(forecast.amount.abs_diff(truth) <= truth / 1000, "{at}: {forecast:?}, {truth}");
        assert!(forecast.high - forecast.low <= truth / 20, "{forecast:?}");
    }
}

#[test]
fn constant_usage_is_extrapolated_with_certainty() {
    let forecast = predicted(&hours(0, |_| 100), datetime!(2026-11-11 0:00 UTC));
    assert_eq!(forecast, Forecast { amount: 72_000, low: 72_000, high: 72_000 });
}

#[test]
fn no_forecast_until_a_day_is_known() {
    let history = hours(0, |_| 5000);
    let at = |instant| forecast(&november(), &history.before(instant), instant);
    assert_eq!(at(datetime!(2026-11-01 23:59 UTC)), None);
    assert!(at(datetime!(2026-11-02 0:00 UTC)).is_some());
    assert_eq!(linear(&november(), &history, datetime!(2026-11-01 23:59 UTC)), None);
}

#[test]
fn the_first_hour_uses_history_before_the_period() {
    let forecast = predicted(&hours(35, |_| 10), datetime!(2026-11-01 0:30 UTC));
    assert!(forecast.amount.abs_diff(7200) < 20, "{forecast:?}");
}

#[test]
fn an_outage_does_not_lower_the_forecast() {
    let quiet = hours(35, office);
    let broken = hours(35, |at| {
        let out = datetime!(2026-11-10 6:00 UTC) <= at && at < datetime!(2026-11-11 6:00 UTC);
        if out { 0 } else { office(at) }
    });
    let at = datetime!(2026-11-14 0:00 UTC);
    let lost = quiet.before(at).total() - broken.before(at).total();
    let (calm, after) = (predicted(&quiet, at), predicted(&broken, at));
    let rest = calm.amount - quiet.since(START).before(at).total();
    let beyond_the_loss = (calm.amount - lost).abs_diff(after.amount);
    assert!(lost > 100_000 && beyond_the_loss < rest / 40, "{calm:?} {after:?} lost {lost}");
}

#[test]
fn a_launch_counts_from_its_day() {
    let history = hours(35, |at| if at < datetime!(2026-11-08 0:00 UTC) { 1000 } else { 3000 });
    let truth = history.since(START).total();
    let forecast = predicted(&history, datetime!(2026-11-15 0:00 UTC));
    assert!(forecast.amount.abs_diff(truth) < truth / 50, "{forecast:?} {truth}");
}

#[test]
fn growth_continues() {
    let history = hours(49, |at| (10_000.0 * 1.01_f64.powf((at - START).as_seconds_f64() / 86_400.0)) as u64);
    let truth = history.since(START).total();
    let forecast = predicted(&history, datetime!(2026-11-08 0:00 UTC));
    assert!(forecast.amount.abs_diff(truth) < truth / 30, "{forecast:?} {truth}");
}

#[test]
fn a_new_metric_ignores_the_time_before_its_start() {
    let history = hours(35, |at| if at < datetime!(2026-11-05 0:00 UTC) { 0 } else { 100 });
    assert_eq!(predicted(&history, datetime!(2026-11-10 0:00 UTC)).amount, 26 * 2400);
}

#[test]
fn usage_that_ended_is_not_expected_again() {
    let history = hours(35, |at| if at < datetime!(2026-11-05 0:00 UTC) { 1000 } else { 0 });
    let at = datetime!(2026-11-20 0:00 UTC);
    let used = history.since(START).total();
    assert!(predicted(&history, at).amount - used < used / 100, "{:?}", predicted(&history, at));
}

/// Up to ten weeks of any usage: noise, silence, single uses.
fn anything() -> impl Strategy<Value = Vec<u64>> {
    let hour = prop_oneof![4 => 0u64..100_000, 2 => Just(0u64), 1 => 0u64..1 << 40];
    let day = prop_oneof![3 => prop::collection::vec(hour, 24), 1 => Just(vec![0; 24])];
    prop::collection::vec(day, 0..70).prop_map(|days| days.concat())
}

proptest! {
    #[test]
    fn ordered_deterministic_and_never_below_usage(quantities in anything(), days_before in 0i64..56, minutes in 0i64..44_000) {
        let (period, at) = (november(), START + Duration::minutes(minutes));
        let history = History::new(START - Duration::days(days_before), quantities).before(at);
        let forecasts = [forecast(&period, &history, at), linear(&period, &history, at)];
        prop_assert_eq!(forecasts[0], forecast(&period, &history.clone(), at));
        let used = history.since(START).before(period.end()).total();
        for forecast in forecasts.into_iter().flatten() {
            prop_assert!(used <= forecast.low && forecast.low <= forecast.amount && forecast.amount <= forecast.high, "{:?} {}", forecast, used);
        }
    }

    #[test]
    fn the_forecast_is_scale_invariant(quantities in anything(), days_before in 0i64..56, hours in 24i64..720) {
        let (period, at) = (november(), START + Duration::hours(hours));
        let first = START - Duration::days(days_before);
        let one = forecast(&period, &History::new(first, quantities.clone()).before(at), at);
        let ten = forecast(&period, &History::new(first, quantities.iter().map(|quantity| quantity * 10).collect()).before(at), at);
        prop_assert_eq!(one.is_some(), ten.is_some());
        if let (Some(one), Some(ten)) = (one, ten) {
            for (one, ten) in [(one.amount, ten.amount), (one.low, ten.low), (one.high, ten.high)] {
                prop_assert!((one * 10).abs_diff(ten) <= 10 + ten / 1_000_000_000, "{} {}", one, ten);
            }
        }
    }

    #[test]
    fn at_the_end_it_equals_the_usage(quantities in anything(), days_before in 0i64..56, hours_late in 0i64..100) {
        let period = november();
        let history = History::new(START - Duration::days(days_before), quantities);
        let used = history.since(START).before(period.end()).total();
        let predicted = forecast(&period, &history, period.end() + Duration::hours(hours_late));
        prop_assert_eq!(predicted, Some(Forecast { amount: used, low: used, high: used }));
    }
}
