//! The schema: migrations, tables with their columns, indexes.

use super::{Findings, Options};
use crate::store::postgres::{self, checklist as store};
use anyhow::Context;
use sqlx::PgPool;
use std::collections::BTreeMap;

/// Tables and columns that operators and other programs read directly.
const COLUMNS: [(&str, &str); 13] = [
    ("stripe_webhook_events", "stripe_event_id event_type status attempts last_error payload created_at processed_at"),
    ("billing_audit", "event_type actor customer_id data ip_address user_agent created_at"),
    ("usage_alerts", "customer_id"),
    ("usage_records", "customer_id app_id metric hour quantity"),
    ("events", "id"),
    ("invoices", "customer_id stripe_invoice_id number status currency total amount_due amount_paid"),
    ("invoice_line_items", "invoice_id description quantity amount"),
    ("subscriptions", "customer_id stripe_subscription_id status plan_type"),
    ("customers", "id stripe_customer_id name email currency"),
    ("users", "id email password_hash role customer_id"),
    ("plans", "plan_type version"),
    ("plan_quotas", "plan_id metric included"),
    ("billing_idempotency", ""),
];

pub async fn open(options: &Options) -> anyhow::Result<Option<PgPool>> {
    let Some(url) = &options.database_url else { return Ok(None) };
    let settings = crate::config::Database { max_connections: 2, acquire_timeout_seconds: 10 };
    postgres::connect(&url.0, &settings).await.map(Some).context("the database of --database-url can't be reached")
}

pub async fn check(db: Option<&PgPool>, findings: &mut Findings) {
    let Some(db) = db else { return findings.unchecked(&["migrations", "tables", "indexes"], "--database-url") };
    match postgres::migration_status(db).await {
        Err(error) => findings.failed("migrations", error.to_string(), "is it this program's database?"),
        Ok(all) => {
            let waiting: Vec<i64> = all.iter().filter(|(_, applied)| !applied).map(|(migration, _)| migration.version).collect();
            let seen = if waiting.is_empty() { format!("all {} are applied", all.len()) } else { format!("not applied: {waiting:?}") };
            findings.judge("migrations", waiting.is_empty(), seen, "apex-billing migrate");
        }
    }
    let restore = "restore it from the backup, or revert and reapply the migrations if it was empty: apex-billing migrate";
    match store::columns(db).await {
        Err(error) => findings.failed("tables", error.to_string(), restore),
        Ok(there) => {
            let wanted =
                COLUMNS.iter().flat_map(|(table, columns)| columns.split_whitespace().map(move |column| format!("{table}.{column}")));
            let mut missing: Vec<String> = wanted.filter(|column| !there.contains(column)).collect();
            let tables = expected().into_values().chain(COLUMNS.iter().map(|(table, _)| (*table).to_owned()));
            let has = |table: &String| there.iter().any(|column| column.split('.').next() == Some(table));
            missing.extend(tables.filter(|table| !has(table)));
            missing.sort_unstable();
            missing.dedup();
            let seen = if missing.is_empty() { format!("{} columns", there.len()) } else { format!("missing: {}", missing.join(", ")) };
            findings.judge("tables", missing.is_empty(), seen, restore);
        }
    }
    match store::indexes(db).await {
        Err(error) => findings.failed("indexes", error.to_string(), "is it this program's database?"),
        Ok(there) => {
            let missing: Vec<String> = expected().into_keys().filter(|name| !there.contains(name)).collect();
            let seen = if missing.is_empty() { format!("{} indexes", there.len()) } else { format!("missing: {}", missing.join(", ")) };
            findings.judge("indexes", missing.is_empty(), seen, "create it as its migration in `migrations/` does, CONCURRENTLY");
        }
    }
}

/// The named indexes that the migrations create, with their tables.
fn expected() -> BTreeMap<String, String> {
    let mut indexes = BTreeMap::new();
    let ups = postgres::MIGRATIONS.iter().filter(|migration| migration.migration_type.is_up_migration());
    for statement in ups.flat_map(|migration| statements(migration.sql.as_str())) {
        let words: Vec<&str> = statement.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty()).collect();
        let plain: Vec<&str> =
            words.iter().copied().filter(|word| !["UNIQUE", "CONCURRENTLY", "IF", "NOT", "EXISTS", "ONLY"].contains(word)).collect();
        match plain[..] {
            ["CREATE", "INDEX", name, "ON", table, ..] => drop(indexes.insert(name.to_owned(), table.to_owned())),
            ["DROP", "INDEX", ref names @ ..] => {
                for name in names {
                    indexes.remove(name.trim_end_matches(','));
                }
            }
            ["DROP", "TABLE", ref tables @ ..] => {
                indexes.retain(|_, table| !tables.iter().any(|dropped| dropped.trim_end_matches(',') == table));
            }
            ["ALTER", "TABLE", old, "RENAME", "TO", new] => {
                for table in indexes.values_mut().filter(|table| *table == old) {
                    new.clone_into(table);
                }
            }
            ["ALTER", "INDEX", old, "RENAME", "TO", new] => {
                if let Some(table) = indexes.remove(old) {
                    indexes.insert(new.to_owned(), table);
                }
            }
            _ => {}
        }
    }
    indexes
}

/// Statements without comments; function bodies are split too, but no part looks like the
/// statements searched for.
fn statements(sql: &str) -> Vec<String> {
    let code: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    code.join("\n").split(';').map(|statement| statement.trim().to_owned()).collect()
}
