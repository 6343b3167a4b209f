//! Where accepted events are written.

use super::ids;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Stored in PostgreSQL, and counted in their hours.
    Hours,
    /// Queued for ClickHouse.
    Queue,
}

impl Destination {
    /// The statement that begins a transaction with this destination.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Destination::Hours => ids::BEGIN_COUNTING,
            Destination::Queue => ids::BEGIN,
        }
    }
}
