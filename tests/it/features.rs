//! Feature switches at run time: permissions, effects, and that every server follows.

use crate::{
    faults::senders::wait_until,
    support::{
        Client, TestApp,
        program::{Running, Workplace, get},
    },
};
use apex_billing::{
    domain::{features::Feature, identity::CustomerId, role::Role},
    service::{features, webhooks},
};
use axum::http::Method;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";
const PAGE: &str = "/admin/features";

async fn put(client: &Client, name: &str, body: &Value) -> crate::support::client::Answer {
    client.send(Method::PUT, &format!("/api/v1/admin/features/{name}"), Some("application/json"), body.to_string().into_bytes()).await
}

async fn switch(client: &Client, feature: Feature, enabled: bool) -> Value {
    let answer = put(client, feature.name(), &json!({"enabled": enabled})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn platform() -> (TestApp, CustomerId, Client, Client) {
    let app = TestApp::start().await;
    let lumen = app.add_customer("lumen").await;
    let (admin, person) = (app.sign_in(Role::Admin, None).await, app.sign_in(Role::Publisher, Some(lumen)).await);
    (app, lumen, admin, person)
}

async fn text(app: &TestApp, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(&app.db).await.unwrap()
}

#[tokio::test]
async fn billing_switches_on_every_server_others_continue() {
    let (app, lumen, admin, person) = platform().await;
    let other = app.replica_with(&[]).await;
    let before = switch(&admin, Feature::Billing, true).await;
    assert_eq!((&before["enabled"], &before["changed_by"]), (&json!(true), &Value::Null));
    let off = put(&admin, "billingEnabled", &json!({"enabled": false, "reason": " prices are wrong "})).await.json();
    insta::assert_json_snapshot!("billing_off", off);

    features::refresh(&other.platform).await.unwrap();
    for app in [&app, &other] {
        let person = app.sign_in(Role::Publisher, Some(lumen)).await;
        let answer = person.get("/api/v1/billing/invoices").await;
        answer.problem(503, "billing_disabled");
        assert_eq!(answer.header("retry-after"), Some("300"));
        assert_eq!(app.client().get("/api/v1/meta/features").await.json()["invoicePdfEnabled"], false);
        let page = person.get("/billing/invoices").await;
        assert_eq!(page.status, 503);
        assert!(page.text().contains("paused") && !page.text().contains(r#"href="/billing/invoices""#));
        assert_eq!(person.get("/api/v1/auth/me").await.status, 200);
        let admin = app.sign_in(Role::Admin, None).await;
        assert_eq!(admin.get(PAGE).await.status, 200);
        assert_eq!(admin.get("/api/v1/admin/webhooks").await.status, 200);
    }
    let event = json!({"id": "a", "metric": "impressions", "quantity": 1, "timestamp": "2026-11-22T15:49:59Z", "app_id": "app_42"});
    assert_eq!(app.machine(lumen).await.post_json("/api/v1/usage/events", &event).await.status, 202);
    // Stripe's events are stored, and applied once billing is on.
    app.deliver(&[invoice_event()]).await;
    assert_eq!(text(&app, "SELECT status FROM stripe_webhook_events").await, "received");
    assert_eq!(webhooks::apply_waiting(&other.platform, 10).await.unwrap(), 0);

    let other_admin = other.sign_in(Role::Admin, None).await;
    assert_eq!(switch(&other_admin, Feature::Billing, true).await["enabled"], true);
    assert_eq!(webhooks::apply_waiting(&other.platform, 10).await.unwrap(), 1);
    assert_eq!(text(&app, "SELECT status FROM stripe_webhook_events").await, "applied");
    features::refresh(&app.platform).await.unwrap();
    assert_eq!(person.get("/api/v1/billing/invoices").await.json()["pagination"]["total"], 1);
    let trail =
        "SELECT string_agg(actor || ' ' || (data->>'before') || ' ' || (data->>'after') || ' ' || coalesce(data->>'reason', '-'), ', '
                                   ORDER BY id) FROM billing_audit WHERE event_type = 'feature.switched'";
    assert_eq!(text(&app, trail).await, "admin-@people.example true false prices are wrong, admin-@people.example false true -");
    assert_eq!(text(&app, "SELECT count(*)::text FROM events WHERE event_type = 'feature.switched'").await, "2");
}

fn invoice_event() -> Value {
    json!({
        "id": "evt_while_off", "object": "event", "type": "invoice.created", "created": 1_795_362_000, "livemode": false,
        "data": {"object": {
            "id": "in_1", "object": "invoice", "customer": "cus_lumen", "status": "draft", "currency": "usd", "created": 1_795_362_000,
            "total": 4200, "subtotal": 4200, "amount_due": 4200, "amount_paid": 0, "amount_remaining": 4200
        }}
    })
}

#[tokio::test]
async fn usage_pdfs_and_portal_have_their_own_switches() {
    let (app, lumen, admin, person) = platform().await;
    let machine = app.machine(lumen).await;
    let event = json!({"id": "a", "metric": "impressions", "quantity": 1, "timestamp": "2026-11-22T15:49:59Z", "app_id": "app_42"});
    let pdf = "/api/v1/billing/invoices/7d3f2a50-0f6e-4f4e-9a55-1d1a3b6f0c11/pdf";
    for feature in [Feature::UsageIngest, Feature::InvoicePdf, Feature::CustomerPortal] {
        switch(&admin, feature, false).await;
        assert_eq!(app.client().get("/api/v1/meta/features").await.json()[feature.name()], false);
    }
    let refused = machine.post_json("/api/v1/usage/events", &event).await;
    refused.problem(503, "usage_ingest_disabled");
    assert_eq!(refused.header("retry-after"), Some("300"));
    app.client().post_json("/api/v1/usage/events", &event).await.problem(401, "unauthenticated");
    person.get(pdf).await.problem(503, "invoice_pdf_disabled");
    person.post_json("/api/v1/billing/portal", &json!({})).await.problem(503, "customer_portal_disabled");
    assert_eq!(person.get("/api/v1/billing/usage/current").await.status, 200);

    for feature in [Feature::UsageIngest, Feature::InvoicePdf, Feature::CustomerPortal] {
        switch(&admin, feature, true).await;
    }
    assert_eq!(machine.post_json("/api/v1/usage/events", &event).await.json()["accepted"], 1);
    person.get(pdf).await.problem(404, "not_found");
    person.post_json("/api/v1/billing/portal", &json!({})).await.problem(503, "stripe_not_configured");
}

#[tokio::test]
async fn only_staff_switch_existing_features() {
    let (app, _, admin, person) = platform().await;
    let off = json!({"enabled": false});
    put(&app.client(), "billingEnabled", &off).await.problem(401, "unauthenticated");
    put(&person, "billingEnabled", &off).await.problem(403, "forbidden");
    person.get("/api/v1/admin/features").await.problem(403, "forbidden");
    for name in ["billing", "BillingEnabled", "nothing", "%00"] {
        put(&admin, name, &off).await.problem(404, "not_found");
    }
    for body in [json!({}), json!({"enabled": "no"}), json!({"enabled": false, "x": 1}), json!([]), json!({"enabled": null})] {
        put(&admin, "billingEnabled", &body).await.problem(422, "invalid_parameter");
    }
    for reason in ["a\u{7}b".to_owned(), "x".repeat(501)] {
        put(&admin, "billingEnabled", &json!({"enabled": false, "reason": reason})).await.problem(422, "invalid_parameter");
    }
    let path = "/api/v1/admin/features/billingEnabled";
    admin.send(Method::PUT, path, Some("application/json"), b"{".to_vec()).await.problem(400, "invalid_json");
    admin.send(Method::PUT, path, Some(FORM), b"enabled=false".to_vec()).await.problem(415, "unsupported_media_type");
    assert_eq!(text(&app, "SELECT count(*)::text FROM features").await, "0");
    assert!(features::current(&app.platform).billing_enabled);
}

#[tokio::test]
async fn the_environment_overrides_and_the_page_shows_it() {
    let app = TestApp::start_with(&[("BILLING_ENABLED", "false")]).await;
    let admin = app.sign_in(Role::Admin, None).await;
    let answer = switch(&admin, Feature::Billing, true).await;
    assert_eq!((&answer["enabled"], &answer["switched_on"], &answer["held_off_by"]), (&json!(false), &json!(true), &json!("environment")));
    assert!(admin.get(PAGE).await.text().contains("BILLING_ENABLED=false"));
}

#[tokio::test]
async fn an_unavailable_database_changes_no_feature() {
    let (app, _, admin, _) = platform().await;
    switch(&admin, Feature::Billing, false).await;
    app.db.close().await;
    features::refresh(&app.platform).await.unwrap_err();
    assert!(!features::current(&app.platform).billing_enabled);
}

#[tokio::test]
async fn the_page_switches_without_javascript() {
    let (app, _, admin, person) = platform().await;
    let page = admin.get(PAGE).await.text();
    assert!(page.contains("Switch Billing off") && page.contains("Never changed"), "{page}");
    let answer = admin.post(PAGE, FORM, b"name=billingEnabled&enabled=false&reason=%3Cb%3Emaintenance".to_vec()).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/admin/features?done=billingEnabled")));
    let page = admin.get("/admin/features?done=billingEnabled").await.text();
    for said in ["Billing: switched off", "admin-@people.example", "&lt;b&gt;maintenance", "Switch Billing on"] {
        assert!(page.contains(said), "{said} in {page}");
    }
    for (form, refused) in [
        ("name=nothing&enabled=true", "not_found"),
        ("name=billingEnabled&enabled=perhaps", "invalid_parameter"),
        ("name=billingEnabled&enabled=true&reason=%07", "invalid_parameter"),
        ("", "not_found"),
    ] {
        let answer = admin.post(PAGE, FORM, form.into()).await;
        let location = format!("{PAGE}?refused={refused}");
        assert_eq!((answer.status, answer.header("location")), (303, Some(location.as_str())), "{form}");
    }
    let page = admin.get("/admin/features?refused=invalid_parameter").await;
    assert_eq!(page.status, 422);
    assert!(page.text().contains("Nothing was switched"));

    let answer = person.post(PAGE, FORM, b"name=billingEnabled&enabled=true".to_vec()).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(PAGE)));
    assert_eq!(person.get(PAGE).await.status, 403);
    let stranger = app.client().post(PAGE, FORM, b"name=billingEnabled&enabled=true".to_vec()).await;
    assert!(stranger.header("location").unwrap().starts_with("/login"));
    assert!(!features::current(&app.platform).billing_enabled);
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_follow_the_command_line_by_themselves() {
    let app = TestApp::start().await;
    app.add_customer("lumen").await;
    let places = [Workplace::new(), Workplace::new()];
    let program = |place: &Workplace, args: &[&str]| {
        let mut command = place.command(args);
        command.env("DATABASE_URL", app.database_url()).env("STRIPE_WEBHOOK_SECRET", "whsec_of_the_program");
        command
    };
    let servers: Vec<Running> = places.iter().map(|place| Running::start(&mut program(place, &["serve", "--no-migrate"]))).collect();
    let set = |to| {
        let done = program(&places[0], &["features", "set", "billingEnabled", to, "--reason", "a drill", "--json"]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let all_say = |billing: bool| {
        let said = format!(r#""billingEnabled":{billing}"#);
        wait_until("all servers follow", || servers.iter().all(|server| get(&server.address, "/api/v1/meta/features").contains(&said)));
    };
    all_say(true);
    set("off");
    all_say(false);
    features::refresh(&app.platform).await.unwrap();
    app.deliver(&[invoice_event()]).await;
    let status = || {
        let db = app.db.clone();
        tokio::task::block_in_place(|| {
            let ask = sqlx::query_scalar::<_, String>("SELECT status FROM stripe_webhook_events").fetch_one(&db);
            tokio::runtime::Handle::current().block_on(ask).unwrap()
        })
    };
    assert_eq!(status(), "received");
    set("on");
    all_say(true);
    wait_until("the job applies it", || status() == "applied");
    let list = program(&places[0], &["features", "list"]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.lines().any(|line| line.starts_with("billingEnabled\ton\t\tsystem\t") && line.ends_with("a drill")), "{list}");
    let wrong = program(&places[0], &["features", "set", "nothing", "off"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}
