//! Reconciliation against a Stripe stand-in, with drift that had no webhook.

mod program;
mod trouble;
mod usage;

use crate::{
    outgoing::impatient,
    stand_in::client::post,
    stripe::{StandIn, faults::Fault},
    support::{
        TestApp,
        stand_in::{SECRET_KEY, TestStandIn},
    },
};
use apex_billing::{
    domain::{
        error_code::ErrorCode,
        reconcile::{Kind, ReconciliationStatus, ReconciliationSummary},
        role::Role,
    },
    service::{
        Platform,
        actor::{By, Origin},
        backfill,
        reconcile::{self, Asked, Begun, Listener},
    },
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const RECONCILE: &str = "/api/v1/billing/reconcile";
pub const AT_ONCE: [(&str, &str); 1] = [("settle-seconds = 10", "settle-seconds = 0")];

pub fn by() -> By {
    By { actor: "ops@apex.example".into(), origin: Origin::default() }
}

/// Paid invoices of the customer that both sides have.
const INVOICES: i64 = 132;

/// A stand-in and a platform with a complete mirror: a customer with paid invoices, a subscription,
/// a refund and a credit note.
async fn in_step() -> (StandIn, TestApp) {
    in_step_under(&AT_ONCE).await
}

async fn in_step_under(settings: &[(&str, &str)]) -> (StandIn, TestApp) {
    let stand_in = StandIn::start().await;
    let app = TestApp::start_with_all(&[("STRIPE_SECRET_KEY", SECRET_KEY), ("STRIPE_API_BASE", &stand_in.base_url())], settings).await;
    stand_in.seed_customer("lumen");
    app.add_customer("lumen").await;
    stand_in.seed_invoices("cus_lumen", 130);
    let price = post(&stand_in, "v1/prices", "currency=usd&unit_amount=49900&recurring[interval]=month&nickname=Growth").await;
    let price = price["id"].as_str().unwrap();
    post(&stand_in, "v1/subscriptions", &format!("customer=cus_lumen&items[0][price]={price}&items[0][quantity]=2")).await;
    let invoice = post(&stand_in, "v1/invoices", "customer=cus_lumen").await;
    let invoice = invoice["id"].as_str().unwrap();
    post(&stand_in, &format!("v1/invoices/{invoice}/add_lines"), &lines(14)).await;
    post(&stand_in, &format!("v1/invoices/{invoice}/finalize"), "").await;
    post(&stand_in, "v1/credit_notes", &format!("invoice={invoice}&amount=100")).await;
    let charge = newest(&stand_in, "charge");
    post(&stand_in, "v1/refunds", &format!("charge={charge}&amount=500")).await;
    // Another platform's customer of the same account is unknown here.
    stand_in.seed_customer("stranger");
    stand_in.seed_invoices("cus_stranger", 3);
    for both in [&stand_in as &dyn Ahead, &app] {
        both.ahead(Duration::minutes(1));
    }
    import(&app).await;
    (stand_in, app)
}

fn lines(count: usize) -> String {
    (0..count).map(|line| format!("lines[{line}][amount]=1000&lines[{line}][description]=l{line}")).collect::<Vec<_>>().join("&")
}

trait Ahead {
    fn ahead(&self, by: Duration);
}

impl Ahead for StandIn {
    fn ahead(&self, by: Duration) {
        self.advance(by);
    }
}

impl Ahead for TestApp {
    fn ahead(&self, by: Duration) {
        self.advance(by);
    }
}

async fn import(app: &TestApp) {
    backfill::full(&app.platform, &|_| ()).await.unwrap().unwrap();
    backfill::events(&app.platform, &|_| ()).await.unwrap().unwrap();
}

fn newest(stand_in: &StandIn, kind: &str) -> String {
    stand_in.work(|store| store.all(kind).objects.values().next_back().and_then(|object| object["id"].as_str()).unwrap().to_owned())
}

fn newest_of(stand_in: &StandIn, kind: &str, customer: &str) -> String {
    stand_in.work(|store| {
        let mut objects = store.all(kind).objects.values().rev();
        objects.find(|object| object["customer"] == customer).unwrap()["id"].as_str().unwrap().to_owned()
    })
}

fn silent() -> Listener {
    Arc::new(|_| ())
}

async fn work(platform: &Platform, asked: &Asked, request: Option<Uuid>) -> reconcile::Work {
    match reconcile::begin(platform, &by(), asked, request, false).await.unwrap() {
        Begun::Ours(work) => *work,
        Begun::Ended(id) => panic!("{id} is over"),
    }
}

async fn run(app: &TestApp) -> ReconciliationSummary {
    work(&app.platform, &Asked::default(), None).await.carry_out(&silent(), &CancellationToken::new()).await.unwrap()
}

async fn found(app: &TestApp, run: &ReconciliationSummary) -> Vec<(String, String, String)> {
    let mut found: Vec<_> = reconcile::first_found(&app.platform, &run.id.to_string())
        .await
        .unwrap()
        .into_iter()
        .map(|found| (found.discrepancy.kind.to_string(), found.discrepancy.object.to_string(), found.discrepancy.object_id))
        .collect();
    found.sort();
    found
}

async fn one(app: &TestApp, sql: &'static str) -> String {
    sqlx::query_scalar::<_, Option<String>>(sql).fetch_one(&app.db).await.unwrap().unwrap_or_default()
}

#[tokio::test]
async fn equal_sides_have_no_discrepancies() {
    let (_stand_in, app) = in_step().await;
    let run = run(&app).await;
    assert_eq!(found(&app, &run).await, []);
    assert_eq!((run.status, run.within_tolerance, run.error.as_deref()), (ReconciliationStatus::Completed, Some(true), None));
    assert_eq!((run.checked.customers, run.checked.subscriptions, run.checked.invoices), (1, 1, INVOICES));
    assert!(run.currency_totals.is_empty() && run.rows_checked > 390);
    assert_eq!(one(&app, "SELECT count(*)::text FROM billing_audit WHERE event_type = 'reconciliation.discrepancy'").await, "0");
    assert_eq!(
        one(&app, "SELECT string_agg(event_type, ',') FROM events WHERE event_type LIKE 'reconciliation.%'").await,
        "reconciliation.completed"
    );
}

/// A1: the metered period is compared with Stripe's items themselves.
#[tokio::test]
async fn a_wrongly_parsed_period_is_found_and_repaired() {
    let (stand_in, app) = in_step().await;
    let price = post(&stand_in, "v1/prices", "currency=usd&unit_amount=1&recurring[interval]=month&recurring[usage_type]=metered").await;
    let fee = post(&stand_in, "v1/prices", "currency=usd&unit_amount=99900&recurring[interval]=year&nickname=Growth").await;
    let form =
        format!("customer=cus_lumen&items[0][price]={}&items[1][price]={}", fee["id"].as_str().unwrap(), price["id"].as_str().unwrap());
    let id = post(&stand_in, "v1/subscriptions", &form).await["id"].as_str().unwrap().to_owned();
    stand_in.tamper("subscription", &id, |subscription| {
        let start = subscription["items"]["data"][0]["current_period_start"].as_i64().unwrap();
        subscription["items"]["data"][0]["current_period_end"] = json!(start + 365 * 86_400);
    });
    for both in [&stand_in as &dyn Ahead, &app] {
        both.ahead(Duration::minutes(1));
    }
    import(&app).await;
    assert_eq!(found(&app, &run(&app).await).await, []);
    // A mirror whose reader takes the span of all items, and doesn't know them.
    let wrong = "WITH span AS (
            SELECT subscription_id, min(period_start) AS start, max(period_end) AS end FROM subscription_items GROUP BY 1
        ), items AS (
            UPDATE subscription_items item SET period_start = span.start, period_end = span.end FROM span
            WHERE span.subscription_id = item.subscription_id
        )
        UPDATE subscriptions SET event_created_at = event_created_at FROM span WHERE id = span.subscription_id";
    sqlx::query(wrong).execute(&app.db).await.unwrap();
    let noticed = run(&app).await;
    assert_eq!(found(&app, &noticed).await, [("subscription_drift".to_owned(), "subscription".to_owned(), id)]);
    let field = one(&app, "SELECT field FROM reconciliation_discrepancies WHERE confirmed").await;
    assert_eq!(field, "metered_period");
    for both in [&stand_in as &dyn Ahead, &app] {
        both.ahead(Duration::minutes(1));
    }
    let repair = reconcile::repair_all(&app.platform, &by(), &noticed.id.to_string()).await.unwrap();
    assert_eq!((repair.repaired, repair.failed), (1, 0));
    assert_eq!(found(&app, &run(&app).await).await, []);
}

