use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashSet;

fn read(value: Value) -> Result<AlertSettings, Field> {
    AlertSettings::read(&value, Currency::USD)
}

fn figures(used: u64, included: Option<u64>, cost: i64) -> Figures {
    let impressions = |value| Quantities { impressions: value, ..Quantities::default() };
    Figures {
        used: impressions(used),
        included: included.map(impressions),
        cost: PerMetric { impressions: cost, ..PerMetric::default() },
        currency: Currency::USD,
    }
}

fn reached(settings: &AlertSettings, figures: &Figures) -> Vec<Threshold> {
    crossed(settings, figures).into_iter().map(|(_, threshold)| threshold).collect()
}

#[test]
fn the_usual_thresholds_fire_when_they_are_reached_exactly() {
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
fn there_is_no_percentage_of_nothing() {
    let settings = read(json!({"metrics": {"impressions": {"cost": [500], "cap": {"percent": 100}}}})).unwrap();
    assert_eq!(reached(&settings, &figures(u64::MAX, None, 0)), []);
    assert_eq!(reached(&settings, &figures(u64::MAX, Some(0), 499)), []);
    assert_eq!(reached(&settings, &figures(5, Some(0), 500)), [Threshold::Cost(500)]);
    // A plan without a limit is one that nobody reaches.
    assert_eq!(reached(&settings, &figures(1 << 40, Some(u64::MAX), 0)), []);
}

#[test]
fn money_counts_in_the_currency_in_which_it_was_set() {
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
fn switched_off_nothing_fires() {
    let settings = read(json!({"enabled": false, "metrics": {"impressions": {"cap": {"quantity": 1}}}})).unwrap();
    assert!(reached(&settings, &figures(5_000, Some(1), 99)).is_empty() && settings.has_cap());
}

#[test]
fn each_wrong_field_is_named() {
    let eleven: Vec<u32> = (1..=11).collect();
    let crowd: Vec<String> = (0..11).map(|n| format!("a{n}@b.example")).collect();
    for (body, field) in [
        (json!([]), "body"),
        (json!({"enabled": "yes"}), "enabled"),
        (json!({"colour": 1}), "colour"),
        (json!({"currency": "eur"}), "currency"),
        (json!({"recipients": "a@b.example"}), "recipients"),
        (json!({"recipients": ["nobody"]}), "recipients"),
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
        assert_eq!(read(body.clone()).unwrap_err().field, field, "{body}");
    }
}

#[test]
fn what_is_read_is_tidy_and_reads_the_same_again() {
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

/// Fires as the job does: at each reading what is due, remembering it.
fn fire(settings: &AlertSettings, readings: &[u64], fired: &mut Vec<(Metric, Threshold)>) {
    for used in readings {
        let due = due(settings, &figures(*used, Some(500), i64::try_from(*used).unwrap_or(0) * 10), fired);
        fired.extend(due);
    }
}

proptest! {
    #[test]
    fn more_usage_never_crosses_less(settings in any_settings(), a in 0u64..3000, b in 0u64..3000, cost in 0i64..100_000) {
        let low: HashSet<_> = crossed(&settings, &figures(a.min(b), Some(500), cost)).into_iter().collect();
        let high: HashSet<_> = crossed(&settings, &figures(a.max(b), Some(500), cost)).into_iter().collect();
        prop_assert!(low.is_subset(&high));
    }

    #[test]
    fn each_fires_once_in_whatever_order_readings_come(settings in any_settings(), mut readings in prop::collection::vec(0u64..3000, 1..20)) {
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
    fn a_threshold_is_stored_and_found_again(percent in any::<u32>(), cost in any::<i64>(), cap in 0u64..(1 << 62)) {
        for threshold in [Threshold::Percent(percent), Threshold::Cost(cost), Threshold::Cap(cap)] {
            prop_assert_eq!(Threshold::of(threshold.kind(), threshold.value()), Some(threshold));
        }
    }
}
