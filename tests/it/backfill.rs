//! Backfills from Stripe, and fetching what events omit.

use crate::{
    outgoing::{connected_to, impatient},
    stand_in::client::post,
    stripe::{StandIn, faults::Fault},
    support::{TestApp, app::NOW, stand_in::TestStandIn},
};
use apex_billing::{
    domain::error_code::ErrorCode,
    service::{
        Error, Platform,
        backfill::{self, Gap, Progress, Report},
        complete_objects,
        webhooks::apply_waiting,
    },
    store::postgres::backfill::{Lead, Task},
};
use serde_json::{Value, json};
use time::Duration;

async fn one(app: &TestApp, sql: &'static str) -> String {
    sqlx::query_scalar::<_, Option<String>>(sql).fetch_one(&app.db).await.unwrap().unwrap_or_default()
}

async fn events(platform: &Platform) -> Result<Report, Error> {
    backfill::events(platform, &|_| ()).await.map(|report| report.expect("no concurrent read"))
}

async fn full(platform: &Platform) -> Result<Report, Error> {
    backfill::full(platform, &|_| ()).await.map(|report| report.expect("no concurrent read"))
}

fn counted(report: &Report) -> Vec<(&str, i64, i64)> {
    report.streams.iter().map(|Progress { stream, read, stored }| (*stream, *read, *stored)).collect()
}

/// A stand-in with a customer that the platform knows.
async fn with_lumen() -> (StandIn, TestApp) {
    let stand_in = StandIn::start().await;
    stand_in.seed_customer("lumen");
    let app = connected_to(&stand_in).await;
    app.add_customer("lumen").await;
    (stand_in, app)
}

/// Events of the customer without webhooks.
fn miss(stand_in: &StandIn, count: i64) {
    stand_in.work(|store| {
        for balance in 1..=count {
            store.change("customer", "cus_lumen", &["customer.updated"], |customer| customer["balance"] = json!(-balance)).unwrap();
        }
    });
}

/// An open invoice with this many lines, created through Stripe's API.
async fn invoice_with_lines(stand_in: &StandIn, lines: usize) -> String {
    let invoice = post(stand_in, "v1/invoices", "customer=cus_lumen").await;
    let id = invoice["id"].as_str().unwrap().to_owned();
    let lines: Vec<String> = (0..lines).map(|line| format!("lines[{line}][amount]=1000&lines[{line}][description]=l{line}")).collect();
    for some in lines.chunks(50) {
        post(stand_in, &format!("v1/invoices/{id}/add_lines"), &some.join("&")).await;
    }
    post(stand_in, &format!("v1/invoices/{id}/finalize"), "").await;
    id
}

const LINES: &str =
    "SELECT string_agg(lines_complete || ' ' || (SELECT count(*) FROM invoice_line_items WHERE invoice_id = id), ',') FROM invoices";
const STATUSES: &str =
    "SELECT string_agg(status || ' ' || n, ', ' ORDER BY status) FROM (SELECT status, count(*) n FROM stripe_webhook_events GROUP BY 1) _";

#[tokio::test]
async fn missed_events_are_read_and_applied_once() {
    let (stand_in, app) = with_lumen().await;
    miss(&stand_in, 230);
    // One of them was delivered.
    app.deliver(&stand_in.events()[..1]).await;
    let heard = std::sync::Mutex::new(Vec::new());
    let report = backfill::events(&app.platform, &|progress| heard.lock().unwrap().push(progress.read)).await.unwrap().unwrap();
    assert_eq!(counted(&report), [("events", 230, 229)]);
    assert_eq!(*heard.lock().unwrap(), [100, 200, 230]);
    assert_eq!(one(&app, STATUSES).await, "applied 230");
    assert_eq!(one(&app, "SELECT balance::text FROM customers").await, "-230");
    // The event is stored as Stripe wrote it.
    assert!(
        one(&app, "SELECT payload FROM stripe_webhook_events ORDER BY id DESC LIMIT 1")
            .await
            .contains("\"api_version\": \"2026-07-29.dahlia\"")
    );

    assert_eq!(counted(&events(&app.platform).await.unwrap()), [("events", 230, 0)]);
    // Later runs only read new events, with some overlap.
    let last = stand_in.requests().pop().unwrap();
    assert_eq!(last.params["created"]["gte"], (NOW - Duration::minutes(10)).unix_timestamp().to_string());
}