/// Drift of every kind that objects and events can have, and the expected discrepancies.
async fn drift(stand_in: &StandIn, app: &TestApp) -> Vec<(String, String, String)> {
    let invoices: Vec<String> = stand_in.work(|store| {
        store.all("invoice").objects.values().filter_map(|invoice| Some(invoice["id"].as_str()?.to_owned())).take(6).collect()
    });
    let mut expected: Vec<(Kind, &str, String)> = Vec::new();
    stand_in.tamper("invoice", &invoices[0], |invoice| invoice["total"] = json!(49_900 + 150_000));
    expected.push((Kind::Amount, "invoice", invoices[0].clone()));
    stand_in.tamper("invoice", &invoices[1], |invoice| invoice["status"] = json!("uncollectible"));
    expected.push((Kind::Status, "invoice", invoices[1].clone()));
    stand_in.tamper("invoice", &invoices[2], |invoice| invoice["currency"] = json!("eur"));
    expected.push((Kind::Currency, "invoice", invoices[2].clone()));
    stand_in.lose("invoice", &invoices[3]);
    expected.push((Kind::MissingInStripe, "invoice", invoices[3].clone()));
    let lost = "DELETE FROM invoices WHERE stripe_invoice_id = $1";
    sqlx::query(lost).bind(&invoices[4]).execute(&app.db).await.unwrap();
    expected.push((Kind::MissingLocally, "invoice", invoices[4].clone()));
    let charge = newest_of(stand_in, "charge", "cus_lumen");
    stand_in.tamper("charge", &charge, |charge| charge["amount_refunded"] = json!(700));
    expected.push((Kind::Amount, "charge", charge));
    // The unknown customer doesn't matter.
    stand_in.tamper("charge", &newest_of(stand_in, "charge", "cus_stranger"), |charge| charge["amount_refunded"] = json!(700));
    let subscription = newest(stand_in, "subscription");
    stand_in.tamper("subscription", &subscription, |subscription| {
        subscription["cancel_at_period_end"] = json!(true);
        subscription["items"]["data"][0]["quantity"] = json!(3);
    });
    expected.push((Kind::SubscriptionDrift, "subscription", subscription));
    let payment = stand_in.work(|store| {
        let of_lumen = |payment: &&Value| {
            payment["invoice"]
                .as_str()
                .and_then(|invoice| store.get("invoice", invoice))
                .is_some_and(|invoice| invoice["customer"] == "cus_lumen")
        };
        store.all("invoice_payment").objects.values().rev().find(of_lumen).unwrap()["id"].as_str().unwrap().to_owned()
    });
    stand_in.tamper("invoice_payment", &payment, |payment| payment["amount_paid"] = json!(1));
    expected.push((Kind::Amount, "invoice_payment", payment));
    let refund = newest(stand_in, "refund");
    stand_in.tamper("refund", &refund, |refund| refund["status"] = json!("failed"));
    expected.push((Kind::Status, "refund", refund));
    let credit_note = newest(stand_in, "credit_note");
    stand_in.tamper("credit_note", &credit_note, |credit_note| credit_note["status"] = json!("void"));
    expected.push((Kind::Status, "credit_note", credit_note));
    stand_in.tamper("customer", "cus_lumen", |customer| customer["balance"] = json!(-2_000));
    expected.push((Kind::Amount, "customer", "cus_lumen".into()));
    let event = stand_in.events().last().unwrap()["id"].as_str().unwrap().to_owned();
    sqlx::query("DELETE FROM stripe_webhook_events WHERE stripe_event_id = $1").bind(&event).execute(&app.db).await.unwrap();
    expected.push((Kind::MissedEvent, "event", event));
    let mut expected: Vec<_> = expected.into_iter().map(|(kind, object, id)| (kind.to_string(), object.to_owned(), id)).collect();
    expected.sort();
    expected
}

