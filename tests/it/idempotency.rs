//! `Idempotency-Key`: repeated requests have one effect.

use crate::{
    outgoing::connected_to,
    stripe::{
        StandIn,
        faults::{Fault, Trouble},
    },
    support::{
        Client, TestApp,
        app::PASSWORD,
        client::Answer,
        program::{Running, Workplace},
        stand_in::{SECRET_KEY, TestStandIn},
    },
};
use apex_billing::{
    domain::{idempotency::IdempotencyKey, identity::CustomerId, role::Role},
    service::idempotency::{self, Begun, Outcome},
};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
};
use time::{Duration, OffsetDateTime};

const CONTACTS: &str = "/api/v1/billing/contacts";
const PORTAL: &str = "/api/v1/billing/portal";

async fn publisher_of(app: &TestApp, name: &str) -> (CustomerId, Client) {
    let customer = app.add_customer(name).await;
    (customer, app.sign_in(Role::Publisher, Some(customer)).await)
}

async fn add(client: &Client, key: &str, email: &str) -> Answer {
    client.clone().with_header("idempotency-key", key).post_json(CONTACTS, &json!({"email": email})).await
}

async fn additions(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM billing_audit WHERE event_type = 'billing_contact.put'").fetch_one(&app.db).await.unwrap()
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_bytes() {
    let app = TestApp::start().await;
    let (_, publisher) = publisher_of(&app, "lumen").await;
    let first = add(&publisher, "key-1", "ada@lumen.example").await;
    assert_eq!(first.status, 201, "{}", first.text());
    assert!(!is_replayed(&first));
    // Quoted it is the same key.
    for key in ["key-1", "\"key-1\""] {
        let again = add(&publisher, key, "ada@lumen.example").await;
        assert!(is_replayed(&again));
        assert_eq!((again.status, &again.body, again.header("content-type")), (first.status, &first.body, first.header("content-type")));
    }
    add(&publisher, "key-1", "bob@lumen.example").await.problem(422, "idempotency_key_reused");
    // Another path is another request.
    publisher
        .clone()
        .with_header("idempotency-key", "key-1")
        .post_json(PORTAL, &json!({"email": "ada@lumen.example"}))
        .await
        .problem(422, "idempotency_key_reused");
    assert_eq!(additions(&app).await, 1);
}

#[tokio::test]
async fn keys_are_per_sender() {
    let app = TestApp::start().await;
    let (_, lumen) = publisher_of(&app, "lumen").await;
    let (_, forge) = publisher_of(&app, "forge").await;
    assert_eq!(add(&lumen, "key", "ada@lumen.example").await.status, 201);
    let other = add(&forge, "key", "ada@lumen.example").await;
    assert_eq!(other.status, 201);
    assert!(!is_replayed(&other));
    assert_eq!(additions(&app).await, 2);
}

#[tokio::test]
async fn a_lost_role_gets_no_saved_response() {
    let app = TestApp::start().await;
    let (lumen, publisher) = publisher_of(&app, "lumen").await;
    let forge = app.add_customer("forge").await;
    let email = format!("publisher-{lumen}@people.example");
    let become_one = async |role: &str, customer: CustomerId| {
        sqlx::query("UPDATE users SET role = $2, customer_id = $3 WHERE email = $1")
            .bind(&email)
            .bind(role)
            .bind(customer.0)
            .execute(&app.db)
            .await
            .unwrap();
    };
    assert_eq!(add(&publisher, "key", "ada@lumen.example").await.status, 201);
    become_one("readonly", lumen).await;
    add(&publisher, "key", "ada@lumen.example").await.problem(403, "forbidden");
    become_one("publisher", forge).await;
    let moved = add(&publisher, "key", "ada@lumen.example").await;
    assert_eq!((moved.status, is_replayed(&moved)), (201, false), "{}", moved.text());
    assert!(is_replayed(&add(&publisher, "key", "ada@lumen.example").await));
    let contacts: Vec<uuid::Uuid> =
        sqlx::query_scalar("SELECT customer_id FROM billing_contacts ORDER BY created_at").fetch_all(&app.db).await.unwrap();
    assert_eq!(contacts, [lumen.0, forge.0]);
    // A response saved by a server without scopes matches each scope.
    sqlx::query("UPDATE billing_idempotency SET scope = NULL").execute(&app.db).await.unwrap();
    assert!(is_replayed(&add(&publisher, "key", "ada@lumen.example").await));
}

#[tokio::test]
async fn keys_are_scoped_to_the_viewed_customer() {
    let app = TestApp::start().await;
    let (lumen, forge) = (app.add_customer("lumen").await, app.add_customer("forge").await);
    let staff = app.sign_in(Role::Admin, None).await;
    for (customer, path) in [(lumen, format!("{CONTACTS}?customer_id={lumen}")), (forge, format!("{CONTACTS}?customer_id={forge}"))] {
        let view = json!({"customer_id": customer});
        assert_eq!(staff.post_json("/api/v1/admin/view-as", &view).await.status, 200);
        let keyed = staff.clone().with_header("idempotency-key", "key");
        let answer = keyed.post_json(&path, &json!({"email": "ada@people.example"})).await;
        assert_eq!((answer.status, is_replayed(&answer)), (201, false), "{}", answer.text());
        keyed.post_json(CONTACTS, &json!({"email": "ada@people.example"})).await.problem(403, "viewing_as");
    }
}

#[tokio::test]
async fn invalid_keys_are_refused_without_effect() {
    let app = TestApp::start().await;
    let (_, publisher) = publisher_of(&app, "lumen").await;
    for key in ["", "\"\"", &"k".repeat(256), "two words", "\"open", "a\tb", "schlüssel"] {
        add(&publisher, key, "ada@lumen.example").await.problem(400, "idempotency_key_invalid");
    }
    let twice = publisher.clone().with_header("idempotency-key", "one");
    add(&twice, "other", "ada@lumen.example").await.problem(400, "idempotency_key_invalid");
    assert_eq!(add(&publisher, &"k".repeat(255), "ada@lumen.example").await.status, 201);
    assert_eq!(additions(&app).await, 1);
}

#[tokio::test]
async fn a_failed_request_may_reuse_its_key() {
    let app = TestApp::start().await;
    let (lumen, publisher) = publisher_of(&app, "lumen").await;
    add(&publisher, "key", "nonsense").await.problem(422, "invalid_parameter");
    assert_eq!(add(&publisher, "key", "ada@lumen.example").await.status, 201);
    // Refused ones don't claim a key.
    add(&app.client(), "key", "ada@lumen.example").await.problem(401, "unauthenticated");
    add(&app.sign_in(Role::Readonly, Some(lumen)).await, "key", "ada@lumen.example").await.problem(403, "forbidden");
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM billing_idempotency").fetch_one(&app.db).await.unwrap();
    assert_eq!(keys, 1);
}

#[tokio::test]
async fn fifty_concurrent_requests_have_one_effect() {
    let app = TestApp::start().await;
    let (_, publisher) = publisher_of(&app, "lumen").await;
    let answers = futures::future::join_all((0..50).map(|_| add(&publisher, "key", "ada@lumen.example"))).await;
    let (done, waiting): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 201);
    for answer in waiting {
        answer.problem(409, "idempotency_in_progress");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(done.iter().filter(|answer| !is_replayed(answer)).count(), 1);
    assert!(done.iter().all(|answer| answer.body == done[0].body));
    assert_eq!(additions(&app).await, 1);
    let last = add(&publisher, "key", "ada@lumen.example").await;
    assert!(is_replayed(&last) && last.body == done[0].body);
}

#[tokio::test]
async fn responses_are_saved_for_a_day() {
    let app = TestApp::start().await;
    let (_, publisher) = publisher_of(&app, "lumen").await;
    add(&publisher, "key", "ada@lumen.example").await;
    app.advance(Duration::hours(23));
    assert_eq!(idempotency::remove_expired(&app.platform).await.unwrap(), 0);
    assert!(is_replayed(&add(&publisher, "key", "ada@lumen.example").await));
    app.advance(Duration::hours(1));
    // Its session has expired, too.
    let customer = publisher_of(&app, "forge").await.0;
    let publisher = app.sign_in(Role::Publisher, Some(customer)).await;
    add(&publisher, "key", "ada@lumen.example").await;
    assert_eq!(idempotency::remove_expired(&app.platform).await.unwrap(), 1);
    app.advance(Duration::hours(23));
    assert!(is_replayed(&add(&publisher, "key", "ada@lumen.example").await));
}

#[tokio::test]
async fn after_a_day_a_key_is_new_even_for_another_request() {
    let app = TestApp::start().await;
    let (lumen, publisher) = publisher_of(&app, "lumen").await;
    add(&publisher, "key", "ada@lumen.example").await;
    app.advance(Duration::hours(24));
    let publisher = app.sign_in(Role::Publisher, Some(lumen)).await;
    let other = add(&publisher, "key", "bob@lumen.example").await;
    assert!(other.status == 201 && !is_replayed(&other), "{}", other.text());
    assert_eq!(additions(&app).await, 2);
}

fn trouble(trouble: Trouble) -> Fault {
    Fault { trouble, times: 1, skip: 0, method: Some("POST".into()), path: Some("/v1/billing_portal/*".into()), after_the_work: false }
}

#[tokio::test]
async fn after_a_500_only_the_same_request_continues() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    stand_in.seed_customer("lumen");
    let (_, publisher) = publisher_of(&app, "lumen").await;
    let person = publisher.with_header("idempotency-key", "key");
    stand_in.fault(trouble(Trouble::Status { status: 400, retry_after: None }));
    person.post_json(PORTAL, &json!({})).await.problem(502, "stripe_refused");
    let first: (uuid::Uuid, String) = sqlx::query_as("SELECT id, status FROM billing_idempotency").fetch_one(&app.db).await.unwrap();
    assert_eq!(first.1, "failed");
    person.post_json(CONTACTS, &json!({"email": "ada@lumen.example"})).await.problem(422, "idempotency_key_reused");
    let answer = person.post_json(PORTAL, &json!({})).await;
    assert_eq!((answer.status, is_replayed(&answer)), (200, false), "{}", answer.text());
    let then: (uuid::Uuid, String) = sqlx::query_as("SELECT id, status FROM billing_idempotency").fetch_one(&app.db).await.unwrap();
    assert_eq!(then, (first.0, "done".to_owned()));
    assert!(is_replayed(&person.post_json(PORTAL, &json!({})).await));
}

