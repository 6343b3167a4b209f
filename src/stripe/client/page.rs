//! Stripe's lists, a page at a time; every object byte for byte, because the mirror reads them by itself.

use super::{Answer, StripeError};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Most objects of a page ("Pagination").
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

    /// The objects with their ids. Without one an object could neither be stored nor paged by.
    pub fn objects(&self) -> Result<Vec<(String, &str)>, StripeError> {
        self.data.iter().map(|object| Ok((id_of(object)?, object.get()))).collect()
    }

    /// The id of the last object, after which the next page begins.
    pub fn last(&self) -> Result<Option<String>, StripeError> {
        self.data.last().map(|object| id_of(object)).transpose()
    }
}

fn id_of(object: &RawValue) -> Result<String, StripeError> {
    let WithId { id } = serde_json::from_str(object.get()).map_err(|error| StripeError::Unreadable(error.to_string()))?;
    if id.is_empty() { Err(StripeError::Unreadable("an object without an id".into())) } else { Ok(id) }
}
