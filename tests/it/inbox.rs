//! The webhook inbox for staff, and replays.

use crate::support::TestApp;
use apex_billing::{
    domain::{role::Role, webhook::WebhookStatus},
    service::{actor::By, webhooks::replay_failed},
};
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";

/// An invoice event of the customer `cus_forge`. An invalid quantity makes it fail.
fn invoice_event(id: &str, event_type: &str, total: Value) -> Value {
    json!({"id": id, "object": "event", "type": event_type, "created": 1_790_000_000, "livemode": false, "api_version": "2026-07-29.dahlia",
    "data": {"object": {"id": format!("in_{id}"), "object": "invoice", "customer": "cus_forge", "status": "open", "currency": "usd",
        "created": 1_790_000_000, "total": total, "subtotal": 4200, "amount_due": 4200, "amount_paid": 0, "amount_remaining": 4200}}})
}

async fn one(app: &TestApp, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(&app.db).await.unwrap()
}

/// A platform with a failed event, `evt_bad`, whose stored copy is valid now.
async fn with_a_failure_that_can_be_cured() -> TestApp {
    let app = TestApp::start().await;
    app.add_customer("forge").await;
    app.deliver(&[invoice_event("evt_bad", "invoice.finalized", json!("much"))]).await;
    assert_eq!(one(&app, "SELECT status FROM stripe_webhook_events").await, "failed");
    let cured = invoice_event("evt_bad", "invoice.finalized", json!(4200)).to_string();
    sqlx::query("UPDATE stripe_webhook_events SET payload = $1").bind(cured).execute(&app.db).await.unwrap();
    app
}