#[tokio::test]
async fn a_run_stops_without_its_lease() {
    let app = TestApp::start().await;
    let key = IdempotencyKey::parse(b"key").unwrap();
    let request = idempotency::Request { principal: "user:1", scope: "publisher", key: &key, method: "POST", path: "/", hash: b"hash" };
    let lease = std::time::Duration::from_millis(60);
    let begun = |app: &TestApp| {
        let platform = app.platform.clone();
        let request = request.clone();
        async move {
            let Begun::Ours(run) = idempotency::begin(&platform, &request).await.unwrap() else { panic!("another run") };
            run
        }
    };
    let first = begun(&app).await;
    app.advance(Duration::seconds(16));
    let second = begun(&app).await;
    assert_eq!((first.id, first.is_first(), second.is_first()), (second.id, true, false));
    idempotency::until_lost(&app.platform, first, lease).await;
    // Its result is not saved any more.
    idempotency::settle(&app.platform, first, &Outcome::Refused).await.unwrap();
    idempotency::begin(&app.platform, &request).await.unwrap_err();
    app.db.close().await;
    idempotency::until_lost(&app.platform, second, lease).await;
}

/// Sends a request to a program without reading the response.
pub fn post(address: &str, path: &str, headers: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .unwrap();
    stream
}

pub fn cookie_of(mut login: TcpStream) -> String {
    let mut answer = String::new();
    login.read_to_string(&mut answer).unwrap();
    let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap_or_else(|| panic!("no cookie in {answer}"));
    set.split(';').next().unwrap().to_owned()
}

