//! Crashes, outages, refusals and several replicas.

use super::{ADJUSTMENTS, CLOSED, EVENTS, METRICS, Metered, add_meter, metering, status};
use crate::{
    stand_in::client::{get, post},
    stripe::{faults::Fault, locked::locked},
};
use apex_billing::{domain::metric::Metric, service::meters::run};
use std::collections::BTreeMap;
use time::Duration;

/// A run that dies during the call to Stripe, after Stripe has processed it.
async fn die_at(metered: &Metered, path: &str) {
    let before = metered.posts(path).len();
    metered.stand_in.fault(Fault::hang().on("POST", path).after_the_work());
    let mut running = Box::pin(run(&metered.platform));
    while metered.posts(path).len() == before {
        assert!(futures::poll!(&mut running).is_pending());
        tokio::task::yield_now().await;
    }
    drop(running);
    locked(&metered.stand_in.shared.faults).clear();
}

#[tokio::test]
async fn a_crash_before_the_response_doubles_nothing() {
    let metered = Metered::start().await;
    metered.send("a", "impressions", CLOSED, 100).await;
    metered.send("b", "impressions", CLOSED - Duration::hours(1), 50).await;
    die_at(&metered, EVENTS).await;
    assert_eq!(status(&metered.rows("impressions").await), [(1, 1, 50, "sending")]);
    // The claim's owner is dead; the claim expires after a while.
    metered.run().await;
    assert_eq!(metered.posts(EVENTS).len(), 1);
    metered.pass(Duration::minutes(10));
    metered.run().await;
    assert_eq!(metered.at_stripe("impressions").await, metered.used("impressions").await);
    let asked = metered.posts(EVENTS);
    assert_eq!((asked.len(), &asked[0].idempotency_key), (3, &asked[1].idempotency_key));

    // The same for a cancellation.
    metered.correct("c", "a", CLOSED, 30).await;
    metered.pass(Duration::hours(1));
    die_at(&metered, ADJUSTMENTS).await;
    assert_eq!(metered.at_stripe("impressions").await[&(CLOSED - Duration::hours(1))], 50);
    metered.pass(Duration::hours(1));
    metered.run().await;
    assert_eq!(metered.at_stripe("impressions").await, metered.used("impressions").await);
}

#[tokio::test]
async fn a_lost_response_is_retried_with_its_identifier() {
    let metered = Metered::start().await;
    metered.send("a", "impressions", CLOSED, 100).await;
    metered.stand_in.fault(Fault::half_a_body().on("POST", EVENTS).after_the_work().times(1000));
    metered.run().await;
    assert_eq!(status(&metered.rows("impressions").await), [(0, 1, 100, "sending")]);
    locked(&metered.stand_in.shared.faults).clear();
    metered.pass(Duration::minutes(2));
    metered.run().await;
    assert_eq!(status(&metered.rows("impressions").await), [(0, 1, 100, "sent")]);
    assert_eq!(metered.at_stripe("impressions").await, metered.used("impressions").await);
    let asked = metered.posts(EVENTS);
    assert!(asked.iter().all(|request| request.params["identifier"] == asked[0].params["identifier"]));
    // Stripe repeats the response of a key, so another attempt has another one.
    assert_ne!(asked[0].idempotency_key, asked.last().unwrap().idempotency_key);
}

#[tokio::test]
async fn after_a_day_stripes_totals_are_queried() {
    for taken in [true, false] {
        let metered = Metered::start().await;
        metered.send("a", "impressions", CLOSED, 100).await;
        let fault = Fault::status(500).on("POST", EVENTS).times(1000);
        metered.stand_in.fault(if taken { fault.after_the_work() } else { fault });
        metered.run().await;
        locked(&metered.stand_in.shared.faults).clear();
        metered.pass(Duration::hours(30));
        let asked = metered.posts(EVENTS).len();
        metered.run().await;
        assert_eq!(status(&metered.rows("impressions").await), [(0, 1, 100, "sent")]);
        assert_eq!(metered.at_stripe("impressions").await, metered.used("impressions").await);
        assert_eq!(metered.posts(EVENTS).len() - asked, usize::from(!taken));
    }
}

#[tokio::test]
async fn unclear_usage_is_left_to_staff() {
    let metered = Metered::start().await;
    metered.send("a", "impressions", CLOSED, 100).await;
    metered.stand_in.fault(Fault::status(500).on("POST", EVENTS).times(1000));
    metered.run().await;
    locked(&metered.stand_in.shared.faults).clear();
    let foreign =
        format!("event_name=impressions&payload[stripe_customer_id]=cus_lumen&payload[value]=7&timestamp={}", CLOSED.unix_timestamp());
    post(&metered.stand_in, EVENTS.trim_start_matches('/'), &foreign).await;
    for _ in 0..2 {
        metered.pass(Duration::hours(30));
        metered.run().await;
    }
    assert_eq!(status(&metered.rows("impressions").await), [(0, 1, 100, "unclear")]);
    assert_eq!(metered.at_stripe("impressions").await, BTreeMap::from([(CLOSED, 7)]));
    assert_eq!(metered.reported("usage.meter_unclear").await.len(), 1);
}

