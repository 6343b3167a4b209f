//! Sessions of a user, and ending them.

use super::*;
use apex_billing::domain::identity::CustomerId;
use axum::http::Method;
use time::Duration;

async fn listed(client: &Client) -> Vec<Value> {
    let answer = client.get("/api/v1/auth/sessions").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["sessions"].as_array().unwrap().clone()
}

async fn end(client: &Client, id: &str) -> Answer {
    client.send(Method::DELETE, &format!("/api/v1/auth/sessions/{id}"), None, Vec::new()).await
}

/// A customer's user.
async fn new_user(app: &TestApp) -> (Client, CustomerId) {
    let customer = app.add_customer("lumen").await;
    (app.sign_in(Role::Publisher, Some(customer)).await, customer)
}

#[tokio::test]
async fn users_see_their_own_sessions_without_credentials() {
    let app = app_with_person().await;
    let first = signed_in(&app, PASSWORD).await;
    app.advance(Duration::minutes(5));
    let second = signed_in(&app, PASSWORD).await;
    new_user(&app).await;

    let sessions = listed(&second).await;
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions.iter().map(|session| session["current"].as_bool().unwrap()).collect::<Vec<_>>(), [true, false]);
    assert_eq!(sessions[1]["signed_in_at"], "2026-11-22T15:50:00Z");
    assert_eq!(sessions[0]["last_seen_at"], "2026-11-22T15:55:00Z");
    assert_eq!(sessions[0]["ip_address"], "192.0.2.10");
    assert!(sessions[0]["user_agent"].as_str().unwrap().contains("Firefox/144.0"));
    let keys: Vec<String> = sqlx::query_scalar("SELECT id FROM sessions").fetch_all(&app.db).await.unwrap();
    let everything = second.get("/api/v1/auth/sessions").await.text() + &second.get("/account").await.text();
    assert!(keys.len() == 3 && keys.iter().all(|key| !everything.contains(key.as_str())));
    // A public id is not a credential.
    let id = sessions[1]["id"].as_str().unwrap();
    assert!(!is_signed_in(&app.client().with_header("cookie", &format!("auth_token={id}"))).await);

    app.advance(Duration::minutes(3));
    assert!(is_signed_in(&first).await);
    assert_eq!(listed(&second).await[1]["last_seen_at"], "2026-11-22T15:58:00Z");
    app.advance(Duration::hours(24));
    let fresh = signed_in(&app, PASSWORD).await;
    assert_eq!(listed(&fresh).await.len(), 1);
}

#[tokio::test]
async fn a_long_user_agent_is_truncated() {
    let app = app_with_person().await;
    let client = app.client().with_header("user-agent", &"x".repeat(5000));
    let answer = client.post_json("/api/v1/auth/login", &json!({"email": PERSON, "password": PASSWORD})).await;
    assert_eq!(listed(&client.with_cookies_of(&answer)).await[0]["user_agent"].as_str().unwrap().len(), 300);
}

#[tokio::test]
async fn users_end_only_their_own_sessions() {
    let app = app_with_person().await;
    let (mine, other) = (signed_in(&app, PASSWORD).await, signed_in(&app, PASSWORD).await);
    let (stranger, customer) = new_user(&app).await;
    let id = listed(&mine).await[1]["id"].as_str().unwrap().to_owned();
    end(&stranger, &id).await.problem(404, "not_found");
    end(&mine, "nonsense").await.problem(404, "not_found");
    end(&app.client(), &id).await.problem(401, "unauthenticated");
    let machine = app.machine(customer).await;
    end(&machine, &id).await.problem(403, "forbidden");
    machine.get("/api/v1/auth/sessions").await.problem(403, "forbidden");
    assert!(is_signed_in(&other).await);

    assert_eq!(end(&mine, &id).await.status, 204);
    assert!(!is_signed_in(&other).await && is_signed_in(&mine).await);
    assert_eq!(audited(&app, "session.ended").await, Some(json!({"session": id})));
    end(&mine, &id).await.problem(404, "not_found");
    let own = listed(&mine).await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(end(&mine, &own).await.status, 204);
    assert!(!is_signed_in(&mine).await);
}

#[tokio::test]
async fn end_others_ends_only_the_users_other_sessions() {
    let app = app_with_person().await;
    let (mine, one, two) = (signed_in(&app, PASSWORD).await, signed_in(&app, PASSWORD).await, signed_in(&app, PASSWORD).await);
    let (stranger, _) = new_user(&app).await;
    let answer = mine.post("/api/v1/auth/sessions/end-others", "application/json", Vec::new()).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"ended": 2})));
    assert!(is_signed_in(&mine).await && is_signed_in(&stranger).await);
    assert!(!is_signed_in(&one).await && !is_signed_in(&two).await);
    assert_eq!(audited(&app, "session.others_ended").await, Some(json!({"sessions_ended": 2})));
}

#[tokio::test]
async fn the_page_lists_and_ends_sessions_for_every_role() {
    let app = app_with_person().await;
    let (mine, other) = (signed_in(&app, PASSWORD).await, signed_in(&app, PASSWORD).await);
    let page = mine.get("/account").await;
    assert_eq!(page.status, 200);
    let html = page.text();
    assert!(
        html.contains("Firefox on Linux")
            && html.contains("192.0.2.10")
            && html.contains("This session")
            && html.contains("Sign out all others")
    );
    let id = listed(&mine).await[1]["id"].as_str().unwrap().to_owned();
    assert!(html.contains(&id));
    let answer = submit(&mine, &format!("form=session-end&id={id}")).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/account?done=session_ended")));
    assert!(!is_signed_in(&other).await);
    let again = submit(&mine, &format!("form=session-end&id={id}")).await;
    assert!(again.status == 404 && again.text().contains("has ended already"));

    let other = signed_in(&app, PASSWORD).await;
    assert_eq!(submit(&mine, "form=sessions-end-others").await.header("location"), Some("/account?done=others_ended"));
    assert!(!is_signed_in(&other).await && !mine.get("/account").await.text().contains("Sign out all others"));

    let customer = app.add_customer("lumen").await;
    assert_eq!(app.sign_in(Role::Readonly, Some(customer)).await.get("/account").await.status, 200);
    let paused = app.restart_with(&[("BILLING_ENABLED", "false")]).await;
    assert_eq!(signed_in(&paused, PASSWORD).await.get("/account").await.status, 200);
}
