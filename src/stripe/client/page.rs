//! Stripe's lists, page by page; objects stay unparsed, because the mirror parses them itself.

use super::{Answer, StripeError};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Maximum page size ("Pagination").
pub const LIMIT: i64 = 100;

#[derive(Debug, Deserialize)]
pub struct Page {
    pub data: Vec<Box<RawValue>>,
    pub has_more: bool,
}

#[derive(Deserialize)]
struct WithId {
    id: String,
}

impl Page {
    pub fn read(answer: &Answer) -> Result<Page, StripeError> {
        answer.read()
    }

    /// The objects with their ids. An object without one could be neither stored nor used as a
    /// cursor.
    pub fn objects(&self) -> Result<Vec<(String, &str)>, StripeError> {
        self.data.iter().map(|object| Ok((id_of(object)?, object.get()))).collect()
    }

    /// The id of the last object: the cursor of the next page.
    pub fn last(&self) -> Result<Option<String>, StripeError> {
        self.data.last().map(|object| id_of(object)).transpose()
    }
}

fn id_of(object: &RawValue) -> Result<String, StripeError> {
    let WithId { id } = serde_json::from_str(object.get()).map_err(|error| StripeError::Unreadable(error.to_string()))?;
    if id.is_empty() { Err(StripeError::Unreadable("an object without an id".into())) } else { Ok(id) }
}