#[tokio::test]
async fn an_interrupted_run_resumes() {
    let (stand_in, app) = with_lumen().await;
    miss(&stand_in, 450);
    let platform = impatient(&app);
    for (fault, kept) in [
        (Fault::half_a_body().after(2).times(1000), "200 2"),
        (Fault::status(429).retry_after(3600).after(1), "300 3"),
        (Fault::hang().times(1000), "300 3"),
    ] {
        stand_in.fault(fault.on("GET", "/v1/events"));
        let error = events(&impatient(&app)).await.unwrap_err();
        assert!(matches!(error, Error::StripeUnavailable(_)), "{error:?}");
        let position =
            "SELECT read || ' ' || (SELECT count(*) / 100 FROM stripe_webhook_events) FROM stripe_backfill WHERE stream = 'events'";
        assert_eq!(one(&app, position).await, kept);
        stand_in.shared.faults.lock().unwrap().clear();
    }
    // Temporary errors are retried.
    for fault in [Fault::status(429), Fault::status(500), Fault::malformed_json(), Fault::half_a_body()] {
        stand_in.fault(fault.on("GET", "/v1/events"));
    }
    miss(&stand_in, 3);
    assert_eq!(counted(&events(&platform).await.unwrap()), [("events", 450, 450)]);
    assert_eq!(counted(&events(&platform).await.unwrap()), [("events", 453, 3)]);
    assert_eq!(one(&app, STATUSES).await, "applied 453");
}

#[tokio::test]
async fn a_killed_run_leaves_its_lock_and_its_position() {
    let (stand_in, app) = with_lumen().await;
    miss(&stand_in, 350);
    let second_page = tokio::sync::Notify::new();
    let listener = |progress: &Progress| {
        if progress.read == 200 {
            second_page.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = second_page.notified() => {}
        done = backfill::events(&app.platform, &listener) => panic!("{done:?}"),
    }
    // The server soon notices that the connection with the lock is closed.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let report = loop {
        if let Some(report) = backfill::events(&app.platform, &|_| ()).await.unwrap() {
            break report;
        }
        assert!(std::time::Instant::now() < deadline, "the lead was never given up");
        tokio::task::yield_now().await;
    };
    assert_eq!(counted(&report), [("events", 350, 350)]);
    assert_eq!(one(&app, STATUSES).await, "applied 350");
    // Two or three pages of the killed run; from the start it would be four more.
    assert!(stand_in.requests().len() <= 5, "{}", stand_in.requests().len());
}

#[tokio::test]
async fn only_one_process_reads_at_a_time() {
    let (stand_in, app) = with_lumen().await;
    let other = Lead::take(&app.db, Task::Events).await.unwrap().unwrap();
    assert_eq!(backfill::events(&app.platform, &|_| ()).await.unwrap(), None);
    assert!(stand_in.requests().is_empty());
    // Another task has its own lock.
    full(&app.platform).await.unwrap();
    other.give_up().await.unwrap();
    events(&app.platform).await.unwrap();
}

#[tokio::test]
async fn a_gap_beyond_stripes_retention_is_reported() {
    let (_stand_in, app) = with_lumen().await;
    assert_eq!(events(&app.platform).await.unwrap().gap, Some(Gap { from: None, to: NOW - Duration::days(30) }));
    assert_eq!(events(&app.platform).await.unwrap().gap, None);
    app.advance(Duration::days(45));
    let gap = events(&app.platform).await.unwrap().gap;
    assert_eq!(gap, Some(Gap { from: Some(NOW), to: NOW + Duration::days(15) }));

    let (_stand_in, app) = with_lumen().await;
    full(&app.platform).await.unwrap();
    assert_eq!(events(&app.platform).await.unwrap().gap, None);
}

