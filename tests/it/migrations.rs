//! Migrations expand before they contract: the previous program works on the current schema.
//! Upgrades without failed requests and rollbacks depend on that.

use crate::support::{database::TestDatabase, program::Workplace};
use apex_billing::store::postgres::{self, MIGRATIONS, checksums};
use serde_json::Value;
use sha2::{Digest, Sha384};
use sqlx::{PgPool, migrate::MigrateError};
use std::{collections::BTreeMap, fs, path::Path};

/// A line with this prefix names the first release that no longer uses what a migration removes or
/// changes.
const MARKER: &str = "-- contracts: unused since ";

/// Contracting migrations without the marker, because no release used what they remove.
const BEFORE_THE_FIRST_RELEASE: &[&str] = &[];

/// The table that a statement drops, and that the migration creates again as a view: programs read
/// the view, and write to it through triggers.
fn is_made_a_view(statement: &str, all: &[String]) -> bool {
    let words = |statement: &str| statement.split_whitespace().map(str::to_ascii_lowercase).collect::<Vec<_>>();
    let dropped = words(statement);
    let [drop, table, name] = dropped.as_slice() else { return false };
    let starts = |statement: &String, with: &[&str]| words(statement).iter().map(String::as_str).take(with.len()).eq(with.iter().copied());
    let is_view = all.iter().any(|one| starts(one, &["create", "view", name]));
    let triggers = "instead of insert or update or delete on";
    let is_written =
        all.iter().any(|one| starts(one, &["create", "trigger"]) && words(one).join(" ").contains(&format!("{triggers} {name} ")));
    (drop.as_str(), table.as_str()) == ("drop", "table") && is_view && is_written
}

/// What a statement removes for a program of the previous schema, if anything.
fn contracts(statement: &str) -> Option<&'static str> {
    let words: Vec<String> = statement.split_whitespace().map(str::to_ascii_uppercase).collect();
    let text = format!(" {} ", words.join(" "));
    let alters = ["TABLE", "TYPE", "VIEW"].iter().any(|kind| text.starts_with(&format!(" ALTER {kind} ")));
    let alters_a_column = alters && text.matches(" ALTER ").count() > 1;
    // A required column is one that the previous program does not set.
    let must_be_given = |column: &str| column.contains(" NOT NULL") && !column.contains(" DEFAULT ") && !column.contains(" GENERATED ");
    let mut added = text.split(" ADD COLUMN ").skip(1).flat_map(|rest| rest.split(','));
    let known = [
        (text.starts_with(" DROP TABLE "), "DROP TABLE"),
        (text.starts_with(" DROP VIEW ") || text.starts_with(" DROP TYPE "), "DROP"),
        (alters && text.contains(" DROP COLUMN "), "DROP COLUMN"),
        (text.starts_with(" ALTER ") && text.contains(" RENAME "), "RENAME"),
        (alters_a_column && text.contains(" TYPE "), "a column's type"),
        (alters_a_column && text.contains(" SET NOT NULL "), "SET NOT NULL"),
        (alters && added.any(must_be_given), "ADD COLUMN … NOT NULL without DEFAULT"),
    ];
    known.into_iter().find_map(|(is, what)| is.then_some(what))
}

/// A migration's statements, and its marker's release. Function bodies are split too, which doesn't
/// matter.
fn read(sql: &str) -> (Vec<String>, Option<&str>) {
    let release = sql.lines().find_map(|line| line.strip_prefix(MARKER)).map(str::trim);
    let code: Vec<&str> = sql.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code)).collect();
    (code.join("\n").split(';').map(str::to_owned).collect(), release)
}

/// Whether it is a version such as 0.2.0, not later than this program's.
fn is_earlier_release(release: &str) -> bool {
    let parts = |version: &str| version.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>();
    parts(release).is_some_and(|parts_of| parts_of.len() == 3 && Some(parts_of) < parts(env!("CARGO_PKG_VERSION")))
}

