//! Sending usage to Stripe's billing meters.

mod at_once;
mod trouble;

use crate::{
    outgoing::connected_to,
    stand_in::client::{get, post},
    stripe::{StandIn, server::Logged},
    support::{TestApp, app::NOW, stand_in::TestStandIn},
};
use apex_billing::{
    config::Config,
    domain::identity::CustomerId,
    service::{Platform, meters::run},
    stripe::client::{Backoff, CircuitRules, Client, Patience, Settings},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};

const EVENTS: &str = "/v1/billing/meter_events";
const ADJUSTMENTS: &str = "/v1/billing/meter_event_adjustments";

const METRICS: [&str; 3] = ["impressions", "api_calls", "data_transfer_bytes"];

/// The last closed hour at the start of the tests.
const CLOSED: OffsetDateTime = datetime!(2026-11-22 14:00 UTC);

/// A platform, Stripe with a meter for each metric, and a customer known to both.
struct Metered {
    stand_in: StandIn,
    app: TestApp,
    platform: Platform,
    customer: CustomerId,
    machine: crate::support::Client,
}

impl Metered {
    async fn start() -> Metered {
        let stand_in = StandIn::start().await;
        let app = connected_to(&stand_in).await;
        for name in METRICS {
            add_meter(&stand_in, name).await;
        }
        stand_in.seed_customer("lumen");
        let customer = app.add_customer("lumen").await;
        let machine = app.machine(customer).await;
        let platform = metering(&app, |_| {});
        Metered { stand_in, app, platform, customer, machine }
    }

    async fn send(&self, id: &str, metric: &str, at: OffsetDateTime, quantity: u64) {
        self.report(event(id, metric, at, quantity)).await;
    }

    /// Sets the counted quantity of an event of [`Metered::send`].
    async fn correct(&self, id: &str, corrects: &str, at: OffsetDateTime, quantity: u64) {
        let at = at.format(&Rfc3339).unwrap();
        self.report(
            json!({"id": id, "corrects": corrects, "metric": "impressions", "quantity": quantity, "timestamp": at, "app_id": "app_42"}),
        )
        .await;
    }

    async fn report(&self, event: Value) {
        report(&self.machine, &event).await;
    }

    /// Late usage that the API would refuse.
    async fn recorded(&self, hour: OffsetDateTime, quantity: i64) {
        sqlx::query(
            "INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of) VALUES ($1, 'impressions', $2, 'app_42', $3, 1, $2)
             ON CONFLICT (customer_id, metric, hour, app_id) DO UPDATE SET quantity = excluded.quantity",
        )
        .bind(self.customer.0)
        .bind(hour)
        .bind(quantity)
        .execute(&self.app.db)
        .await
        .unwrap();
    }

    fn pass(&self, time: Duration) {
        self.app.advance(time);
        self.stand_in.advance(time);
    }

    async fn run(&self) {
        run(&self.platform).await.unwrap();
    }

    /// Stripe's totals of the customer's metric, by hour.
    async fn at_stripe(&self, metric: &str) -> BTreeMap<OffsetDateTime, u64> {
        self.at_stripe_of("cus_lumen", metric).await
    }

    async fn at_stripe_of(&self, customer: &str, metric: &str) -> BTreeMap<OffsetDateTime, u64> {
        let meters = get(&self.stand_in, "v1/billing/meters?limit=100").await;
        let meter = meters["data"].as_array().unwrap().iter().find(|meter| meter["event_name"] == metric).unwrap();
        let (from, until) = (datetime!(2026-10-01 00:00 UTC).unix_timestamp(), datetime!(2027-01-01 00:00 UTC).unix_timestamp());
        let path = format!(
            "v1/billing/meters/{}/event_summaries?customer={customer}&start_time={from}&end_time={until}&value_grouping_window=hour&limit=100",
            meter["id"].as_str().unwrap()
        );
        let sums = get(&self.stand_in, &path).await;
        assert_eq!(sums["has_more"], false);
        let of = |sum: &Value| {
            (OffsetDateTime::from_unix_timestamp(sum["start_time"].as_i64().unwrap()).unwrap(), sum["aggregated_value"].as_u64().unwrap())
        };
        sums["data"].as_array().unwrap().iter().map(of).collect()
    }

