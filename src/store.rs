//! All the SQL there is. Functions that read or write a customer's rows take its [`CustomerId`](crate::domain::identity::CustomerId).

pub mod clickhouse;
pub mod postgres;
pub mod usage;

use crate::config::Config;
use sqlx::PgPool;
use std::sync::Arc;

/// The store of usage events that the settings name.
pub fn usage_store(config: &Config, db: &PgPool) -> Arc<dyn usage::UsageStore> {
    match &config.clickhouse {
        Some(settings) => Arc::new(clickhouse::ClickHouseUsage::new(settings, db.clone())),
        None => Arc::new(postgres::usage::PostgresUsage::new(db.clone())),
    }
}
