//! Secrets never appear in the log, at any log level.

use crate::{
    stripe::StandIn,
    support::{
        database::TestDatabase,
        program::{Running, Workplace},
        stand_in::SECRET_KEY,
    },
};
use apex_billing::{auth::totp, config::Secret, stripe::signature};
use data_encoding::{BASE32_NOPAD, BASE64, HEXLOWER};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Stdio,
};

/// One request; the whole response.
pub fn send(address: &str, head: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_logged_at_trace_level() {
    const WEBHOOK_SECRET: &str = "whsec_never_to_be_seen";
    const SMTP_PASSWORD: &str = "smtp-never-to-be-seen";
    const SEALING_KEY: &str = "bmV2ZXItdG8tYmUtc2Vlbi1ub3Itb3BlbmVkLTMyLWI=";
    const WRONG_PASSWORD: &str = "wrong-never-to-be-seen";
    const WRONG_KEY: &str = "apex_wrongneverseenwrongneverseenwrongneverseen";
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let stand_in = StandIn::listen("127.0.0.1:0", SECRET_KEY, time::OffsetDateTime::now_utc).await.unwrap();
    let log = place.0.join("log");
    let mut command = place.command(&["serve", "--demo"]);
    command
        .env("DATABASE_URL", &database.url)
        .env("STRIPE_SECRET_KEY", SECRET_KEY)
        .env("STRIPE_API_BASE", stand_in.base_url())
        .env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
        .env("SMTP_URL", format!("smtp://user:{SMTP_PASSWORD}@127.0.0.1:1"))
        .env("SECRETS_KEY", SEALING_KEY)
        .env("RUST_LOG", "trace")
        .env("LOG_FORMAT", "json")
        .stderr(Stdio::from(fs::File::create(&log).unwrap()));
    let demo = place.command(&["demo", "--json"]).env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET).output();
    let access: Value = serde_json::from_slice(&demo.unwrap().stdout).unwrap();
    let mut server = Running::start(&mut command);
    let (password, key) = (access["password"].as_str().unwrap(), access["api_key"].as_str().unwrap());

    // Successful logins in both ways, and a failed one.
    let login = |password: &str| format!(r#"{{"email":"publisher@demo.test","password":"{password}"}}"#);
    let json = "Content-Type: application/json\r\n";
    let answer = send(&server.address, "POST /api/v1/auth/login", json, &login(password));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: auth_token=")?.split(';').next()).unwrap().to_owned();
    assert!(send(&server.address, "POST /api/v1/auth/login", json, &login(WRONG_PASSWORD)).starts_with("HTTP/1.1 401"));
    let form = format!("email=publisher%40demo.test&password={WRONG_PASSWORD}");
    send(&server.address, "POST /api/v1/auth/login", "Content-Type: application/x-www-form-urlencoded\r\n", &form);
    let signed_in = format!("Cookie: auth_token={cookie}\r\n");
    for path in ["/billing/usage", "/api/v1/billing/usage/current", "/api/v1/billing/invoices"] {
        assert!(send(&server.address, &format!("GET {path}"), &signed_in, "").starts_with("HTTP/1.1 200"), "{path}");
    }
    for (key, status) in [(key, 202), (WRONG_KEY, 401)] {
        let headers = format!("Authorization: Bearer {key}\r\n{json}");
        let now = time::OffsetDateTime::now_utc().format(&time::format_description::well_known::Rfc3339).unwrap();
        let event = format!(r#"{{"id":"e{status}","metric":"impressions","quantity":1,"timestamp":"{now}","app_id":"a"}}"#);
        assert!(send(&server.address, "POST /api/v1/usage/events", &headers, &event).starts_with(&format!("HTTP/1.1 {status}")));
    }
    // A new key is only in the response that creates it.
    let made = send(&server.address, "POST /api/v1/billing/api-keys", &format!("{signed_in}{json}"), r#"{"name":"eu"}"#);
    let made: Value = serde_json::from_str(made.split_once("\r\n\r\n").unwrap().1).unwrap();
    let made_key = made["key"].as_str().expect("a new key").to_owned();
    // So are a TOTP secret and the recovery codes.
    let own = |path: &str, body: String| {
        let answer = send(&server.address, &format!("POST /api/v1/auth/{path}"), &format!("{signed_in}{json}"), &body);
        serde_json::from_str::<Value>(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let offered = own("totp", format!(r#"{{"current_password":"{password}"}}"#));
    let totp_secret = offered["secret"].as_str().expect("a secret").to_owned();
    let totp_bytes = BASE32_NOPAD.decode(totp_secret.as_bytes()).unwrap();
    let code = totp::code_at(&totp_bytes, time::OffsetDateTime::now_utc()).unwrap();
    let recovery_code = own("totp/confirm", format!(r#"{{"code":"{code}"}}"#))["recovery_codes"][0].as_str().expect("a code").to_owned();
    // Stripe's webhook, and a forged one.
    let body = r#"{"id":"evt_secrets","type":"plan.created","created":1700000000,"data":{"object":{"id":"plan_1"}}}"#;
    for (secret, status) in [(WEBHOOK_SECRET, 200), ("whsec_guessed", 400)] {
        let signature = signature::sign(body.as_bytes(), &Secret(secret.into()), time::OffsetDateTime::now_utc());
        let answer = send(&server.address, "POST /api/v1/webhooks/stripe", &format!("Stripe-Signature: {signature}\r\n{json}"), body);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    send(&server.address, "POST /api/v1/auth/logout", &signed_in, "");
    assert_eq!(server.signal(libc::SIGTERM), Some(0));

    let text = fs::read_to_string(&log).unwrap();
    assert!(text.contains("\"TRACE\"") && text.contains("answered") && text.contains("publisher@demo.test"), "the log is not talkative");
    let database_password =
        database.url.split_once("://").unwrap().1.split('@').next().and_then(|user| user.split_once(':')).map(|pair| pair.1);
    let key_bytes = BASE64.decode(SEALING_KEY.as_bytes()).unwrap();
    let forms_of = |bytes: &[u8]| [HEXLOWER.encode(bytes), bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")];
    let other_forms = [forms_of(&key_bytes), forms_of(&totp_bytes)].concat();
    let of_second_factor = [SEALING_KEY, &totp_secret, &recovery_code].into_iter().chain(other_forms.iter().map(String::as_str));
    let secrets = [password, key, &cookie, &made_key, WRONG_PASSWORD, WRONG_KEY, WEBHOOK_SECRET, SMTP_PASSWORD, SECRET_KEY];
    for secret in secrets.into_iter().chain(of_second_factor).chain(database_password) {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
    }
}
