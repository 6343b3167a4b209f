//! Raw binary COPY into the server's tables: the keys and the events, one transaction per batch. It
//! omits the server's other work (parsing, validation, deduplication, hourly sums).

use crate::usage_events::Event;
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const EPOCH: OffsetDateTime = time::macros::datetime!(2000-01-01 0:00 UTC);

/// A batch in COPY format.
pub struct Batch {
    keys: Vec<u8>,
    events: Vec<u8>,
}

impl Batch {
    /// Keys are sorted, which is the fastest order to insert.
    pub fn of(customer: Uuid, events: impl Iterator<Item = Event>) -> anyhow::Result<Batch> {
        let (mut ids, mut rows) = (Vec::new(), HEADER.to_vec());
        for event in events {
            rows.extend_from_slice(&7i16.to_be_bytes());
            field(&mut rows, customer.as_bytes())?;
            field(&mut rows, event.id.as_bytes())?;
            field(&mut rows, event.app.as_bytes())?;
            field(&mut rows, event.metric.as_bytes())?;
            field(&mut rows, &i64::try_from(event.quantity)?.to_be_bytes())?;
            field(&mut rows, &i64::try_from((event.at - EPOCH).whole_microseconds())?.to_be_bytes())?;
            field(&mut rows, &[&[1], event.properties.as_bytes()].concat())?;
            // Same as migration 16 in the first era.
            let mut key = [0; 16];
            key[1..].copy_from_slice(&Sha256::new().chain_update(customer.as_bytes()).chain_update(event.id.as_bytes()).finalize()[..15]);
            ids.push(key);
        }
        ids.sort_unstable();
        let mut keys = HEADER.to_vec();
        for id in ids {
            keys.extend_from_slice(&1i16.to_be_bytes());
            field(&mut keys, &id)?;
        }
        for bytes in [&mut keys, &mut rows] {
            bytes.extend_from_slice(&(-1i16).to_be_bytes());
        }
        Ok(Batch { keys, events: rows })
    }

    pub async fn write(&self, conn: &mut PgConnection) -> anyhow::Result<()> {
        let mut tx = conn.begin().await?;
        for (statement, bytes) in [
            ("COPY usage_ids (key) FROM STDIN (FORMAT binary)", &self.keys),
            (
                "COPY usage_events (customer_id, event_id, app_id, metric, quantity, occurred_at, properties) FROM STDIN (FORMAT binary)",
                &self.events,
            ),
        ] {
            let mut copy = tx.copy_in_raw(statement).await?;
            copy.send(bytes.as_slice()).await?;
            copy.finish().await?;
        }
        Ok(tx.commit().await?)
    }
}

fn field(row: &mut Vec<u8>, bytes: &[u8]) -> anyhow::Result<()> {
    row.extend_from_slice(&i32::try_from(bytes.len())?.to_be_bytes());
    row.extend_from_slice(bytes);
    Ok(())
}
