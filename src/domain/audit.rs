//! The audit trail: who did what to whom, and the chain that proves that nothing of it was touched since.

use super::{identity::CustomerId, invoice::Pagination};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

/// One row of the trail, as staff see it.
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: i64,
    /// `noun.verb`, or `error`.
    pub event_type: String,
    /// An e-mail address, `api_key:NAME`, `stripe` or `system`.
    pub actor: String,
    pub customer_id: Option<CustomerId>,
    /// Name of that customer today.
    pub customer: Option<String>,
    pub data: Value,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// `GET /admin/audit`.
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    pub pagination: Pagination,
    /// The kinds of entries that there are.
    pub event_types: Vec<String>,
    /// The newest seal; None before the first.
    pub sealed: Option<SealSummary>,
}

/// A seal as people see it.
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealSummary {
    pub seq: i64,
    /// The last entry that it proves.
    pub last_id: i64,
    /// SHA-256 in hex: kept elsewhere, it proves the whole trail up to here.
    pub hash: String,
    #[serde(with = "time::serde::rfc3339")]
    pub sealed_at: OffsetDateTime,
}

/// What of a row the chain proves: everything. Text is as PostgreSQL writes it, `data` in the order of jsonb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    pub id: i64,
    pub event_type: String,
    pub actor: String,
    pub customer_id: Option<String>,
    pub data: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    /// Microseconds since 1970.
    pub created_at: i64,
}

impl SealedRow {
    /// Hands over the bytes that are hashed, each field with whether it is there and how long it is, so that no two rows give the same.
    pub fn each_part(&self, mut take: impl FnMut(&[u8])) {
        let mut text = |field: Option<&str>| match field {
            None => take(&[0]),
            Some(field) => {
                take(&[1]);
                take(&(field.len() as u64).to_be_bytes());
                take(field.as_bytes());
            }
        };
        text(Some(&self.event_type));
        text(Some(&self.actor));
        text(self.customer_id.as_deref());
        text(Some(&self.data));
        text(self.ip_address.as_deref());
        text(self.user_agent.as_deref());
        take(&self.id.to_be_bytes());
        take(&self.created_at.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows() -> impl Strategy<Value = SealedRow> {
        // Few letters, so that what is moved from one field to the next is found.
        let text = || "[ab]{0,3}";
        (0..3i64, text(), text(), prop::option::of(text()), text(), prop::option::of(text()), prop::option::of(text()), 0..3i64).prop_map(
            |(id, event_type, actor, customer_id, data, ip_address, user_agent, created_at)| SealedRow {
                id,
                event_type,
                actor,
                customer_id,
                data,
                ip_address,
                user_agent,
                created_at,
            },
        )
    }

    fn bytes(row: &SealedRow) -> Vec<u8> {
        let mut bytes = Vec::new();
        row.each_part(|part| bytes.extend_from_slice(part));
        bytes
    }

    proptest! {
        #[test]
        fn different_rows_are_different_bytes(one in rows(), other in rows()) {
            prop_assert_eq!(one == other, bytes(&one) == bytes(&other));
        }
    }
}
