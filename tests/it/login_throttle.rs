//! Password guessing is throttled; the account's owner still gets in.

use crate::support::{
    TestApp,
    app::PASSWORD,
    client::{Answer, Client},
};
use apex_billing::{
    domain::role::Role,
    service::{login_throttle, users},
};
use serde_json::json;
use time::Duration;

const OWNER: &str = "ops@people.example";
const HOME: &str = "192.0.2.10";
const ELSEWHERE: &str = "198.51.100.20";

async fn app_with_owner() -> TestApp {
    let app = TestApp::start().await;
    users::put(&app.platform, OWNER, PASSWORD, Role::Admin, None).await.unwrap();
    app
}

async fn try_in(client: &Client, email: &str, password: &str) -> Answer {
    client.post_json("/api/v1/auth/login", &json!({"email": email, "password": password})).await
}

async fn fail(client: &Client, email: &str, times: usize) {
    for _ in 0..times {
        try_in(client, email, "not this one").await.problem(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn waits_double_until_the_correct_password() {
    let app = app_with_owner().await;
    let client = app.client().from(HOME);
    fail(&client, OWNER, 5).await;
    let answer = try_in(&client, OWNER, PASSWORD).await;
    answer.problem(429, "login_throttled");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(answer.header("set-cookie"), None);
    app.advance(Duration::seconds(5));
    fail(&client, OWNER, 1).await;
    assert_eq!(try_in(&client, OWNER, PASSWORD).await.header("retry-after"), Some("10"));
    app.advance(Duration::seconds(10));
    assert_eq!(try_in(&client, OWNER, PASSWORD).await.status, 200);
    // And everything is reset.
    fail(&client, OWNER, 5).await;
}

#[tokio::test]
async fn unknown_accounts_are_throttled_alike() {
    let app = app_with_owner().await;
    let refused = async |email: &str, address: &str| {
        let client = app.client().from(address);
        fail(&client, email, 5).await;
        let answer = try_in(&client, email, PASSWORD).await;
        let body = answer.problem(429, "login_throttled");
        (body["detail"].clone(), body["title"].clone(), answer.header("retry-after").map(str::to_owned))
    };
    assert_eq!(refused(OWNER, HOME).await, refused("unknown@people.example", ELSEWHERE).await);
}

#[tokio::test]
async fn replicas_and_parallel_attempts_share_the_count() {
    let app = app_with_owner().await;
    let other = app.replica_with(&[]).await;
    let (here, there) = (app.client().from(HOME), other.client().from(HOME));
    let answers =
        futures::future::join_all((0..12).map(|turn| try_in(if turn % 2 == 0 { &here } else { &there }, OWNER, "not this one"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 7);
}

#[tokio::test]
async fn owners_get_in_from_known_addresses() {
    let app = app_with_owner().await;
    assert_eq!(try_in(&app.client().from(HOME), OWNER, PASSWORD).await.status, 200);
    // Many clients at one account, and one with the owner's address at other accounts.
    for stranger in 0..4 {
        fail(&app.client().from(&format!("203.0.113.{stranger}")), OWNER, 5).await;
    }
    let neighbour = app.client().from(HOME);
    for account in 0..6 {
        fail(&neighbour, &format!("user-{account}@people.example"), 5).await;
    }
    try_in(&app.client().from(ELSEWHERE), OWNER, PASSWORD).await.problem(429, "login_throttled");
    try_in(&neighbour, "other-user@people.example", PASSWORD).await.problem(429, "login_throttled");
    assert_eq!(try_in(&app.client().from(HOME), OWNER, PASSWORD).await.status, 200);
    // That has reset the account's count for all other addresses too.
    assert_eq!(try_in(&app.client().from(ELSEWHERE), OWNER, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn one_address_cannot_try_a_password_at_many_accounts() {
    let app = app_with_owner().await;
    let client = app.client().from("2001:db8:1:2::1");
    for account in 0..30 {
        fail(&client, &format!("user-{account}@people.example"), 1).await;
    }
    let neighbour = app.client().from("2001:db8:1:2:ffff::9");
    try_in(&neighbour, "the-next@people.example", "Spring2026!").await.problem(429, "login_throttled");
    let other_network = app.client().from("2001:db8:1:3::1");
    try_in(&other_network, "the-next@people.example", "Spring2026!").await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn successful_logins_never_use_up_an_address() {
    let app = app_with_owner().await;
    let client = app.client().from(HOME);
    fail(&client, "user@people.example", 4).await;
    for _ in 0..8 {
        let answers = futures::future::join_all((0..4).map(|_| try_in(&client, OWNER, PASSWORD))).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
    }
    let most: i32 = sqlx::query_scalar("SELECT max(failures) FROM login_failures").fetch_one(&app.db).await.unwrap();
    assert_eq!(most, 4);
}

#[tokio::test]
async fn each_wait_is_audited_once_and_rows_expire() {
    let app = app_with_owner().await;
    let client = app.client().from(HOME);
    fail(&client, OWNER, 5).await;
    let throttled = async || {
        sqlx::query_scalar::<_, i64>(
            "SELECT count(*) FROM billing_audit WHERE event_type = 'session.throttled' AND actor = $1 AND ip_address = $2",
        )
        .bind(OWNER)
        .bind(HOME)
        .fetch_one(&app.db)
        .await
        .unwrap()
    };
    for _ in 0..3 {
        try_in(&client, OWNER, PASSWORD).await.problem(429, "login_throttled");
    }
    assert_eq!(throttled().await, 1);
    app.advance(Duration::seconds(5));
    fail(&client, OWNER, 1).await;
    try_in(&client, OWNER, PASSWORD).await.problem(429, "login_throttled");
    assert_eq!(throttled().await, 2);

    let rows = async || sqlx::query_scalar::<_, i64>("SELECT count(*) FROM login_failures").fetch_one(&app.db).await.unwrap();
    // Refused attempts leave no rows.
    let before = rows().await;
    for account in 0..40 {
        try_in(&client, &format!("user-{account}@people.example"), "x").await;
    }
    assert!(rows().await < before + 2 * 40);
    login_throttle::prune(&app.platform).await.unwrap();
    assert!(rows().await > 0);
    app.advance(Duration::hours(24));
    login_throttle::prune(&app.platform).await.unwrap();
    assert_eq!(rows().await, 0);
}

#[tokio::test]
async fn the_login_page_shows_the_wait() {
    let app = app_with_owner().await;
    let client = app.client().from(HOME);
    fail(&client, OWNER, 5).await;
    let form = format!("email={OWNER}&password=x&next=/billing/invoices").into_bytes();
    let answer = client.post("/api/v1/auth/login", "application/x-www-form-urlencoded", form).await;
    assert_eq!(answer.status, 303);
    let page = answer.header("location").unwrap().to_owned();
    assert_eq!(page, "/login?error=login_throttled&wait=5&next=/billing/invoices");
    assert!(client.get(&page).await.text().contains("Wait 5 seconds, then try again."));
    assert!(client.get("/login?error=login_throttled&wait=640").await.text().contains("Wait 11 minutes"));
}