#[tokio::test]
async fn exactly_the_drift_is_found_and_repaired() {
    let (stand_in, app) = in_step().await;
    let expected = drift(&stand_in, &app).await;
    let first = run(&app).await;
    assert_eq!(found(&app, &first).await, expected);
    assert_eq!((first.status, first.within_tolerance), (ReconciliationStatus::Completed, Some(false)));
    let discrepancies = "SELECT count(*)::text FROM billing_audit WHERE event_type = 'reconciliation.discrepancy'";
    assert_eq!(one(&app, discrepancies).await, expected.len().to_string());
    // 1,500 dollars of one invoice alone exceed the alert threshold of a thousand.
    assert_eq!(
        one(&app, "SELECT string_agg(event_type, ',' ORDER BY id) FROM events WHERE event_type LIKE 'reconciliation.%'").await,
        "reconciliation.completed,reconciliation.out_of_tolerance,reconciliation.alert"
    );
    for both in [&stand_in as &dyn Ahead, &app] {
        both.ahead(Duration::minutes(1));
    }
    let repair = reconcile::repair_all(&app.platform, &by(), &first.id.to_string()).await.unwrap();
    // A paid invoice that Stripe does not have can't be repaired from there.
    assert_eq!((repair.repaired, repair.failed, repair.left), (expected.len() as i64 - 1, 1, 0));
    assert_eq!(
        one(&app, "SELECT count(*) FILTER (WHERE event_type = 'reconciliation.repaired') || ' ' || count(*) FILTER (WHERE event_type = 'reconciliation.repair_failed') FROM billing_audit").await,
        format!("{} 1", expected.len() - 1)
    );
    let second = run(&app).await;
    let left: Vec<_> = found(&app, &second).await.into_iter().map(|(kind, object, _)| (kind, object)).collect();
    assert_eq!(left, [("missing_in_stripe".to_owned(), "invoice".to_owned())]);
}

