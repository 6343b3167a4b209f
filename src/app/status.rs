//! The HTTP status of a page, which only the server can set.

use leptos::prelude::*;
use std::sync::Arc;

/// Sets the status of the page being rendered. The server provides one per request; in the browser there is none.
#[derive(Clone)]
pub struct SetStatus(pub Arc<dyn Fn(u16) + Send + Sync>);

/// Sets the page's status where that is possible. Takes only statuses of errors, so that nothing else ends a page early.
pub fn set_status(status: u16) {
    if let Some(SetStatus(set)) = use_context::<SetStatus>()
        && (400..600).contains(&status)
    {
        set(status);
    }
}
