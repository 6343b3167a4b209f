//! Properties of every store of raw usage events.

use super::{IMPRESSIONS, Metered, event, holds_for_both_stores, impressions, impressions_of, recorded, send, settle};
use crate::support::{TestApp, app::NOW};
use apex_billing::{
    domain::{identity::CustomerId, metric::Metric, period::Period, usage_hour::HourTotal},
    service::{usage, usage_check},
};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime, macros::datetime};

holds_for_both_stores! {
    an_event_counts_once_however_often_it_comes
    late_events_land_in_their_hour
    batches_that_overlap_at_once_count_each_event_once
    figures_are_sums_per_metric_and_contain_what_as_of_says
    an_hour_grows_with_every_batch_and_never_shrinks
    any_history_ends_in_the_same_hours
    events_of_one_customer_are_not_anothers
    a_difference_is_reported_once_and_not_repaired
    a_correction_replaces_what_its_event_counts_once
    corrections_of_one_event_at_once_come_one_after_the_other
    a_correction_finds_its_event_among_many
    an_hour_is_counted_by_the_periods_that_meet_in_it
    an_hour_that_was_counted_whole_is_split
    sums_beyond_a_bigint_stop_there
}

/// A customer's usage in `[start, end)`.
async fn used(app: &TestApp, customer: CustomerId, start: OffsetDateTime, end: OffsetDateTime) -> u64 {
    let figures = app.platform.usage.figures(customer, Period::new(start, end).unwrap()).await.unwrap();
    figures.hours.iter().map(|hour| hour.quantities[Metric::Impressions]).sum()
}

const BEGINS: OffsetDateTime = datetime!(2026-11-22 14:34:17 UTC);

/// An event each second around a period's start.
fn around(prefix: &str, count: i64) -> Vec<serde_json::Value> {
    (0..count).map(|n| event(&format!("{prefix}{n}"), IMPRESSIONS, 1, BEGINS + Duration::seconds(n - count / 2))).collect()
}

async fn an_hour_is_counted_by_the_periods_that_meet_in_it(metered: Metered) {
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    let (before, after) = (BEGINS - Duration::days(31), BEGINS + Duration::days(30));
    assert_eq!(used(app, customer, before, BEGINS).await, 0);
    // Few events, many events, and one again.
    send(app, customer, &around("few", 100)).await;
    send(app, customer, &around("many", 400)).await;
    send(app, customer, &around("few", 100)).await;
    settle(app).await;
    assert_eq!(used(app, customer, before, BEGINS).await, 250);
    assert_eq!(used(app, customer, BEGINS, after).await, 250);
    assert_eq!(recorded(app, customer).await, (500, 500));
    // A correction is counted in its event's part.
    let correction = serde_json::json!({"id": "c", "corrects": "few0", "metric": IMPRESSIONS, "quantity": 11,
        "timestamp": "2026-11-22T14:33:27Z", "app_id": "app_42"});
    send(app, customer, &[correction]).await;
    settle(app).await;
    assert_eq!((used(app, customer, before, BEGINS).await, used(app, customer, BEGINS, after).await), (260, 250));
    // Another customer's hour is not split.
    let other = app.add_customer("forge").await;
    send(app, other, &around("few", 100)).await;
    settle(app).await;
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM usage_records WHERE customer_id = $1").bind(other.0).fetch_one(&app.db).await.unwrap();
    assert_eq!(rows, 1);
    let span = Period::new(datetime!(2026-11-22 0:00 UTC), datetime!(2026-11-23 0:00 UTC)).unwrap();
    assert_eq!(usage_check::check(&app.platform, span).await.unwrap().0, []);
}