#[tokio::test]
async fn an_expired_cursor_restarts_the_read() {
    let (stand_in, app) = with_lumen().await;
    miss(&stand_in, 150);
    stand_in.fault(Fault::status(500).after(1).times(1000));
    events(&impatient(&app)).await.unwrap_err();
    stand_in.shared.faults.lock().unwrap().clear();
    sqlx::query("UPDATE stripe_backfill SET cursor = 'evt_gone'").execute(&app.db).await.unwrap();
    assert_eq!(counted(&events(&app.platform).await.unwrap()), [("events", 150, 50)]);
}

#[tokio::test]
async fn without_a_key_there_is_nothing_to_read() {
    let app = TestApp::start().await;
    for error in [events(&app.platform).await.unwrap_err(), full(&app.platform).await.unwrap_err()] {
        assert_eq!((error.status(), error.code()), (503, ErrorCode::StripeNotConfigured));
    }
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 0);
}

/// A full import of 120 paid invoices, a long one and all related objects.
const MIRRORED: &str = "SELECT concat_ws(' ', (SELECT count(*) FROM invoices), (SELECT count(*) FROM invoice_line_items), (SELECT count(*) FROM invoice_payments),
    (SELECT count(*) FROM charges), (SELECT count(*) FROM refunds), (SELECT count(*) FROM credit_notes), (SELECT count(*) FROM subscriptions))";

async fn an_account(stand_in: &StandIn) {
    stand_in.seed_invoices("cus_lumen", 120);
    let long = invoice_with_lines(stand_in, 123).await;
    post(stand_in, "v1/credit_notes", &format!("invoice={long}&amount=500")).await;
    let charge = stand_in.shared.store().all("charge").objects.values().next().unwrap()["id"].as_str().unwrap().to_owned();
    post(stand_in, "v1/refunds", &format!("charge={charge}&amount=100")).await;
    let price = post(stand_in, "v1/prices", "currency=usd&unit_amount=49900&recurring[interval]=month").await;
    let subscription =
        post(stand_in, "v1/subscriptions", &format!("customer=cus_lumen&items[0][price]={}", price["id"].as_str().unwrap())).await;
    crate::stand_in::client::ask(stand_in, "DELETE", &format!("v1/subscriptions/{}", subscription["id"].as_str().unwrap()), "")
        .await
        .done();
}

