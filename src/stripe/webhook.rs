//! Incoming events: from the signed bytes to snapshots of their objects. `service::webhooks` writes
//! those to the mirror.
//!
//! Events are parsed by our own tolerant readers, because each has the shape of the API version of
//! its creation, and one endpoint receives many versions. A missing required field is an error that
//! names the field.

pub mod event;
pub mod field;
pub mod parsed;
pub mod read;
pub mod second;
