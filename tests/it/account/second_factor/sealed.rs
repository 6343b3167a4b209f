//! TOTP secrets encrypted with the operator's key.

use super::*;
use crate::{
    secrets::send,
    support::{
        app::WEBHOOK_SECRET,
        program::{Running, Workplace},
    },
};
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::{fs, process::Stdio};

const OLD: [u8; 32] = [1; 32];
const NEW: [u8; 32] = [2; 32];
const SEALED_BYTES: usize = 53;

fn old() -> String {
    BASE64.encode(&OLD)
}

fn new() -> String {
    HEXLOWER.encode(&NEW)
}

async fn app_with_key(keys: &str) -> TestApp {
    let app = TestApp::start_with(&[("SECRETS_KEY", keys)]).await;
    users::put(&app.platform, PERSON, PASSWORD, Role::Admin, None).await.unwrap();
    app
}

async fn kept(db: &PgPool) -> Vec<u8> {
    sqlx::query_scalar("SELECT secret FROM user_totp").fetch_one(db).await.unwrap()
}

/// Whether a user can sign in with the app's next code.
async fn gets_in(app: &TestApp, phone: &Phone) -> bool {
    next_step(app);
    log_in(&app.client(), Some(&phone.shows(app))).await.status == 200
}

/// Starts a server on the database, and stops it once it serves.
fn start_and_stop(app: &TestApp, keys: Option<&str>) {
    let place = Workplace::new();
    let mut command = place.command(&["serve"]);
    command.env("DATABASE_URL", app.database_url()).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET);
    command.envs(keys.map(|keys| ("SECRETS_KEY", keys)));
    assert_eq!(Running::start(&mut command).signal(libc::SIGINT), Some(0));
}

