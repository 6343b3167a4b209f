//! Webhooks from the stand-in to the platform.

use super::client::{ask, get, ids, post};
use crate::{
    stripe::{
        StandIn,
        webhooks::{Disorder, Endpoint},
    },
    support::{TestApp, app::WEBHOOK_SECRET, stand_in::TestStandIn},
    webhooks::{
        ask as ask_database,
        convergence::{forget, mirrored},
    },
};
use serde_json::{Value, json};
use time::Duration;

fn endpoint(app: &str) -> Endpoint {
    Endpoint { url: format!("{app}/api/v1/webhooks/stripe"), secret: WEBHOOK_SECRET.into(), backoff_ms: vec![0, 0], disorder: None }
}

/// Both know Pixel Forge, and have the same clock.
async fn both() -> (TestApp, StandIn, Endpoint) {
    let stand_in = StandIn::start().await;
    let app = TestApp::start_with(&[("STRIPE_SECRET_KEY", stand_in.secret_key()), ("STRIPE_API_BASE", &stand_in.base_url())]).await;
    app.add_customer("forge").await;
    stand_in.seed_customer("forge");
    let endpoint = endpoint(&app.listen().await);
    (app, stand_in, endpoint)
}

/// Months with all kinds of changes, with this much time between the steps.
async fn history(app: &TestApp, stand_in: &StandIn, between: Duration) {
    let pause = || {
        app.advance(between);
        stand_in.advance(between);
    };
    let price = post(stand_in, "v1/prices", "currency=usd&unit_amount=49900&recurring[interval]=month").await;
    let price = price["id"].as_str().expect("an id");
    let made = post(stand_in, "v1/subscriptions", &format!("customer=cus_forge&items[0][price]={price}&metadata[plan_type]=growth")).await;
    pause();
    for steps in [&["finalize", "pay"][..], &["finalize", "void"], &["finalize", "mark_uncollectible", "pay"], &["finalize"]] {
        let invoice = post(stand_in, "v1/invoices", "customer=cus_forge").await;
        let id = invoice["id"].as_str().expect("an id");
        post(stand_in, &format!("v1/invoices/{id}/add_lines"), "lines[0][amount]=10000&lines[1][amount]=5000").await;
        for step in steps {
            pause();
            if *step == "pay" {
                ask(stand_in, "POST", &format!("v1/invoices/{id}/pay"), "payment_method=pm_card_chargeDeclined")
                    .await
                    .error(402, "card_error");
                pause();
            }
            post(stand_in, &format!("v1/invoices/{id}/{step}"), "").await;
        }
        pause();
    }
    let charges = get(stand_in, "v1/charges").await;
    let paid = charges["data"].as_array().expect("a list").iter().find(|charge| charge["paid"] == true).expect("a charge");
    let charge = paid["id"].as_str().expect("an id");
    for amount in [1000, 2000] {
        post(stand_in, "v1/refunds", &format!("charge={charge}&amount={amount}")).await;
        pause();
    }
    let open = ids(&get(stand_in, "v1/invoices?status=open").await).remove(0);
    let note = post(stand_in, "v1/credit_notes", &format!("invoice={open}&amount=2500")).await;
    pause();
    post(stand_in, &format!("v1/credit_notes/{}/void", note["id"].as_str().expect("an id")), "").await;
    pause();
    post(stand_in, "v1/customers/cus_forge", "balance=-100&email=new@pixelforge.test").await;
    pause();
    ask(stand_in, "DELETE", &format!("v1/subscriptions/{}", made["id"].as_str().expect("an id")), "").await.done();
}

