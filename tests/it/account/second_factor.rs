//! The second factor: set-up, login, loss, removal.

mod sealed;

use super::*;
use apex_billing::{auth::totp, service::second_factor};
use data_encoding::BASE32_NOPAD;
use time::Duration;

/// An authenticator app.
struct Phone {
    secret: Vec<u8>,
}

impl Phone {
    fn of(offer: &Value) -> Phone {
        let secret = BASE32_NOPAD.decode(offer["secret"].as_str().unwrap().as_bytes()).unwrap();
        assert!(offer["uri"].as_str().unwrap().starts_with("otpauth://totp/"), "{offer}");
        Phone { secret }
    }

    fn shows(&self, app: &TestApp) -> String {
        totp::code_at(&self.secret, app.now()).unwrap()
    }
}

async fn post(client: &Client, path: &str, body: Value) -> Answer {
    client.post_json(&format!("/api/v1/auth/{path}"), &body).await
}

/// Sets up an app, and returns it with the recovery codes.
async fn set_up(app: &TestApp, client: &Client) -> (Phone, Vec<String>) {
    let offer = post(client, "totp", json!({"current_password": PASSWORD})).await;
    assert_eq!((offer.status, offer.header("cache-control")), (201, Some("no-store")), "{}", offer.text());
    let phone = Phone::of(&offer.json());
    let confirmed = post(client, "totp/confirm", json!({"code": phone.shows(app)})).await;
    assert_eq!((confirmed.status, confirmed.header("cache-control")), (200, Some("no-store")), "{}", confirmed.text());
    let codes = confirmed.json()["recovery_codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect();
    (phone, codes)
}

async fn log_in(client: &Client, code: Option<&str>) -> Answer {
    post(client, "login", json!({"email": PERSON, "password": PASSWORD, "code": code})).await
}

fn next_step(app: &TestApp) {
    app.advance(Duration::seconds(30));
}

#[tokio::test]
async fn with_an_app_a_password_alone_is_not_enough() {
    let app = app_with_person().await;
    let (mine, other) = (signed_in(&app, PASSWORD).await, signed_in(&app, PASSWORD).await);
    let state = async |client: &Client| client.get("/api/v1/auth/totp").await.json();
    assert_eq!(state(&mine).await, json!({"enabled": false, "required": false, "recovery_codes_left": 0}));
    let (phone, codes) = set_up(&app, &mine).await;
    assert_eq!(codes.len(), 8);
    assert_eq!(state(&mine).await, json!({"enabled": true, "required": false, "recovery_codes_left": 8}));
    assert!(is_signed_in(&mine).await && !is_signed_in(&other).await);
    assert_eq!(audited(&app, "user.totp_enabled").await, Some(json!({"sessions_ended": 1})));

    next_step(&app);
    let first = log_in(&app.client(), None).await;
    first.problem(401, "totp_required");
    let halfway = app.client().with_cookies_of(&first);
    assert!(!is_signed_in(&halfway).await);
    post(&halfway, "login/code", json!({"code": "000000"})).await.problem(401, "invalid_code");
    let done = post(&halfway, "login/code", json!({"code": phone.shows(&app)})).await;
    assert_eq!((done.status, &done.json()["email"]), (200, &json!(PERSON)));
    assert!(is_signed_in(&app.client().with_cookies_of(&done)).await && !is_signed_in(&halfway).await);
    assert_eq!(audited(&app, "session.login").await, Some(json!({"second_factor": "totp"})));
    // Or both at once.
    next_step(&app);
    assert_eq!(log_in(&app.client(), Some(&phone.shows(&app))).await.status, 200);
}

#[tokio::test]
async fn codes_and_recovery_codes_are_valid_once() {
    let app = app_with_person().await;
    let (phone, codes) = set_up(&app, &signed_in(&app, PASSWORD).await).await;
    // The code of the set-up is used too.
    log_in(&app.client(), Some(&phone.shows(&app))).await.problem(401, "invalid_code");
    next_step(&app);
    let shown = phone.shows(&app);
    let both = futures::future::join_all([log_in(&app.client(), Some(&shown)), log_in(&app.client(), Some(&shown))].map(Box::pin)).await;
    let mut statuses: Vec<u16> = both.iter().map(|answer| answer.status).collect();
    statuses.sort();
    assert_eq!(statuses, [200, 401]);

    assert_eq!(log_in(&app.client(), Some(&codes[0])).await.status, 200);
    assert_eq!(audited(&app, "session.login").await, Some(json!({"second_factor": "recovery_code"})));
    log_in(&app.client(), Some(&codes[0])).await.problem(401, "invalid_code");
    let other_way = codes[1].replace('-', " ").to_uppercase();
    assert_eq!(log_in(&app.client(), Some(&other_way)).await.status, 200);
    // The database contains neither codes nor session keys in clear text.
    let kept: String = sqlx::query_scalar("SELECT string_agg(c::text, '') FROM user_recovery_codes c").fetch_one(&app.db).await.unwrap();
    assert!(codes.iter().all(|code| !kept.contains(code.as_str()) && !kept.contains(&code.replace('-', ""))));
}

#[tokio::test]
async fn a_correct_password_does_not_reset_code_throttling() {
    let app = app_with_person().await;
    let (phone, _) = set_up(&app, &signed_in(&app, PASSWORD).await).await;
    next_step(&app);
    let halfway = app.client().with_cookies_of(&log_in(&app.client(), None).await);
    for guess in 0..5 {
        post(&halfway, "login/code", json!({"code": format!("00000{guess}")})).await.problem(401, "invalid_code");
    }
    let answer = post(&halfway, "login/code", json!({"code": phone.shows(&app)})).await;
    answer.problem(429, "login_throttled");
    assert_eq!(answer.header("retry-after"), Some("5"));
    log_in(&app.client(), None).await.problem(429, "login_throttled");
    app.advance(Duration::seconds(5));
    log_in(&app.client(), None).await.problem(401, "totp_required");
    post(&halfway, "login/code", json!({"code": "000009"})).await.problem(401, "invalid_code");
    assert_eq!(post(&halfway, "login/code", json!({"code": phone.shows(&app)})).await.header("retry-after"), Some("10"));
}

#[tokio::test]
async fn the_second_step_has_ten_minutes_and_ends_with_a_new_password() {
    let app = app_with_person().await;
    let (phone, _) = set_up(&app, &signed_in(&app, PASSWORD).await).await;
    let halfway = app.client().with_cookies_of(&log_in(&app.client(), None).await);
    app.advance(Duration::minutes(10));
    post(&halfway, "login/code", json!({"code": phone.shows(&app)})).await.problem(401, "unauthenticated");
    let halfway = app.client().with_cookies_of(&log_in(&app.client(), None).await);
    users::set_password(&app.platform, PERSON, "another long one").await.unwrap();
    post(&halfway, "login/code", json!({"code": phone.shows(&app)})).await.problem(401, "unauthenticated");
    post(&app.client(), "login/code", json!({"code": phone.shows(&app)})).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn set_up_needs_the_password_removal_needs_both() {
    let app = app_with_person().await;
    let client = signed_in(&app, PASSWORD).await;
    let wrong = post(&client, "totp", json!({"current_password": "not this one"})).await.problem(422, "invalid_parameter");
    assert_eq!(wrong["parameter"], "current_password");
    post(&client, "totp/confirm", json!({"code": "000000"})).await.problem(409, "totp_not_offered");
    let offer = post(&client, "totp", json!({"current_password": PASSWORD})).await.json();
    post(&client, "totp/confirm", json!({"code": "000000"})).await.problem(422, "invalid_parameter");
    // It is inactive until it is confirmed.
    assert_eq!(log_in(&app.client(), None).await.status, 200);
    let phone = Phone::of(&offer);
    assert_eq!(post(&client, "totp/confirm", json!({"code": phone.shows(&app)})).await.status, 200);
    assert_eq!(audited(&app, "user.totp_enabled").await, Some(json!({"sessions_ended": 1})));
    post(&client, "totp", json!({"current_password": PASSWORD})).await.problem(409, "totp_enabled");

    next_step(&app);
    let shown = phone.shows(&app);
    let wrong = post(&client, "totp/disable", json!({"current_password": "not this one", "code": shown})).await;
    assert_eq!(wrong.problem(422, "invalid_parameter")["parameter"], "current_password");
    let wrong = post(&client, "totp/disable", json!({"current_password": PASSWORD, "code": "000000"})).await;
    assert_eq!(wrong.problem(422, "invalid_parameter")["parameter"], "code");
    assert_eq!(post(&client, "totp/disable", json!({"current_password": PASSWORD, "code": shown})).await.status, 204);
    assert_eq!(audited(&app, "user.totp_disabled").await, Some(json!({"sessions_ended": 0})));
    assert_eq!(log_in(&app.client(), None).await.status, 200);
}

#[tokio::test]
async fn an_operator_removes_a_lost_factor() {
    let app = app_with_person().await;
    let client = signed_in(&app, PASSWORD).await;
    assert!(second_factor::reset(&app.platform, PERSON).await.is_err());
    set_up(&app, &client).await;
    second_factor::reset(&app.platform, " OPS@people.example").await.unwrap();
    assert!(!is_signed_in(&client).await);
    assert_eq!(audited(&app, "user.totp_reset").await, Some(json!({"email": PERSON, "sessions_ended": 1})));
    assert_eq!(log_in(&app.client(), None).await.status, 200);
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM user_recovery_codes").fetch_one(&app.db).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn staff_without_a_required_factor_open_only_the_account() {
    let app = TestApp::start_with_settings(&[("require-totp-for-admins = false", "require-totp-for-admins = true")]).await;
    users::put(&app.platform, PERSON, PASSWORD, Role::Admin, None).await.unwrap();
    let staff = signed_in(&app, PASSWORD).await;
    for path in ["/billing/usage", "/admin/webhooks", "/"] {
        let answer = staff.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/account")), "{path}");
    }
    for path in ["/api/v1/billing/invoices", "/api/v1/admin/webhooks", "/api/v1/admin/audit"] {
        staff.get(path).await.problem(403, "totp_enrolment_required");
    }
    let page = staff.get("/account").await;
    assert!(page.status == 200 && page.text().contains("Set up an authenticator app below to go on."));
    assert_eq!(staff.get("/api/v1/auth/totp").await.json()["required"], true);
    let customer = app.add_customer("lumen").await;
    assert_eq!(app.sign_in(Role::Publisher, Some(customer)).await.get("/billing/usage").await.status, 200);
    assert_eq!(app.machine(customer).await.get("/api/v1/billing/invoices").await.status, 200);

    set_up(&app, &staff).await;
    assert_eq!(staff.get("/api/v1/admin/webhooks").await.status, 200);
    assert_eq!(staff.get("/admin/webhooks").await.status, 200);
}

#[tokio::test]
async fn the_pages_work_without_javascript() {
    let app = app_with_person().await;
    let client = signed_in(&app, PASSWORD).await;
    let offered = submit(&client, &format!("form=totp-offer&current_password={PASSWORD}")).await;
    assert_eq!((offered.status, offered.header("cache-control")), (200, Some("no-store")));
    let html = offered.text();
    assert!(html.contains("otpauth://totp/") && html.contains("class=\"qr\"") && html.contains("<path d=\"M0 0h7v1h-7z"), "{html}");
    let secret = html.split_once("class=\"totp-secret\">").unwrap().1.split_once('<').unwrap().0.to_owned();
    let phone = Phone { secret: BASE32_NOPAD.decode(secret.as_bytes()).unwrap() };
    let wrong = submit(&client, "form=totp-confirm&code=000000").await;
    assert!(wrong.status == 422 && wrong.text().contains(&secret) && wrong.text().contains("The code is wrong or was used before."));
    let confirmed = submit(&client, &format!("form=totp-confirm&code={}", phone.shows(&app))).await;
    assert_eq!((confirmed.status, confirmed.header("cache-control")), (200, Some("no-store")));
    let html = confirmed.text();
    let list = html.split_once("class=\"recovery-codes\">").unwrap().1.split_once("</ul>").unwrap().0;
    assert_eq!(list.matches("<code>").count(), 8);
    let later = client.get("/account").await.text();
    assert!(!later.contains(&secret) && !later.contains("recovery-codes") && later.contains("8 recovery codes are left."));

    next_step(&app);
    let form = async |client: &Client, path: &str, body: String| {
        client.post(path, "application/x-www-form-urlencoded", body.replace(' ', "+").into_bytes()).await
    };
    let body = format!("email={PERSON}&password={PASSWORD}&next=/billing/invoices");
    let first = form(&app.client(), "/api/v1/auth/login", body).await;
    assert_eq!((first.status, first.header("location")), (303, Some("/login?step=code&next=/billing/invoices")));
    let halfway = app.client().with_cookies_of(&first);
    assert!(halfway.get("/login?step=code").await.text().contains("action=\"/api/v1/auth/login/code\""));
    let wrong = form(&halfway, "/api/v1/auth/login/code", "code=000000&next=/billing/invoices".into()).await;
    let again = wrong.header("location").unwrap().to_owned();
    assert_eq!(again, "/login?step=code&error=invalid_code&next=/billing/invoices");
    assert!(halfway.get(&again).await.text().contains("The code is wrong or was used before."));
    let done = form(&halfway, "/api/v1/auth/login/code", format!("code={}&next=/billing/invoices", phone.shows(&app))).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/billing/invoices")));
    let client = app.client().with_cookies_of(&done);
    assert!(is_signed_in(&client).await);
    let late = form(&app.client(), "/api/v1/auth/login/code", "code=1".into()).await;
    assert_eq!(late.header("location"), Some("/login?error=session_expired&next=/billing/usage"));

    next_step(&app);
    let off = submit(&client, &format!("form=totp-disable&current_password={PASSWORD}&code={}", phone.shows(&app))).await;
    assert_eq!(off.header("location"), Some("/account?done=totp_disabled"));
}
