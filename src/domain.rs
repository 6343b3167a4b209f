//! Pure rules, compiled for the server and the browser: no IO, no clock, no framework, no imports
//! from other modules.
//!
//! Values can only be built valid: constructors return an error for invalid input.

pub mod address;
pub mod alert;
pub mod audit;
pub mod csv;
pub mod customer;
pub mod email;
pub mod error_code;
pub mod features;
pub mod field_error;
pub mod file_name;
pub mod forecast;
pub mod format;
pub mod idempotency;
pub mod identity;
pub mod invoice;
pub mod language;
pub mod list;
pub mod login_throttle;
pub mod meter;
pub mod metric;
pub mod mirror;
pub mod money;
pub mod period;
pub mod plan;
pub mod rating;
pub mod reconcile;
pub mod refund;
pub mod request_path;
pub mod role;
pub mod second_factor;
pub mod session;
pub mod settings;
pub mod share;
pub mod subscription;
pub mod token_bucket;
pub mod usage;
pub mod usage_event;
pub mod usage_history;
pub mod usage_hour;
pub mod web_link;
pub mod webhook;

/// The product's name as users read it.
pub const PRODUCT: &str = "ApexMediation Billing";