    /// Usage of a metric, by hour.
    async fn used(&self, metric: &str) -> BTreeMap<OffsetDateTime, u64> {
        let rows: Vec<(OffsetDateTime, i64)> =
            sqlx::query_as("SELECT hour, sum(quantity)::bigint FROM usage_records WHERE customer_id = $1 AND metric = $2 GROUP BY hour")
                .bind(self.customer.0)
                .bind(metric)
                .fetch_all(&self.app.db)
                .await
                .unwrap();
        rows.into_iter().map(|(hour, quantity)| (hour, u64::try_from(quantity).unwrap())).collect()
    }

    fn posts(&self, path: &str) -> Vec<Logged> {
        self.stand_in.requests().into_iter().filter(|request| request.method == "POST" && request.path == path).collect()
    }

    /// Hours back from [`CLOSED`], revision, quantity and status of the sent revisions of a metric.
    async fn rows(&self, metric: &str) -> Vec<(i64, i32, i64, String)> {
        let rows: Vec<(OffsetDateTime, i32, i64, String)> = sqlx::query_as(
            "SELECT hour, revision, quantity, status FROM usage_meter_events WHERE customer_id = $1 AND metric = $2 ORDER BY hour, revision",
        )
        .bind(self.customer.0)
        .bind(metric)
        .fetch_all(&self.app.db)
        .await
        .unwrap();
        rows.into_iter().map(|(hour, revision, quantity, status)| ((CLOSED - hour).whole_hours(), revision, quantity, status)).collect()
    }

    /// Audit rows and outbox events of a type; both are equal.
    async fn reported(&self, event_type: &str) -> Vec<Value> {
        let of = async |sql: &'static str| {
            sqlx::query_scalar::<_, Value>(sql).bind(event_type).bind(self.customer.0).fetch_all(&self.app.db).await.unwrap()
        };
        let audit = of("SELECT data FROM billing_audit WHERE event_type = $1 AND customer_id = $2 ORDER BY id").await;
        assert_eq!(audit, of("SELECT data FROM events WHERE event_type = $1 AND customer_id = $2 ORDER BY id").await);
        audit
    }
}

fn event(id: &str, metric: &str, at: OffsetDateTime, quantity: u64) -> Value {
    json!({"id": id, "metric": metric, "quantity": quantity, "timestamp": at.format(&Rfc3339).unwrap(), "app_id": "app_42"})
}

/// Sends one or several events.
async fn report(machine: &crate::support::Client, events: &Value) {
    let answer = machine.post_json("/api/v1/usage/events", events).await.json();
    assert_eq!(answer["rejected"], json!([]), "{answer}");
}

async fn add_meter(stand_in: &StandIn, name: &str) {
    post(stand_in, "v1/billing/meters", &format!("display_name={name}&event_name={name}&default_aggregation[formula]=sum")).await;
}

/// The platform with meters on, and a client with short timeouts and no circuit breaker.
fn metering(app: &TestApp, change: impl FnOnce(&mut Config)) -> Platform {
    let mut config = (*app.platform.config).clone();
    config.file.meters.enabled = true;
    change(&mut config);
    let ms = std::time::Duration::from_millis;
    let patience = Patience { a_try: ms(1000), budget: ms(1500) };
    let circuit = CircuitRules { failures: u32::MAX, pause: ms(1), longest_pause: ms(1) };
    let backoff = Backoff { base: ms(5), cap: ms(20) };
    let settings = Settings { backoff, circuit, page: patience, job: patience, ..Settings::default() };
    let stripe = Client::with_settings(&config, settings).unwrap();
    app.platform.with(|parts| (parts.stripe, parts.config) = (stripe, Arc::new(config)))
}

