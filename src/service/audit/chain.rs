//! The hash chain of seals over the audit log.
//!
//! A seal's hash is SHA-256 over the previous hash and every row since. Row ids are allocated
//! before the commit, so a lower id may appear after a higher one. A seal therefore ends at an
//! earlier id, once all transactions that were writing at that time have ended.

use crate::{
    domain::audit::SealedRow,
    service::{Error, Platform, Result},
    store::postgres::audit::seals::{self, Seal, Writers},
    telemetry,
};
use futures::TryStreamExt;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::Mutex;

/// Maximum number of rows per seal.
const MOST_ROWS: i64 = 5_000;
/// Maximum number of seals per run, so that a server with a backlog can still stop.
const MOST_SEALS: u32 = 40;

/// Seals committed rows; only one replica at a time.
#[derive(Debug, Default)]
pub struct Sealer {
    /// The transactions that were writing at the last check, until those rows are sealed.
    waiting_for: Mutex<Option<Writers>>,
}

impl Sealer {
    /// Seals rows known to be complete; returns how many. Rows being written are sealed by a later
    /// call.
    pub async fn seal(&self, platform: &Platform) -> Result<u64> {
        let now = seals::writers(&platform.db).await?;
        let upto = {
            let mut waiting_for = self.waiting_for.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match waiting_for.take() {
                _ if now.transactions.is_empty() => Some(now.upto),
                Some(before) if before.transactions.is_disjoint(&now.transactions) => {
                    let upto = before.upto;
                    *waiting_for = Some(now);
                    Some(upto)
                }
                Some(before) => {
                    *waiting_for = Some(before);
                    None
                }
                None => {
                    *waiting_for = Some(now);
                    None
                }
            }
        };
        let mut rows = 0;
        if let Some(upto) = upto {
            for _ in 0..MOST_SEALS {
                let Some(more) = seal_some(platform, upto).await? else { break };
                rows += more;
            }
        }
        let after = seals::last(&platform.db).await?.map_or(0, |seal| seal.last_id);
        let (_, oldest) = seals::unsealed(&platform.db, after).await?;
        let lag = oldest.map_or(0.0, |oldest| (platform.clock.now() - oldest).as_seconds_f64().max(0.0));
        metrics::gauge!(telemetry::AUDIT_SEAL_LAG_SECONDS).set(lag);
        Ok(rows)
    }
}

/// Adds a seal over complete rows up to this id; None without rows, or if another process is
/// sealing.
async fn seal_some(platform: &Platform, upto: i64) -> Result<Option<u64>> {
    let mut tx = platform.db.begin().await?;
    if !seals::take_turn(&mut tx).await? {
        return Ok(None);
    }
    let last = seals::last(&mut *tx).await?;
    let (seq, after_id, before) = last.map_or((0, 0, Vec::new()), |seal| (seal.seq, seal.last_id, seal.hash));
    let mut link = Link::after(&before);
    {
        let mut rows = seals::rows(&mut *tx, since(after_id), upto, MOST_ROWS);
        while let Some(row) = rows.try_next().await? {
            link.add(&row);
        }
    }
    let (Some(last_id), row_count) = (link.last_id, link.rows) else { return Ok(None) };
    let sealed_at = platform.clock.now();
    seals::add(&mut tx, &Seal { seq: seq + 1, after_id, last_id, row_count, hash: link.finish(), sealed_at }).await?;
    tx.commit().await?;
    Ok(Some(u64::try_from(row_count).unwrap_or(0)))
}

/// The first seal also covers the absence of rows before the first id.
const fn since(after_id: i64) -> i64 {
    if after_id == 0 { i64::MIN } else { after_id }
}

/// A seal under construction.
struct Link {
    hash: Sha256,
    rows: i64,
    last_id: Option<i64>,
}

impl Link {
    fn after(before: &[u8]) -> Link {
        let mut hash = Sha256::new();
        hash.update(before);
        Link { hash, rows: 0, last_id: None }
    }