async fn an_hour_that_was_counted_whole_is_split(metered: Metered) {
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    send(app, customer, &around("many", 400)).await;
    send(app, customer, &[event("calls", "api_calls", 5, BEGINS + Duration::SECOND)]).await;
    settle(app).await;
    assert_eq!(recorded(app, customer).await, (405, 401));
    assert_eq!(used(app, customer, BEGINS, BEGINS + Duration::days(30)).await, 200);
    assert_eq!(used(app, customer, BEGINS - Duration::days(30), BEGINS).await, 200);
    assert_eq!(recorded(app, customer).await, (405, 401));
    // Repeating has no effect, and a second split makes three parts.
    let later = BEGINS + Duration::minutes(1);
    assert_eq!(used(app, customer, BEGINS, later).await, 60);
    assert_eq!(used(app, customer, later, later + Duration::days(30)).await, 140);
    let shown: Vec<(OffsetDateTime, i64, i64)> =
        // The view by which servers of before read the hours.
        sqlx::query_as("SELECT hour, impressions, api_calls FROM usage_customer_hours WHERE customer_id = $1 ORDER BY hour")
            .bind(customer.0)
            .fetch_all(&app.db)
            .await
            .unwrap();
    assert_eq!(shown, [(datetime!(2026-11-22 14:00 UTC), 200, 0), (BEGINS, 60, 5), (later, 140, 0)]);
    let span = Period::new(datetime!(2026-11-22 0:00 UTC), datetime!(2026-11-23 0:00 UTC)).unwrap();
    assert_eq!(usage_check::check(&app.platform, span).await.unwrap().0, []);
}

/// A petabyte is a valid event, and ten thousand of them exceed a bigint. That fails no request,
/// and no ClickHouse batch with other customers' events.
async fn sums_beyond_a_bigint_stop_there(metered: Metered) {
    let app = &metered.app;
    let (lumen, orbit) = (app.add_customer("lumen").await, app.add_customer("orbit").await);
    app.subscribe(lumen, "growth", "usd").await;
    let at = NOW - Duration::MINUTE;
    let petabytes = |ids: std::ops::Range<u32>| -> Vec<serde_json::Value> {
        ids.map(|id| event(&format!("p{id}"), "data_transfer_bytes", 1_000_000_000_000_000, at)).collect()
    };
    assert_eq!(send(app, lumen, &petabytes(0..5_000)).await, 5_000);
    assert_eq!(send(app, orbit, &impressions(0..3)).await, 3);
    settle(app).await;
    let bytes = async || usage::current(&app.platform, lumen).await.unwrap().current_period.used[Metric::DataTransferBytes];
    assert_eq!(bytes().await, 5_000_000_000_000_000_000);
    // Many, few, another app's, and a correction.
    assert_eq!(send(app, lumen, &petabytes(5_000..10_000)).await, 5_000);
    let mut other = event("other", "data_transfer_bytes", 1_000_000_000_000_000, at);
    other["app_id"] = "app_43".into();
    assert_eq!(send(app, lumen, &[other, event("last", "data_transfer_bytes", 7, at)]).await, 2);
    settle(app).await;
    let most = i64::MAX as u64;
    assert_eq!(bytes().await, most);
    let mut fix = event("fix", "data_transfer_bytes", 1, at);
    fix["corrects"] = "p0".into();
    assert_eq!(send(app, lumen, &[fix]).await, 1);
    assert_eq!(send(app, orbit, &impressions(3..5)).await, 2);
    settle(app).await;
    assert!(bytes().await > most - 2_000_000_000_000_000);
    assert_eq!(impressions_of(app, orbit).await, 5);
    let machine = app.machine(lumen).await;
    for path in ["current", "history?granularity=day", "history.csv?granularity=month&group_by=app"] {
        assert_eq!(machine.get(&format!("/api/v1/billing/usage/{path}")).await.status, 200, "{path}");
    }
    let span = Period::new(NOW - Duration::DAY, NOW + Duration::HOUR).unwrap();
    assert!(app.platform.usage.differences(span).await.is_ok());
}