fn status(rows: &[(i64, i32, i64, String)]) -> Vec<(i64, i32, i64, &str)> {
    rows.iter().map(|(back, revision, quantity, status)| (*back, *revision, *quantity, status.as_str())).collect()
}

#[tokio::test]
async fn each_closed_hour_is_at_stripe_once_and_adds_up() {
    let metered = Metered::start().await;
    for n in 0..30_u32 {
        let metric = ["impressions", "api_calls", "data_transfer_bytes"][n as usize % 3];
        metered.send(&format!("e{n}"), metric, CLOSED - Duration::minutes(37) * n, u64::from(1000 + n)).await;
    }
    metered.send("open", "impressions", NOW, 5).await;
    for _ in 0..3 {
        metered.run().await;
    }
    for metric in ["api_calls", "data_transfer_bytes"] {
        assert_eq!(metered.at_stripe(metric).await, metered.used(metric).await);
    }
    let (at_stripe, mut used) = (metered.at_stripe("impressions").await, metered.used("impressions").await);
    assert_ne!(at_stripe, used);
    assert_eq!(used.remove(&datetime!(2026-11-22 15:00 UTC)), Some(5));
    assert_eq!(at_stripe, used);

    let asked = metered.posts(EVENTS);
    let hours = used.len() + metered.used("api_calls").await.len() + metered.used("data_transfer_bytes").await.len();
    assert_eq!(asked.len(), hours);
    let first = asked.iter().find(|request| request.params["event_name"] == "impressions").unwrap();
    let hour = used.keys().next().unwrap();
    let identifier = format!(
        "apex-{}-impressions-{:04}{:02}{:02}{:02}-1",
        metered.customer,
        hour.year(),
        u8::from(hour.month()),
        hour.day(),
        hour.hour()
    );
    assert_eq!(
        first.params,
        json!({"event_name": "impressions", "identifier": identifier, "timestamp": hour.unix_timestamp().to_string(),
            "payload": {"stripe_customer_id": "cus_lumen", "value": used[hour].to_string()}})
    );
    assert_eq!(first.idempotency_key.as_deref(), Some(format!("{identifier}-0").as_str()));

    // The open hour closes after its grace period.
    metered.pass(Duration::minutes(24));
    metered.run().await;
    assert_eq!(metered.posts(EVENTS).len(), hours);
    metered.pass(Duration::minutes(1));
    metered.run().await;
    assert_eq!(metered.at_stripe("impressions").await, metered.used("impressions").await);
}

#[tokio::test]
async fn only_enabled_meters_of_linked_customers_are_sent() {
    let metered = Metered::start().await;
    metered.send("a", "impressions", CLOSED, 7).await;
    let asked = metered.stand_in.requests().len();
    assert_eq!(run(&metered.app.platform).await.unwrap(), 0);
    assert_eq!(run(&metering(&metered.app, |config| config.billing_enabled = false)).await.unwrap(), 0);
    assert_eq!(run(&metered.platform.with(|parts| parts.stripe = None)).await.unwrap(), 0);

    let unknown: uuid::Uuid =
        sqlx::query_scalar("INSERT INTO customers (name) VALUES ('New') RETURNING id").fetch_one(&metered.app.db).await.unwrap();
    let machine = metered.app.machine(CustomerId(unknown)).await;
    let event = json!({"id": "b", "metric": "impressions", "quantity": 9, "timestamp": "2026-11-22T14:30:00Z", "app_id": "app_42"});
    assert_eq!(machine.post_json("/api/v1/usage/events", &event).await.json()["accepted"], 1);
    assert_eq!(metered.stand_in.requests().len(), asked);
    metered.run().await;
    let sent = metered.posts(EVENTS);
    assert_eq!((sent.len(), sent[0].params["payload"]["stripe_customer_id"].as_str()), (1, Some("cus_lumen")));
}

