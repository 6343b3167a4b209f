//! Requests to Stripe: the customer portal, customers.

use crate::{
    stripe::{StandIn, faults::Fault},
    support::{
        TestApp,
        stand_in::{SECRET_KEY, TestStandIn},
    },
};
use apex_billing::{
    domain::{error_code::ErrorCode, money::Currency, role::Role},
    service::{Error, Platform, customers},
    stripe::client::{Backoff, Client, Patience, Settings},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const FORM: &str = "application/x-www-form-urlencoded";
const PORTAL: &str = "/api/v1/billing/portal";

/// A platform that uses this stand-in.
pub async fn connected_to(stand_in: &StandIn) -> TestApp {
    TestApp::start_with(&[("STRIPE_SECRET_KEY", SECRET_KEY), ("STRIPE_API_BASE", &stand_in.base_url())]).await
}

/// The same platform with a client with short timeouts.
pub fn impatient(app: &TestApp) -> Platform {
    let ms = Duration::from_millis;
    let patience = Patience { a_try: ms(1000), budget: ms(2000) };
    let settings = Settings { backoff: Backoff { base: ms(5), cap: ms(20) }, page: patience, job: patience, ..Settings::default() };
    let stripe = Client::with_settings(&app.platform.config, settings).unwrap();
    app.platform.with(|parts| parts.stripe = stripe)
}

async fn one(app: &TestApp, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(&app.db).await.unwrap()
}

fn posts(stand_in: &StandIn, path: &str) -> Vec<crate::stripe::server::Logged> {
    stand_in.requests().into_iter().filter(|request| request.method == "POST" && request.path == path).collect()
}

#[tokio::test]
async fn a_publisher_opens_the_portal_and_it_is_audited() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    stand_in.seed_customer("lumen");
    let lumen = app.add_customer("lumen").await;
    let publisher = app.sign_in(Role::Publisher, Some(lumen)).await;

    let answer = publisher.post_json(PORTAL, &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["url"].as_str().unwrap().starts_with(&format!("{}p/session/bps_", stand_in.base_url())));
    let answer = publisher.post(PORTAL, FORM, Vec::new()).await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").unwrap().starts_with(&format!("{}p/session/bps_", stand_in.base_url())));

    let asked = posts(&stand_in, "/v1/billing_portal/sessions");
    assert_eq!(asked[0].params, json!({"customer": "cus_lumen", "return_url": "http://127.0.0.1:3000/billing/invoices"}));
    assert!(asked[0].idempotency_key.is_some() && asked[0].idempotency_key != asked[1].idempotency_key);
    let trail = "SELECT string_agg(actor || ' ' || (customer_id IS NOT NULL) || ' ' || (data->>'stripe_customer_id'), ', ')
                 FROM billing_audit WHERE event_type = 'portal.opened'";
    let who = format!("publisher-{lumen}@people.example true cus_lumen");
    assert_eq!(one(&app, trail).await, format!("{who}, {who}"));

    let admin = app.sign_in(Role::Admin, None).await;
    assert_eq!(admin.post_json(&format!("{PORTAL}?customer_id={lumen}"), &json!({})).await.status, 200);
    admin.post_json(PORTAL, &json!({})).await.problem(422, "invalid_parameter");
}

#[tokio::test]
async fn others_can_not_open_the_portal() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    let (lumen, forge) = (app.add_customer("lumen").await, app.add_customer("forge").await);
    app.client().post_json(PORTAL, &json!({})).await.problem(401, "unauthenticated");
    app.sign_in(Role::Readonly, Some(lumen)).await.post_json(PORTAL, &json!({})).await.problem(403, "forbidden");
    app.machine(lumen).await.post_json(PORTAL, &json!({})).await.problem(403, "forbidden");
    let publisher = app.sign_in(Role::Publisher, Some(lumen)).await;
    publisher.post_json(&format!("{PORTAL}?customer_id={forge}"), &json!({})).await.problem(404, "not_found");
    publisher.clone().with_header("sec-fetch-site", "cross-site").post(PORTAL, FORM, Vec::new()).await.problem(403, "cross_site");
    assert!(stand_in.requests().is_empty());
}

#[tokio::test]
async fn without_stripe_no_page_offers_the_portal() {
    let app = TestApp::start().await;
    let lumen = app.add_customer("lumen").await;
    let publisher = app.sign_in(Role::Publisher, Some(lumen)).await;
    let answer = publisher.post_json(PORTAL, &json!({})).await;
    answer.problem(503, "stripe_not_configured");
    assert_eq!(answer.header("retry-after"), None);
    assert!(!publisher.get("/billing/invoices").await.text().contains(PORTAL));
}

#[tokio::test]
async fn the_invoices_page_offers_it_to_managers() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    let lumen = app.add_customer("lumen").await;
    assert_eq!(app.client().get("/api/v1/meta/features").await.json()["customerPortalEnabled"], true);
    let form = format!(r#"<form method="post" action="{PORTAL}">"#);
    let publisher = app.sign_in(Role::Publisher, Some(lumen)).await;
    assert!(publisher.get("/billing/invoices").await.text().contains(&form));
    assert!(!app.sign_in(Role::Readonly, Some(lumen)).await.get("/billing/invoices").await.text().contains(PORTAL));
    // The page shows a form's error.
    let refused = publisher.post(PORTAL, FORM, Vec::new()).await;
    assert_eq!((refused.status, refused.header("location")), (303, Some("/billing/invoices?portal=stripe_refused")));
    let page = publisher.get("/billing/invoices?portal=stripe_refused").await;
    assert!(page.status == 200 && page.text().contains("can’t be opened at Stripe"));
    let answer = publisher.post_json(PORTAL, &json!({})).await;
    assert!(!answer.problem(502, "stripe_refused")["detail"].to_string().contains("cus_lumen"));
}