#[tokio::test]
async fn resolved_differences_are_no_discrepancies() {
    let (stand_in, app) = in_step().await;
    let invoice = stand_in.work(|store| store.all("invoice").objects.values().next().unwrap()["id"].as_str().unwrap().to_owned());
    stand_in.tamper("invoice", &invoice, |invoice| invoice["total"] = json!(1));
    let stages = Arc::new(Mutex::new(Vec::new()));
    let (heard, inside) = (stages.clone(), stand_in.shared.clone());
    // At the second comparison, Stripe is back in its old state.
    let listener: Listener = Arc::new(move |progress| {
        heard.lock().unwrap().push(progress.stage.clone());
        if progress.stage == "second_look" {
            let mut store = inside.store();
            let mut kept = store.get("invoice", &invoice).unwrap().clone();
            kept["total"] = json!(49_900);
            store.put("invoice", kept);
        }
    });
    let done = work(&app.platform, &Asked::default(), None).await.carry_out(&listener, &CancellationToken::new()).await.unwrap();
    assert_eq!(found(&app, &done).await, []);
    assert_eq!(done.within_tolerance, Some(true));
    assert!(stages.lock().unwrap().contains(&"second_look".to_owned()));
}

#[tokio::test]
async fn stripe_errors_fail_the_run_and_it_resumes() {
    let (stand_in, app) = in_step().await;
    for fault in [Fault::status(500).times(1000), Fault::half_a_body().times(1000), Fault::status(429).retry_after(3600).times(1000)] {
        let request = Some(Uuid::new_v4());
        stand_in.fault(fault.on("GET", "/v1/invoices").after(1));
        let patient = impatient(&app);
        let failed = work(&patient, &Asked::default(), request).await.carry_out(&silent(), &CancellationToken::new()).await.unwrap();
        assert_eq!((failed.status, failed.within_tolerance, failed.stage.as_str()), (ReconciliationStatus::Failed, None, "invoices"));
        assert!(failed.error.as_deref().unwrap().contains("had reached the invoices"), "{:?}", failed.error);
        stand_in.shared.faults.lock().unwrap().clear();
        let again = work(&impatient(&app), &Asked::default(), request).await.carry_out(&silent(), &CancellationToken::new()).await.unwrap();
        assert_eq!((again.id, again.status, again.within_tolerance), (failed.id, ReconciliationStatus::Completed, Some(true)));
        assert_eq!(again.checked.invoices, INVOICES);
        assert!(matches!(reconcile::begin(&app.platform, &by(), &Asked::default(), request, false).await.unwrap(), Begun::Ended(_)));
    }
}

