//! All the SQL there is. Functions that read or write a customer's rows take its [`CustomerId`](crate::domain::identity::CustomerId).

pub mod clickhouse;
pub mod cluster;
pub mod postgres;
pub mod usage;