async fn an_event_counts_once_however_often_it_comes(metered: Metered) {
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    let events = impressions(0..50);
    let twice: Vec<_> = events.iter().chain(&events[..20]).cloned().collect();
    assert_eq!(send(app, customer, &twice).await, 50);
    assert_eq!(send(app, customer, &events[10..30]).await, 0);
    settle(app).await;
    assert_eq!(impressions_of(app, customer).await, 50);
    // Again after counting, together with new ones, in another order.
    let mut more = impressions(40..70);
    more.reverse();
    assert_eq!(send(app, customer, &more).await, 20);
    settle(app).await;
    settle(app).await;
    assert_eq!(impressions_of(app, customer).await, 70);
    assert_eq!(recorded(app, customer).await, (70, 70));
}

async fn late_events_land_in_their_hour(metered: Metered) {
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    send(app, customer, &impressions(0..3)).await;
    settle(app).await;
    let late = [
        event("oldest", IMPRESSIONS, 5, NOW - Duration::days(35)),
        event("end", IMPRESSIONS, 7, datetime!(2026-11-03 6:59:59.999_999 UTC)),
        event("start", IMPRESSIONS, 11, datetime!(2026-11-03 7:00:00 UTC)),
        event("zone", IMPRESSIONS, 13, datetime!(2026-11-03 7:59:59 +1)),
    ];
    assert_eq!(send(app, customer, &late).await, 4);
    settle(app).await;
    let hours: Vec<(OffsetDateTime, i64, i64)> =
        sqlx::query_as("SELECT hour, quantity, event_count FROM usage_records WHERE customer_id = $1 ORDER BY hour")
            .bind(customer.0)
            .fetch_all(&app.db)
            .await
            .unwrap();
    assert_eq!(
        hours,
        [
            (datetime!(2026-10-18 15:00 UTC), 5, 1),
            (datetime!(2026-11-03 6:00 UTC), 20, 2),
            (datetime!(2026-11-03 7:00 UTC), 11, 1),
            (datetime!(2026-11-22 15:00 UTC), 3, 3),
        ]
    );
}

async fn batches_that_overlap_at_once_count_each_event_once(metered: Metered) {
    let app = &metered.app;
    let replica = metered.replica().await;
    let customer = app.add_customer("lumen").await;
    let batches = (0..24u32).map(|batch| {
        let app = if batch % 2 == 0 { app } else { &replica };
        async move {
            // Every event is in three batches, each batch in another order.
            let mut events: Vec<_> = (0..90).flat_map(|i| impressions((i + batch * 30) % 720..(i + batch * 30) % 720 + 1)).collect();
            if batch % 2 == 1 {
                events.reverse();
            }
            let accepted = send(app, customer, &events).await;
            settle(app).await;
            accepted
        }
    });
    let accepted: u64 = futures::future::join_all(batches).await.into_iter().sum();
    assert_eq!(accepted, 720);
    settle(app).await;
    assert_eq!(recorded(app, customer).await, (720, 720));
}

async fn figures_are_sums_per_metric_and_contain_what_as_of_says(metered: Metered) {
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    let nothing = usage::current(&app.platform, customer).await.unwrap();
    assert_eq!((nothing.as_of, nothing.waiting_since), (None, None));
    let newest = datetime!(2026-11-22 15:49:59.120 UTC);
    let mut events = vec![
        event("a", "impressions", 5, newest),
        event("b", "api_calls", 3, datetime!(2026-11-20 1:00 UTC)),
        event("c", "data_transfer_bytes", 1_500_000_000, datetime!(2026-11-20 1:30 UTC)),
        event("d", "impressions", 1_000_000_000_000, datetime!(2026-11-20 1:30 UTC)),
        event("before", "impressions", 9, datetime!(2026-10-31 23:59:59.999 UTC)),
    ];
    events[3]["app_id"] = "Ünïcode 'app' \\ \t?".replace('\t', " ").into();
    events[3]["properties"] = serde_json::json!({"placement": "rewarded ' \\ \n 🎬"});
    send(app, customer, &events).await;
    settle(app).await;
    let figures = usage::current(&app.platform, customer).await.unwrap();
    assert_eq!(figures.current_period.used[Metric::Impressions], 1_000_000_000_005);
    assert_eq!(figures.current_period.used[Metric::ApiCalls], 3);
    assert_eq!(figures.current_period.used[Metric::DataTransferBytes], 1_500_000_000);
    assert_eq!((figures.as_of, figures.waiting_since), (Some(newest), None));
    let apps: Vec<String> =
        sqlx::query_scalar("SELECT app_id FROM usage_records WHERE metric = 'impressions' AND hour = '2026-11-20 01:00Z'")
            .fetch_all(&app.db)
            .await
            .unwrap();
    assert_eq!(apps, ["Ünïcode 'app' \\  ?"]);
}

