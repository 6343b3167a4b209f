//! A Stripe with empty or partial responses or errors; a dying process: never a false "within
//! tolerance".

use super::{AT_ONCE, Ahead, INVOICES, RECONCILE, by, in_step, in_step_under, one, run, silent, work};
use crate::{
    idempotency::{cookie_of, post},
    outgoing::impatient,
    stripe::{faults::Fault, locked::locked},
    support::{
        TestApp,
        app::PASSWORD,
        program::{Running, Workplace},
        stand_in::TestStandIn,
    },
};
use apex_billing::{
    domain::{reconcile::ReconciliationStatus, role::Role},
    service::{
        reconcile::{self, Asked},
        users,
    },
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[tokio::test]
async fn empty_lists_make_a_run_fail() {
    let (stand_in, app) = in_step().await;
    for path in ["customers", "subscriptions", "invoices", "charges", "invoice_payments", "refunds", "credit_notes"] {
        stand_in.fault(Fault::empty_list(false).on("GET", &format!("/v1/{path}")));
        let failed = run(&app).await;
        assert_eq!((failed.status, failed.within_tolerance), (ReconciliationStatus::Failed, None), "{path}");
        let error = failed.error.unwrap();
        assert!(error.contains("lists omit") && error.contains("compared"), "{path}: {error}");
    }
    // The same after the first page, or with `has_more`.
    for fault in [Fault::empty_list(false).after(1), Fault::empty_list(true)] {
        stand_in.fault(fault.on("GET", "/v1/invoices"));
        let failed = run(&app).await;
        assert_eq!((failed.status, failed.within_tolerance), (ReconciliationStatus::Failed, None), "{failed:?}");
    }
    assert_eq!(one(&app, "SELECT count(*)::text FROM reconciliations WHERE within_tolerance IS NOT NULL").await, "0");
    let well = run(&app).await;
    assert_eq!((well.status, well.within_tolerance), (ReconciliationStatus::Completed, Some(true)));
}

#[tokio::test]
async fn unordered_and_repeated_objects_count_once() {
    let (stand_in, app) = in_step().await;
    let lost = "DELETE FROM invoices WHERE stripe_invoice_id = $1";
    sqlx::query(lost).bind(super::newest_of(&stand_in, "invoice", "cus_lumen")).execute(&app.db).await.unwrap();
    let in_order = run(&app).await;
    assert_eq!((in_order.status, in_order.checked.invoices, in_order.discrepancies), (ReconciliationStatus::Completed, INVOICES, 1));
    for path in ["subscriptions", "invoices", "charges", "refunds", "credit_notes"] {
        stand_in.fault(Fault::oldest_first().on("GET", &format!("/v1/{path}")));
    }
    let out_of_order = run(&app).await;
    assert!(locked(&stand_in.shared.faults).is_empty());
    assert_eq!((out_of_order.status, out_of_order.error), (ReconciliationStatus::Completed, None));
    assert_eq!((out_of_order.checked, out_of_order.rows_checked), (in_order.checked, in_order.rows_checked));
    assert_eq!(out_of_order.discrepancies, 1);
}

#[tokio::test]
async fn timeouts_fail_the_run_too() {
    let (stand_in, app) = in_step().await;
    for fault in [Fault::hang(), Fault::malformed_json()] {
        let request = Some(Uuid::new_v4());
        stand_in.fault(fault.times(1000).on("GET", "/v1/charges"));
        let failed =
            work(&impatient(&app), &Asked::default(), request).await.carry_out(&silent(), &CancellationToken::new()).await.unwrap();
        assert_eq!((failed.status, failed.within_tolerance, failed.stage.as_str()), (ReconciliationStatus::Failed, None, "charges"));
        assert!(failed.error.as_deref().unwrap().contains("it had reached the charges and compared"), "{:?}", failed.error);
        stand_in.shared.faults.lock().unwrap().clear();
        let again = work(&app.platform, &Asked::default(), request).await.carry_out(&silent(), &CancellationToken::new()).await.unwrap();
        assert_eq!((again.id, again.within_tolerance, again.checked.invoices), (failed.id, Some(true), INVOICES));
    }
}

#[tokio::test]
async fn repairs_have_their_own_time_limit() {
    let (stand_in, app) = in_step_under(&[AT_ONCE[0], ("request-timeout-seconds = 30", "request-timeout-seconds = 4")]).await;
    let invoice = super::newest_of(&stand_in, "invoice", "cus_lumen");
    stand_in.tamper("invoice", &invoice, |invoice| invoice["total"] = json!(1));
    let found = run(&app).await;
    for both in [&stand_in as &dyn Ahead, &app] {
        both.ahead(Duration::minutes(1));
    }
    let admin = app.sign_in(Role::Admin, None).await;
    // Longer than the normal time limit of a request.
    stand_in.fault(Fault::status(429).retry_after(5).on("GET", &format!("/v1/invoices/{invoice}")));
    let answer = admin.post_json(&format!("/api/v1/admin/reconciliations/{}/repair", found.id), &json!({})).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"repaired": 1, "failed": 0, "left": 0})));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_run_resumes_with_its_key() {
    let (stand_in, app) = in_step().await;
    let place = Workplace::new();
    place.set("settle-seconds = 10", "settle-seconds = 0");
    // The jobs would resume it by themselves.
    place.set("nightly = true", "nightly = false");
    users::put(&app.platform, "ops@apex.example", PASSWORD, Role::Admin, None).await.unwrap();
    let mut server = Running::start(
        place
            .command(&["serve", "--no-migrate"])
            .env("DATABASE_URL", app.database_url())
            .env("STRIPE_WEBHOOK_SECRET", "whsec_of_the_program")
            .env("STRIPE_SECRET_KEY", crate::support::stand_in::SECRET_KEY)
            .env("STRIPE_API_BASE", stand_in.base_url()),
    );
    let credentials = json!({"email": "ops@apex.example", "password": PASSWORD}).to_string();
    let cookie = cookie_of(post(&server.address, "/api/v1/auth/login", "", &credentials));
    // The invoices are compared, the charges are not.
    stand_in.fault(Fault::hang().times(1000).on("GET", "/v1/charges"));
    let asked = || stand_in.requests().iter().filter(|request| request.path == "/v1/charges").count();
    let before = asked();
    let asking = post(&server.address, RECONCILE, &format!("Cookie: {cookie}\r\nIdempotency-Key: night\r\n"), "{}");
    let stuck = async {
        while asked() == before {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), stuck).await.expect("it comes to the charges");
    assert_eq!(server.signal(libc::SIGKILL), None);
    drop(asking);
    let before = one(&app, "SELECT id || ' ' || status || ' ' || stage || ' ' || (checked_invoices > 0) FROM reconciliations").await;
    assert!(before.ends_with(" running charges true"), "{before}");

    stand_in.shared.faults.lock().unwrap().clear();
    // The program uses the real time, not the tests'; its lease on the key has to expire.
    app.advance(OffsetDateTime::now_utc() - app.now());
    let person = app.client().with_header("cookie", &cookie).with_header("idempotency-key", "night");
    person.post_json(RECONCILE, &json!({})).await.problem(409, "idempotency_in_progress");
    app.advance(Duration::seconds(20));
    // The connection with the scope's lock takes a moment to close.
    let taken_up = async {
        loop {
            let answer = person.post_json(RECONCILE, &json!({})).await;
            if answer.status != 409 {
                break answer;
            }
        }
    };
    let done = tokio::time::timeout(std::time::Duration::from_secs(60), taken_up).await.expect("it is taken up");
    assert_eq!(done.status, 200, "{}", done.text());
    let done: Value = done.json();
    assert!(before.starts_with(done["reconciliation_id"].as_str().unwrap()), "{before} {done}");
    assert_eq!((&done["within_tolerance"], &done["checked"]["invoices"]), (&json!(true), &json!(INVOICES)));
    let types = "SELECT string_agg(event_type, ',' ORDER BY id) FROM billing_audit WHERE event_type LIKE 'reconciliation.%'";
    assert_eq!(one(&app, types).await, "reconciliation.started,reconciliation.completed");
    assert_eq!(one(&app, "SELECT count(*)::text FROM reconciliations").await, "1");
}

#[tokio::test]
async fn an_interrupted_repair_is_completed_by_the_next() {
    let (stand_in, app): (_, TestApp) = in_step().await;
    let invoice = super::newest_of(&stand_in, "invoice", "cus_lumen");
    stand_in.tamper("invoice", &invoice, |invoice| invoice["total"] = json!(1));
    let found = run(&app).await;
    for both in [&stand_in as &dyn Ahead, &app] {
        both.ahead(Duration::minutes(1));
    }
    // Stripe becomes unavailable: the run's repair ends with an error, and nothing is reported as
    // repaired.
    stand_in.fault(Fault::status(500).times(1000).on("GET", &format!("/v1/invoices/{invoice}")).after(1));
    let cut = reconcile::repair_all(&impatient(&app), &by(), &found.id.to_string()).await;
    assert!(cut.is_err());
    assert_eq!(one(&app, "SELECT count(*)::text FROM billing_audit WHERE event_type LIKE 'reconciliation.repair%'").await, "0");
    stand_in.shared.faults.lock().unwrap().clear();
    let repair = reconcile::repair_all(&app.platform, &by(), &found.id.to_string()).await.unwrap();
    assert_eq!((repair.repaired, repair.failed, repair.left), (1, 0, 0));
}
