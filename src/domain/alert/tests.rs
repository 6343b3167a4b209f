use super::*;
use crate::domain::field_error::FieldErrors;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashSet;

fn read(value: Value) -> Result<AlertSettings, FieldErrors> {
    AlertSettings::read(&value, Currency::USD)
}

fn figures(used: u64, included: Option<u64>, cost: i64) -> Figures {
    let impressions = |value| Quantities::default().with(Metric::Impressions, value);
    Figures {
        used: impressions(used),
        included: included.map(impressions),
        cost: PerMetric::from_fn(|_| Some(0)).with(Metric::Impressions, Some(cost)),
        currency: Currency::USD,
    }
}

fn reached(settings: &AlertSettings, figures: &Figures) -> Vec<Threshold> {
    crossed(settings, figures).into_iter().map(|(_, threshold)| threshold).collect()
}

#[test]
fn default_thresholds_fire_when_reached_exactly() {
    use Threshold::Percent;
    let settings = read(json!({})).unwrap();
    assert_eq!(settings, AlertSettings::usual(Currency::USD));
    let at = |used| reached(&settings, &figures(used, Some(1000), 0));
    assert_eq!(at(799), []);
    assert_eq!(at(800), [Percent(80)]);
    assert_eq!(at(1000), [Percent(80), Percent(90), Percent(100)]);
    assert_eq!(at(1100), [Percent(80), Percent(90), Percent(100), Percent(110)]);
}

#[test]
fn percentages_need_an_included_quantity() {
    let settings = read(json!({"metrics": {"impressions": {"cost": [500], "cap": {"percent": 100}}}})).unwrap();
    assert_eq!(reached(&settings, &figures(u64::MAX, None, 0)), []);
    assert_eq!(reached(&settings, &figures(u64::MAX, Some(0), 499)), []);
    assert_eq!(reached(&settings, &figures(5, Some(0), 500)), [Threshold::Cost(500)]);
    // Usage never reaches a plan without a limit.
    assert_eq!(reached(&settings, &figures(1 << 40, Some(u64::MAX), 0)), []);
}

#[test]
fn cost_thresholds_apply_in_their_currency_only() {
    let settings = read(json!({"metrics": {"impressions": {"percent": [], "cost": [500]}}})).unwrap();
    let in_yen = Figures { currency: "jpy".parse().unwrap(), ..figures(5, Some(1), 900) };
    assert_eq!(reached(&settings, &in_yen), []);
    assert!(settings.in_currency("jpy".parse().unwrap()).metric(Metric::Impressions).cost().is_empty());
}

#[test]
fn a_cap_is_a_quantity_or_a_percentage_rounded_up() {
    assert_eq!(cap_quantity(None, Some(10)), None);
    assert_eq!(cap_quantity(Some(Cap::Quantity(7)), None), Some(7));
    assert_eq!(cap_quantity(Some(Cap::Percent(150)), Some(3)), Some(5));
    assert_eq!(cap_quantity(Some(Cap::Percent(150)), None), None);
    assert_eq!(cap_quantity(Some(Cap::Percent(1000)), Some(u64::MAX)), Some(u64::MAX));
}

#[test]
fn disabled_alerts_never_fire() {
    let settings = read(json!({"enabled": false, "metrics": {"impressions": {"cap": {"quantity": 1}}}})).unwrap();
    assert!(reached(&settings, &figures(5_000, Some(1), 99)).is_empty() && settings.has_cap());
}

#[test]
fn errors_name_the_invalid_field() {
    let eleven: Vec<u32> = (1..=11).collect();
    let crowd: Vec<String> = (0..11).map(|n| format!("a{n}@b.example")).collect();
    for (body, field) in [
        (json!([]), "body"),
        (json!({"enabled": "yes"}), "enabled"),
        (json!({"colour": 1}), "colour"),
        (json!({"currency": "eur"}), "currency"),
        (json!({"recipients": "a@b.example"}), "recipients"),
        (json!({"recipients": ["invalid"]}), "recipients"),
        (json!({"recipients": [7]}), "recipients"),
        (json!({"recipients": crowd}), "recipients"),
        (json!({"metrics": {"clicks": {}}}), "metrics.clicks"),
        (json!({"metrics": {"impressions": []}}), "metrics.impressions"),
        (json!({"metrics": {"impressions": {"percent": [0]}}}), "metrics.impressions.percent"),
        (json!({"metrics": {"impressions": {"percent": [1001]}}}), "metrics.impressions.percent"),
        (json!({"metrics": {"impressions": {"percent": [80.5]}}}), "metrics.impressions.percent"),
        (json!({"metrics": {"impressions": {"percent": eleven}}}), "metrics.impressions.percent"),
        (json!({"metrics": {"api_calls": {"cost": [-1]}}}), "metrics.api_calls.cost"),
        (json!({"metrics": {"api_calls": {"limit": 1}}}), "metrics.api_calls.limit"),
        (json!({"metrics": {"data_transfer_bytes": {"cap": 5}}}), "metrics.data_transfer_bytes.cap"),
        (json!({"metrics": {"data_transfer_bytes": {"cap": {"percent": 1, "quantity": 1}}}}), "metrics.data_transfer_bytes.cap"),
        (json!({"metrics": {"data_transfer_bytes": {"cap": {"quantity": 0}}}}), "metrics.data_transfer_bytes.cap"),
    ] {
        assert_eq!(read(body.clone()).unwrap_err().first(), field, "{body}");
    }
}

