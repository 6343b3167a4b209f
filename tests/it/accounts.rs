//! Accounts created by an operator.

use crate::support::TestApp;
use apex_billing::{
    domain::role::Role,
    service::{api_keys, users},
};

#[tokio::test]
async fn keys_are_stored_only_as_hashes() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let key = api_keys::create(&app.platform, customer, "mediation").await.unwrap();
    let everything: String = sqlx::query_scalar("SELECT string_agg(api_keys::text, '') FROM api_keys").fetch_one(&app.db).await.unwrap();
    assert!(everything.contains(&key[..13]) && !everything.contains(&key[13..]));
    assert!(api_keys::revoke(&app.platform, "apex_nothing0").await.is_err());
}

#[tokio::test]
async fn invalid_users_are_refused() {
    let app = TestApp::start().await;
    assert!(users::put(&app.platform, "invalid", "long enough", Role::Admin, None).await.is_err());
    assert!(users::put(&app.platform, "a@b.example", "short", Role::Admin, None).await.is_err());
    assert!(users::put(&app.platform, "a@b.example", "long enough", Role::Publisher, None).await.is_err());
    assert!(users::set_password(&app.platform, "a@b.example", "long enough").await.is_err());
}

#[tokio::test]
async fn common_passwords_are_refused_everywhere() {
    let app = TestApp::start().await;
    let email = "ops@people.example";
    users::put(&app.platform, email, "correct horse battery", Role::Admin, None).await.unwrap();
    for password in ["Password1", "iloveyou", "ops@people.example", "ApexMediation2026"] {
        let added = users::put(&app.platform, email, password, Role::Admin, None).await.unwrap_err();
        let set = users::set_password(&app.platform, email, password).await.unwrap_err();
        assert_eq!((added.status(), set.status()), (422, 422), "{password}");
    }
    let login = serde_json::json!({"email": email, "password": "correct horse battery"});
    assert_eq!(app.client().post_json("/api/v1/auth/login", &login).await.status, 200);
}

#[tokio::test]
async fn the_audit_log_is_append_only() {
    let app = TestApp::start().await;
    app.add_customer("lumen").await;
    for statement in ["UPDATE billing_audit SET actor = 'another'", "DELETE FROM billing_audit", "TRUNCATE billing_audit"] {
        let error = sqlx::query(statement).execute(&app.db).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM billing_audit").fetch_one(&app.db).await.unwrap();
    assert_eq!(rows, 1);
}
