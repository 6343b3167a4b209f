//! `docs/operate/mirrored-fields.md` matches the schema and Stripe's fixtures: each column that it
//! names exists, it names each column of the mirror, and it lists each of Stripe's fields.

use crate::support::database::TestDatabase;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const DOCUMENT: &str = include_str!("../../docs/operate/mirrored-fields.md");
const FIXTURES: &str = include_str!("../../src/stripe_stand_in/fixtures.json");

/// Tables whose every column is one of Stripe's fields or the mirror's own.
const TABLES: [&str; 9] =
    ["invoices", "invoice_line_items", "credit_notes", "invoice_payments", "charges", "refunds", "customers", "tax_rates", "prices"];

struct Row<'a> {
    object: &'a str,
    field: &'a str,
    mirrored: &'a str,
    ignored: &'a str,
}

/// The words between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn rows() -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    let mut object = "";
    for line in DOCUMENT.lines() {
        if line.starts_with("## ") {
            object = code(line).next().unwrap_or_default();
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if let ([field, mirrored, ignored], true) = (&cells[..], line.starts_with("| `")) {
            rows.push(Row { object, field: field.trim_matches('`'), mirrored, ignored });
        }
    }
    rows
}

/// `table.column`, as the document names it; only of tables.
fn columns(text: &str) -> BTreeSet<(&str, &str)> {
    let name = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    code(text).filter_map(|word| word.split_once('.')).filter(|(table, column)| name(table) && name(column)).collect()
}

async fn schema() -> BTreeSet<(String, String)> {
    let database = TestDatabase::new().await;
    sqlx::query_as("SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'")
        .fetch_all(&database.pool)
        .await
        .expect("columns")
        .into_iter()
        .collect()
}

#[test]
fn each_field_is_mirrored_or_ignored_for_a_reason() {
    let rows = rows();
    assert!(rows.len() > 300, "{} rows", rows.len());
    for Row { object, field, mirrored, ignored } in rows {
        assert!(!object.is_empty() && mirrored.is_empty() != ignored.is_empty(), "{object}.{field}: `{mirrored}`, `{ignored}`");
    }
}

#[test]
fn each_field_of_stripes_fixtures_is_listed() {
    let fixtures: BTreeMap<String, Value> = serde_json::from_str(FIXTURES).expect("fixtures");
    let rows = rows();
    let objects: BTreeSet<&str> = rows.iter().map(|row| row.object).collect();
    assert_eq!(objects.len(), 12);
    let mut seen = 0;
    for object in objects {
        for field in fixtures[object].as_object().expect("an object").keys() {
            assert!(rows.iter().any(|row| row.object == object && row.field == field), "{object}.{field} is not listed");
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen} fields");
}

#[tokio::test]
async fn each_column_that_is_named_exists() {
    let schema = schema().await;
    let named: BTreeSet<_> = rows().iter().flat_map(|row| columns(row.mirrored)).chain(columns(DOCUMENT)).collect();
    assert!(named.len() > 100, "{} columns", named.len());
    let tables: BTreeSet<&str> = schema.iter().map(|(table, _)| table.as_str()).collect();
    for (table, column) in named {
        assert!(tables.contains(table), "{table}.{column}: there is no such table");
        assert!(schema.contains(&(table.to_owned(), column.to_owned())), "{table}.{column} does not exist");
    }
}

#[tokio::test]
async fn each_column_of_the_mirror_is_named() {
    let named = columns(DOCUMENT);
    let own = |column: &str| {
        ["id", "updated_at", "fetched_at", "deleted"].contains(&column) || column.starts_with("event_") || column.starts_with("reader_")
    };
    let schema = schema().await;
    for (table, column) in schema.iter().filter(|(table, column)| TABLES.contains(&table.as_str()) && !own(column)) {
        assert!(named.contains(&(table.as_str(), column.as_str())), "{table}.{column} is not in docs/operate/mirrored-fields.md");
    }
}