#[tokio::test]
async fn an_unavailable_stripe_blocks_no_page() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    stand_in.fault(Fault::status(500).times(1000));
    let lumen = app.add_customer("lumen").await;
    let publisher = app.sign_in(Role::Publisher, Some(lumen)).await;
    let answer = publisher.post_json(PORTAL, &json!({})).await;
    answer.problem(503, "stripe_unavailable");
    assert_eq!(answer.header("retry-after"), Some("60"));
    // From then on the circuit breaker responds.
    let (asked, started) = (stand_in.requests().len(), Instant::now());
    for _ in 0..5 {
        publisher.post_json(PORTAL, &json!({})).await.problem(503, "stripe_unavailable");
    }
    assert!(started.elapsed() < Duration::from_secs(2) && stand_in.requests().len() == asked);
    assert_eq!(one(&app, "SELECT count(*)::text FROM billing_audit WHERE event_type = 'portal.opened'").await, "0");
}

#[tokio::test]
async fn a_customer_without_a_stripe_id_has_no_portal() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    let id: uuid::Uuid = sqlx::query_scalar("INSERT INTO customers (name) VALUES ('New') RETURNING id").fetch_one(&app.db).await.unwrap();
    let publisher = app.sign_in(Role::Publisher, Some(apex_billing::domain::identity::CustomerId(id))).await;
    publisher.post_json(PORTAL, &json!({})).await.problem(409, "no_stripe_customer");
}

fn in_stripe(stand_in: &StandIn) -> Vec<Value> {
    stand_in.shared.store().all("customer").objects.values().cloned().collect()
}

#[tokio::test]
async fn repeated_creation_makes_one_customer_in_both() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    let make = async || customers::create_in_stripe(&app.platform, "Lumen Games", "billing@lumen.example", Currency::USD).await;
    let customer = make().await.unwrap();
    assert_eq!(make().await.unwrap(), customer);
    let made = in_stripe(&stand_in);
    assert_eq!(made.len(), 1);
    assert_eq!((&made[0]["metadata"]["apex_customer"], &made[0]["name"]), (&json!(customer.to_string()), &json!("Lumen Games")));
    assert_eq!(one(&app, "SELECT string_agg(stripe_customer_id, ',') FROM customers").await, made[0]["id"].as_str().unwrap());
    assert_eq!(posts(&stand_in, "/v1/customers").len(), 1);
    assert_eq!(one(&app, "SELECT count(*)::text FROM billing_audit WHERE event_type = 'customer.linked'").await, "1");
}

#[tokio::test]
async fn a_lost_response_makes_no_second_customer() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    stand_in.fault(Fault::half_a_body().on("POST", "/v1/customers").times(2).after_the_work());
    customers::create_in_stripe(&impatient(&app), "Lumen Games", "billing@lumen.example", Currency::USD).await.unwrap();
    let keys: Vec<_> = posts(&stand_in, "/v1/customers").into_iter().map(|request| request.idempotency_key.unwrap()).collect();
    assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(in_stripe(&stand_in).len(), 1);
}

#[tokio::test]
async fn a_partial_failure_is_completed_by_repeating() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    let platform = impatient(&app);
    stand_in.fault(Fault::status(500).on("POST", "/v1/customers").times(1000));
    let make =
        async |platform: &Platform| customers::create_in_stripe(platform, "Lumen Games", "billing@lumen.example", Currency::USD).await;
    assert!(matches!(make(&platform).await, Err(Error::StripeUnavailable(_))));
    let alone = "SELECT count(*) || ' ' || count(stripe_customer_id) FROM customers";
    assert_eq!(one(&app, alone).await, "1 0");
    stand_in.shared.faults.lock().unwrap().clear();
    // Created by a process that died before linking it, so long ago that the key has expired.
    let ours = one(&app, "SELECT id::text FROM customers").await;
    crate::stand_in::client::post(&stand_in, "v1/customers", &format!("email=billing@lumen.example&metadata[apex_customer]={ours}")).await;
    make(&impatient(&app)).await.unwrap();
    assert_eq!((one(&app, alone).await.as_str(), in_stripe(&stand_in).len()), ("1 1", 1));
}

#[tokio::test]
async fn an_existing_customer_is_linked_once() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    stand_in.seed_customer("lumen");
    let add = "INSERT INTO customers (name) VALUES ('Lumen') RETURNING id";
    let lumen = apex_billing::domain::identity::CustomerId(sqlx::query_scalar(add).fetch_one(&app.db).await.unwrap());
    let other = apex_billing::domain::identity::CustomerId(sqlx::query_scalar(add).fetch_one(&app.db).await.unwrap());
    let link = async |customer, stripe_id| customers::link_to_stripe(&app.platform, customer, stripe_id).await;
    for id in ["lumen", "cus_lumen/../x"] {
        assert_eq!(link(lumen, Some(id)).await.unwrap_err().code(), ErrorCode::InvalidParameter);
    }
    assert_eq!(link(lumen, Some("cus_nobody")).await.unwrap_err().code(), ErrorCode::StripeRefused);
    for _ in 0..2 {
        assert_eq!(link(lumen, Some("cus_lumen")).await.unwrap(), "cus_lumen");
    }
    assert_eq!(stand_in.object("customer", "cus_lumen").unwrap()["metadata"]["apex_customer"], lumen.to_string());
    assert_eq!(link(other, Some("cus_lumen")).await.unwrap_err().code(), ErrorCode::CustomerLinked);
    assert_eq!(link(lumen, Some("cus_other")).await.unwrap_err().code(), ErrorCode::CustomerLinked);
}
