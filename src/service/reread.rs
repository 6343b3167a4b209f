//! Parses mirror rows of an older reader again from their stored events, so that newly mirrored
//! fields (`Mirrored::READER_VERSION`) are also set for the past.
//!
//! Nothing happened at Stripe, so there is no audit entry, domain event or alert; an invoice's
//! version only increases if its display changes. A row that another event writes meanwhile is
//! skipped, because the current reader writes it. Repetitions have the same result.

use super::{Platform, Result};
use crate::{
    domain::mirror::{
        Kind,
        snapshot::{Change, CreditNoteSnapshot, InvoiceSnapshot, Mirrored, Snapshot, SubscriptionSnapshot},
    },
    store::postgres::{
        backfill::{Lead, Task},
        mirror::{
            self, Row, lookups,
            reread::{self as store, Stale, Table},
        },
    },
    stripe::webhook::{
        event::Document,
        read::{Reading, read},
    },
};
use sqlx::PgConnection;
use std::collections::HashSet;

/// Rows per transaction: webhooks of their customers wait for it.
const BATCH: i64 = 50;

/// Parses all rows of older readers again, in batches; returns how many. Does nothing while another
/// process runs it.
pub async fn run(platform: &Platform) -> Result<u64> {
    let mut stale = Vec::new();
    for table in Table::ALL {
        if store::any_stale(&platform.db, table, version(table)).await? {
            stale.push(table);
        }
    }
    if stale.is_empty() {
        return Ok(0);
    }
    let Some(lead) = Lead::take(&platform.db, Task::Reread).await? else { return Ok(0) };
    let done = read_all(platform, &stale).await;
    lead.give_up().await?;
    done
}

async fn read_all(platform: &Platform, tables: &[Table]) -> Result<u64> {
    let mut total = 0;
    for &table in tables {
        let mut rows = 0;
        loop {
            let done = batch(platform, table).await?;
            if done == 0 {
                break;
            }
            rows += done;
        }
        tracing::info!(table = table.name(), rows, version = version(table), "mirror rows parsed again from stored events");
        total += rows;
    }
    Ok(total)
}

const fn version(table: Table) -> i32 {
    match table {
        Table::Invoices => InvoiceSnapshot::READER_VERSION,
        Table::CreditNotes => CreditNoteSnapshot::READER_VERSION,
        Table::Subscriptions => SubscriptionSnapshot::READER_VERSION,
    }
}

/// One transaction: each of its rows then has the current reader version, or another event.
async fn batch(platform: &Platform, table: Table) -> Result<u64> {
    let mut transaction = platform.db.begin_with(mirror::BEGIN).await?;
    let stale = store::stale(&mut transaction, table, version(table), BATCH).await?;
    if stale.is_empty() {
        return Ok(0);
    }
    let customers: Vec<_> = stale.iter().map(|row| row.customer).collect::<HashSet<_>>().into_iter().collect();
    mirror::lock(&mut transaction, &customers, false).await?;
    let mut read = Vec::with_capacity(stale.len());
    for row in &stale {
        if let Some(change) = row.payload.as_deref().and_then(|payload| change_of(payload, row)) {
            read.push((row, change));
        }
    }
    let written = match table {
        Table::Invoices => put_invoices(&mut transaction, read).await?,
        Table::CreditNotes => put_credit_notes(&mut transaction, &read).await?,
        Table::Subscriptions => put_subscriptions(&mut transaction, &read).await?,
    };
    // Rows whose event is missing or has no such object: a later run would not find more.
    let left: Vec<&Stale> = stale.iter().filter(|row| !written.contains(&row.object_id)).collect();
    if !left.is_empty() {
        store::done(&mut transaction, table, version(table), &left).await?;
    }
    transaction.commit().await?;
    Ok(u64::try_from(stale.len()).unwrap_or(u64::MAX))
}

/// The change by which a stored event wrote the row.
fn change_of(payload: &str, row: &Stale) -> Option<Change> {
    let Ok(Reading::Changes { subject, along }) = read(&Document::read(payload)) else { return None };
    let mut changes = std::iter::once(*subject).chain(along);
    changes.find(|change| change.snapshot.id() == row.object_id && change.stamp.event_id == row.event_id)
}