#[tokio::test]
async fn a_full_import_passes_through_the_inbox() {
    let (stand_in, app) = with_lumen().await;
    an_account(&stand_in).await;
    stand_in.seed_customer("stranger");
    stand_in.seed_invoices("cus_stranger", 2);
    let invoices = i64::try_from(stand_in.shared.store().all("invoice").objects.len()).unwrap();
    let report = full(&app.platform).await.unwrap();
    let read: Vec<_> = counted(&report).into_iter().map(|(stream, read, stored)| (stream, read == stored, read)).collect();
    assert_eq!(read[..3], [("customers", true, 2), ("subscriptions", true, 1), ("invoices", true, invoices)]);
    assert_eq!(one(&app, "SELECT status || ' ' || deleted FROM subscriptions").await, "canceled false");
    assert_eq!(one(&app, "SELECT max(amount_refunded)::text FROM invoices").await, "100");
    assert_eq!(one(&app, "SELECT count(*)::text FROM invoices WHERE NOT lines_complete").await, "0");
    let longest = "SELECT max(n)::text FROM (SELECT count(*) n FROM invoice_line_items GROUP BY invoice_id) _";
    assert_eq!(one(&app, longest).await, "123");
    // Unknown customers' events stay in the inbox.
    assert_eq!(
        one(&app, "SELECT count(*)::text FROM stripe_webhook_events WHERE status = 'ignored' AND awaits_customer = 'cus_stranger'").await,
        {
            let store = stand_in.shared.store();
            let of_stranger = |kind: &str| store.all(kind).objects.values().filter(|object| object["customer"] == "cus_stranger").count();
            (1 + of_stranger("invoice") + of_stranger("charge")).to_string()
        }
    );

    // Applying the inbox to an empty mirror gives the same result.
    let before = (one(&app, MIRRORED).await, one(&app, "SELECT sum(amount_paid)::text FROM invoices").await);
    sqlx::raw_sql(
        "TRUNCATE invoices, invoice_line_items, subscriptions, subscription_items, invoice_payments, charges, refunds, credit_notes, billed_usage;
         UPDATE stripe_webhook_events SET status = 'received', attempts = 0, customer_id = NULL;
         UPDATE customers SET event_id = NULL",
    )
    .execute(&app.db)
    .await
    .unwrap();
    while apply_waiting(&app.platform, 500).await.unwrap() > 0 {}
    assert_eq!((one(&app, MIRRORED).await, one(&app, "SELECT sum(amount_paid)::text FROM invoices").await), before);

    // Fetched objects are not part of an invoice's timeline.
    let (id, customer): (uuid::Uuid, uuid::Uuid) =
        sqlx::query_as("SELECT id, customer_id FROM invoices WHERE status = 'paid' LIMIT 1").fetch_one(&app.db).await.unwrap();
    let reader = app.sign_in(apex_billing::domain::role::Role::Readonly, Some(apex_billing::domain::identity::CustomerId(customer))).await;
    assert_eq!(reader.get(&format!("/api/v1/billing/invoices/{id}")).await.json()["timeline"], json!([]));
}

#[tokio::test]
async fn an_interrupted_import_loses_and_doubles_nothing() {
    let (stand_in, app) = with_lumen().await;
    an_account(&stand_in).await;
    for fault in [
        Fault::half_a_body().on("GET", "/v1/subscriptions").times(1000),
        Fault::status(503).on("GET", "/v1/invoices/*").times(1000),
        Fault::status(500).on("GET", "/v1/invoices").after(1).times(1000),
        Fault::hang().on("GET", "/v1/charges").times(1000),
    ] {
        stand_in.fault(fault);
        assert!(matches!(full(&impatient(&app)).await.unwrap_err(), Error::StripeUnavailable(_)));
        stand_in.shared.faults.lock().unwrap().clear();
        app.advance(Duration::seconds(90));
        stand_in.advance(Duration::seconds(90));
    }
    full(&app.platform).await.unwrap();
    assert_eq!(one(&app, "SELECT max(n)::text FROM (SELECT count(*) n FROM stripe_webhook_events GROUP BY object_id) _").await, "1");
    let in_stripe: usize = {
        let store = stand_in.shared.store();
        ["customer", "subscription", "invoice", "invoice_payment", "credit_note", "charge", "refund"]
            .iter()
            .map(|kind| store.all(kind).objects.len())
            .sum()
    };
    assert_eq!(one(&app, "SELECT count(*)::text FROM stripe_webhook_events").await, in_stripe.to_string());
}