async fn keys_running(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM billing_idempotency WHERE status = 'running'").fetch_one(&app.db).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_runs_key_is_blocked_until_its_lease_ends() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    stand_in.seed_customer("lumen");
    let (lumen, _) = publisher_of(&app, "lumen").await;
    let workplace = Workplace::new();
    let mut server = Running::start(
        workplace
            .command(&["serve", "--no-migrate"])
            .env("DATABASE_URL", app.database_url())
            .env("STRIPE_WEBHOOK_SECRET", "whsec_of_the_program")
            .env("STRIPE_SECRET_KEY", SECRET_KEY)
            .env("STRIPE_API_BASE", stand_in.base_url()),
    );
    stand_in.fault(trouble(Trouble::Hang));
    let credentials = json!({"email": format!("publisher-{lumen}@people.example"), "password": PASSWORD}).to_string();
    let cookie = cookie_of(post(&server.address, "/api/v1/auth/login", "", &credentials));
    let asking = post(&server.address, PORTAL, &format!("Cookie: {cookie}\r\nIdempotency-Key: key\r\n"), "{}");
    let begun = async { while keys_running(&app).await == 0 {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), begun).await.expect("the request runs");

    // The program uses the real time, not the tests'.
    app.advance(OffsetDateTime::now_utc() - app.now());
    let person = app.client().with_header("cookie", &cookie).with_header("idempotency-key", "key");
    person.post_json(PORTAL, &json!({})).await.problem(409, "idempotency_in_progress");
    assert_eq!(server.signal(libc::SIGKILL), None);
    drop(asking);
    person.post_json(PORTAL, &json!({})).await.problem(409, "idempotency_in_progress");
    app.advance(Duration::seconds(20));
    let answer = person.post_json(PORTAL, &json!({})).await;
    assert_eq!((answer.status, is_replayed(&answer)), (200, false), "{}", answer.text());
    let again = person.post_json(PORTAL, &json!({})).await;
    assert!(is_replayed(&again) && again.body == answer.body);
    let attempts: i32 = sqlx::query_scalar("SELECT attempts FROM billing_idempotency").fetch_one(&app.db).await.unwrap();
    assert_eq!(attempts, 2);
}

