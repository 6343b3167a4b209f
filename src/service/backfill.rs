//! Backfill: reads missed events from Stripe's event list, which covers 30 days; a full backfill
//! also reads the objects.
//!
//! It reads page by page and stores its position after each, so that an interrupted run resumes.
//! Known events are skipped, others go through the inbox. Only one process runs it at a time.

use super::{Platform, Result, webhooks};
use crate::{
    domain::mirror::Kind,
    service::complete_objects,
    store::postgres::{
        backfill::{self as store, Lead, Position, Task},
        inbox::{fetch as inbox, stored},
    },
    stripe::client::{Page, StripeError},
    telemetry,
};
use futures::future::try_join_all;
use serde::Serialize;
use std::collections::HashSet;
use time::{Duration, OffsetDateTime};

/// Stripe's retention of events ("List all events").
const KEPT: Duration = Duration::days(30);

/// Overlap: an event may appear in the list after later ones did.
const OVERLAP: Duration = Duration::minutes(10);

/// Events stored per transaction.
const AT_ONCE: usize = 4;

/// The stream of events, next to those of object types.
const EVENTS: &str = "events";

/// The stream name of a full run's position: its cursor is the current stream.
const FULL: &str = "full";

/// Progress of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// `events`, or an object type.
    pub stream: &'static str,
    /// Seen in this run, over all of its attempts.
    pub read: i64,
    /// Stored because they were missing.
    pub stored: i64,
}

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub streams: Vec<Progress>,
    /// A time span that Stripe's event list no longer covers: a full run is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Gap>,
}

/// A span without known events; without a start it reaches back to the account's creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    #[serde(with = "time::serde::rfc3339::option")]
    pub from: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub to: OffsetDateTime,
}

/// Called for every page.
pub type Listener<'a> = &'a (dyn Fn(&Progress) + Sync);

/// Reads Stripe's events since the last complete run, with some overlap; the first run reads all.
/// None while another process runs it.
///
/// # Errors
/// `stripe_not_configured`, `stripe_unavailable`, `stripe_refused`, or the database's. The next run
/// resumes where this one ended.
pub async fn events(platform: &Platform, listener: Listener<'_>) -> Result<Option<Report>> {
    platform.stripe()?;
    let Some(mut lead) = Lead::take(&platform.db, Task::Events).await? else { return Ok(None) };
    let read = read_events(platform, &mut lead, listener).await;
    lead.give_up().await?;
    read.map(Some)
}

