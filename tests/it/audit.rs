//! The audit trail: nobody rewrites it unseen, and staff find what they look for in it.

mod chain;
mod incidents;
mod list;
mod page;
mod who;
