//! Incoming events: from the signed bytes to snapshots of the objects in them. `service::webhooks` writes those to the mirror.
//!
//! Events are read with our own tolerant readers, because each keeps the shape of the API version of its creation, and years of
//! versions come through one endpoint. What a reader needs and doesn't find is an error that names the field.

pub mod event;
pub mod field;
pub mod parsed;
pub mod read;
pub mod second;