#[tokio::test]
async fn lines_that_an_event_omits_are_fetched() {
    let (stand_in, app) = with_lumen().await;
    let id = invoice_with_lines(&stand_in, 123).await;
    app.deliver(&stand_in.events()).await;
    assert_eq!(one(&app, LINES).await, "false 10");
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    assert_eq!(one(&app, LINES).await, "true 123");
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 0);
    assert_eq!(one(&app, "SELECT sum(amount)::text FROM invoice_line_items").await, "123000");

    // A later event has the first ten lines again, which the mirror knows to be incomplete (case
    // B7).
    let finalized = stand_in.events().into_iter().rfind(|event| event["type"] == "invoice.finalized").unwrap();
    let pass = |minutes: i64| {
        app.advance(Duration::minutes(minutes));
        stand_in.advance(Duration::minutes(minutes));
    };
    let later = |minutes: i64, more: Value| {
        pass(5);
        let mut later = finalized.clone();
        (later["id"], later["type"]) = (json!(format!("evt_{minutes}")), json!("invoice.sent"));
        later["created"] = json!((NOW + Duration::minutes(minutes)).unix_timestamp());
        for (name, value) in more.as_object().unwrap() {
            later["data"]["object"][name] = value.clone();
        }
        later
    };
    app.deliver(&[later(5, json!({"description": "Sent"}))]).await;
    assert_eq!(one(&app, LINES).await, "true 123");
    assert_eq!(one(&app, "SELECT description FROM invoices").await, "Sent");
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 0);
    // Unless the amounts show that these are others; then they are fetched again.
    app.deliver(&[later(10, json!({"subtotal": 1, "total": 1}))]).await;
    assert_eq!(one(&app, LINES).await, "false 10");
    pass(1);
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    assert_eq!(one(&app, LINES).await, "true 123");
    app.deliver(&[later(15, json!({"lines": {"has_more": true, "data": [{"id": "il_other", "amount": 1_000}]}}))]).await;
    assert_eq!(one(&app, LINES).await, "false 1");
    // Failed fetches are retried with growing delays.
    stand_in.lose("invoice", &id);
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    assert_eq!(one(&app, "SELECT attempts || ' ' || last_error FROM stripe_fetches").await, "1 the invoice was deleted in Stripe");
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 0);
    app.advance(Duration::minutes(2));
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
}

/// The lines of a draft may change with every event.
#[tokio::test]
async fn a_drafts_lines_are_fetched_again() {
    let (stand_in, app) = with_lumen().await;
    let invoice = post(&stand_in, "v1/invoices", "customer=cus_lumen").await;
    let id = invoice["id"].as_str().unwrap();
    let lines: Vec<String> = (0..12).map(|line| format!("lines[{line}][amount]=1000")).collect();
    post(&stand_in, &format!("v1/invoices/{id}/add_lines"), &lines.join("&")).await;
    app.deliver(&stand_in.events()).await;
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    assert_eq!(one(&app, LINES).await, "true 12");
    stand_in.advance(Duration::minutes(5));
    app.advance(Duration::minutes(5));
    post(&stand_in, &format!("v1/invoices/{id}"), "description=Draft").await;
    app.deliver(&stand_in.events().split_off(stand_in.events().len() - 1)).await;
    assert_eq!(one(&app, LINES).await, "false 10");
    stand_in.advance(Duration::minutes(1));
    app.advance(Duration::minutes(1));
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    assert_eq!(one(&app, LINES).await, "true 12");
}

#[tokio::test]
async fn lines_of_a_long_credit_note_are_fetched() {
    const LINES: &str = "SELECT lines_complete || ' ' || jsonb_array_length(lines) FROM credit_notes";
    let (stand_in, app) = with_lumen().await;
    let invoice = invoice_with_lines(&stand_in, 1).await;
    let lines: Vec<String> = (0..112)
        .map(|line| format!("lines[{line}][type]=custom_line_item&lines[{line}][amount]=5&lines[{line}][description]=c{line}"))
        .collect();
    post(&stand_in, "v1/credit_notes", &format!("invoice={invoice}&{}", lines.join("&"))).await;
    app.deliver(&stand_in.events()).await;
    assert_eq!(one(&app, LINES).await, "false 10");
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    assert_eq!(one(&app, LINES).await, "true 112");
    assert_eq!(one(&app, "SELECT lines -> 111 ->> 'description' FROM credit_notes").await, "c111");
    // A later void event has the first ten again.
    stand_in.advance(Duration::minutes(5));
    app.advance(Duration::minutes(5));
    let id = one(&app, "SELECT stripe_credit_note_id FROM credit_notes").await;
    post(&stand_in, &format!("v1/credit_notes/{id}/void"), "").await;
    app.deliver(&stand_in.events()).await;
    assert_eq!(one(&app, LINES).await, "true 112");
    assert_eq!(one(&app, "SELECT status FROM credit_notes").await, "void");
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 0);
}