#[tokio::test]
async fn a_dead_runs_scope_is_exclusive_and_resumes() {
    let (_stand_in, app) = in_step().await;
    let mine = work(&app.platform, &Asked::default(), None).await;
    let id = mine.id();
    let busy = reconcile::begin(&app.platform, &by(), &Asked::default(), None, false).await.err().unwrap();
    assert_eq!(busy.code(), ErrorCode::ReconciliationRunning);
    // The connection closes, and releases the lock.
    drop(mine);
    let mut tended = 0;
    while tended == 0 {
        tended = reconcile::tend(&app.platform).await.unwrap();
        tokio::task::yield_now().await;
    }
    let run = reconcile::detail(&app.platform, &id.to_string(), apex_billing::domain::list::ListQuery::default()).await.unwrap();
    assert_eq!((run.summary.status, run.summary.within_tolerance), (ReconciliationStatus::Completed, Some(true)));
}

#[tokio::test]
async fn dry_runs_leave_no_rows_and_cancelled_ones_say_so() {
    let (stand_in, app) = in_step().await;
    let expected = drift(&stand_in, &app).await;
    let Begun::Ours(dry) = reconcile::begin(&app.platform, &by(), &Asked::default(), None, true).await.unwrap() else { panic!("over") };
    let (summary, discrepancies) = dry.rehearse(&silent(), &CancellationToken::new()).await.unwrap();
    assert_eq!((summary.within_tolerance, discrepancies.len()), (Some(false), expected.len()));
    let nothing = "SELECT (SELECT count(*) FROM reconciliations) || ' ' || (SELECT count(*) FROM billing_audit WHERE event_type LIKE 'reconciliation.%')
                   || ' ' || (SELECT count(*) FROM events WHERE event_type LIKE 'reconciliation.%')";
    assert_eq!(one(&app, nothing).await, "0 0 0");

    let cancel = CancellationToken::new();
    cancel.cancel();
    let cancelled = work(&app.platform, &Asked::default(), None).await.carry_out(&silent(), &cancel).await.unwrap();
    assert_eq!((cancelled.status, cancelled.within_tolerance), (ReconciliationStatus::Cancelled, None));
    let abandoned = work(&app.platform, &Asked::default(), None).await;
    let id = abandoned.id().to_string();
    drop(abandoned);
    let mut status = ReconciliationStatus::Running;
    while status == ReconciliationStatus::Running {
        status = reconcile::cancel(&app.platform, &by(), &id).await.unwrap().status;
        tokio::task::yield_now().await;
    }
    assert_eq!(status, ReconciliationStatus::Cancelled);
}

