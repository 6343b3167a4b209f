//! The audit log: tampering is detected, and staff can search it.

mod chain;
mod incidents;
mod list;
mod page;
mod who;