#[test]
fn contracting_migrations_name_the_last_using_release() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".up.sql") {
            continue;
        }
        seen += 1;
        let sql = fs::read_to_string(&path).unwrap();
        let (statements, release) = read(&sql);
        let found: Vec<_> = statements
            .iter()
            .filter(|statement| !is_made_a_view(statement, &statements))
            .filter_map(|statement| Some((contracts(statement)?, statement)))
            .collect();
        let accepted = BEFORE_THE_FIRST_RELEASE.contains(&&name[..4]);
        assert!(!accepted || !found.is_empty(), "{name} contracts nothing, and need not be accepted");
        if let Some((what, statement)) = found.first().filter(|_| !accepted) {
            assert!(
                release.is_some_and(is_earlier_release),
                "{name} contracts ({what}): `{statement}`. A release has to do without it first; then say which, in a line `{MARKER}0.2.0`"
            );
        }
    }
    assert_eq!(seen, MIGRATIONS.iter().filter(|migration| migration.migration_type.is_up_migration()).count());
}

#[test]
fn contracting_statements_are_recognised() {
    for statement in [
        "DROP TABLE plans",
        "drop table if exists plans cascade",
        "ALTER TABLE plans DROP COLUMN name",
        "ALTER TABLE plans\n    ADD COLUMN a integer,\n    DROP COLUMN b",
        "ALTER TABLE plans RENAME TO tariffs",
        "ALTER TABLE plans RENAME COLUMN a TO b",
        "ALTER TABLE plans ALTER COLUMN a TYPE bigint",
        "ALTER TABLE plans ALTER COLUMN a SET DATA TYPE bigint",
        "ALTER TABLE plans ALTER COLUMN a SET NOT NULL",
        "ALTER TABLE plans ALTER a SET NOT NULL",
        "ALTER TABLE plans ADD COLUMN a integer NOT NULL",
        "ALTER TABLE plans ADD COLUMN b integer NOT NULL DEFAULT 0, ADD COLUMN a integer NOT NULL",
    ] {
        assert!(read(statement).0.iter().any(|statement| contracts(statement).is_some()), "{statement}");
    }
    for statement in [
        "CREATE TABLE plans (a integer NOT NULL, type text NOT NULL)",
        "ALTER TABLE plans ADD COLUMN a integer",
        "ALTER TABLE plans ADD COLUMN a integer NOT NULL DEFAULT 0, ADD COLUMN b text",
        "ALTER TABLE plans ALTER COLUMN a SET DEFAULT 1",
        "ALTER TABLE plans ALTER COLUMN a DROP NOT NULL",
        "DROP INDEX plans_a",
        "-- DROP TABLE plans\nCREATE INDEX plans_a ON plans (a)",
    ] {
        assert!(read(statement).0.iter().all(|statement| contracts(statement).is_none()), "{statement}");
    }
    let replaced = "DROP TABLE a; CREATE VIEW a AS SELECT 1; CREATE TRIGGER t INSTEAD OF INSERT OR UPDATE OR DELETE ON a FOR EACH ROW EXECUTE FUNCTION f()";
    for (sql, is) in [
        (replaced.to_owned(), true),
        (replaced.replace("DROP TABLE a", "DROP TABLE b"), false),
        (replaced.replace("VIEW a", "VIEW b"), false),
        (replaced.replace("INSERT OR ", ""), false),
        (replaced.replace("TRIGGER", "FUNCTION"), false),
    ] {
        let (statements, _) = read(&sql);
        assert_eq!(is_made_a_view(&statements[0], &statements), is, "{sql}");
    }
    assert_eq!(read("-- Why.\n-- contracts: unused since 0.0.9\nDROP TABLE a;").1, Some("0.0.9"));
    assert!(is_earlier_release("0.0.9") && !is_earlier_release(env!("CARGO_PKG_VERSION")) && !is_earlier_release("soon"));
}

