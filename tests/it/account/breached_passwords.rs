//! Breached passwords.

use super::*;
use crate::support::{
    database::TestDatabase,
    program::{Workplace, run_with_input},
};
use apex_billing::domain::error_code::ErrorCode;
use sha1::{Digest, Sha1};
use std::{fs, path::PathBuf};

const KNOWN: &str = "a pass phrase that leaked";
const NEW: &str = "a staple that is new";

/// Writes a file in the downloader's format, with the known password among hashes of others.
fn breached(place: &Workplace) -> PathBuf {
    let others = (0..500).map(|number| format!("password {number}"));
    let mut lines: Vec<String> = others
        .chain([KNOWN.to_owned()])
        .map(|password| format!("{}:{}\r\n", hex::encode_upper(Sha1::digest(password.as_bytes())), password.len()))
        .collect();
    lines.sort();
    let file = place.0.join("pwnedpasswords.txt");
    fs::write(&file, lines.concat()).unwrap();
    file
}

fn change(new: &str) -> Value {
    json!({"current_password": PASSWORD, "new_password": new})
}

#[tokio::test]
async fn breached_passwords_are_refused_on_change() {
    let place = Workplace::new();
    let file = breached(&place);
    let app = TestApp::start_with(&[("BREACHED_PASSWORDS_FILE", file.to_str().unwrap())]).await;
    users::put(&app.platform, PERSON, PASSWORD, Role::Admin, None).await.unwrap();
    let client = signed_in(&app, PASSWORD).await;
    let problem = client.post_json("/api/v1/auth/password", &change(KNOWN)).await.problem(422, "invalid_parameter");
    assert_eq!(
        (&problem["parameter"], problem["detail"].as_str()),
        (&json!("new_password"), Some("new_password: is known from a breach; choose another"))
    );
    let page = submit(&client, &format!("form=password&current_password={PASSWORD}&new_password={KNOWN}")).await;
    assert!(page.status == 422 && page.text().contains("This password is known from a data breach. Choose another."), "{}", page.text());
    for refused in [
        users::put(&app.platform, PERSON, KNOWN, Role::Admin, None).await,
        users::put(&app.platform, "new@people.example", KNOWN, Role::Admin, None).await,
        users::set_password(&app.platform, PERSON, KNOWN).await,
    ] {
        assert_eq!(refused.unwrap_err().code(), ErrorCode::InvalidParameter);
    }
    let answer = client.post_json("/api/v1/auth/password", &change(NEW)).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    signed_in(&app, NEW).await;
}

#[tokio::test]
async fn an_unreadable_file_blocks_changes_but_not_logins() {
    let place = Workplace::new();
    let file = breached(&place);
    let app = TestApp::start_with(&[("BREACHED_PASSWORDS_FILE", file.to_str().unwrap())]).await;
    users::put(&app.platform, PERSON, PASSWORD, Role::Admin, None).await.unwrap();
    let client = signed_in(&app, PASSWORD).await;
    for not_readable in ["gone", "something else"] {
        match not_readable {
            "gone" => fs::remove_file(&file).unwrap(),
            other => fs::write(&file, other).unwrap(),
        }
        let answer = client.post_json("/api/v1/auth/password", &change(NEW)).await;
        answer.problem(503, "unavailable");
        assert!(!answer.text().contains("pwnedpasswords"), "{}", answer.text());
        let page = submit(&client, &format!("form=password&current_password={PASSWORD}&new_password={NEW}")).await;
        assert_eq!(page.status, 503, "{not_readable}");
        assert_eq!(users::set_password(&app.platform, PERSON, NEW).await.unwrap_err().status(), 503);
    }
    signed_in(&app, PASSWORD).await;
    // A replaced file takes effect at once.
    breached(&place);
    client.post_json("/api/v1/auth/password", &change(KNOWN)).await.problem(422, "invalid_parameter");
    assert_eq!(client.post_json("/api/v1/auth/password", &change(NEW)).await.status, 204);
}

#[tokio::test]
async fn commands_refuse_breached_passwords_too() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let file = breached(&place);
    let run = |args: &[&str], input: &str| {
        let mut command = place.command(args);
        command.env("DATABASE_URL", &database.url).env("BREACHED_PASSWORDS_FILE", &file).env("DEMO_PASSWORD", KNOWN);
        let output = run_with_input(&mut command, input);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let add = ["user", "add", PERSON, "--role", "admin"];
    let refused =
        |(code, said): (Option<i32>, String)| code == Some(1) && said == "apex-billing: password: is known from a breach; choose another\n";
    assert!(refused(run(&add, KNOWN)));
    assert_eq!(run(&add, PASSWORD).0, Some(0));
    assert!(refused(run(&["user", "passwd", PERSON], KNOWN)));
    assert_eq!(run(&["user", "passwd", PERSON], NEW).0, Some(0));
    assert!(refused(run(&["demo"], "")));
}
