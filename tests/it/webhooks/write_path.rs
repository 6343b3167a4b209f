//! A first delivery, a retry and a replay leave the same rows behind.

use super::{ask, deliver_all, month, pixel_forge, platform_with, september};
use crate::support::TestApp;
use apex_billing::{
    demo::stripe_events::{Outcome, subscription_events},
    service::{
        actor::{By, Origin},
        webhooks::{apply_waiting, replay},
    },
};
use serde_json::Value;

fn history() -> Vec<Value> {
    let mut events = subscription_events(&pixel_forge(), &[september()]);
    events.extend(month(Outcome::PartiallyRefunded));
    events
}

/// The inbox, the audit log and the outbox, without what differs between two databases.
async fn rows(app: &TestApp) -> [String; 3] {
    [
        ask(
            &app.db,
            "SELECT stripe_event_id, status, last_error, stripe_customer_id, stripe_invoice_id, awaits_customer, awaits_fetch, attempts,
                    processed_at IS NOT NULL AS processed
             FROM stripe_webhook_events event JOIN customers ON customers.id = event.customer_id ORDER BY stripe_event_id",
        )
        .await,
        ask(
            &app.db,
            "SELECT stripe_customer_id, actor, data, ip_address, user_agent
             FROM billing_audit JOIN customers ON customers.id = billing_audit.customer_id
             WHERE event_type = 'webhook.applied' ORDER BY data ->> 'stripe_event_id'",
        )
        .await,
        ask(
            &app.db,
            "SELECT events.event_type, stripe_customer_id, data FROM events JOIN customers ON customers.id = events.customer_id
             ORDER BY data ->> 'stripe_event_id'",
        )
        .await,
    ]
}

/// The events are stored, none is applied, and billing is on.
async fn with_stored_events() -> TestApp {
    let (app, _) = platform_with(&[("BILLING_ENABLED", "false")]).await;
    deliver_all(&app, &history()).await;
    app.restart_with(&[("BILLING_ENABLED", "true")]).await
}

#[tokio::test]
async fn delivery_retry_and_replay_write_the_same_rows() {
    let (delivered, _) = platform_with(&[]).await;
    deliver_all(&delivered, &history()).await;
    let expected = rows(&delivered).await;
    assert_eq!(expected[1].matches("evt_").count(), history().len(), "each event changed the mirror: {}", expected[1]);

    let retried = with_stored_events().await;
    while apply_waiting(&retried.platform, 100).await.expect("a run") > 0 {}
    assert_eq!(rows(&retried).await, expected);

    let replayed = with_stored_events().await;
    let by = By { actor: "ops@apex.test".into(), origin: Origin::default() };
    for event in history() {
        replay(&replayed.platform, &by, event["id"].as_str().expect("an id")).await.expect("a replay");
    }
    assert_eq!(rows(&replayed).await, expected);

    // A replay of an event that is applied changes nothing, and writes neither an audit row nor a
    // domain event.
    for event in history() {
        replay(&delivered.platform, &by, event["id"].as_str().expect("an id")).await.expect("a replay");
    }
    assert_eq!(rows(&delivered).await[1..], expected[1..]);
}