async fn an_hour_grows_with_every_batch_and_never_shrinks(metered: Metered) {
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    for batch in 1..=10u32 {
        send(app, customer, &impressions((batch - 1) * 7..batch * 7)).await;
        settle(app).await;
        assert_eq!(impressions_of(app, customer).await, u64::from(batch * 7));
    }
}

async fn any_history_ends_in_the_same_hours(metered: Metered) {
    let app = &metered.app;
    let customers = [app.add_customer("lumen").await, app.add_customer("orbit").await];
    // A deterministic generator, so that a failure is reproducible.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut below = move |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut expected: BTreeMap<(CustomerId, Metric, OffsetDateTime), HourTotal> = BTreeMap::new();
    let mut sent: Vec<Vec<serde_json::Value>> = vec![Vec::new(), Vec::new()];
    for id in 0..600 {
        let (whose, metric) = (below(2) as usize, Metric::ALL[below(3) as usize]);
        let (quantity, at) = (1 + below(1000), NOW - Duration::milliseconds(below(34 * 86_400_000) as i64));
        sent[whose].push(event(&format!("e{id}"), metric.as_str(), quantity, at));
        let total = expected.entry((customers[whose], metric, apex_billing::domain::period::hour_of(at))).or_default();
        total.events += 1;
        total.quantity += quantity;
    }
    for (customer, events) in customers.iter().zip(&sent) {
        let mut next = 0;
        while next < events.len() {
            // Batches of any size that overlap a little, and are settled from time to time.
            let from = next.saturating_sub(below(20) as usize);
            next = (next + 1 + below(90) as usize).min(events.len());
            send(app, *customer, &events[from..next]).await;
            if below(3) == 0 {
                settle(app).await;
            }
        }
    }
    settle(app).await;
    let rows: Vec<(uuid::Uuid, String, OffsetDateTime, i64, i64)> =
        sqlx::query_as("SELECT customer_id, metric, hour, event_count, quantity FROM usage_records").fetch_all(&app.db).await.unwrap();
    let found: BTreeMap<_, _> = rows
        .into_iter()
        .map(|(customer, metric, hour, events, quantity)| {
            ((CustomerId(customer), metric.parse().unwrap(), hour), HourTotal { events: events as u64, quantity: quantity as u64 })
        })
        .collect();
    assert_eq!(found, expected);
    let all = Period::new(NOW - Duration::days(40), NOW + Duration::HOUR).unwrap();
    assert_eq!(usage_check::check(&app.platform, all).await.unwrap(), (vec![], 0));
    for customer in customers {
        let shown = app.platform.usage.figures(customer, all).await.unwrap().hours;
        for metric in Metric::ALL {
            let wanted = expected.iter().filter(|((whose, of, _), _)| *whose == customer && *of == metric);
            let wanted: Vec<_> = wanted.map(|((_, _, hour), total)| (*hour, total.quantity)).collect();
            let shown: Vec<_> =
                shown.iter().map(|usage| (usage.hour, usage.quantities[metric])).filter(|(_, quantity)| *quantity > 0).collect();
            assert_eq!(shown, wanted);
        }
    }
}

async fn events_of_one_customer_are_not_anothers(metered: Metered) {
    let app = &metered.app;
    let (lumen, orbit) = (app.add_customer("lumen").await, app.add_customer("orbit").await);
    assert_eq!(send(app, lumen, &impressions(0..10)).await, 10);
    // The same ids of another customer are other events.
    assert_eq!(send(app, orbit, &impressions(0..4)).await, 4);
    settle(app).await;
    assert_eq!((impressions_of(app, lumen).await, impressions_of(app, orbit).await), (10, 4));
}