#[tokio::test]
async fn the_api_follows_the_contract() {
    let (stand_in, app) = in_step().await;
    let admin = app.sign_in(Role::Admin, None).await;
    let keyed = |key: &str| admin.clone().with_header("idempotency-key", key);
    keyed("k-1").post(RECONCILE, "application/json", b"{".to_vec()).await.problem(400, "invalid_json");
    keyed("k-2").post_json(RECONCILE, &json!({"from": "2026-11-02", "to": "2026-11-01"})).await.problem(422, "invalid_parameter");
    keyed("k-3").post_json(RECONCILE, &json!({"customer_id": Uuid::new_v4()})).await.problem(422, "invalid_parameter");
    keyed("k-4").post_json(RECONCILE, &json!({"surprise": 1})).await.problem(422, "invalid_parameter");
    keyed("k-5").post(RECONCILE, "text/plain", b"{}".to_vec()).await.problem(415, "unsupported_media_type");
    admin.post(RECONCILE, "application/json", Vec::new()).await.problem(400, "idempotency_key_missing");
    let customer = app.add_customer("other").await;
    let publisher = app.sign_in(Role::Publisher, Some(customer)).await;
    publisher.with_header("idempotency-key", "k-6").post(RECONCILE, "application/json", Vec::new()).await.problem(403, "forbidden");
    assert_eq!(one(&app, "SELECT count(*)::text FROM reconciliations").await, "0");
    stand_in.seed_customer("other");

    let answer = keyed("k-7").post(RECONCILE, "application/json", Vec::new()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body: Value = answer.json();
    assert_eq!((&body["success"], &body["within_tolerance"], &body["total_discrepancy_amount"]), (&json!(true), &json!(true), &json!(0)));
    assert_eq!(body["checked"]["invoices"], INVOICES);
    for member in ["reconciliation_id", "timestamp", "discrepancies", "currency_totals", "repaired"] {
        assert!(!body[member].is_null(), "{member}");
    }
    let again = keyed("k-7").post(RECONCILE, "application/json", Vec::new()).await;
    assert_eq!((again.body, again.headers.get("idempotent-replayed").is_some()), (answer.body, true));

    drift(&stand_in, &app).await;
    // Two runs of the same instant may have any order.
    app.advance(time::Duration::SECOND);
    let drifted = keyed("k-8").post(RECONCILE, "application/json", Vec::new()).await.json();
    let amount =
        drifted["discrepancies"].as_array().unwrap().iter().find(|it| it["kind"] == "amount" && it["object"] == "invoice").unwrap();
    assert_eq!(
        (&amount["internal_value"], &amount["stripe_value"], &amount["difference"]),
        (&json!(49_900), &json!(199_900), &json!(-150_000))
    );
    assert_eq!((&amount["percentage_diff"], &amount["amount"]), (&json!(75.0375), &json!(150_000)));
    for member in ["subscription_id", "invoice_id", "metric"] {
        assert!(amount.as_object().unwrap().contains_key(member), "{member}");
    }

    let id = drifted["reconciliation_id"].as_str().unwrap();
    let listed = admin.get("/api/v1/admin/reconciliations").await.json();
    assert_eq!((&listed["pagination"]["total"], &listed["reconciliations"][0]["id"]), (&json!(2), &json!(id)));
    let missing = admin.get(&format!("/api/v1/admin/reconciliations/{id}?kind=missed_event")).await.json();
    assert_eq!((&missing["pagination"]["total"], &missing["discrepancies"][0]["kind"]), (&json!(1), &json!("missed_event")));
    admin.get("/api/v1/admin/reconciliations/nonsense").await.problem(404, "not_found");
    admin.get(&format!("/api/v1/admin/reconciliations/{id}?kind=all")).await.problem(422, "invalid_parameter");

    let page = admin.get("/admin/reconciliation").await;
    assert!(page.status == 200 && page.text().contains("Reconciliation") && page.text().contains(id), "{}", page.text());
    let page = admin.get(&format!("/admin/reconciliation/{id}")).await.text();
    assert!(page.contains("Missed event") && page.contains("Repair all") && page.contains("199900") | page.contains("1,999.00"), "{page}");
    let started = admin.post("/api/v1/admin/reconciliations", "application/x-www-form-urlencoded", Vec::new()).await;
    assert_eq!(started.status, 303);
    assert!(started.header("location").unwrap().starts_with("/admin/reconciliation/"));
}

#[tokio::test]
async fn without_a_stripe_key_nothing_is_compared() {
    let app = TestApp::start().await;
    let admin = app.sign_in(Role::Admin, None).await;
    let answer = admin.clone().with_header("idempotency-key", "k").post(RECONCILE, "application/json", Vec::new()).await;
    answer.problem(503, "stripe_not_configured");
    let page = admin.get("/admin/reconciliation").await;
    assert!(page.status == 200 && page.text().contains("not connected to Stripe"), "{}", page.text());
}

#[tokio::test]
async fn a_repairing_run_applies_missed_events() {
    let (stand_in, app) = in_step().await;
    let expected = drift(&stand_in, &app).await;
    for both in [&stand_in as &dyn Ahead, &app] {
        both.ahead(Duration::minutes(1));
    }
    let admin = app.sign_in(Role::Admin, None).await;
    let answer = admin.clone().with_header("idempotency-key", "k").post_json(RECONCILE, &json!({"repair": true})).await.json();
    assert_eq!((&answer["repaired"], &answer["discrepancy_count"]), (&json!(expected.len() - 1), &json!(expected.len())), "{answer}");
    // Discrepancies stay recorded, repaired or not.
    assert_eq!(answer["within_tolerance"], false);
    let unrepaired: Vec<_> = answer["discrepancies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| found["repaired_at"].is_null())
        .map(|found| &found["kind"])
        .collect();
    assert_eq!(unrepaired, ["missing_in_stripe"]);
    let missed = expected.iter().find(|(kind, ..)| kind == "missed_event").map(|(.., id)| id.as_str()).unwrap();
    let status: String = sqlx::query_scalar("SELECT status FROM stripe_webhook_events WHERE stripe_event_id = $1")
        .bind(missed)
        .fetch_one(&app.db)
        .await
        .unwrap();
    assert!(["applied", "ignored"].contains(&status.as_str()), "{status}");
    let audited = "SELECT count(*)::text FROM billing_audit WHERE event_type = 'reconciliation.repaired' AND actor <> 'system'";
    assert_eq!(one(&app, audited).await, (expected.len() - 1).to_string());
    let left: Vec<_> = found(&app, &run(&app).await).await.into_iter().map(|(kind, object, _)| (kind, object)).collect();
    assert_eq!(left, [("missing_in_stripe".to_owned(), "invoice".to_owned())]);
}

#[tokio::test]
async fn the_nightly_run_begins_in_its_hour_and_once() {
    let (_stand_in, app) = in_step().await;
    let begun = async || -> Vec<String> {
        sqlx::query_scalar("SELECT actor FROM reconciliations WHERE status = 'completed'").fetch_all(&app.db).await.unwrap()
    };
    let until = |hour: i64| {
        let tomorrow = app.now().replace_time(time::Time::MIDNIGHT) + Duration::DAY;
        tomorrow + Duration::hours(hour) - app.now()
    };
    reconcile::tend(&app.platform).await.unwrap();
    app.advance(until(2));
    reconcile::tend(&app.platform).await.unwrap();
    assert_eq!(begun().await, [""; 0]);
    app.advance(Duration::minutes(61));
    assert_eq!(reconcile::tend(&app.platform).await.unwrap(), 1);
    app.advance(Duration::minutes(10));
    assert_eq!(reconcile::tend(&app.platform).await.unwrap(), 0);
    assert_eq!(begun().await, ["system"]);
    // A server that starts in the morning waits for the next night.
    app.advance(until(7));
    assert_eq!(reconcile::tend(&app.platform).await.unwrap(), 0);
    app.advance(until(4));
    assert_eq!(reconcile::tend(&app.platform).await.unwrap(), 1);
    assert_eq!(begun().await.len(), 2);
}