#[tokio::test]
async fn concurrent_migrations_are_serialized() {
    let database = TestDatabase::new().await;
    postgres::migrate_down(&database.pool, 0).await.unwrap();
    let other = PgPool::connect(&database.url).await.unwrap();
    let (first, second) = tokio::join!(postgres::migrate(&database.pool), postgres::migrate(&other));
    first.unwrap();
    second.unwrap();
    let status = postgres::migration_status(&other).await.unwrap();
    assert!(!status.is_empty() && status.iter().all(|(_, applied)| *applied));
    let applied: i64 = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations").fetch_one(&other).await.unwrap();
    assert_eq!(usize::try_from(applied).unwrap(), status.len(), "each once");
    other.close().await;
}

#[tokio::test]
async fn a_migration_that_fails_is_named_by_its_number() {
    let database = TestDatabase::new().await;
    postgres::migrate_down(&database.pool, 21).await.unwrap();
    // An object of the next migration was created manually.
    sqlx::query("CREATE TABLE reconciliations (id integer)").execute(&database.pool).await.unwrap();
    let place = Workplace::new();
    let output = place.command(&["migrate"]).env("DATABASE_URL", &database.url).env("LOG_FORMAT", "json").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    let line = said.lines().find_map(|line| serde_json::from_str::<Value>(line).ok()).expect("a line of the log");
    assert_eq!((line["migration"].as_i64(), line["level"].as_str()), (Some(22), Some("ERROR")), "{said}");
    let noted: Value =
        sqlx::query_scalar("SELECT data FROM billing_audit WHERE event_type = 'error'").fetch_one(&database.pool).await.unwrap();
    assert_eq!(noted["migration"], 22, "{noted}");
}

/// The SQL without comments, trailing blanks and empty lines.
fn without_comments(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code).trim_end());
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn reworded_migrations_have_unchanged_sql() {
    let mut seen = 0;
    for reworded in checksums::reworded() {
        let version = reworded.version;
        let migration = MIGRATIONS.iter().find(|known| known.version == version && known.migration_type.is_up_migration());
        let sql = migration.unwrap_or_else(|| panic!("{version} is missing")).sql.as_str();
        assert_eq!(hex::encode(Sha384::digest(without_comments(sql))), reworded.sql, "the SQL of {version} has changed");
        assert_eq!(hex::decode(reworded.released).unwrap().len(), 48, "{version}");
        seen += 1;
    }
    let lines = include_str!("../../src/store/postgres/checksums.txt").lines();
    assert_eq!(seen, lines.filter(|line| !line.starts_with('#')).count(), "every line of checksums.txt is valid");
    assert_eq!(without_comments("-- Why.\n\nSELECT 1; -- one \n  SELECT 2;\n"), "SELECT 1;\n  SELECT 2;");
}

/// Older programs validate the stored checksums when they start.
#[tokio::test]
async fn databases_store_checksums_of_released_files() {
    let database = TestDatabase::new().await;
    postgres::migrate_down(&database.pool, 0).await.unwrap();
    postgres::migrate(&database.pool).await.unwrap();
    let stored: Vec<(i64, String)> =
        sqlx::query_as("SELECT version, encode(checksum, 'hex') FROM _sqlx_migrations").fetch_all(&database.pool).await.unwrap();
    let ups = MIGRATIONS.iter().filter(|migration| migration.migration_type.is_up_migration());
    let mut expected: BTreeMap<i64, String> = ups.map(|migration| (migration.version, hex::encode(&migration.checksum))).collect();
    for reworded in checksums::reworded() {
        let file = expected.insert(reworded.version, reworded.released.to_owned());
        assert_ne!(file.as_deref(), Some(reworded.released), "{} is not reworded: remove its line", reworded.version);
    }
    assert_eq!(stored.into_iter().collect::<BTreeMap<_, _>>(), expected);

    sqlx::query("UPDATE _sqlx_migrations SET checksum = sha384('other') WHERE version = 1").execute(&database.pool).await.unwrap();
    let error = postgres::migrate(&database.pool).await.unwrap_err();
    assert!(matches!(error, MigrateError::VersionMismatch(1)), "{error}");
}
