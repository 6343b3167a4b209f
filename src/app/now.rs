//! The time of the request, for texts such as "in 3 days".

use leptos::prelude::*;
use time::OffsetDateTime;

/// The server provides it per request.
#[derive(Clone, Copy, Debug)]
pub struct Now(pub OffsetDateTime);

/// The time of the request.
pub fn now() -> OffsetDateTime {
    expect_context::<Now>().0
}
