//! The guarded command that drops all tables.

use crate::{
    backup::{for_libpq, programs},
    support::{
        database::TestDatabase,
        program::{Running, Workplace},
    },
};
use sqlx::postgres::PgConnectOptions;
use std::{fs, process::Output, str::FromStr};

const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE a ();\n\n--\n-- PostgreSQL database dump complete\n--\n\n";

async fn tables(database: &TestDatabase) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetch_one(&database.pool).await.unwrap()
}

#[track_caller]
fn refuses(output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("nothing was dropped") && said.contains(why), "{said}");
}

#[tokio::test]
async fn drop_tables_requires_all_safeguards() {
    let (database, place) = (TestDatabase::new().await, Workplace::new());
    let name = PgConnectOptions::from_str(&database.url).unwrap().get_database().unwrap().to_owned();
    // No key is available for encrypted secrets.
    sqlx::query(
        "WITH person AS (INSERT INTO users (email, password_hash, role) VALUES ('staff@people.example', 'x', 'admin') RETURNING id)
         INSERT INTO user_totp (user_id, secret, offered_at, confirmed_at)
         SELECT id, set_byte(decode(repeat('00', 53), 'hex'), 0, 1), now(), now() FROM person",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let before = tables(&database).await;
    let drop_tables = |more: &[&str]| {
        let args = [&["rollback", "drop-tables", "--database-url", database.url.as_str()][..], more].concat();
        // DATABASE_URL is not the database of the tables.
        place.command(&args).env("DATABASE_URL", "postgres://unknown@127.0.0.1:1/none").output().unwrap()
    };
    let dump = |name: &str, text: &str| {
        let path = place.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let good = dump("good.sql", DUMP);

    let shown = drop_tables(&[]);
    refuses(&shown, &format!("--confirm {name}"));
    let listed = String::from_utf8_lossy(&shown.stdout).into_owned();
    for table in ["stripe_webhook_events", "events", "usage_alerts", "billing_idempotency", "billing_audit", "invoices"] {
        assert!(listed.contains(&format!("  {table}\t")), "{table}: {listed}");
    }
    refuses(&drop_tables(&["--confirm", "another", "--no-backup"]), "another");
    refuses(&drop_tables(&["--confirm", &name]), "--backup FILE");
    for (file, why) in [
        (place.0.join("none.sql").to_string_lossy().into_owned(), "can't be read"),
        (dump("empty.sql", ""), "not a dump"),
        (dump("other.sql", "SELECT 1;"), "not a dump"),
        (dump("cut.sql", DUMP.split_once("CREATE").unwrap().0), "truncated"),
    ] {
        refuses(&drop_tables(&["--confirm", &name, "--backup", &file]), why);
    }
    let old = dump("old.sql", DUMP);
    let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 60 * 60);
    fs::File::options().write(true).open(&old).unwrap().set_modified(yesterday).unwrap();
    refuses(&drop_tables(&["--confirm", &name, "--backup", &old]), "more than a day old");
    sqlx::query(
        "INSERT INTO billing_audit (event_type, actor, data, created_at) VALUES ('test', 'system', '{}', now() + interval '1 hour')",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    refuses(&drop_tables(&["--confirm", &name, "--backup", &good]), "older than the newest entry");

    let mut server = Running::start(place.command(&["serve"]).env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", "whsec_x"));
    refuses(&drop_tables(&["--confirm", &name, "--no-backup"]), "stop them first");
    assert_eq!(server.signal(libc::SIGINT), Some(0));
    // A server creates the partitions of the next months.
    assert!(tables(&database).await >= before);
    assert_eq!(drop_tables(&["--no-backup", "--backup", &good]).status.code(), Some(2));

    // The log is the only record of it, at any log level.
    let args = ["rollback", "drop-tables", "--database-url", database.url.as_str(), "--confirm", name.as_str(), "--no-backup"];
    let dropped = place.command(&args).env("LOG_FORMAT", "json").output().unwrap();
    let log = String::from_utf8_lossy(&dropped.stderr);
    assert!(dropped.status.success() && log.contains("all tables are dropped") && log.contains(&name), "{log}");
    assert_eq!(tables(&database).await, 0);
    let again = drop_tables(&["--confirm", &name, "--no-backup"]);
    assert!(again.status.code() == Some(1) && String::from_utf8_lossy(&again.stderr).contains("none of our tables"));
    // And migrating up again.
    assert!(place.command(&["migrate"]).env("DATABASE_URL", &database.url).output().unwrap().status.success());
    assert_eq!(tables(&database).await, before);
}

#[tokio::test]
async fn a_dump_of_pg_dump_counts_as_a_backup() {
    let (database, place) = (TestDatabase::new().await, Workplace::new());
    let pg_dump = programs(&database.pool).await.join("pg_dump");
    for format in ["custom", "directory", "plain"] {
        let name = PgConnectOptions::from_str(&database.url).unwrap().get_database().unwrap().to_owned();
        let file = place.0.join(format);
        let mut dump = std::process::Command::new(&pg_dump);
        let made = dump.args(["--format", format, "--file"]).arg(&file).arg("--dbname").arg(for_libpq(&database.url)).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let backup = file.to_string_lossy().into_owned();
        let args =
            ["rollback", "drop-tables", "--database-url", database.url.as_str(), "--confirm", name.as_str(), "--backup", backup.as_str()];
        let dropped = place.command(&args).output().unwrap();
        assert!(dropped.status.success(), "{format}: {}", String::from_utf8_lossy(&dropped.stderr));
        assert!(place.command(&["migrate"]).env("DATABASE_URL", &database.url).output().unwrap().status.success());
    }
}
