//! Components, one per file. They render values; only pages fetch data.

pub mod account_menu;
pub mod alert_table;
pub mod app_breakdown;
pub mod audit_entries;
pub mod badge;
pub mod blank;
pub mod brand;
pub mod column_chart;
pub mod copy_button;
pub mod customer_table;
pub mod discrepancy_table;
pub mod done_notice;
pub mod filter_form;
pub mod icon;
pub mod invoice_lines;
pub mod invoice_table;
pub mod list;
pub mod live;
pub mod metric_card;
pub mod moment;
pub mod navigation;
pub mod overage_table;
pub mod pagination;
pub mod problem_notice;
pub mod relative;
pub mod run_badge;
pub mod theme_switch;
pub mod unusable_filter;
pub mod usage_bar;
pub mod viewing_banner;
pub mod webhook_table;

pub use badge::{Badge, InvoiceBadges, WebhookBadge};
pub use icon::{Glyph, Icon};
pub use moment::Moment;
pub use problem_notice::{ProblemNotice, problem_page};
pub use relative::Relative;
