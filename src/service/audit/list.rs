//! The audit log for staff: in pages, or as a CSV file.

use crate::{
    domain::{
        audit::{AuditEntry, AuditPage, SealSummary},
        csv,
        identity::CustomerId,
        invoice::Pagination,
    },
    service::{
        Error, Platform, Result,
        parameter::{DEFAULT_LIMIT, MAX_LIMIT, given, instant, number, search},
    },
    store::postgres::audit::{list as store, seals},
};
use futures::{Stream, stream};
use serde::Deserialize;
use time::{Duration, format_description::well_known::Rfc3339};

/// Maximum number of counted and paged entries.
const MOST_COUNTED: u32 = 10_000;
/// Rows of a file per query.
const ROWS_AT_ONCE: i64 = 1_000;

/// A list request's unparsed parameters.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Query {
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    pub actor: Option<String>,
    pub customer_id: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub q: Option<String>,
    pub page: Option<String>,
    pub limit: Option<String>,
}

fn filter(query: Query) -> Result<store::Filter> {
    let customer = given(query.customer_id)
        .map(|text| text.parse().map(CustomerId).map_err(|_| Error::invalid("customer_id", "must be a customer's id, a UUID")))
        .transpose()?;
    let from = given(query.from).map(|text| instant("from", &text, Duration::ZERO)).transpose()?;
    // A date means its whole day, at both ends.
    let to = given(query.to).map(|text| instant("to", &text, Duration::DAY)).transpose()?;
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(Error::invalid("to", "is before `from`"));
    }
    Ok(store::Filter {
        event_type: search("type", query.event_type)?,
        actor: search("actor", query.actor)?,
        customer,
        from,
        to,
        search: search("q", query.q)?,
        ..store::Filter::default()
    })
}

/// One page of the audit log, newest first.
#[tracing::instrument(name = "audit.list", level = "debug", skip_all)]
pub async fn list(platform: &Platform, query: Query) -> Result<AuditPage> {
    let limit = number("limit", query.limit.clone(), DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let page = number("page", query.page.clone(), 1, 1..=MOST_COUNTED)?;
    let offset = (page - 1) * limit;
    if offset >= MOST_COUNTED {
        return Err(Error::invalid("page", format!("is beyond the newest {MOST_COUNTED} entries; use filters to find older ones")));
    }
    let filter = store::Filter { limit: i64::from(limit), offset: i64::from(offset), ..filter(query)? };
    let (entries, total, event_types, sealed) = tokio::try_join!(
        store::list(&platform.db, &filter),
        store::count(&platform.db, &filter, i64::from(MOST_COUNTED)),
        store::event_types(&platform.db),
        seals::last(&platform.db),
    )?;
    let sealed =
        sealed.map(|seal| SealSummary { seq: seal.seq, last_id: seal.last_id, hash: hex::encode(seal.hash), sealed_at: seal.sealed_at });
    Ok(AuditPage {
        entries,
        pagination: Pagination { page, limit, total, total_pages: total.div_ceil(u64::from(limit)) },
        event_types,
        sealed,
    })
}

/// All matching entries as a CSV file (RFC 4180), newest first, streamed.
///
/// # Errors
/// An invalid parameter; later errors end the stream.
pub fn csv(platform: &Platform, query: Query) -> Result<impl Stream<Item = Result<String>> + use<>> {
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
