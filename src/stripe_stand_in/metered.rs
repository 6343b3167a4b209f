//! Usage sent to the billing meters.

use std::collections::HashMap;

/// A meter's event name, and the customer.
pub type Metered = (String, String);

/// One meter event.
pub(super) struct Usage {
    pub identifier: String,
    pub timestamp: i64,
    pub value: i64,
}

/// Quantities by event name and customer.
#[derive(Default)]
pub struct Meters {
    pub(super) usage: HashMap<Metered, Vec<Usage>>,
    /// When each identifier arrived, and its customer.
    pub(super) identifiers: HashMap<String, (i64, Metered)>,
}

impl Meters {
    /// Deletes the quantities; the identifiers stay known.
    pub fn lose(&mut self) {
        self.usage.clear();
    }
}
