//! The HTTP status of a page, which only the server can set.

use leptos::prelude::*;
use std::sync::Arc;

/// Sets the status of the rendered page. The server provides one per request; the browser has
/// none.
#[derive(Clone)]
pub struct SetStatus(pub Arc<dyn Fn(u16) + Send + Sync>);

/// Sets the page's status if possible. Only accepts error statuses.
pub fn set_status(status: u16) {
    if let Some(SetStatus(set)) = use_context::<SetStatus>()
        && (400..600).contains(&status)
    {
        set(status);
    }
}