    fn add(&mut self, row: &SealedRow) {
        row.each_part(|part| self.hash.update(part));
        self.rows += 1;
        self.last_id = Some(row.id);
    }

    fn finish(self) -> Vec<u8> {
        self.hash.finalize().to_vec()
    }
}

/// The result of verifying the whole chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    pub intact: bool,
    pub seals: u64,
    /// Number of sealed rows.
    pub rows: u64,
    /// Number of rows after the last seal.
    pub unsealed: u64,
    /// The last seal's hash in hex; stored elsewhere, it later shows whether the end of the audit
    /// log was removed.
    pub head: Option<String>,
    /// Broken links, at most a hundred.
    pub broken: Vec<Broken>,
}

/// A broken link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    pub seal: i64,
    /// The affected rows are above this id,
    pub after_id: i64,
    /// up to this one.
    pub last_id: i64,
    pub reason: String,
}

const MOST_BROKEN: usize = 100;

/// Reads the whole audit log and verifies every seal. `expected_head`: a hash stored earlier; it
/// must be one of the seals' hashes. `seen` is called with the number of seals so far.
pub async fn verify(platform: &Platform, expected_head: Option<&str>, mut seen: impl FnMut(u64)) -> Result<Proof> {
    let expected = expected_head.map(|text| hex::decode(text.trim())).transpose();
    let expected = expected.ok().filter(|hash| hash.as_ref().is_none_or(|hash| hash.len() == 32));
    let expected = expected.ok_or_else(|| Error::invalid("expect-head", "must be the 64 hexadecimal digits of a seal's hash"))?;
    let mut proof = Proof::default();
    let mut before: Option<Seal> = None;
    let mut expected_met = expected.is_none();
    let mut chain = seals::all(&platform.db);
    while let Some(seal) = chain.try_next().await? {
        let (seq, after_id) = before.as_ref().map_or((1, 0), |before| (before.seq + 1, before.last_id));
        let reason = if (seal.seq, seal.after_id) != (seq, after_id) {
            Some(format!("it does not follow the previous seal: expected {} above {after_id}", seq))
        } else {
            let mut link = Link::after(before.as_ref().map_or(&[], |before| &before.hash));
            let mut rows = seals::rows(&platform.db, since(seal.after_id), seal.last_id, i64::MAX);
            while let Some(row) = rows.try_next().await? {
                link.add(&row);
            }
            let count = link.rows;
            let same = link.finish() == seal.hash;
            match count.cmp(&seal.row_count) {
                std::cmp::Ordering::Less => Some(format!("{} of its {} rows are missing", seal.row_count - count, seal.row_count)),
                std::cmp::Ordering::Greater => Some(format!("{} rows were inserted", count - seal.row_count)),
                std::cmp::Ordering::Equal if !same => Some("a row or the previous seal was changed".to_owned()),
                std::cmp::Ordering::Equal => None,
            }
        };
        if let Some(reason) = reason.filter(|_| proof.broken.len() < MOST_BROKEN) {
            proof.broken.push(Broken { seal: seal.seq, after_id: seal.after_id, last_id: seal.last_id, reason });
        }
        expected_met |= expected.as_ref() == Some(&seal.hash);
        proof.seals += 1;
        proof.rows += u64::try_from(seal.row_count).unwrap_or(0);
        seen(proof.seals);
        before = Some(seal);
    }
    let last_id = before.as_ref().map_or(0, |seal| seal.last_id);
    if !expected_met {
        let seal = before.as_ref().map_or(0, |seal| seal.seq);
        let reason = "no seal has the expected hash: the end of the audit log was removed, or the whole chain was recreated".to_owned();
        proof.broken.push(Broken { seal, after_id: last_id, last_id, reason });
    }
    proof.unsealed = u64::try_from(seals::unsealed(&platform.db, last_id).await?.0).unwrap_or(0);
    proof.head = before.map(|seal| hex::encode(seal.hash));
    proof.intact = proof.broken.is_empty();
    Ok(proof)
}