#[test]
fn all_invalid_fields_are_reported_at_once() {
    let body =
        json!({"recipients": ["a@b"], "colour": 1, "metrics": {"impressions": {"percent": [0], "cost": [-1]}, "api_calls": {"cap": 5}}});
    let errors = read(body).unwrap_err();
    let fields: Vec<&str> = errors.as_slice().iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["colour", "recipients", "metrics.impressions.percent", "metrics.impressions.cost", "metrics.api_calls.cap"]);
}

#[test]
fn parsed_settings_round_trip() {
    let settings = read(json!({"recipients": ["B@c.example", "b@C.example"], "metrics": {"api_calls": {"percent": [100, 50, 100], "cap": {"percent": 120}}}}))
        .unwrap();
    let written = serde_json::to_value(&settings).unwrap();
    assert_eq!(written["recipients"], json!(["b@c.example"]));
    assert_eq!(written["metrics"]["api_calls"], json!({"percent": [50, 100], "cost": [], "cap": {"percent": 120}}));
    assert_eq!(serde_json::from_value::<AlertSettings>(written).unwrap(), settings);
}

fn any_settings() -> impl Strategy<Value = AlertSettings> {
    (prop::collection::vec(1u32..=1000, 0..10), prop::collection::vec(1i64..100_000, 0..10), prop::option::of(1u64..2000)).prop_map(
        |(percent, cost, cap)| {
            let cap = cap.map(|quantity| json!({"quantity": quantity}));
            read(json!({"metrics": {"impressions": {"percent": percent, "cost": cost, "cap": cap}}})).unwrap()
        },
    )
}

/// Fires due alerts at each evaluation, as the job does.
fn fire(settings: &AlertSettings, readings: &[u64], fired: &mut Vec<(Metric, Threshold)>) {
    for used in readings {
        let due = due(settings, &figures(*used, Some(500), i64::try_from(*used).unwrap_or(0) * 10), fired);
        fired.extend(due);
    }
}

proptest! {
    #[test]
    fn more_usage_never_crosses_fewer_thresholds(settings in any_settings(), a in 0u64..3000, b in 0u64..3000, cost in 0i64..100_000) {
        let low: HashSet<_> = crossed(&settings, &figures(a.min(b), Some(500), cost)).into_iter().collect();
        let high: HashSet<_> = crossed(&settings, &figures(a.max(b), Some(500), cost)).into_iter().collect();
        prop_assert!(low.is_subset(&high));
    }

    #[test]
    fn each_fires_once_in_any_order_of_evaluations(settings in any_settings(), mut readings in prop::collection::vec(0u64..3000, 1..20)) {
        let mut fired = Vec::new();
        fire(&settings, &readings, &mut fired);
        let once: HashSet<_> = fired.iter().copied().collect();
        prop_assert_eq!(once.len(), fired.len());
        readings.sort_unstable();
        let mut in_order = Vec::new();
        fire(&settings, &readings, &mut in_order);
        prop_assert_eq!(once, in_order.into_iter().collect::<HashSet<_>>());
    }

    #[test]
    fn changed_thresholds_fire_at_most_once_each(before in any_settings(), after in any_settings(), used in 0u64..3000) {
        let mut fired = Vec::new();
        fire(&before, &[used], &mut fired);
        fire(&after, &[used, used], &mut fired);
        fire(&before, &[used], &mut fired);
        let once: HashSet<_> = fired.iter().copied().collect();
        prop_assert_eq!(once.len(), fired.len());
        let expected: HashSet<_> =
            [&before, &after].into_iter().flat_map(|settings| crossed(settings, &figures(used, Some(500), i64::try_from(used).unwrap() * 10))).collect();
        prop_assert_eq!(once, expected);
    }

    #[test]
    fn thresholds_round_trip_through_storage(percent in any::<u32>(), cost in any::<i64>(), cap in 0u64..(1 << 62)) {
        for threshold in [Threshold::Percent(percent), Threshold::Cost(cost), Threshold::Cap(cap)] {
            prop_assert_eq!(Threshold::of(threshold.kind(), threshold.value()), Some(threshold));
        }
    }

    #[test]
    fn thresholds_fire_again_only_after_usage_fell_below(
        settings in any_settings(),
        looks in prop::collection::vec((0u64..3000, prop::sample::select(vec![500u64, 500, 500, 2000])), 1..30),
    ) {
        // As the job does: each evaluation first re-arms what is no longer reached, then fires what
        // is due.
        let mut in_force: Vec<(Metric, Threshold, u64)> = Vec::new();
        for (used, included) in looks {
            let figures = figures(used, Some(included), i64::try_from(used).unwrap() * 10);
            in_force.retain(|(metric, threshold, then)| still_reached(*metric, *threshold, Some(*then), Currency::USD, &settings, &figures));
            let known: Vec<_> = in_force.iter().map(|(metric, threshold, _)| (*metric, *threshold)).collect();
            in_force.extend(due(&settings, &figures, &known).into_iter().map(|(metric, threshold)| (metric, threshold, included)));
            // Current alerts are exactly the reached thresholds of the current included quantity,
            // each once.
            let now: HashSet<_> = crossed(&settings, &figures).into_iter().collect();
            let held: HashSet<_> = in_force.iter().map(|(metric, threshold, _)| (*metric, *threshold)).collect();
            prop_assert_eq!(&held, &now);
            prop_assert_eq!(held.len(), in_force.len());
            prop_assert!(in_force.iter().all(|(_, threshold, then)| !matches!(threshold, Threshold::Percent(_)) || *then == included));
        }
    }
}

