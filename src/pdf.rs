//! Invoices as PDF: renders a typed [`InvoiceDocument`]. Equal documents give equal bytes.
//!
//! The page is `invoice.typ`, compiled in process by typst. Text from customers or Stripe is passed
//! as a JSON value and never as source, so `#`, `$` or `//` in a name are plain characters. The
//! fonts in `fonts/` are built in and cover Latin, Greek, Cyrillic, Hebrew, Arabic, Armenian,
//! Georgian, Devanagari, Thai, Chinese, Japanese, Korean and monochrome emoji. A character without
//! a glyph is printed as a box and never fails the render.
//!
//! This module uses no SQL, HTTP or clock: every date in the file comes from the invoice.

mod document;
mod fonts;
mod render;
mod renderer;
mod seller;
mod text;

pub use document::InvoiceDocument;
pub use renderer::{CacheKey, Limits, Renderer};
pub use seller::Seller;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::fmt;

/// A rendered document.
#[derive(Clone, PartialEq, Eq)]
pub struct Pdf {
    pub bytes: Bytes,
    /// A strong entity tag (RFC 9110, section 8.8.3), quotes included: the SHA-256 of the bytes in
    /// hex.
    pub etag: String,
}

impl Pdf {
    fn new(bytes: Vec<u8>) -> Pdf {
        let etag = format!("\"{}\"", hex::encode(Sha256::digest(&bytes)));
        Pdf { bytes: bytes.into(), etag }
    }
}

impl fmt::Debug for Pdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pdf").field("bytes", &self.bytes.len()).field("etag", &self.etag).finish()
    }
}

/// Why rendering failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// More renders are queued than [`Limits::waiting`] allows.
    #[error("too many documents are being rendered")]
    Busy,
    /// Not done within [`Limits::timeout`], including the time in the queue.
    #[error("rendering took too long")]
    TimedOut,
    /// The template or typst failed; contains its message.
    #[error("rendering failed: {0}")]
    Failed(String),
}