fn thin(id: &str, kind: &str, object: &str) -> Value {
    json!({"id": id, "object": "v2.core.event", "type": format!("v1.{kind}.updated"), "created": "2026-11-22T15:50:00.250Z", "livemode": false,
        "related_object": {"id": object, "type": kind, "url": "/v1/payouts"}})
}

const FATES: &str = "SELECT string_agg(status || coalesce(': ' || last_error, ''), '; ' ORDER BY id) FROM stripe_webhook_events WHERE stripe_event_id LIKE 'evt_%'";

#[tokio::test]
async fn the_object_of_a_thin_event_is_fetched() {
    let (stand_in, app) = with_lumen().await;
    let invoice = invoice_with_lines(&stand_in, 12).await;
    let asked = stand_in.requests().len();
    app.deliver(&[thin("evt_1", "invoice", &invoice), thin("evt_2", "billing.meter", "mtr_1")]).await;
    let ignored = "ignored: a thin event: its object must be fetched";
    assert_eq!(one(&app, FATES).await, format!("received; {ignored}"));
    // Only a fetch finishes it.
    assert_eq!(apply_waiting(&app.platform, 10).await.unwrap(), 0);
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    assert_eq!(one(&app, FATES).await, format!("applied; {ignored}"));
    assert_eq!(one(&app, LINES).await, "true 12");
    let paths: Vec<String> = stand_in.requests().into_iter().skip(asked).map(|request| request.path).collect();
    assert_eq!(paths, [format!("/v1/invoices/{invoice}"), format!("/v1/invoices/{invoice}/lines")]);
    assert_eq!(
        one(&app, "SELECT count(DISTINCT customer_id)::text || count(*) FROM stripe_webhook_events WHERE customer_id IS NOT NULL").await,
        "12"
    );
}

#[tokio::test]
async fn a_thin_event_about_nothing_is_ignored_with_the_reason() {
    let (stand_in, app) = with_lumen().await;
    stand_in.seed_customer("stranger");
    stand_in.seed_customer("gone");
    crate::stand_in::client::ask(&stand_in, "DELETE", "v1/customers/cus_gone", "").await.done();
    let paths = ["cus_none", "cus_gone", "cus_stranger", "../payouts"];
    for (n, object) in paths.iter().enumerate() {
        app.deliver(&[thin(&format!("evt_{n}"), "customer", object)]).await;
    }
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 4);
    let gone = |id: &str| format!("ignored: a thin event: customer {id} was deleted in Stripe");
    let stranger = format!(
        "ignored: its object was stored as fetched_cus_stranger_{}, which is ignored: cus_stranger is not a customer of this platform",
        NOW.unix_timestamp()
    );
    assert_eq!(one(&app, FATES).await, [gone("cus_none"), gone("cus_gone"), stranger, gone("../payouts")].join("; "));
    assert!(stand_in.requests().iter().all(|request| !request.path.contains("payouts")));
}

#[tokio::test]
async fn thin_events_wait_while_stripe_is_down() {
    let (stand_in, app) = with_lumen().await;
    app.deliver(&[thin("evt_1", "customer", "cus_lumen")]).await;
    stand_in.fault(Fault::status(500).times(1000));
    assert!(complete_objects::run(&impatient(&app), 10).await.is_err());
    assert_eq!(one(&app, FATES).await, "failed: Stripe does not respond: status 500");
    stand_in.shared.faults.lock().unwrap().clear();
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 0);
    app.advance(Duration::minutes(2));
    assert_eq!(apply_waiting(&app.platform, 10).await.unwrap(), 0);
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    assert_eq!(one(&app, FATES).await, "applied");
}

#[tokio::test]
async fn without_a_key_a_thin_event_is_ignored() {
    let app = TestApp::start().await;
    app.deliver(&[thin("evt_1", "invoice", "in_1")]).await;
    assert_eq!(one(&app, FATES).await, "ignored: a thin event: its object must be fetched");
}