#[tokio::test]
async fn an_outage_delays_but_loses_nothing() {
    let metered = Metered::start().await;
    for n in 0..6 {
        metered.send(&format!("e{n}"), "impressions", CLOSED - Duration::hours(n), 10).await;
    }
    metered.stand_in.fault(Fault::status(429).on("POST", EVENTS).times(3));
    metered.stand_in.fault(Fault::status(500).on("POST", EVENTS).times(100_000));
    for _ in 0..3 {
        metered.run().await;
        metered.pass(Duration::minutes(20));
    }
    assert_eq!(metered.at_stripe("impressions").await, BTreeMap::new());
    let behind: time::OffsetDateTime =
        sqlx::query_scalar("SELECT min(behind_since) FROM usage_meters").fetch_one(&metered.app.db).await.unwrap();
    assert_eq!(behind, CLOSED - Duration::hours(5));
    locked(&metered.stand_in.shared.faults).clear();
    metered.pass(Duration::hours(1));
    metered.run().await;
    assert_eq!(metered.at_stripe("impressions").await, metered.used("impressions").await);
    let behind: Option<time::OffsetDateTime> =
        sqlx::query_scalar("SELECT min(behind_since) FROM usage_meters").fetch_one(&metered.app.db).await.unwrap();
    assert_eq!(behind, None);
}

#[tokio::test]
async fn a_refusal_is_audited_once_and_retried() {
    let metered = Metered::start().await;
    let meters = get(&metered.stand_in, "v1/billing/meters").await;
    let meter = meters["data"].as_array().unwrap().iter().find(|meter| meter["event_name"] == "impressions").unwrap()["id"].clone();
    post(&metered.stand_in, &format!("v1/billing/meters/{}/deactivate", meter.as_str().unwrap()), "").await;
    for n in 0..3 {
        metered.send(&format!("e{n}"), "impressions", CLOSED - Duration::hours(n), 10).await;
    }
    for _ in 0..3 {
        metered.run().await;
        metered.pass(Duration::minutes(5));
    }
    // The first refusal delays the others.
    assert_eq!(status(&metered.rows("impressions").await), [(2, 1, 10, "failed")]);
    assert_eq!(metered.posts(EVENTS).len(), 3);
    let reported = metered.reported("usage.meter_failed").await;
    assert_eq!(reported.len(), 1);
    assert!(reported[0]["reason"].as_str().unwrap().contains("No active meter found"), "{reported:?}");

    add_meter(&metered.stand_in, "impressions_2").await;
    let platform = metering(&metered.app, |config| config.file.meters.event_names[Metric::Impressions] = "impressions_2".into());
    metered.pass(Duration::hours(1));
    run(&platform).await.unwrap();
    assert_eq!(metered.at_stripe("impressions_2").await, metered.used("impressions").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_replicas_at_once_send_each_hour_once() {
    let metered = Metered::start().await;
    for n in 0..12 {
        for metric in METRICS {
            metered.send(&format!("{metric} {n}"), metric, CLOSED - Duration::hours(n), 10).await;
        }
    }
    let replicas: Vec<_> = (0..4).map(|_| metering(&metered.app, |_| {})).collect();
    let runs = futures::future::join_all(replicas.iter().map(run)).await;
    let turns: usize = runs.into_iter().map(|run| run.unwrap()).sum();
    assert_eq!(turns, 3);
    for metric in METRICS {
        assert_eq!(metered.at_stripe(metric).await, metered.used(metric).await);
    }
    assert_eq!(metered.posts(EVENTS).len(), 36);
}

#[tokio::test]
async fn a_worker_without_its_claim_changes_nothing() {
    let metered = Metered::start().await;
    metered.send("a", "impressions", CLOSED, 100).await;
    metered.stand_in.fault(Fault::hang().on("POST", EVENTS).after_the_work());
    metered.stand_in.fault(Fault::status(500).on("POST", EVENTS).after(1).times(1000));
    let mut slow = Box::pin(run(&metered.platform));
    while metered.posts(EVENTS).is_empty() {
        assert!(futures::poll!(&mut slow).is_pending());
        tokio::task::yield_now().await;
    }
    metered.pass(Duration::minutes(10));
    run(&metering(&metered.app, |_| {})).await.unwrap();
    assert_eq!(status(&metered.rows("impressions").await), [(0, 1, 100, "sent")]);
    // It only gets errors, and must not record them.
    slow.await.unwrap();
    assert_eq!(status(&metered.rows("impressions").await), [(0, 1, 100, "sent")]);
    let tries: i32 = sqlx::query_scalar("SELECT attempts FROM usage_meter_events").fetch_one(&metered.app.db).await.unwrap();
    assert_eq!(tries, 0);
    assert_eq!(metered.at_stripe("impressions").await, metered.used("impressions").await);
}