async fn read_events(platform: &Platform, lead: &mut Lead, listener: Listener<'_>) -> Result<Report> {
    let mut position = store::position(&platform.db, EVENTS).await?;
    let mut gap = None;
    loop {
        let now = platform.clock.now();
        let since = position.since.filter(|_| position.began_at.is_some()).unwrap_or_else(|| {
            let oldest = now - KEPT;
            position.read_until.map_or(oldest, |until| (until - OVERLAP).max(oldest))
        });
        if position.began_at.is_none() {
            gap = match position.read_until {
                Some(until) => (until < since).then_some(Gap { from: Some(until), to: since }),
                None if store::position(&platform.db, FULL).await?.read_until.is_some() => None,
                None => Some(Gap { from: None, to: since }),
            };
        }
        let (answer, page) = match platform.stripe()?.events(since, position.cursor.as_deref()).await {
            // The cursor's event is no longer in the list.
            Err(error) if error.is_missing() && position.cursor.is_some() => {
                position = Position { read_until: position.read_until, ..Position::default() };
                continue;
            }
            other => other?,
        };
        begin(platform, EVENTS, &mut position, answer.no_older_than(now), Some(since)).await?;
        let objects = page.objects()?;
        let ids: Vec<String> = objects.iter().map(|(id, _)| id.clone()).collect();
        let known = stored(&platform.db, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        let absent: Vec<&str> = objects.iter().filter(|(id, _)| !known.contains(id)).map(|(_, body)| *body).collect();
        let mut stored = 0;
        for some in absent.chunks(AT_ONCE) {
            let taking: Vec<_> = some.iter().map(|body| webhooks::take(platform, body)).collect();
            let receipts = try_join_all(taking).await?;
            stored += receipts.iter().map(|receipt| i64::from(!receipt.duplicate)).sum::<i64>();
        }
        if advance(platform, EVENTS, &mut position, &page, ids, stored, listener).await? {
            break;
        }
        lead.check().await?;
    }
    let progress = progress(EVENTS, &position);
    if let Some(Gap { from: Some(from), to }) = gap {
        tracing::warn!(%from, %to, "Stripe no longer stores these events: run `apex-billing webhooks backfill --full` to read the objects");
    }
    Ok(Report { streams: vec![progress], gap })
}

/// Imports all of the account's objects that the mirror stores. None while another process runs it.
///
/// # Errors
/// As [`events`].
pub async fn full(platform: &Platform, listener: Listener<'_>) -> Result<Option<Report>> {
    platform.stripe()?;
    let Some(mut lead) = Lead::take(&platform.db, Task::Full).await? else { return Ok(None) };
    let read = import_all(platform, &mut lead, listener).await;
    lead.give_up().await?;
    read.map(Some)
}

async fn import_all(platform: &Platform, lead: &mut Lead, listener: Listener<'_>) -> Result<Report> {
    let mut report = Report::default();
    // An interrupted run resumes with its current type; earlier ones are complete.
    let mut run = store::position(&platform.db, FULL).await?;
    let at = run.cursor.take().and_then(|stream| Kind::ALL.into_iter().find(|kind| kind.plural() == stream));
    for kind in Kind::ALL.into_iter().skip_while(|kind| at.is_some_and(|at| at != *kind)) {
        run.cursor = Some(kind.plural().to_owned());
        store::keep(&platform.db, FULL, &run, platform.clock.now()).await?;
        report.streams.push(import(platform, kind, lead, listener).await?);
    }
    run = Position { read_until: Some(platform.clock.now()), ..Position::default() };
    store::keep(&platform.db, FULL, &run, platform.clock.now()).await?;
    Ok(report)
}

/// Imports all objects of a type.
async fn import(platform: &Platform, kind: Kind, lead: &mut Lead, listener: Listener<'_>) -> Result<Progress> {
    let stream = kind.plural();
    let mut position = store::position(&platform.db, stream).await?;
    loop {
        let before = platform.clock.now();
        let (answer, page) = match platform.stripe()?.list(kind, position.cursor.as_deref()).await {
            // The cursor's object was deleted.
            Err(error) if error.is_missing() && position.cursor.is_some() => {
                position.cursor = None;
                continue;
            }
            other => other?,
        };
        let at = answer.no_older_than(before);
        let began_at = begin(platform, stream, &mut position, at, None).await?;
        let objects = page.objects()?;
        let ids: Vec<String> = objects.iter().map(|(id, _)| id.clone()).collect();
        let known: HashSet<String> = inbox::fetched(&platform.db, kind.event_type(), &ids, began_at).await?.into_iter().collect();
        let absent: Vec<_> = page.data.iter().zip(&ids).filter(|(_, id)| !known.contains(*id)).collect();
        let mut stored = 0;
        for some in absent.chunks(AT_ONCE) {
            let taking: Vec<_> = some.iter().map(|(object, id)| complete_objects::take(platform, kind, id, object, &answer, at)).collect();
            stored += i64::try_from(try_join_all(taking).await?.len()).unwrap_or(0);
        }
        if advance(platform, stream, &mut position, &page, ids, stored, listener).await? {
            return Ok(progress(stream, &position));
        }
        lead.check().await?;
    }
}

/// A run starts when its first page is requested. That time is stored first, so that the run
/// recognises its own events.
async fn begin(
    platform: &Platform,
    stream: &'static str,
    position: &mut Position,
    at: OffsetDateTime,
    since: Option<OffsetDateTime>,
) -> Result<OffsetDateTime> {
    if let Some(began_at) = position.began_at {
        return Ok(began_at);
    }
    // An event's time is a whole second.
    let began_at = at.replace_nanosecond(0).unwrap_or(at);
    *position = Position { read_until: position.read_until, began_at: Some(began_at), since, ..Position::default() };
    store::keep(&platform.db, stream, position, platform.clock.now()).await?;
    Ok(began_at)
}

/// Stores the position after a page; true for the last page.
async fn advance(
    platform: &Platform,
    stream: &'static str,
    position: &mut Position,
    page: &Page,
    mut ids: Vec<String>,
    stored: i64,
    listener: Listener<'_>,
) -> Result<bool> {
    let seen = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    position.read += seen;
    position.stored += stored;
    let last = ids.pop();
    let done = !page.has_more || last.is_none();
    if done {
        (position.read_until, position.began_at, position.since, position.cursor) = (position.began_at, None, None, None);
    } else {
        if position.cursor == last {
            return Err(StripeError::Unreadable(format!("its list of {stream} does not end")).into());
        }
        position.cursor = last;
    }
    store::keep(&platform.db, stream, position, platform.clock.now()).await?;
    metrics::counter!(telemetry::STRIPE_BACKFILL, "stream" => stream, "result" => "stored").increment(stored.unsigned_abs());
    metrics::counter!(telemetry::STRIPE_BACKFILL, "stream" => stream, "result" => "known").increment((seen - stored).unsigned_abs());
    listener(&progress(stream, position));
    Ok(done)
}

const fn progress(stream: &'static str, position: &Position) -> Progress {
    Progress { stream, read: position.read, stored: position.stored }
}