#[tokio::test]
async fn the_platform_accepts_the_stand_ins_signatures() {
    let (app, stand_in, endpoint) = both().await;
    stand_in.deliver_to(endpoint);
    history(&app, &stand_in, Duration::minutes(1)).await;
    let attempts = stand_in.settle().await;
    let made: Vec<Value> = stand_in.events().iter().map(|event| event["id"].clone()).collect();
    assert_eq!(attempts.iter().map(|attempt| json!(attempt.event)).collect::<Vec<_>>(), made);
    assert!(attempts.iter().all(|attempt| attempt.status == Some(200)), "{attempts:?}");
    assert_eq!(
        ask_database(&app.db, "SELECT DISTINCT status FROM stripe_webhook_events WHERE status NOT IN ('applied', 'ignored')").await,
        ""
    );
    assert_eq!(
        ask_database(&app.db, "SELECT status, count(*), sum(total), sum(amount_remaining) FROM invoices GROUP BY status ORDER BY status")
            .await,
        "open|1|15000|15000 paid|3|79900|0 void|1|15000|15000"
    );
    assert_eq!(ask_database(&app.db, "SELECT sum(amount) FROM refunds").await, "3000");
    assert_eq!(ask_database(&app.db, "SELECT status FROM credit_notes").await, "void");
    assert_eq!(ask_database(&app.db, "SELECT status, plan_type, deleted FROM subscriptions").await, "canceled|growth|true");
}

/// In any order of events, the mirror is that of the original order.
async fn same_mirror_in_any_order(pause: Duration) {
    let (app, stand_in, endpoint) = both().await;
    history(&app, &stand_in, pause).await;
    let events = stand_in.events();
    stand_in.deliver_to(endpoint.clone());
    stand_in.resend(events.clone());
    let mut before = stand_in.settle().await.len();
    assert_eq!(before, events.len());
    let expected = mirrored(&app).await;
    for seed in 0..5 {
        forget(&app).await;
        let disorder = Disorder { seed, gather: 1000, twice_percent: 30, linger_ms: None };
        stand_in.deliver_to(Endpoint { disorder: Some(disorder), ..endpoint.clone() });
        stand_in.resend(events.clone());
        let attempts = stand_in.settle().await;
        let order: Vec<&str> = attempts[before..].iter().map(|attempt| attempt.event.as_str()).collect();
        assert!(order.len() > events.len() && !order.is_sorted(), "{order:?}");
        before = attempts.len();
        assert_eq!(mirrored(&app).await, expected, "seed {seed}");
    }
}

#[tokio::test]
async fn deliveries_out_of_order_and_twice_give_the_same_mirror() {
    same_mirror_in_any_order(Duration::minutes(1)).await;
}

#[tokio::test]
async fn events_within_one_second_give_the_same_mirror() {
    same_mirror_in_any_order(Duration::ZERO).await;
}

#[tokio::test]
async fn the_same_seed_gives_the_same_order() {
    let mut orders = Vec::new();
    for seed in [7, 7, 8] {
        let (app, stand_in, endpoint) = both().await;
        let disorder = Disorder { seed, gather: 10, twice_percent: 20, linger_ms: None };
        stand_in.deliver_to(Endpoint { disorder: Some(disorder), ..endpoint });
        history(&app, &stand_in, Duration::minutes(1)).await;
        let events = stand_in.events();
        let place = |id: &str| events.iter().position(|event| event["id"] == id).expect("an event");
        orders.push(stand_in.settle().await.iter().map(|attempt| place(&attempt.event)).collect::<Vec<_>>());
    }
    assert_eq!(orders[0], orders[1]);
    assert_ne!(orders[0], orders[2]);
}

#[tokio::test]
async fn failed_deliveries_are_retried_then_given_up() {
    let (app, stand_in, endpoint) = both().await;
    // An invalid secret.
    stand_in.deliver_to(Endpoint { secret: "whsec_of_another".into(), ..endpoint.clone() });
    post(&stand_in, "v1/customers", "name=a").await;
    let statuses: Vec<Option<u16>> = stand_in.settle().await.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(400); 3]);
    assert_eq!(ask_database(&app.db, "SELECT count(*) FROM stripe_webhook_events").await, "0");
    // An unreachable endpoint; later events are still delivered.
    stand_in.deliver_to(Endpoint { url: "http://127.0.0.1:9/".into(), ..endpoint.clone() });
    post(&stand_in, "v1/customers", "name=b").await;
    stand_in.deliver_to(endpoint);
    post(&stand_in, "v1/customers", "name=c").await;
    let attempts = stand_in.settle().await;
    assert_eq!(attempts.len(), 3 + 3 + 1);
    assert_eq!(attempts.iter().filter(|attempt| attempt.status.is_none()).count(), 3);
    assert_eq!(ask_database(&app.db, "SELECT count(*) FROM stripe_webhook_events").await, "1");
}
