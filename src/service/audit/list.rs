//! The audit log for staff: in pages, or as a CSV file.

use crate::{
    domain::{
        audit::{AuditEntry, AuditPage, SealSummary},
        csv,
        list::{AuditFilter, ListQuery, Pagination, SearchText},
    },
    service::{
        Error, Platform, Result,
        parameter::{paging, span, value},
    },
    store::postgres::audit::{list as store, seals},
};
use futures::{Stream, stream};
use time::format_description::well_known::Rfc3339;

/// Maximum number of counted and paged entries.
const MOST_COUNTED: u32 = 10_000;
/// Rows of a file per query.
const ROWS_AT_ONCE: i64 = 1_000;

fn filter(filter: AuditFilter) -> Result<store::Filter> {
    let text = |name, parameter| value(name, parameter).map(|text: Option<SearchText>| text.map(String::from));
    let customer = value("customer_id", filter.customer_id)?;
    let (from, to) = span(filter.from, filter.to)?;
    Ok(store::Filter {
        event_type: text("type", filter.event_type)?,
        actor: text("actor", filter.actor)?,
        customer,
        from,
        to,
        search: text("q", filter.q)?,
        ..store::Filter::default()
    })
}

/// One page of the audit log, newest first.
#[tracing::instrument(name = "audit.list", level = "debug", skip_all)]
pub async fn list(platform: &Platform, query: ListQuery<AuditFilter>) -> Result<AuditPage> {
    let (page, limit) = paging(query.paging, MOST_COUNTED)?;
    let offset = page.offset(limit);
    if offset >= i64::from(MOST_COUNTED) {
        return Err(Error::invalid("page", format!("is beyond the newest {MOST_COUNTED} entries; use filters to find older ones")));
    }
    let filter = store::Filter { limit: i64::from(limit.0), offset, ..filter(query.filter)? };
    let (entries, total, event_types, sealed) = tokio::try_join!(
        store::list(&platform.db, &filter),
        store::count(&platform.db, &filter, i64::from(MOST_COUNTED)),
        store::event_types(&platform.db),
        seals::last(&platform.db),
    )?;
    let sealed =
        sealed.map(|seal| SealSummary { seq: seal.seq, last_id: seal.last_id, hash: hex::encode(seal.hash), sealed_at: seal.sealed_at });
    Ok(AuditPage { entries, pagination: Pagination::new(page, limit, total), event_types, sealed })
}

/// All matching entries as a CSV file (RFC 4180), newest first, streamed.
///
/// # Errors
/// An invalid parameter; later errors end the stream.
pub fn csv(platform: &Platform, query: AuditFilter) -> Result<impl Stream<Item = Result<String>> + use<>> {
    let filter = store::Filter { limit: ROWS_AT_ONCE, ..filter(query)? };
    let db = platform.db.clone();
    let head = stream::once(std::future::ready(csv::rows([HEAD]).map_err(|error| anyhow::Error::from(error).into())));
    let rows = stream::try_unfold(Some(filter), move |filter| {
        let db = db.clone();
        async move {
            let Some(filter) = filter else { return Ok(None) };
            let entries = store::list(&db, &filter).await?;
            let more = (i64::try_from(entries.len()) == Ok(ROWS_AT_ONCE)).then(|| entries.last().map(|entry| entry.id)).flatten();
            let text = csv::rows(entries.iter().map(row)).map_err(anyhow::Error::from)?;
            Ok(Some((text, more.map(|id| store::Filter { before_id: Some(id), ..filter }))))
        }
    });
    Ok(futures::StreamExt::chain(head, rows))
}

const HEAD: [&str; 9] = ["id", "created_at", "event_type", "actor", "customer_id", "customer", "ip_address", "user_agent", "data"];

fn row(entry: &AuditEntry) -> [String; HEAD.len()] {
    let text = |value: Option<&str>| csv::text(value.unwrap_or_default()).into_owned();
    [
        entry.id.to_string(),
        entry.created_at.format(&Rfc3339).unwrap_or_default(),
        text(Some(&entry.event_type)),
        text(Some(&entry.actor)),
        entry.customer_id.map(|id| id.to_string()).unwrap_or_default(),
        text(entry.customer.as_deref()),
        text(entry.ip_address.as_deref()),
        text(entry.user_agent.as_deref()),
        text(Some(&entry.data.to_string())),
    ]
}
