//! Billed usage doesn't change silently.

use crate::support::TestApp;
use apex_billing::{domain::identity::CustomerId, service::billed_usage::check};
use serde_json::{Value, json};

async fn invoiced_october(app: &TestApp, customer: CustomerId) {
    sqlx::query(
        "INSERT INTO invoices (customer_id, stripe_invoice_id, stripe_subscription_id, status, currency, subtotal, total, amount_due, amount_paid,
                               amount_remaining, period_start, period_end, created_at, finalized_at, event_created_at, event_rank, event_id)
         VALUES ($1, 'in_october', 'sub_1', 'open', 'usd', 100, 100, 100, 0, 100, '2026-10-01Z', '2026-11-01Z', '2026-11-01Z', '2026-11-01 01:00Z',
                 '2026-11-01Z', 2, 'evt_october')",
    )
    .bind(customer.0)
    .execute(&app.db)
    .await
    .expect("an invoice");
}

async fn notices(app: &TestApp) -> Vec<Value> {
    sqlx::query_scalar("SELECT data - 'invoice_id' FROM billing_audit WHERE event_type = 'usage.billed_period_changed' ORDER BY id")
        .fetch_all(&app.db)
        .await
        .expect("rows")
}

#[tokio::test]
async fn late_usage_of_a_billed_period_is_audited_once() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let machine = app.machine(customer).await;
    let send = async |id: &str, quantity: u64, timestamp: &str| {
        let event = json!({"id": id, "metric": "impressions", "quantity": quantity, "timestamp": timestamp, "app_id": "app_42"});
        assert_eq!(machine.post_json("/api/v1/usage/events", &event).await.json()["accepted"], 1);
    };
    send("in time", 1_000, "2026-10-31T23:00:00Z").await;
    invoiced_october(&app, customer).await;
    assert_eq!(check(&app.platform).await.expect("a look"), 0);
    assert_eq!(check(&app.platform).await.expect("a look"), 0);

    send("of november", 5, "2026-11-01T00:00:00Z").await;
    assert_eq!(check(&app.platform).await.expect("a look"), 0);
    send("late", 250, "2026-10-31T23:30:00Z").await;
    assert_eq!(check(&app.platform).await.expect("a look"), 1);
    assert_eq!(check(&app.platform).await.expect("a look"), 0);
    assert_eq!(notices(&app).await, [json!({"metric": "impressions", "before": 1_000, "after": 1_250})]);
    let changed: Vec<String> =
        sqlx::query_scalar("SELECT data ->> 'metric' FROM events WHERE event_type = 'usage.billed_period_changed' AND customer_id = $1")
            .bind(customer.0)
            .fetch_all(&app.db)
            .await
            .expect("rows");
    assert_eq!(changed, ["impressions"]);

    send("later still", 1, "2026-10-20T00:00:00Z").await;
    assert_eq!(check(&app.platform).await.expect("a look"), 1);
    assert_eq!(notices(&app).await[1], json!({"metric": "impressions", "before": 1_250, "after": 1_251}));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_checks_audit_it_once() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let machine = app.machine(customer).await;
    invoiced_october(&app, customer).await;
    check(&app.platform).await.expect("a look");
    let late = json!({"id": "late", "metric": "api_calls", "quantity": 9, "timestamp": "2026-10-31T23:30:00Z", "app_id": "app_42"});
    assert_eq!(machine.post_json("/api/v1/usage/events", &late).await.json()["accepted"], 1);
    let looks = futures::future::join_all((0..5).map(|_| check(&app.platform))).await;
    let found: usize = looks.into_iter().map(|look| look.expect("a look")).sum();
    assert_eq!(found + check(&app.platform).await.expect("a look"), 1);
    assert_eq!(notices(&app).await, [json!({"metric": "api_calls", "before": 0, "after": 9})]);
}
