//! Users' changes to their own account.

mod breached_passwords;
mod passwords;
mod second_factor;
mod sessions;

use crate::support::{
    TestApp,
    app::PASSWORD,
    client::{Answer, Client},
};
use apex_billing::{domain::role::Role, service::users};
use serde_json::{Value, json};

const PERSON: &str = "ops@people.example";

async fn app_with_person() -> TestApp {
    let app = TestApp::start().await;
    users::put(&app.platform, PERSON, PASSWORD, Role::Admin, None).await.unwrap();
    app
}

async fn signed_in(app: &TestApp, password: &str) -> Client {
    let client =
        app.client().with_header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0").from("192.0.2.10");
    let answer = client.post_json("/api/v1/auth/login", &json!({"email": PERSON, "password": password})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    client.with_cookies_of(&answer)
}

async fn is_signed_in(client: &Client) -> bool {
    client.get("/api/v1/auth/me").await.status == 200
}

async fn submit(client: &Client, fields: &str) -> Answer {
    client.post("/account", "application/x-www-form-urlencoded", fields.replace(' ', "+").into_bytes()).await
}

/// The data of the last entry of a type.
async fn audited(app: &TestApp, event_type: &str) -> Option<Value> {
    sqlx::query_scalar("SELECT data FROM billing_audit WHERE event_type = $1 AND (actor = $2 OR actor = 'system') ORDER BY id DESC LIMIT 1")
        .bind(event_type)
        .bind(PERSON)
        .fetch_optional(&app.db)
        .await
        .unwrap()
}
