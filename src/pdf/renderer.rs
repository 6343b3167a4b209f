//! Runs renders off the async threads, limited in number, time and memory.

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

/// Cache key: one state of one invoice. The template is not part of it: it can't change during the
/// process's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey {
    pub invoice: Uuid,
    /// Increases with every change of printed data.
    pub version: i64,
}

/// Limits of a [`Renderer`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Concurrent renders.
    pub workers: usize,
    /// Maximum number of queued renders; the next one is [`PdfError::Busy`].
    pub waiting: usize,
    /// From the call to the bytes.
    pub timeout: Duration,
    /// Cache size in bytes.
    pub cache_bytes: u64,
}

impl Default for Limits {
    /// One render per core, 64 waiting, 20 seconds, 64 MB.
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Limits { workers, waiting: 64, timeout: Duration::from_secs(20), cache_bytes: 64_000_000 }
    }
}

/// Renders and caches documents; clones share workers and cache.
#[derive(Clone)]
pub struct Renderer(Arc<Shared>);

struct Shared {
    /// One permit per running or queued render.
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

/// Expected number of cached documents. The cache splits its bytes evenly into shards of at least
/// 32 documents and rejects documents larger than a shard. So a small number gives few large
/// shards, and long invoices fit.
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

    /// Returns the invoice in this state from the cache, or renders it once for all concurrent
    /// requests. `make` is only called to render.
    pub async fn invoice(&self, key: CacheKey, make: impl FnOnce() -> InvoiceDocument) -> Result<Arc<Pdf>, PdfError> {
        let cached = self.0.cache.get_or_insert_async(&key, async { self.render(make()).await });
        // The timeout covers waiting for another request's render and, if that fails, for its own.
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
            // An abandoned render occupies its core until it ends.
            let _held = (place, worker);
            let started = Instant::now();
            let rendered = render::render(&document).map(|bytes| Arc::new(Pdf::new(bytes)));
            metrics::histogram!(telemetry::PDF_RENDER_SECONDS).record(started.elapsed().as_secs_f64());
            rendered
        });
        rendering.await.map_err(|error| PdfError::Failed(error.to_string()))?
    }

    /// Renders one document on this thread, without queue and cache: for commands and benchmarks.
    pub fn render_blocking(&self, document: &InvoiceDocument) -> Result<Pdf, PdfError> {
        render::render(document).map(Pdf::new)
    }
}

impl Default for Renderer {
    fn default() -> Self {
        Renderer::new()
    }
}
