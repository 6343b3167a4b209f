//! Changing the password.

use super::*;

const NEW: &str = "a staple that is new";

fn change(current: &str, new: &str) -> Value {
    json!({"current_password": current, "new_password": new})
}

#[tokio::test]
async fn a_new_password_ends_every_session_but_the_one_that_set_it() {
    let app = app_with_person().await;
    let (mine, stolen) = (signed_in(&app, PASSWORD).await, signed_in(&app, PASSWORD).await);
    let answer = mine.post_json("/api/v1/auth/password", &change(PASSWORD, NEW)).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert!(!is_signed_in(&stolen).await);
    // The session continues with another id: a stolen earlier id is invalid.
    assert!(!is_signed_in(&mine).await);
    assert!(is_signed_in(&app.client().with_cookies_of(&answer)).await);
    assert_eq!(audited(&app, "user.password_changed").await, Some(json!({"sessions_ended": 1})));
    let old = app.client().post_json("/api/v1/auth/login", &json!({"email": PERSON, "password": PASSWORD})).await;
    old.problem(401, "invalid_credentials");
    signed_in(&app, NEW).await;
}

#[tokio::test]
async fn an_operators_new_password_ends_all_sessions() {
    let app = app_with_person().await;
    let client = signed_in(&app, PASSWORD).await;
    users::put(&app.platform, PERSON, PASSWORD, Role::Admin, None).await.unwrap();
    assert!(is_signed_in(&client).await);
    users::put(&app.platform, PERSON, NEW, Role::Admin, None).await.unwrap();
    assert!(!is_signed_in(&client).await);
    assert_eq!(audited(&app, "user.put").await.unwrap()["sessions_ended"], 1);

    let (one, two) = (signed_in(&app, NEW).await, signed_in(&app, NEW).await);
    let stranger = app.sign_in(Role::Admin, None).await;
    users::set_password(&app.platform, PERSON, PASSWORD).await.unwrap();
    assert!(!is_signed_in(&one).await && !is_signed_in(&two).await && is_signed_in(&stranger).await);
    assert_eq!(audited(&app, "user.password_set").await.unwrap()["sessions_ended"], 2);
}

#[tokio::test]
async fn the_old_password_is_required_and_throttled() {
    let app = app_with_person().await;
    let client = signed_in(&app, PASSWORD).await;
    for _ in 0..5 {
        let problem = client.post_json("/api/v1/auth/password", &change("not this one", NEW)).await.problem(422, "invalid_parameter");
        assert_eq!(problem["parameter"], "current_password");
    }
    let answer = client.post_json("/api/v1/auth/password", &change(PASSWORD, NEW)).await;
    answer.problem(429, "login_throttled");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(audited(&app, "user.password_refused").await, Some(json!({})));
    let page = submit(&client, &format!("form=password&current_password={PASSWORD}&new_password={NEW}")).await;
    assert_eq!((page.status, page.header("retry-after")), (429, Some("5")));
    assert!(is_signed_in(&client).await);
}

#[tokio::test]
async fn a_new_password_follows_the_common_rules() {
    let app = app_with_person().await;
    let client = signed_in(&app, PASSWORD).await;
    for unfit in ["short", "Password1", "ops@people.example", PASSWORD, &"x".repeat(1025)] {
        let problem = client.post_json("/api/v1/auth/password", &change(PASSWORD, unfit)).await.problem(422, "invalid_parameter");
        assert_eq!(problem["parameter"], "new_password", "{unfit}");
    }
    client.post_json("/api/v1/auth/password", &json!({"new_password": NEW})).await.problem(422, "invalid_parameter");
    app.client().post_json("/api/v1/auth/password", &change(PASSWORD, NEW)).await.problem(401, "unauthenticated");
    let customer = app.add_customer("lumen").await;
    app.machine(customer).await.post_json("/api/v1/auth/password", &change(PASSWORD, NEW)).await.problem(403, "forbidden");
    signed_in(&app, PASSWORD).await;
}

#[tokio::test]
async fn the_page_works_without_javascript_and_echoes_nothing() {
    let app = app_with_person().await;
    let (mine, other) = (signed_in(&app, PASSWORD).await, signed_in(&app, PASSWORD).await);
    let refused = submit(&mine, &format!("form=password&current_password=secret-guess&new_password={NEW}")).await;
    assert_eq!(refused.status, 422);
    let html = refused.text();
    assert!(html.contains("This is not your current password.") && html.contains("aria-invalid=\"true\""), "{html}");
    assert!(!html.contains("secret-guess") && !html.contains(NEW));

    let done = submit(&mine, &format!("form=password&current_password={PASSWORD}&new_password={NEW}")).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/account?done=password")));
    assert!(!is_signed_in(&other).await);
    let page = app.client().with_cookies_of(&done).get("/account?done=password").await;
    assert!(page.text().contains("Your password is changed"));
    let anonymous = submit(&app.client(), "form=password").await;
    assert_eq!((anonymous.status, anonymous.header("location")), (303, Some("/login?next=/account&error=session_expired")));
    let other_site = submit(&app.client().with_header("sec-fetch-site", "cross-site"), "form=password").await;
    assert_eq!(other_site.status, 403);
}
