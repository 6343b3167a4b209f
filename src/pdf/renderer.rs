//! Renders kept off the async threads, bounded in number, time and memory.

use super::{InvoiceDocument, Pdf, PdfError, render};
use crate::telemetry;
use quick_cache::{Weighter, sync::Cache};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task, time,
};
use uuid::Uuid;

/// One state of one invoice. The template needs no part in it: it can't change while the process, and so the cache, lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey {
    pub invoice: Uuid,
    /// Goes up with every change of anything that is printed.
    pub version: i64,
}

/// What a [`Renderer`] may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Renders at the same time.
    pub workers: usize,
    /// Renders that may wait for a worker; the next one is [`PdfError::Busy`].
    pub waiting: usize,
    /// From the call to the bytes.
    pub timeout: Duration,
    /// Bytes of finished documents that are kept.
    pub cache_bytes: u64,
}

impl Default for Limits {
    /// One render per core, 64 waiting, 20 seconds, 64 MB.
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Limits { workers, waiting: 64, timeout: Duration::from_secs(20), cache_bytes: 64_000_000 }
    }
}

/// Renders documents and keeps the finished ones; clones share workers and cache.
#[derive(Clone)]
pub struct Renderer(Arc<Shared>);

struct Shared {
    /// A place for each render that runs or waits.
    places: Arc<Semaphore>,
    workers: Arc<Semaphore>,
    timeout: Duration,
    cache: Cache<CacheKey, Arc<Pdf>, PdfSize>,
}

#[derive(Clone)]
struct PdfSize;

impl Weighter<CacheKey, Arc<Pdf>> for PdfSize {
    fn weight(&self, _: &CacheKey, pdf: &Arc<Pdf>) -> u64 {
        pdf.bytes.len() as u64
    }
}

/// How many documents the cache expects. It splits its bytes evenly among shards of at least 32 documents and keeps none that is larger than a shard,
/// so the few large shards of a small number leave room for long invoices.
const EXPECTED_DOCUMENTS: usize = 128;

impl Renderer {
    pub fn new() -> Renderer {
        Renderer::with_limits(Limits::default())
    }

    pub fn with_limits(limits: Limits) -> Renderer {
        let workers = limits.workers.max(1);
        Renderer(Arc::new(Shared {
            places: Arc::new(Semaphore::new(workers + limits.waiting)),
            workers: Arc::new(Semaphore::new(workers)),
            timeout: limits.timeout,
            cache: Cache::with_weighter(EXPECTED_DOCUMENTS, limits.cache_bytes, PdfSize),
        }))
    }

    /// The invoice in this state: from the cache, or else rendered once however many ask for it at the same time. `make` is called only if it must be rendered.
    pub async fn invoice(&self, key: CacheKey, make: impl FnOnce() -> InvoiceDocument) -> Result<Arc<Pdf>, PdfError> {
        let cached = self.0.cache.get_or_insert_async(&key, async { self.render(make()).await });
        // Around the whole: who waits for another's render, and then for one of its own after that failed, waits no longer than anyone else.
        time::timeout(self.0.timeout, cached).await.map_err(|_| PdfError::TimedOut)?
    }

    /// Renders one document on a blocking thread.
    pub async fn render(&self, document: InvoiceDocument) -> Result<Arc<Pdf>, PdfError> {
        let rendered = match Arc::clone(&self.0.places).try_acquire_owned() {
            Ok(place) => {
                let timely = time::timeout(self.0.timeout, self.render_when_free(document, place)).await;
                timely.unwrap_or(Err(PdfError::TimedOut))
            }
            Err(_) => Err(PdfError::Busy),
        };
        let result = match &rendered {
            Ok(_) => "rendered",
            Err(PdfError::Busy) => "busy",
            Err(PdfError::TimedOut) => "timed_out",
            Err(_) => "failed",
        };
        metrics::counter!(telemetry::PDF_RENDERS, "result" => result).increment(1);
        rendered
    }

    async fn render_when_free(&self, document: InvoiceDocument, place: OwnedSemaphorePermit) -> Result<Arc<Pdf>, PdfError> {
        let worker = Arc::clone(&self.0.workers).acquire_owned().await.map_err(|_| PdfError::Busy)?;
        let rendering = task::spawn_blocking(move || {
            // A render that nobody waits for any more still holds its core until it ends.
            let _held = (place, worker);
            let started = Instant::now();
            let rendered = render::render(&document).map(|bytes| Arc::new(Pdf::new(bytes)));
            metrics::histogram!(telemetry::PDF_RENDER_SECONDS).record(started.elapsed().as_secs_f64());
            rendered
        });
        rendering.await.map_err(|error| PdfError::Failed(error.to_string()))?
    }

    /// Renders one document on this thread, past queue and cache: for command lines and benchmarks.
    pub fn render_blocking(&self, document: &InvoiceDocument) -> Result<Pdf, PdfError> {
        render::render(document).map(Pdf::new)
    }
}

impl Default for Renderer {
    fn default() -> Self {
        Renderer::new()
    }
}