fn ids(page: &Value) -> Vec<&str> {
    page["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_inbox_is_listed_filtered_and_paged_newest_first() {
    let app = TestApp::start().await;
    app.add_customer("forge").await;
    app.deliver(&[
        invoice_event("evt_1", "invoice.created", json!(4200)),
        invoice_event("evt_2", "invoice.finalized", json!("much")),
        json!({"id": "evt_3", "object": "event", "type": "payout.paid", "created": 1_790_000_000, "data": {"object": {"id": "po_1"}}}),
    ])
    .await;
    let staff = app.sign_in(Role::Admin, None).await;
    let list = async |query: &str| staff.get(&format!("/api/v1/admin/webhooks?{query}")).await.json();
    let all = list("").await;
    assert_eq!(ids(&all), ["evt_3", "evt_2", "evt_1"]);
    assert_eq!(all["pagination"], json!({"page": 1, "limit": 20, "total": 3, "total_pages": 1}));
    assert_eq!(all["counts"], json!({"received": 0, "applied": 1, "ignored": 1, "failed": 1, "dead": 0}));
    assert_eq!((&all["events"][2]["customer"], &all["events"][2]["object_id"]), (&json!("forge"), &json!("in_evt_1")));
    assert_eq!(ids(&list("status=failed").await), ["evt_2"]);
    assert_eq!(ids(&list("type=invoice.").await), ["evt_2", "evt_1"]);
    assert_eq!(ids(&list("q=PO_1").await), ["evt_3"]);
    assert_eq!(ids(&list("q=evt_2&status=&type=&page=&limit=").await), ["evt_2"]);
    for text in ["%25", "evt%25", "_vt", "%5C"] {
        assert!(ids(&list(&format!("q={text}")).await).is_empty(), "{text}");
    }
    let last = list("limit=2&page=2").await;
    assert_eq!((ids(&last), &last["pagination"]["total_pages"]), (vec!["evt_1"], &json!(2)));
    assert!(ids(&list("page=99").await).is_empty());
}

#[tokio::test]
async fn invalid_parameters_are_named() {
    let app = TestApp::start().await;
    let staff = app.sign_in(Role::Admin, None).await;
    let long = "x".repeat(101);
    for (query, parameter) in [
        ("status=lost", "status"),
        ("page=0", "page"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        (&*format!("q={long}"), "q"),
        (&*format!("type={long}"), "type"),
        ("type=a%00b", "type"),
    ] {
        let problem = staff.get(&format!("/api/v1/admin/webhooks?{query}")).await.problem(422, "invalid_parameter");
        assert_eq!(problem["parameter"], parameter, "{query}");
    }
    let page = staff.get("/admin/webhooks?status=lost").await;
    assert!(page.status == 422 && page.text().contains("has an invalid filter or page number"), "{}", page.text());
}

#[tokio::test]
async fn only_staff_may_list_and_replay() {
    let app = with_a_failure_that_can_be_cured().await;
    let customer = app.add_customer("lumen").await;
    let gets = ["/api/v1/admin/webhooks", "/api/v1/admin/webhook?id=evt_bad", "/api/v1/admin/webhooks/evt_bad"];
    let posts = ["/api/v1/admin/webhooks/replay", "/api/v1/admin/webhooks/evt_bad/replay"];
    let others = [
        (app.client(), 401, "unauthenticated"),
        (app.sign_in(Role::Publisher, Some(customer)).await, 403, "forbidden"),
        (app.sign_in(Role::Readonly, Some(customer)).await, 403, "forbidden"),
        (app.machine(customer).await, 403, "forbidden"),
    ];
    for (client, status, code) in &others {
        for path in gets {
            client.get(path).await.problem(*status, code);
        }
        for path in posts {
            client.post_json(path, &json!({})).await.problem(*status, code);
        }
    }
    assert_eq!(one(&app, "SELECT status FROM stripe_webhook_events").await, "failed");
    let page = app.client().get("/admin/webhooks?status=failed").await;
    assert_eq!((page.status, page.header("location")), (303, Some("/login?next=/admin/webhooks%3Fstatus%3Dfailed")));
    let page = others[1].0.get("/admin/webhooks").await;
    assert!(page.status == 403 && !page.text().contains("evt_bad") && !page.text().contains("href=\"/admin/webhooks\""), "{}", page.text());
}

#[tokio::test]
async fn a_failed_event_with_a_fixed_cause_is_applied_once() {
    let app = with_a_failure_that_can_be_cured().await;
    let staff = app.sign_in(Role::Admin, None).await;
    let shown = staff.get("/api/v1/admin/webhooks/evt_bad").await.json();
    assert_eq!((&shown["status"], &shown["attempts"], &shown["livemode"]), (&json!("failed"), &json!(1), &json!(false)));
    assert!(shown["payload"].as_str().unwrap().contains("in_evt_bad") && shown["error"].is_string(), "{shown}");
    let replay = async || staff.post_json("/api/v1/admin/webhooks/evt_bad/replay", &json!({})).await.json();
    assert_eq!(replay().await, json!({"id": "evt_bad", "status_before": "failed", "status": "applied", "error": null}));
    let mirror = "SELECT concat(status, total, version) FROM invoices";
    let before = one(&app, mirror).await;
    // Again: only the audit log changes.
    assert_eq!(replay().await, json!({"id": "evt_bad", "status_before": "applied", "status": "applied", "error": null}));
    assert_eq!(one(&app, mirror).await, before);
    assert_eq!(one(&app, "SELECT count(*)::text FROM events").await, "1");
    assert_eq!(one(&app, "SELECT concat(stripe_invoice_id, attempts) FROM stripe_webhook_events").await, "in_evt_bad3");
    let trail = "SELECT string_agg(concat(data->>'stripe_event_id', ' ', data->>'status_before', ' ', data->>'status', ' ', actor), ', ' ORDER BY id)
                 FROM billing_audit WHERE event_type = 'webhook.replayed' AND customer_id IS NOT NULL";
    assert_eq!(one(&app, trail).await, "evt_bad failed applied admin-@people.example, evt_bad applied applied admin-@people.example");
    staff.get("/api/v1/admin/webhooks/evt_none").await.problem(404, "not_found");
    staff.get("/api/v1/admin/webhooks/a%00b").await.problem(404, "not_found");
    staff.post_json("/api/v1/admin/webhooks/evt_none/replay", &json!({})).await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_replays_at_once_have_one_effect() {
    let app = with_a_failure_that_can_be_cured().await;
    // The effect of a single application on an invoice.
    app.deliver(&[invoice_event("evt_good", "invoice.finalized", json!(4200))]).await;
    let staff = app.sign_in(Role::Admin, None).await;
    let answers =
        futures::future::join_all((0..20).map(|_| staff.post("/api/v1/admin/webhooks/evt_bad/replay", "application/json", Vec::new())))
            .await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.json()["status"] == "applied"));
    assert_eq!(answers.iter().filter(|answer| answer.json()["status_before"] == "failed").count(), 1);
    assert_eq!(one(&app, "SELECT concat(count(*), count(DISTINCT version)) FROM invoices").await, "21");
    assert_eq!(
        one(&app, "SELECT concat(status, attempts) FROM stripe_webhook_events WHERE stripe_event_id = 'evt_bad'").await,
        "applied21"
    );
    assert_eq!(one(&app, "SELECT count(*)::text FROM events").await, "2");
    assert_eq!(one(&app, "SELECT count(*)::text FROM billing_audit WHERE event_type = 'webhook.replayed'").await, "20");
}

#[tokio::test]
async fn all_failures_are_replayed_a_bounded_number_at_a_time() {
    let app = TestApp::start().await;
    app.add_customer("forge").await;
    for n in 0..5 {
        app.deliver(&[invoice_event(&format!("evt_{n}"), "invoice.finalized", json!("much"))]).await;
    }
    sqlx::query("UPDATE stripe_webhook_events SET status = 'dead', attempts = 10 WHERE stripe_event_id = 'evt_4'")
        .execute(&app.db)
        .await
        .unwrap();
    sqlx::query("UPDATE stripe_webhook_events SET payload = replace(payload, '\"much\"', '4200') WHERE stripe_event_id <> 'evt_0'")
        .execute(&app.db)
        .await
        .unwrap();
    let by = By::system();
    let some = replay_failed(&app.platform, &by, 2).await.unwrap();
    assert_eq!((some.replayed, some.still_failing, some.left), (2, 1, 3));
    let staff = app.sign_in(Role::Admin, None).await;
    let rest = staff.post_json("/api/v1/admin/webhooks/replay", &json!({})).await.json();
    assert_eq!(rest, json!({"replayed": 4, "still_failing": 1, "left": 0}));
    let page = staff.get("/api/v1/admin/webhooks?status=failed").await.json();
    assert_eq!((ids(&page), &page["counts"]["applied"]), (vec!["evt_0"], &json!(4)));
    assert_eq!(one(&app, "SELECT count(*)::text FROM billing_audit WHERE event_type = 'webhook.replayed'").await, "6");
}

#[tokio::test]
async fn the_pages_show_the_inbox_and_replay_without_javascript() {
    let app = with_a_failure_that_can_be_cured().await;
    let staff = app.sign_in(Role::Admin, None).await;
    assert_eq!(staff.get("/admin").await.header("location"), Some("/admin/webhooks"));
    let list = staff.get("/admin/webhooks").await;
    assert_eq!(list.status, 200);
    for text in ["Failed 1", "/admin/webhooks/evt_bad", "invoice.finalized", "Replay all failures"] {
        assert!(list.text().contains(text), "{text}");
    }
    let event = staff.get("/admin/webhooks/evt_bad").await;
    assert!(event.status == 200 && event.text().contains("action=\"/api/v1/admin/webhooks/evt_bad/replay\""), "{}", event.text());
    let answer = staff.post("/api/v1/admin/webhooks/evt_bad/replay", FORM, Vec::new()).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/admin/webhooks/evt_bad?replayed=applied")));
    assert!(staff.get("/admin/webhooks/evt_bad?replayed=applied").await.text().contains("Replayed: the event is applied."));
    // A user who replays an unknown event gets an error page.
    let answer = staff.post("/api/v1/admin/webhooks/evt_none/replay", FORM, Vec::new()).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/admin/webhooks/evt_none")));
    assert_eq!(staff.get("/admin/webhooks/evt_none").await.status, 404);
    let answer = staff.post("/api/v1/admin/webhooks/replay", FORM, Vec::new()).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/admin/webhooks?replayed=0&failing=0")));
    assert_eq!(staff.get("/admin/webhooks/evt_none").await.status, 404);
}

#[tokio::test]
async fn while_billing_is_off_replays_wait() {
    let app = with_a_failure_that_can_be_cured().await.restart_with(&[("BILLING_ENABLED", "false")]).await;
    let staff = app.sign_in(Role::Admin, None).await;
    let page = staff.get("/admin/webhooks").await;
    assert!(page.status == 200 && page.text().contains("evt_bad"), "{}", page.text());
    let replay = staff.post_json("/api/v1/admin/webhooks/evt_bad/replay", &json!({})).await.json();
    assert_eq!(replay["status"], WebhookStatus::Received.as_str());
    assert_eq!(one(&app, "SELECT status FROM stripe_webhook_events").await, "received");
}
