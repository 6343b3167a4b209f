//! The audit log: who changed what, and the hash chain that makes tampering evident.

use super::{identity::CustomerId, list::Pagination};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

/// One row of the audit log, as shown to staff.
#[derive(utoipa::ToSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub id: i64,
    /// `noun.verb`, or `error`.
    pub event_type: String,
    /// An e-mail address, `api_key:NAME`, `stripe` or `system`.
    pub actor: String,
    pub customer_id: Option<CustomerId>,
    /// The customer's current name.
    pub customer: Option<String>,
    pub data: Value,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// `GET /admin/audit`.
#[derive(utoipa::ToSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    pub pagination: Pagination,
    /// All entry types.
    pub event_types: Vec<String>,
    /// The newest seal; null before the first.
    pub sealed: Option<SealSummary>,
}

/// A seal, as shown to staff.
#[derive(utoipa::ToSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealSummary {
    pub seq: i64,
    /// The last entry that it covers.
    pub last_id: i64,
    /// SHA-256 in hex. Stored elsewhere, it verifies the whole audit log up to here.
    pub hash: String,
    #[serde(with = "time::serde::rfc3339")]
    pub sealed_at: OffsetDateTime,
}

/// The hashed fields of a row: all of them. Text is as PostgreSQL formats it, `data` in jsonb's key
/// order.
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
    /// Passes the bytes to hash: each field with a presence flag and its length, so that different
    /// rows have different bytes.
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
        // Few letters, so that values that moved between fields are likely.
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
        fn different_rows_hash_different_bytes(one in rows(), other in rows()) {
            prop_assert_eq!(one == other, bytes(&one) == bytes(&other));
        }
    }
}
