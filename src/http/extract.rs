//! Extractors: what handlers take as arguments. Their rejections are problems, so that a client
//! always gets a stable `code`.
//!
//! The callers of [`service::caller`](crate::service::caller) come from the guard; they stand
//! before the body in a handler's arguments, so that no body is read of a request that is refused.

mod body;
mod caller;
mod query;

pub use body::{ByForm, FormBody, FormOrJson, JsonBody};
pub use caller::{Changer, Manager};
pub use query::{Path, Query};