#[tokio::test]
async fn a_reconciliation_runs_once_and_resumes() {
    const RECONCILE: &str = "/api/v1/billing/reconcile";
    let stand_in = StandIn::start().await;
    let variables = [("STRIPE_SECRET_KEY", SECRET_KEY), ("STRIPE_API_BASE", &stand_in.base_url())];
    let app = TestApp::start_with_all(&variables, &[("settle-seconds = 10", "settle-seconds = 0")]).await;
    stand_in.seed_customer("lumen");
    app.add_customer("lumen").await;
    let admin = app.sign_in(Role::Admin, None).await;
    let keyed = |key: &str| admin.clone().with_header("idempotency-key", key);
    keyed(&"k".repeat(256)).post_json(RECONCILE, &json!({})).await.problem(400, "idempotency_key_invalid");

    let refused = Fault {
        trouble: Trouble::Status { status: 400, retry_after: None },
        times: 1,
        skip: 0,
        method: Some("GET".into()),
        path: None,
        after_the_work: false,
    };
    stand_in.fault(refused);
    assert!(keyed("key").post_json(RECONCILE, &json!({})).await.status >= 500);
    keyed("key").post_json(RECONCILE, &json!({"repair": true})).await.problem(422, "idempotency_key_reused");
    let answers = futures::future::join_all((0..50).map(|_| {
        let person = keyed("key");
        async move { person.post_json(RECONCILE, &json!({})).await }
    }))
    .await;
    let (done, waiting): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 200);
    waiting.into_iter().for_each(|answer| drop(answer.problem(409, "idempotency_in_progress")));
    assert!(!done.is_empty() && done.iter().all(|answer| answer.body == done[0].body));
    let last = keyed("key").post_json(RECONCILE, &json!({})).await;
    assert!(is_replayed(&last) && last.body == done[0].body);
    let runs: i64 = sqlx::query_scalar("SELECT count(*) FROM reconciliations").fetch_one(&app.db).await.unwrap();
    assert_eq!(runs, 1);
}
