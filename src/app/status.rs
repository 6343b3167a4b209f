//! The HTTP status of a page.

use leptos::prelude::*;
use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

/// The status of the rendered page. The server provides one per request.
#[derive(Clone, Debug)]
pub struct SetStatus(Arc<AtomicU16>);

impl Default for SetStatus {
    fn default() -> SetStatus {
        SetStatus(Arc::new(AtomicU16::new(200)))
    }
}

impl SetStatus {
    pub fn get(&self) -> u16 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Sets the page's status. Only accepts error statuses.
pub fn set_status(status: u16) {
    if let Some(SetStatus(page)) = use_context::<SetStatus>()
        && (400..600).contains(&status)
    {
        page.store(status, Ordering::Relaxed);
    }
}