#[test]
fn an_unknown_plan_re_arms_nothing() {
    let settings = read(json!({"metrics": {"impressions": {"cap": {"quantity": 10}}}})).unwrap();
    let holds = |threshold, figures: &Figures| still_reached(Metric::Impressions, threshold, Some(1000), Currency::USD, &settings, figures);
    assert!(holds(Threshold::Percent(80), &figures(5, None, 0)));
    assert!(!holds(Threshold::Percent(80), &figures(5, Some(1000), 0)));
    assert!(!holds(Threshold::Percent(80), &figures(5000, Some(2000), 0)), "of another quantity");
    assert!(!holds(Threshold::Percent(80), &figures(5000, Some(0), 0)));
    assert!(holds(Threshold::Percent(80), &figures(800, Some(1000), 0)));
    assert!(holds(Threshold::Cost(500), &Figures { currency: "jpy".parse().unwrap(), ..figures(5, None, 0) }));
    assert!(!holds(Threshold::Cost(500), &figures(5, None, 499)));
    assert!(holds(Threshold::Cap(10), &figures(10, None, 0)));
    assert!(!holds(Threshold::Cap(10), &figures(9, None, 0)));
    assert!(!holds(Threshold::Cap(11), &figures(50, None, 0)), "the cap is another one now");
}

#[test]
fn a_crossing_is_dated_by_its_hour() {
    let at = |hour: i64| time::OffsetDateTime::from_unix_timestamp(1_795_000_000 + hour * 3600).unwrap();
    let hours = [(at(0), 500), (at(5), 0), (at(7), 299), (at(9), 1), (at(11), u64::MAX)];
    assert_eq!(crossed_at(hours, 0), Some(at(0)));
    assert_eq!(crossed_at(hours, 500), Some(at(0)));
    assert_eq!(crossed_at(hours, 800), Some(at(9)));
    assert_eq!(crossed_at(hours, u64::MAX), Some(at(11)));
    assert_eq!(crossed_at(hours[..3].iter().copied(), 800), None);
    assert_eq!(quantity_of(Threshold::Percent(110), Some(999)), Some(1099));
    assert_eq!(quantity_of(Threshold::Percent(110), None), None);
    assert_eq!(quantity_of(Threshold::Cost(5), Some(10)), None);
}

#[test]
fn a_cap_below_usage_needs_confirmation_once() {
    let cap = |quantity: Value| read(json!({"metrics": {"impressions": {"cap": quantity}}})).unwrap();
    let (none, five, fifty) = (cap(Value::Null), cap(json!({"quantity": 5})), cap(json!({"quantity": 50})));
    let used = figures(50, Some(100), 0);
    let reached = |used, cap| ReachedCap { metric: Metric::Impressions, used, cap };
    assert_eq!(newly_refusing(&none, &five, &used), [reached(50, 5)]);
    assert_eq!(newly_refusing(&none, &fifty, &used), [reached(50, 50)]);
    assert_eq!(newly_refusing(&none, &cap(json!({"quantity": 51})), &used), []);
    assert_eq!(newly_refusing(&none, &cap(json!({"percent": 50})), &used), [reached(50, 50)]);
    // It already refused events before.
    assert_eq!(newly_refusing(&five, &fifty, &used), []);
    assert_eq!(newly_refusing(&five, &none, &used), []);
    assert_eq!(
        warning(&[reached(12_560_000, 5_000_000)]),
        "This refuses impressions from now on: 12,560,000 are used, the cap is 5,000,000."
    );
    let read =
        |body: Value| AlertChange::read(&body, Currency::USD).map(|change| change.confirm).map_err(|errors| errors.first().to_owned());
    assert_eq!(read(json!({"confirm": true})), Ok(true));
    assert_eq!(read(json!({})), Ok(false));
    assert_eq!(read(json!({"confirm": "yes"})), Err("confirm".into()));
}
