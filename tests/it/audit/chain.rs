//! The chain of seals detects changes, even with the privileges of the database's owner.

use crate::support::{TestApp, program::Workplace};
use apex_billing::service::audit::{Proof, Sealer, verify};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor};

async fn write(app: &TestApp, actor: &str) {
    sqlx::query("INSERT INTO billing_audit (event_type, actor, data, ip_address) VALUES ('test.written', $1, '{\"n\": 1}', '192.0.2.1')")
        .bind(actor)
        .execute(&app.db)
        .await
        .unwrap();
}

async fn seal(app: &TestApp) -> u64 {
    Sealer::default().seal(&app.platform).await.unwrap()
}

async fn proof(app: &TestApp, expected: Option<&str>) -> Proof {
    verify(&app.platform, expected, |_| ()).await.unwrap()
}

/// Statements of the database's owner.
async fn tamper(app: &TestApp, statement: &str) {
    let table = if statement.contains("billing_audit_seals") { "billing_audit_seals" } else { "billing_audit" };
    for sql in
        [format!("ALTER TABLE {table} DISABLE TRIGGER USER"), statement.to_owned(), format!("ALTER TABLE {table} ENABLE TRIGGER USER")]
    {
        app.db.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

/// Three seals of two rows each; id 3 was never used.
async fn sealed() -> TestApp {
    let app = TestApp::start().await;
    for seal_of in 0..3 {
        write(&app, "first").await;
        write(&app, "second").await;
        if seal_of == 0 {
            let mut tx = app.db.begin().await.unwrap();
            tx.execute("INSERT INTO billing_audit (event_type, actor) VALUES ('test.taken_back', 'none')").await.unwrap();
            tx.rollback().await.unwrap();
        }
        assert_eq!(seal(&app).await, 2);
    }
    app
}

#[tokio::test]
async fn an_untouched_log_verifies_and_grows() {
    let app = sealed().await;
    let first = proof(&app, None).await;
    assert_eq!((first.intact, first.seals, first.rows, first.unsealed), (true, 3, 6, 0));
    let head = first.head.unwrap();
    write(&app, "third").await;
    assert_eq!(proof(&app, None).await.unsealed, 1);
    assert_eq!((seal(&app).await, seal(&app).await), (1, 0));
    // The earlier head is still one of the seals.
    let later = proof(&app, Some(&head)).await;
    assert!(later.intact && later.head.unwrap() != head);
    assert!(verify(&app.platform, Some("short"), |_| ()).await.is_err());
}

#[tokio::test]
async fn every_change_is_found_with_its_position() {
    for (statement, seals) in [
        ("UPDATE billing_audit SET actor = 'another' WHERE id = 4", &[2][..]),
        ("UPDATE billing_audit SET data = '{\"n\": 2}' WHERE id = 4", &[2]),
        ("UPDATE billing_audit SET ip_address = NULL WHERE id = 4", &[2]),
        ("UPDATE billing_audit SET created_at = created_at + interval '1 microsecond' WHERE id = 4", &[2]),
        ("DELETE FROM billing_audit WHERE id = 1", &[1]),
        ("DELETE FROM billing_audit WHERE id >= 6", &[3]),
        ("INSERT INTO billing_audit (id, event_type, actor) OVERRIDING SYSTEM VALUE VALUES (3, 'test.planted', 'x')", &[2]),
        ("INSERT INTO billing_audit (id, event_type, actor) OVERRIDING SYSTEM VALUE VALUES (-1, 'test.planted', 'x')", &[1]),
        ("UPDATE billing_audit_seals SET hash = sha256('x') WHERE seq = 2", &[2, 3]),
        ("DELETE FROM billing_audit_seals WHERE seq = 2", &[3]),
        ("DELETE FROM billing_audit_seals WHERE seq = 1", &[2]),
        ("UPDATE billing_audit_seals SET row_count = 1 WHERE seq = 3", &[3]),
    ] {
        let app = sealed().await;
        tamper(&app, statement).await;
        let proof = proof(&app, None).await;
        assert!(!proof.intact, "{statement}");
        assert_eq!(proof.broken.iter().map(|broken| broken.seal).collect::<Vec<_>>(), seals, "{statement}");
    }
}

#[tokio::test]
async fn a_removed_end_is_found_with_a_stored_head() {
    let app = sealed().await;
    let head = proof(&app, None).await.head.unwrap();
    tamper(&app, "DELETE FROM billing_audit WHERE id >= 6").await;
    tamper(&app, "DELETE FROM billing_audit_seals WHERE seq = 3").await;
    assert!(proof(&app, None).await.intact, "nothing in the database can tell");
    let proof = proof(&app, Some(&head)).await;
    assert!(!proof.intact && proof.broken[0].reason.contains("was removed"), "{proof:?}");
}

#[tokio::test]
async fn rows_being_written_are_sealed_later() {
    let app = TestApp::start().await;
    let sealer = Sealer::default();
    let mut slow = app.db.begin().await.unwrap();
    slow.execute("INSERT INTO billing_audit (event_type, actor) VALUES ('test.slow', 'slow')").await.unwrap();
    write(&app, "quick").await;
    assert_eq!(sealer.seal(&app.platform).await.unwrap(), 0, "a lower number may still come");
    assert_eq!(sealer.seal(&app.platform).await.unwrap(), 0);
    slow.commit().await.unwrap();
    // Concurrent writers don't block it.
    let mut other = app.db.begin().await.unwrap();
    other.execute("INSERT INTO billing_audit (event_type, actor) VALUES ('test.other', 'other')").await.unwrap();
    assert_eq!(sealer.seal(&app.platform).await.unwrap(), 2);
    other.rollback().await.unwrap();
    assert!(proof(&app, None).await.intact);
}

#[tokio::test]
async fn replicas_seal_in_turns() {
    let app = TestApp::start().await;
    let replica = app.replica_with(&[]).await;
    let mut sealed = 0;
    for written in 1..=20 {
        write(&app, "writer").await;
        let (one, other) = tokio::join!(seal(&app), seal(&replica));
        // A row that neither replica seals now is sealed later, and none is sealed twice.
        sealed += one + other;
        assert!(sealed <= written, "{sealed} of {written}");
    }
    seal(&app).await;
    let proof = proof(&app, None).await;
    assert_eq!((proof.intact, proof.rows, proof.unsealed), (true, 20, 0));
}

#[tokio::test]
async fn seals_cannot_be_rewritten_either() {
    let app = sealed().await;
    for statement in ["UPDATE billing_audit_seals SET row_count = 1", "DELETE FROM billing_audit_seals", "TRUNCATE billing_audit_seals"] {
        let error = sqlx::query(statement).execute(&app.db).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
}

#[tokio::test]
async fn the_command_reports_the_position_and_fails() {
    let app = sealed().await;
    let place = Workplace::new();
    let run = |args: &[&str]| {
        let output = place.command(&[&["audit", "verify"], args].concat()).env("DATABASE_URL", app.database_url()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, out, err) = run(&["--json"]);
    let proof: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!((code, &proof["intact"], &proof["rows"]), (Some(0), &Value::Bool(true), &Value::from(6)), "{err}");
    let head = proof["head"].as_str().unwrap();
    assert_eq!(run(&["--expect-head", head]).0, Some(0));
    assert_eq!(run(&["--expect-head", "nonsense"]).0, Some(1));
    tamper(&app, "DELETE FROM billing_audit WHERE id = 4").await;
    let (code, out, err) = run(&[]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("seal 2, entries above 2 up to 5: 1 of its 2 rows are missing"), "{out}");
    assert!(err.contains("tampered"), "{err}");
}
