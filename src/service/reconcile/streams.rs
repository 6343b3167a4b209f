//! Both sides' objects as streams of records, read ahead of the comparison.

use crate::{
    domain::{
        mirror::Kind,
        reconcile::{Object, Record},
    },
    service::{Error, Platform, Result},
    store::postgres::reconcile::mirror::{self, Place, Scope},
    stripe::{
        client::{Client, StripeError, Window},
        fetched::{lacks_items, lacks_lines, with_items, with_lines},
        record,
    },
};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, value::RawValue};
use std::future::Future;
use time::OffsetDateTime;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// Records of ours per query.
const AT_A_TIME: i64 = 1000;
/// Pages waiting for the comparison.
const AHEAD: usize = 2;
/// Concurrent requests for data that a page omits.
const AT_ONCE: usize = 4;

/// Pages of records. An empty one is the end; a broken stream is an error, never an end.
pub struct Pages {
    pages: mpsc::Receiver<Result<Vec<Record>>>,
    _reader: AbortOnDropHandle<()>,
}

impl Pages {
    fn of<F: Future<Output = Result<()>> + Send + 'static>(read: impl FnOnce(mpsc::Sender<Result<Vec<Record>>>) -> F) -> Pages {
        let (sender, pages) = mpsc::channel(AHEAD);
        let reading = read(sender.clone());
        let reader = tokio::spawn(async move {
            let end = reading.await.map(|()| Vec::new());
            sender.send(end).await.ok();
        });
        Pages { pages, _reader: AbortOnDropHandle::new(reader) }
    }

    pub async fn next(&mut self) -> Result<Vec<Record>> {
        self.pages.recv().await.unwrap_or_else(|| Err(Error::Internal(anyhow::anyhow!("a stream of records ended early"))))
    }
}

/// Mirrored objects of a type, created before this Unix second.
pub fn internal(platform: &Platform, object: Object, scope: Scope, before: OffsetDateTime) -> Pages {
    let db = platform.db.clone();
    Pages::of(async move |sender: mpsc::Sender<Result<Vec<Record>>>| {
        let mut after = Place { before, id: String::new() };
        loop {
            let page = mirror::page(&db, object, scope, &after, AT_A_TIME).await?;
            let Some(last) = page.last() else { return Ok(()) };
            let at = OffsetDateTime::from_unix_timestamp(last.created).map_err(|error| Error::Internal(error.into()))?;
            after = Place { before: at, id: last.id.clone() };
            if sender.send(Ok(page)).await.is_err() {
                return Ok(());
            }
        }
    })
}

/// Stripe's list of a type, older than the object `after`. The next page is requested while the
/// previous one is parsed, and that is parsed while the one before it is compared.
pub fn stripe(platform: &Platform, kind: Kind, window: Window<'_>, after: Option<String>) -> Result<Pages> {
    let client = platform.stripe()?.clone();
    let clock = platform.clock.clone();
    let listing =
        Listing { client: client.clone(), kind, from: window.from, before: window.before, customer: window.customer.map(str::to_owned) };
    Ok(Pages::of(async move |sender: mpsc::Sender<Result<Vec<Record>>>| {
        let (give, mut listed) = mpsc::channel(1);
        let lister = AbortOnDropHandle::new(tokio::spawn(listing.list(after, give)));
        while let Some((answered, objects)) = listed.recv().await {
            let at = answered.unwrap_or_else(|| clock.now());
            let records = stream::iter(objects).map(|object| whole(&client, kind, object, at)).buffered(AT_ONCE).try_collect().await?;
            if sender.send(Ok(records)).await.is_err() {
                return Ok(());
            }
        }
        // Why it ended: only a complete list may end the stream.
        lister.await.map_err(|error| Error::Internal(error.into()))?
    }))
}

/// A Stripe list.
struct Listing {
    client: Client,
    kind: Kind,
    from: Option<i64>,
    before: Option<i64>,
    customer: Option<String>,
}

/// The time of Stripe's response, and a page's objects in order.
type Listed = (Option<OffsetDateTime>, Vec<Box<RawValue>>);

impl Listing {
    async fn list(self, mut after: Option<String>, give: mpsc::Sender<Listed>) -> Result<()> {
        let window = Window { from: self.from, before: self.before, customer: self.customer.as_deref() };
        loop {
            let (answer, page) = match self.client.list_within(self.kind, window, after.as_deref()).await {
                // The cursor's object was deleted: seen objects are stored.
                Err(error) if error.is_missing() && after.is_some() => {
                    after = None;
                    continue;
                }
                other => other?,
            };
            let more = page.has_more;
            let Some(last) = page.last()? else {
                let cut_off = || StripeError::Unreadable(format!("a page without {} that is not the last", self.kind.plural()));
                return if more { Err(cut_off().into()) } else { Ok(()) };
            };
            if after.as_deref() == Some(last.as_str()) {
                return Err(StripeError::Unreadable(format!("its list of {} does not end", self.kind.plural())).into());
            }
            after = Some(last);
            if give.send((answer.at, page.data)).await.is_err() || !more {
                return Ok(());
            }
        }
    }
}

/// Reads an object, with all lines of an invoice, or all items of a subscription.
async fn whole(client: &Client, kind: Kind, text: Box<RawValue>, at: OffsetDateTime) -> Result<Record> {
    if kind != Kind::Invoice {
        let mut object: Value = serde_json::from_str(text.get()).map_err(unreadable)?;
        if kind == Kind::Subscription && lacks_items(&object) {
            let id = object["id"].as_str().unwrap_or_default().to_owned();
            let items = client.items(&id).await?.iter().map(|item| serde_json::from_str(item.get())).collect::<std::result::Result<_, _>>();
            object = with_items(object, items.map_err(unreadable)?);
        }
        return Ok(record::read(kind, &object, at)?);
    }
    let mut invoice = record::thin::invoice(text.get()).map_err(unreadable)?;
    drop(text);
    if lacks_lines(&invoice) {
        let id = invoice["id"].as_str().unwrap_or_default().to_owned();
        let lines =
            client.lines(kind, &id).await?.iter().map(|line| record::thin::invoice(line.get())).collect::<std::result::Result<_, _>>();
        invoice = with_lines(invoice, lines.map_err(unreadable)?);
    }
    Ok(record::read(kind, &invoice, at)?)
}

/// The current state of an object in Stripe. None if it doesn't exist.
pub async fn retrieve(platform: &Platform, kind: Kind, id: &str) -> Result<Option<Record>> {
    let client = platform.stripe()?;
    let answer = match client.retrieve(kind, id).await {
        Ok(answer) => answer,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let object: Value = answer.read()?;
    if object["deleted"] == Value::Bool(true) {
        return Ok(None);
    }
    if object["id"] != id {
        return Err(StripeError::Unreadable(format!("the response for {id} is another object")).into());
    }
    let at = answer.at.unwrap_or_else(|| platform.clock.now());
    whole(client, kind, answer.read()?, at).await.map(Some)
}

fn unreadable(error: serde_json::Error) -> Error {
    StripeError::Unreadable(error.to_string()).into()
}
