//! The audit trail: nobody rewrites it unseen, and staff find what they look for in it.

mod chain;
mod list;
mod page;