#[tokio::test]
async fn with_a_key_the_database_has_no_clear_text_secret() {
    let app = app_with_key(&old()).await;
    let client = signed_in(&app, PASSWORD).await;
    let html = submit(&client, &format!("form=totp-offer&current_password={PASSWORD}")).await.text();
    let secret = html.split_once("class=\"totp-secret\">").unwrap().1.split_once('<').unwrap().0.to_owned();
    let phone = Phone { secret: BASE32_NOPAD.decode(secret.as_bytes()).unwrap() };
    let holds_secret = |kept: &[u8]| kept.windows(phone.secret.len()).any(|part| part == phone.secret);
    let offered = kept(&app.db).await;
    assert!(offered.len() == SEALED_BYTES && !holds_secret(&offered));
    let mistyped = submit(&client, "form=totp-confirm&code=000000").await;
    assert!(mistyped.status == 422 && mistyped.text().contains(&secret), "the page still shows it");
    assert_eq!(submit(&client, &format!("form=totp-confirm&code={}", phone.shows(&app))).await.status, 200);
    assert_eq!(kept(&app.db).await, offered);
    assert!(gets_in(&app, &phone).await);
    log_in(&app.client(), Some("000000")).await.problem(401, "invalid_code");

    next_step(&app);
    let disabled = post(&client, "totp/disable", json!({"current_password": PASSWORD, "code": phone.shows(&app)})).await;
    assert_eq!(disabled.status, 204, "{}", disabled.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_encrypts_and_decrypts_stored_secrets() {
    let app = app_with_person().await;
    let (phone, _) = set_up(&app, &signed_in(&app, PASSWORD).await).await;
    assert_eq!(kept(&app.db).await, phone.secret);
    let app = app.restart_with(&[("SECRETS_KEY", &old())]).await;
    assert!(gets_in(&app, &phone).await, "a plain one is good until it is sealed");
    start_and_stop(&app, Some(&old()));
    let sealed = kept(&app.db).await;
    assert_eq!(sealed.len(), SEALED_BYTES);
    assert!(gets_in(&app, &phone).await);
    start_and_stop(&app, Some(&old()));
    assert_eq!(kept(&app.db).await, sealed, "what is sealed by the first key stays");

    let app = app.restart_with(&[("SECRETS_KEY", &format!("plain,{}", old()))]).await;
    assert!(gets_in(&app, &phone).await);
    start_and_stop(&app, Some(&format!("plain,{}", old())));
    assert_eq!(kept(&app.db).await, phone.secret);
    let app = app.restart_with(&[]).await;
    assert!(gets_in(&app, &phone).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_reencrypts_with_a_new_first_key() {
    let app = app_with_key(&old()).await;
    let (phone, _) = set_up(&app, &signed_in(&app, PASSWORD).await).await;
    let both = format!("{},{}", new(), old());
    let app = app.restart_with(&[("SECRETS_KEY", &both)]).await;
    assert!(gets_in(&app, &phone).await);
    start_and_stop(&app, Some(&both));
    let app = app.restart_with(&[("SECRETS_KEY", &new())]).await;
    assert!(gets_in(&app, &phone).await, "the old key is not needed any more");
}

#[tokio::test]
async fn pending_secrets_survive_reencryption() {
    let app = app_with_person().await;
    let client = signed_in(&app, PASSWORD).await;
    let phone = Phone::of(&post(&client, "totp", json!({"current_password": PASSWORD})).await.json());
    let app = app.restart_with(&[("SECRETS_KEY", &old())]).await;
    assert_eq!(second_factor::reseal(&app.platform).await.unwrap(), 1);
    let client = signed_in(&app, PASSWORD).await;
    assert_eq!(post(&client, "totp/confirm", json!({"code": phone.shows(&app)})).await.status, 200);
    assert!(gets_in(&app, &phone).await);
}

#[tokio::test]
async fn concurrent_starts_change_each_secret_once() {
    const PEOPLE: u64 = 30;
    let app = app_with_person().await;
    sqlx::query(
        "WITH people AS (
             INSERT INTO users (email, password_hash, role) SELECT number || '@people.example', '', 'admin' FROM generate_series(1, $1) AS number
             RETURNING id
         )
         INSERT INTO user_totp (user_id, secret, offered_at) SELECT id, decode(repeat('ab', 20), 'hex'), now() FROM people",
    )
    .bind(i64::try_from(PEOPLE).unwrap())
    .execute(&app.db)
    .await
    .unwrap();
    let (one, other) = (app.replica_with(&[("SECRETS_KEY", &old())]).await, app.replica_with(&[("SECRETS_KEY", &old())]).await);
    let (by_one, by_other) = tokio::join!(second_factor::reseal(&one.platform), second_factor::reseal(&other.platform));
    assert_eq!(by_one.unwrap() + by_other.unwrap(), PEOPLE);
    let different: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT secret) FROM user_totp WHERE length(secret) = 53").fetch_one(&app.db).await.unwrap();
    assert_eq!(u64::try_from(different), Ok(PEOPLE));
    assert_eq!(second_factor::reseal(&one.platform).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_key_refuses_codes_and_is_logged() {
    let app = app_with_key(&old()).await;
    let (phone, recovery_codes) = set_up(&app, &signed_in(&app, PASSWORD).await).await;
    let sealed = kept(&app.db).await;
    let key_id = HEXLOWER.encode(&Sha256::digest(OLD)[..4]);
    let mut app = app;
    for keys in ["", &new()] {
        app = app.restart_with(&[("SECRETS_KEY", keys)]).await;
        next_step(&app);
        for code in [phone.shows(&app).as_str(), "000000"] {
            let answer = log_in(&app.client(), Some(code)).await;
            answer.problem(503, "unavailable");
            assert!(!answer.text().contains(&key_id) && !answer.text().contains("SECRETS_KEY"), "{}", answer.text());
        }
        let halfway = app.client().with_cookies_of(&log_in(&app.client(), None).await);
        post(&halfway, "login/code", json!({"code": phone.shows(&app)})).await.problem(503, "unavailable");
        assert!(!is_signed_in(&halfway).await);
        second_factor::reseal(&app.platform).await.unwrap();
        assert_eq!(kept(&app.db).await, sealed, "what can't be decrypted stays");
        sqlx::query("DELETE FROM login_failures").execute(&app.db).await.unwrap();
    }
    // Recovery codes don't depend on the secret.
    assert_eq!(log_in(&app.client(), Some(&recovery_codes[0])).await.status, 200);

    let place = Workplace::new();
    let log = place.0.join("log");
    let mut command = place.command(&["serve"]);
    command.env("DATABASE_URL", app.database_url()).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET);
    command.env("LOG_FORMAT", "json").stderr(Stdio::from(fs::File::create(&log).unwrap()));
    let mut server = Running::start(&mut command);
    let body = json!({"email": PERSON, "password": PASSWORD, "code": "000000"}).to_string();
    let answer = send(&server.address, "POST /api/v1/auth/login", "Content-Type: application/json\r\n", &body);
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert_eq!(server.signal(libc::SIGINT), Some(0));
    let log = fs::read_to_string(&log).unwrap();
    let logged =
        log.lines().filter(|line| line.contains("\"ERROR\"") && line.contains(&format!("encrypted with the key {key_id}"))).count();
    assert_eq!(logged, 2, "at the start and at the code: {log}");

    let app = app.restart_with(&[("SECRETS_KEY", &old())]).await;
    assert!(gets_in(&app, &phone).await, "nothing is lost once the key is back");
}

#[tokio::test]
async fn the_older_schema_keeps_second_factors() {
    let app = app_with_key(&old()).await;
    let (phone, _) = set_up(&app, &signed_in(&app, PASSWORD).await).await;
    let place = Workplace::new();
    let migrate = |args: &[&str]| {
        let done = place.command(&[&["migrate"], args].concat()).env("DATABASE_URL", app.database_url()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    migrate(&["down", "--to", "32"]);
    assert_eq!(kept(&app.db).await.len(), SEALED_BYTES);
    // As an older server marks a code as used.
    assert!(sqlx::query("UPDATE user_totp SET last_step = last_step + 1").execute(&app.db).await.is_err());
    migrate(&["up"]);
    assert!(gets_in(&app, &phone).await);
}
