//! Renders a document to bytes on the calling thread.
//!
//! Fonts, the parsed template and typst's library are shared by the process; each render has its
//! own world with its own data.

use super::{InvoiceDocument, PdfError, fonts::Fonts};
use std::sync::LazyLock;
use time::UtcOffset;
use typst::{
    Library, LibraryExt, World,
    diag::{FileError, FileResult, SourceDiagnostic},
    foundations::{Bytes, Datetime, Duration, Smart},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, Timestamp};

/// A memoized result of typst is dropped after this many renders without use.
const CACHE_AGE: usize = 10;

static SHARED: LazyLock<Shared> = LazyLock::new(|| Shared {
    library: LazyHash::new(Library::default()),
    fonts: Fonts::built_in(),
    template: Source::new(file_id("invoice.typ"), include_str!("invoice.typ").to_owned()),
    data: file_id("invoice.json"),
});

struct Shared {
    library: LazyHash<Library>,
    fonts: Fonts,
    template: Source,
    /// The path at which the template finds the document.
    data: FileId,
}

fn file_id(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("a file name without directories is a path");
    FileId::new(RootedPath::new(VirtualRoot::Project, path))
}

/// Typst's view of the world in one render: the template, the fonts and one invoice. No clock, no
/// other files, no packages.
struct InvoiceWorld {
    shared: &'static Shared,
    data: Bytes,
}

impl World for InvoiceWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.shared.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.shared.fonts.book
    }

    fn main(&self) -> FileId {
        self.shared.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.shared.template.id() { Ok(self.shared.template.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.shared.data { Ok(self.data.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.shared.fonts.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// Ages typst's memoization when a render ends, also after an error or a panic; otherwise memory
/// grows with every document.
struct AgeCache;

impl Drop for AgeCache {
    fn drop(&mut self) {
        comemo::evict(CACHE_AGE);
    }
}

/// Renders one document.
pub fn render(document: &InvoiceDocument) -> Result<Vec<u8>, PdfError> {
    let _aged = AgeCache;
    let data = serde_json::to_vec(document).map_err(|error| PdfError::Failed(error.to_string()))?;
    let world = InvoiceWorld { shared: &SHARED, data: Bytes::new(data) };
    let compiled = typst::compile::<PagedDocument>(&world);
    for warning in &compiled.warnings {
        tracing::warn!(warning = %warning.message, "the invoice template");
    }
    let pages = compiled.output.map_err(|errors| failed(&errors))?;
    let options = PdfOptions {
        ident: Smart::Custom(document.id.clone()),
        creator: Smart::Custom(Some("ApexMediation Billing".to_owned())),
        timestamp: timestamp(document),
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&pages, &options).map_err(|errors| failed(&errors))
}

fn timestamp(document: &InvoiceDocument) -> Option<Timestamp> {
    let at = document.dated.to_offset(UtcOffset::UTC);
    Datetime::from_ymd_hms(at.year(), at.month().into(), at.day(), at.hour(), at.minute(), at.second()).map(Timestamp::new_utc)
}

fn failed(errors: &[SourceDiagnostic]) -> PdfError {
    PdfError::Failed(errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; "))
}