#[tokio::test]
async fn a_late_event_is_a_further_revision() {
    let metered = Metered::start().await;
    metered.send("a", "impressions", CLOSED, 100).await;
    metered.run().await;
    metered.send("late", "impressions", CLOSED + Duration::minutes(59), 11).await;
    metered.pass(Duration::HOUR);
    metered.run().await;
    assert_eq!(status(&metered.rows("impressions").await), [(0, 1, 100, "sent"), (0, 2, 11, "sent")]);
    assert_eq!(metered.at_stripe("impressions").await, metered.used("impressions").await);
}

#[tokio::test]
async fn within_a_day_a_correction_cancels_sent_usage() {
    let metered = Metered::start().await;
    metered.send("a", "impressions", CLOSED, 100).await;
    metered.run().await;
    metered.send("b", "impressions", CLOSED, 20).await;
    metered.pass(Duration::HOUR);
    metered.run().await;
    metered.correct("c", "b", CLOSED, 5).await;
    metered.pass(Duration::HOUR);
    metered.run().await;
    let parts = [(0, 1, 100, "sent"), (0, 2, 20, "cancelled"), (0, 3, 5, "sent")];
    assert_eq!(status(&metered.rows("impressions").await), parts);
    assert_eq!(metered.at_stripe("impressions").await, BTreeMap::from([(CLOSED, 105)]));
    let asked = metered.posts(ADJUSTMENTS);
    let identifier = metered.posts(EVENTS)[1].params["identifier"].clone();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].params, json!({"event_name": "impressions", "type": "cancel", "cancel": {"identifier": identifier}}));
    assert_eq!(metered.reported("usage.meter_cancelled").await.len(), 1);
    assert!(metered.reported("usage.meter_excess").await.is_empty());

    // All of it.
    metered.correct("d", "a", CLOSED, 0).await;
    metered.correct("e", "b", CLOSED, 0).await;
    metered.pass(Duration::HOUR);
    metered.run().await;
    assert_eq!(metered.at_stripe("impressions").await, BTreeMap::new());
}

#[tokio::test]
async fn after_a_day_later_hours_make_up_for_a_correction() {
    let metered = Metered::start().await;
    metered.send("a", "impressions", CLOSED, 100).await;
    metered.run().await;
    metered.pass(Duration::DAY);
    metered.correct("c", "a", CLOSED, 40).await;
    metered.run().await;
    assert_eq!(status(&metered.rows("impressions").await), [(0, 1, 100, "sent")]);
    let start = "2026-11-01T00:00:00Z";
    let excess =
        |carried: u64| json!({"metric": "impressions", "period_start": start, "excess": 60, "carried": carried, "owed": 60 - carried});
    assert_eq!(metered.reported("usage.meter_excess").await, [excess(0)]);

    metered.send("b", "impressions", CLOSED + Duration::DAY, 50).await;
    metered.pass(Duration::HOUR);
    metered.run().await;
    metered.send("d", "impressions", CLOSED + Duration::hours(25), 70).await;
    metered.pass(Duration::HOUR);
    metered.run().await;
    metered.pass(Duration::HOUR);
    metered.run().await;
    assert_eq!(metered.reported("usage.meter_excess").await, [excess(0), excess(50), excess(60)]);
    let at_stripe = metered.at_stripe("impressions").await;
    assert_eq!(at_stripe, BTreeMap::from([(CLOSED, 100), (CLOSED + Duration::hours(25), 60)]));
    assert_eq!(at_stripe.values().sum::<u64>(), metered.used("impressions").await.values().sum::<u64>());
    assert!(metered.posts(ADJUSTMENTS).is_empty());
}

