//! The browser's clock, for texts like "in 3 days". None while rendering on the server and until
//! hydration is done, so that both render the same page.

use leptos::{leptos_dom::helpers::set_interval_with_handle, prelude::*, web_sys::js_sys::Date};
use std::time::Duration;
use time::OffsetDateTime;

/// The time, updated at the given interval.
pub fn browser_clock(pace: Duration) -> ReadSignal<Option<OffsetDateTime>> {
    let (now, set_now) = signal(None);
    Effect::new(move || {
        set_now.set(read());
        every(pace, move || set_now.set(read()));
    });
    now
}

/// Browser only: runs `work` repeatedly until the current owner is disposed.
pub fn every(pace: Duration, work: impl Fn() + 'static) {
    if let Ok(handle) = set_interval_with_handle(work, pace) {
        on_cleanup(move || handle.clear());
    }
}

fn read() -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp((Date::now() / 1000.0) as i64).ok()
}
