//! Restoring backups, and migrating down and up with data.

use crate::support::{
    TestApp,
    app::WEBHOOK_SECRET,
    database::TestDatabase,
    program::{Running, Workplace},
};
use apex_billing::{config::Secret, demo, service::audit, store::postgres};
use sqlx::{AssertSqlSafe, Executor, PgPool};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// A year of two customers.
async fn filled() -> TestApp {
    let app = TestApp::start().await;
    let access = demo::Access::made_up(Secret(WEBHOOK_SECRET.into()));
    demo::fill(&app.platform, &access).await.unwrap();
    app
}

/// Per table: the number of rows, and an order-independent checksum.
async fn contents(db: &PgPool) -> BTreeMap<String, (i64, Option<String>)> {
    let mut contents = BTreeMap::new();
    for table in tables(db).await {
        let query = format!("SELECT count(*), md5(string_agg(md5(kept::text), '' ORDER BY md5(kept::text))) FROM {table} kept");
        contents.insert(table, sqlx::query_as(AssertSqlSafe(query)).fetch_one(db).await.unwrap());
    }
    contents
}

async fn tables(db: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
         AND relname <> '_sqlx_migrations' ORDER BY relname",
    )
    .fetch_all(db)
    .await
    .unwrap()
}

/// The folder of the server's own programs: those of another version may refuse it.
pub async fn programs(db: &PgPool) -> PathBuf {
    sqlx::query_scalar::<_, String>("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetch_one(db).await.unwrap().into()
}

/// A URL without sqlx's own parameters.
pub fn for_libpq(url: &str) -> String {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let known: Vec<&str> =
        parameters.split('&').filter(|parameter| ["host=", "port="].iter().any(|name| parameter.starts_with(name))).collect();
    format!("{address}?{}", known.join("&"))
}

#[track_caller]
fn run(program: &Path, args: &[&str]) {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_is_complete_and_serves() {
    let app = filled().await;
    audit::Sealer::default().seal(&app.platform).await.unwrap();
    let head = audit::verify(&app.platform, None, |_| {}).await.unwrap().head.expect("a sealed trail");
    let before = contents(&app.db).await;
    assert!(before["invoices"].0 > 20 && before["usage_records"].0 > 0 && before["billing_audit"].0 > 0);

    let place = Workplace::new();
    let (programs, dump) = (programs(&app.db).await, place.0.join("backup.dump"));
    let dump = dump.to_str().unwrap();
    run(&programs.join("pg_dump"), &["--format=custom", &format!("--file={dump}"), &for_libpq(app.database_url())]);
    let restored = TestDatabase::new().await;
    restored.pool.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await.unwrap();
    run(&programs.join("pg_restore"), &["--exit-on-error", "--no-owner", &format!("--dbname={}", for_libpq(&restored.url)), dump]);
    assert_eq!(contents(&restored.pool).await, before);

    let command = |args: &[&str]| {
        let mut command = place.command(args);
        command.env("DATABASE_URL", &restored.url).env("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET);
        command
    };
    let status = command(&["migrate", "status"]).output().unwrap();
    assert!(status.status.success() && String::from_utf8_lossy(&status.stdout).lines().all(|line| line.starts_with("applied")));
    assert!(command(&["audit", "verify", "--expect-head", &head]).output().unwrap().status.success());
    // The audit log is still append-only.
    let changed = restored.pool.execute("UPDATE billing_audit SET actor = 'another'").await.unwrap_err();
    assert!(changed.to_string().contains("append-only"), "{changed}");
    let server = Running::start(&mut command(&["serve"]));
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_revert_and_reapply_without_data_loss() {
    let app = filled().await;
    let mut versions: Vec<i64> = postgres::MIGRATIONS
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
        .map(|migration| migration.version)
        .collect();
    versions.sort_unstable();
    while let Some(version) = versions.pop() {
        let before = rows(&app.db).await;
        postgres::migrate_down(&app.db, versions.last().copied().unwrap_or(0))
            .await
            .unwrap_or_else(|error| panic!("{version} down: {error}"));
        let below = rows(&app.db).await;
        for (table, count) in &below {
            assert_eq!(before.get(table).unwrap_or(count), count, "{table} after {version} went down");
        }
        postgres::migrate(&app.db).await.unwrap_or_else(|error| panic!("{version} up again: {error}"));
        let after = rows(&app.db).await;
        for (table, count) in &below {
            assert_eq!(after.get(table).unwrap_or(count), count, "{table} after {version} went up again");
        }
    }
    assert_eq!(rows(&app.db).await.get("invoices"), Some(&0), "everything was taken back once");
    let access = demo::Access::made_up(Secret(WEBHOOK_SECRET.into()));
    demo::fill(&app.platform, &access).await.unwrap();
    assert!(rows(&app.db).await["invoices"] > 20);
}

/// The number of rows per table, except `usage_event_keys`: programs before migration 16 used it,
/// and reverting fills it for them.
async fn rows(db: &PgPool) -> BTreeMap<String, i64> {
    let mut rows = BTreeMap::new();
    for table in tables(db).await.into_iter().filter(|table| table != "usage_event_keys") {
        let query = format!("SELECT count(*) FROM {table}");
        rows.insert(table, sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(db).await.unwrap());
    }
    rows
}