#[tokio::test]
async fn usage_too_old_for_stripe_is_reported_not_sent() {
    let metered = Metered::start().await;
    let open = NOW - Duration::days(35) + Duration::hours(2) - Duration::minutes(50);
    let hours = [(open, 30), (open - Duration::hours(2), 20), (open - Duration::hours(3), 10)];
    for (hour, quantity) in hours {
        metered.recorded(hour, quantity).await;
    }
    for _ in 0..3 {
        metered.run().await;
        metered.pass(Duration::HOUR);
    }
    assert_eq!(metered.at_stripe("impressions").await, BTreeMap::from([(open, 30)]));
    let reported = metered.reported("usage.meter_expired").await;
    assert_eq!((reported.len(), &reported[0]["hours"], &reported[0]["quantity"]), (1, &json!(2), &json!(30)));
    let statuses: Vec<String> = metered.rows("impressions").await.into_iter().map(|row| row.3).collect();
    assert_eq!(statuses, ["expired", "expired", "sent"]);
    assert!(metered.posts(EVENTS).iter().all(|request| request.status == Some(200)));
}

#[tokio::test]
async fn hours_before_since_are_never_sent() {
    let metered = Metered::start().await;
    metered.send("before", "impressions", CLOSED - Duration::hours(3), 1).await;
    metered.send("after", "impressions", CLOSED - Duration::hours(1), 2).await;
    run(&metering(&metered.app, |config| config.file.meters.since = Some(CLOSED - Duration::minutes(130)))).await.unwrap();
    assert_eq!(status(&metered.rows("impressions").await), [(1, 1, 2, "sent")]);
}

/// A4: an hour with a period boundary is sent in two parts, each with a timestamp of its own
/// period.
#[tokio::test]
async fn split_hours_are_sent_in_their_periods() {
    let metered = Metered::start().await;
    let begins = datetime!(2026-11-22 14:34:17 UTC);
    let (anchor, end) = (datetime!(2026-09-22 14:34:17 UTC), datetime!(2026-12-22 14:34:17 UTC));
    let subscription = json!({"id": "sub_1", "object": "subscription", "customer": "cus_lumen", "status": "active", "currency": "usd",
        "created": anchor.unix_timestamp(), "start_date": anchor.unix_timestamp(), "billing_cycle_anchor": anchor.unix_timestamp(),
        "items": {"data": [{"id": "si_1", "current_period_start": begins.unix_timestamp(), "current_period_end": end.unix_timestamp(),
            "price": {"id": "price_1", "lookup_key": "growth_usage", "recurring": {"interval": "month", "usage_type": "metered"}}}]}});
    let event = json!({"id": "evt_1", "object": "event", "type": "customer.subscription.updated", "created": NOW.unix_timestamp(), "livemode": false,
        "api_version": "2026-08-26.dahlia", "data": {"object": subscription}});
    metered.send("before", "impressions", begins - Duration::SECOND, 30).await;
    metered.app.deliver(&[event]).await;
    metered.send("after", "impressions", begins + Duration::MINUTE, 7).await;
    metered.run().await;
    let mut sent: Vec<(String, String)> = metered
        .posts(EVENTS)
        .iter()
        .map(|request| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&request.params["timestamp"]), text(&request.params["payload"]["value"]))
        })
        .collect();
    sent.sort();
    let hour = datetime!(2026-11-22 14:00 UTC);
    assert_eq!(sent, [(hour.unix_timestamp().to_string(), "30".into()), (begins.unix_timestamp().to_string(), "7".into())]);
    assert_eq!(metered.at_stripe("impressions").await, BTreeMap::from([(hour, 37)]));
    // Nothing is left to send, and a correction is cancelled from its own part.
    metered.correct("c", "before", begins - Duration::SECOND, 10).await;
    metered.pass(Duration::HOUR);
    metered.run().await;
    assert_eq!(metered.at_stripe("impressions").await, BTreeMap::from([(hour, 17)]));
    metered.pass(Duration::HOUR);
    let asked = metered.posts(EVENTS).len();
    metered.run().await;
    assert_eq!(metered.posts(EVENTS).len(), asked);
}