async fn a_difference_is_reported_once_and_not_repaired(metered: Metered) {
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    send(app, customer, &[event("a", IMPRESSIONS, 5, NOW - Duration::hours(3)), event("b", IMPRESSIONS, 5, NOW)]).await;
    settle(app).await;
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 0);
    let set = async |quantity: i64| {
        let hour = "UPDATE usage_records SET quantity = $1 WHERE hour = '2026-11-22 12:00Z'";
        assert_eq!(sqlx::query(hour).bind(quantity).execute(&app.db).await.unwrap().rows_affected(), 1);
    };
    let reported = async || -> (i64, i64) {
        sqlx::query_as(
            "SELECT (SELECT count(*) FROM billing_audit WHERE event_type = 'error' AND customer_id = $1),
                    (SELECT count(*) FROM events WHERE event_type = 'usage.difference_found' AND customer_id = $1)",
        )
        .bind(customer.0)
        .fetch_one(&app.db)
        .await
        .unwrap()
    };
    set(6).await;
    for _ in 0..2 {
        assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 1);
        assert_eq!(reported().await, (1, 1));
    }
    assert_eq!(recorded(app, customer).await, (11, 2), "a person decides what is right");
    let data: serde_json::Value =
        sqlx::query_scalar("SELECT data FROM billing_audit WHERE event_type = 'error'").fetch_one(&app.db).await.unwrap();
    assert_eq!((&data["differences"][0]["raw"]["quantity"], &data["differences"][0]["recorded"]["quantity"]), (&5.into(), &6.into()));
    // Another difference in the same hour is reported.
    set(7).await;
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 1);
    assert_eq!(reported().await, (2, 2));
    set(5).await;
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 0);
    assert_eq!(reported().await, (2, 2));
    // Shown and recorded usage differ; hours that only one side has count too.
    let misshow = async |statement: &'static str| assert_eq!(sqlx::query(statement).execute(&app.db).await.unwrap().rows_affected(), 1);
    misshow("UPDATE usage_customer_metric_hours SET quantity = 8 WHERE hour = '2026-11-22 12:00Z'").await;
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 1);
    misshow("DELETE FROM usage_customer_metric_hours WHERE hour = '2026-11-22 12:00Z'").await;
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 1);
    assert_eq!(reported().await, (4, 4));
    let data: serde_json::Value = sqlx::query_scalar("SELECT data FROM billing_audit WHERE event_type = 'error' ORDER BY id DESC LIMIT 1")
        .fetch_one(&app.db)
        .await
        .unwrap();
    assert_eq!((&data["differences"][0]["raw"]["quantity"], &data["differences"][0]["recorded"]["quantity"]), (&5.into(), &0.into()));
}

fn correction(id: &str, corrects: &str, quantity: u64, at: OffsetDateTime) -> serde_json::Value {
    let mut correction = event(id, IMPRESSIONS, quantity, at);
    correction["corrects"] = corrects.into();
    correction
}

