//! How responses are transferred: compressed, named by content, and not at all while unchanged.

mod compression;
mod conditional;
pub mod files;