/// Stripe ids of the written rows; for the other types too.
async fn put_invoices(conn: &mut PgConnection, read: Vec<(&Stale, Change)>) -> Result<Vec<String>> {
    let mut invoices = Vec::with_capacity(read.len());
    for (row, Change { stamp, snapshot }) in read {
        let Snapshot::Invoice(mut invoice) = snapshot else { continue };
        if !invoice.lines_complete {
            complete(conn, &mut invoice).await?;
        }
        invoices.push((row, stamp, invoice));
    }
    invoices.sort_by(|one, other| one.2.id.cmp(&other.2.id));
    let unknown = lookups::learn(conn, invoices.iter().map(|(_, _, invoice)| &invoice.named)).await?;
    let mut rows = Vec::with_capacity(invoices.len());
    for (stale, stamp, invoice) in &invoices {
        let mut row = Row::new(Some(stale.customer), stamp, &**invoice);
        row.wait_for(&invoice.named, &unknown);
        rows.push(row);
    }
    let ids: Vec<&str> = invoices.iter().map(|(_, _, invoice)| invoice.id.as_str()).collect();
    let before = store::shown(conn, &ids).await?;
    let written = mirror::put_invoices(conn, &rows, mirror::Put::Newer).await?;
    let after = store::shown(conn, &ids).await?;
    let changed: Vec<&str> = ids.into_iter().filter(|id| before.get(*id) != after.get(*id)).collect();
    if !changed.is_empty() {
        store::changed(conn, &changed).await?;
    }
    Ok(written)
}

/// If the event has only the first lines, an earlier fetch may have all of them.
async fn complete(conn: &mut PgConnection, invoice: &mut InvoiceSnapshot) -> Result<()> {
    for payload in store::fetched(conn, &invoice.id, Kind::Invoice.event_type()).await? {
        let Ok(Reading::Changes { subject, .. }) = read(&Document::read(&payload)) else { continue };
        let Snapshot::Invoice(fetched) = subject.snapshot else { continue };
        let known: HashSet<_> = fetched.lines.iter().map(|line| (&line.id, line.amount)).collect();
        let alike = fetched.lines_complete
            && (fetched.currency, fetched.amounts.subtotal, fetched.amounts.total)
                == (invoice.currency, invoice.amounts.subtotal, invoice.amounts.total)
            && invoice.lines.iter().all(|line| known.contains(&(&line.id, line.amount)));
        if alike {
            invoice.lines = fetched.lines;
            invoice.lines_complete = true;
            invoice.named.rates.extend(fetched.named.rates);
            invoice.named.ids.extend(fetched.named.ids);
            return Ok(());
        }
    }
    Ok(())
}

async fn put_credit_notes(conn: &mut PgConnection, read: &[(&Stale, Change)]) -> Result<Vec<String>> {
    let mut rows = Vec::with_capacity(read.len());
    let mut named = Vec::with_capacity(read.len());
    for (row, change) in read {
        if let Snapshot::CreditNote(credit_note) = &change.snapshot {
            rows.push(Row::new(Some(row.customer), &change.stamp, &**credit_note));
            named.push(&credit_note.named);
        }
    }
    lookups::learn(conn, named.into_iter()).await?;
    rows.sort_by(|one, other| one.snapshot().id.cmp(&other.snapshot().id));
    Ok(mirror::put_credit_notes(conn, &rows, mirror::Put::Newer).await?)
}

async fn put_subscriptions(conn: &mut PgConnection, read: &[(&Stale, Change)]) -> Result<Vec<String>> {
    let mut rows = Vec::with_capacity(read.len());
    for (row, change) in read {
        if let Snapshot::Subscription(subscription) = &change.snapshot {
            rows.push(Row::new(Some(row.customer), &change.stamp, &**subscription));
        }
    }
    rows.sort_by(|one, other| one.snapshot().id.cmp(&other.snapshot().id));
    Ok(mirror::put_subscriptions(conn, &rows, mirror::Put::Newer).await?)
}