async fn a_correction_replaces_what_its_event_counts_once(metered: Metered) {
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    let at = NOW - Duration::HOUR;
    assert_eq!(send(app, customer, &[event("a", IMPRESSIONS, 100, at), event("b", IMPRESSIONS, 7, at)]).await, 2);
    settle(app).await;
    // Down, up again, and withdrawn; each sent twice.
    for (id, quantity, sum) in [("c1", 40, 47), ("c2", 250, 257), ("c3", 0, 7)] {
        assert_eq!(send(app, customer, &[correction(id, "a", quantity, at)]).await, 1);
        settle(app).await;
        assert_eq!(send(app, customer, &[correction(id, "a", quantity, at)]).await, 0);
        settle(app).await;
        assert_eq!(recorded(app, customer).await, (sum, 2));
    }
    // In its event's request, and before that is settled.
    assert_eq!(send(app, customer, &[correction("c4", "d", 5, at), event("d", IMPRESSIONS, 50, at)]).await, 2);
    assert_eq!(send(app, customer, &[correction("c5", "d", 6, at)]).await, 1);
    settle(app).await;
    assert_eq!(recorded(app, customer).await, (13, 3));
    // The event itself, again, has no effect.
    assert_eq!(send(app, customer, &[event("d", IMPRESSIONS, 50, at)]).await, 0);
    settle(app).await;
    assert_eq!(recorded(app, customer).await, (13, 3));
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 0);

    let machine = app.machine(customer).await;
    let other = app.machine(app.add_customer("other").await).await;
    for (sender, wrong) in [
        (&machine, correction("x1", "nothing", 1, at)),
        (&machine, correction("x2", "a", 1, at + Duration::SECOND)),
        (&other, correction("x3", "a", 1, at)),
    ] {
        let receipt = sender.post_json("/api/v1/usage/events", &wrong).await.json();
        assert_eq!((&receipt["accepted"], &receipt["rejected"][0]["code"]), (&0.into(), &"corrected_event_unknown".into()), "{receipt}");
    }
    // A rejected correction's id is free.
    assert_eq!(send(app, customer, &[event("x1", IMPRESSIONS, 1, at)]).await, 1);
    let audited: i64 =
        sqlx::query_scalar("SELECT count(*) FROM billing_audit WHERE event_type = 'usage.corrected'").fetch_one(&app.db).await.unwrap();
    assert_eq!(audited, 5);
}

async fn corrections_of_one_event_at_once_come_one_after_the_other(metered: Metered) {
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    let at = NOW - Duration::HOUR;
    send(app, customer, &[event("a", IMPRESSIONS, 1_000, at)]).await;
    settle(app).await;
    let corrections: Vec<_> = (0..20).map(|n| correction(&format!("c{}", n % 10), "a", 10 + n % 10, at)).collect();
    let taken = futures::future::join_all(corrections.iter().map(|correction| send(app, customer, std::slice::from_ref(correction)))).await;
    assert_eq!(taken.iter().sum::<u64>(), 10);
    settle(app).await;
    let last: i64 = sqlx::query_scalar("SELECT quantity FROM usage_corrections ORDER BY id DESC LIMIT 1").fetch_one(&app.db).await.unwrap();
    assert_eq!(recorded(app, customer).await, (last, 1));
    let broken: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT quantity_before, lag(quantity, 1, 1000::bigint) OVER (ORDER BY id) AS before FROM usage_corrections) chain WHERE quantity_before <> before",
    )
    .fetch_one(&app.db)
    .await
    .unwrap();
    assert_eq!(broken, 0);
}

async fn a_correction_finds_its_event_among_many(metered: Metered) {
    let app = &metered.app;
    let customer = app.add_customer("lumen").await;
    let at = NOW - Duration::MINUTE;
    assert_eq!(send(app, customer, &impressions(0..500)).await, 500);
    assert_eq!(send(app, customer, &impressions(500..1000)).await, 500);
    // While queued, again, and when counted.
    for (id, corrects, quantity, sum) in [("c1", "e250", 51, 1050), ("c2", "e250", 11, 1010), ("c3", "e750", 2, 1011)] {
        assert_eq!(send(app, customer, &[correction(id, corrects, quantity, at)]).await, 1);
        if id == "c1" {
            continue;
        }
        settle(app).await;
        assert_eq!(recorded(app, customer).await, (sum, 1000));
    }
    let machine = app.machine(customer).await;
    let receipt = machine.post_json("/api/v1/usage/events", &correction("x", "e1000", 1, at)).await.json();
    assert_eq!(receipt["rejected"][0]["code"], "corrected_event_unknown", "{receipt}");
    let before: Vec<i64> =
        sqlx::query_scalar("SELECT quantity_before FROM usage_corrections ORDER BY id").fetch_all(&app.db).await.unwrap();
    assert_eq!(before, [1, 51, 1]);
    assert_eq!(usage_check::check_recent(&app.platform).await.unwrap(), 0);
}
