//! All SQL. Functions that read or write a customer's rows take its
//! [`CustomerId`](crate::domain::identity::CustomerId).

pub mod clickhouse;
pub mod postgres;
pub mod usage;

use crate::config::Config;
use sqlx::PgPool;
use std::sync::Arc;

/// The configured store of usage events.
pub fn usage_store(config: &Config, db: &PgPool) -> Arc<dyn usage::UsageStore> {
    match &config.clickhouse {
        Some(settings) => Arc::new(clickhouse::ClickHouseUsage::new(settings, db.clone())),
        None => Arc::new(postgres::usage::PostgresUsage::new(db.clone())),
    }
}
