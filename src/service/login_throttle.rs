//! Throttles password guessing across all servers ([`crate::domain::login_throttle`] defines the
//! delays).
//!
//! An attempt is counted as failed before its password is checked, so that concurrent attempts
//! can't bypass the limit; a success reverts that. Unknown accounts are counted like existing ones.

use super::{
    Error, Platform, Result,
    actor::{Origin, shown_email},
    audit::refusals,
    login_queue::Turn,
};
use crate::{
    domain::login_throttle::{Scope, Tally, network_of},
    store::postgres::login_throttle as store,
    telemetry,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long an address stays known after a login.
const FAMILIAR_FOR: Duration = Duration::days(90);
/// Maximum number of rows after the hourly cleanup.
const MOST_COUNTED: i64 = 100_000;

/// A permitted attempt.
#[derive(Debug)]
pub struct Attempt {
    network: Option<String>,
    account: Option<store::Key>,
    counted: Vec<Counted>,
    at: OffsetDateTime,
    /// The next attempt starts after this one.
    _turn: Turn,
}

#[derive(Debug)]
struct Counted {
    scope: Scope,
    key: store::Key,
    before: OffsetDateTime,
}

/// Permits an attempt at an account (its e-mail address, lower case), and counts it.
///
/// # Errors
/// `login_throttled` before the end of the wait; `busy` and `rate_limited` if too many are queued.
pub async fn begin(platform: &Platform, email: &str, origin: &Origin) -> Result<Attempt> {
    let network = origin.ip_address.as_deref().and_then(|text| text.parse().ok()).map(network_of);
    // Queue before taking a database connection.
    let turn = platform.logins.turn(network.as_deref()).await?;
    let now = platform.clock.now();
    let mut tx = platform.db.begin().await?;
    let familiar = match &network {
        Some(network) => store::is_familiar(&mut tx, email, network, now - FAMILIAR_FOR).await?,
        None => false,
    };
    let key = |scope| key_of(scope, email, network.as_deref());
    let mut scopes: Vec<(Scope, store::Key)> =
        Scope::counted(familiar).iter().filter_map(|scope| key(*scope).map(|key| (*scope, key))).collect();
    scopes.sort_by_key(|(_, key)| *key);
    let keys: Vec<Vec<u8>> = scopes.iter().map(|(_, key)| key.to_vec()).collect();
    let found = store::hold(&mut tx, &keys, now).await?;
    let tally = |key: &store::Key| {
        let known = found.iter().find(|counted| counted.key == key);
        known.map_or(Tally { failures: 0, last_failure_at: now }, |counted| Tally {
            failures: u32::try_from(counted.failures).unwrap_or(0),
            last_failure_at: counted.last_failure_at,
        })
    };
    let waits = scopes.iter().filter(|(scope, _)| Scope::checked(familiar).contains(scope));
    let longest = waits.filter_map(|(scope, key)| scope.wait(tally(key), now).map(|wait| (wait, key))).max();
    if let Some((wait, key)) = longest {
        // Rolls back everything, including rows created only as locks.
        tx.rollback().await?;
        return Err(refuse(platform, email, origin, key, wait).await?);
    }
    let after: Vec<Tally> = scopes.iter().map(|(scope, key)| scope.with_failure(tally(key), now)).collect();
    let failures: Vec<i32> = after.iter().map(|tally| i32::try_from(tally.failures).unwrap_or(i32::MAX)).collect();
    let forget_at: Vec<OffsetDateTime> = scopes.iter().map(|(scope, _)| now + scope.forgotten_after()).collect();
    store::count(&mut tx, &keys, &failures, &forget_at, now).await?;
    tx.commit().await?;
    let counted = scopes.iter().map(|(scope, key)| Counted { scope: *scope, key: *key, before: tally(key).last_failure_at }).collect();
    let account = key(Scope::Account);
    Ok(Attempt { network, account, counted, at: now, _turn: turn })
}

/// Audits attempts during a wait, once per wait.
async fn refuse(platform: &Platform, email: &str, origin: &Origin, key: &store::Key, wait: Duration) -> Result<Error> {
    metrics::counter!(telemetry::LOGINS, "result" => "throttled").increment(1);
    let retry_after = u64::try_from(wait.whole_seconds()).unwrap_or(0) + u64::from(wait.subsec_nanoseconds() > 0);
    if store::tell(&mut *platform.db.acquire().await?, key).await? {
        let actor = shown_email(email);
        let data = json!({"retry_after": retry_after});
        refusals::record(platform, origin.entry("session.throttled", &actor, None, data)).await?;
    }
    Ok(Error::LoginThrottled { retry_after })
}

impl Attempt {
    /// The password could not be checked: reverts the count.
    pub async fn taken_back(&self, conn: &mut PgConnection) -> Result<()> {
        self.lock(conn).await?;
        take_back(conn, &self.counted.iter().collect::<Vec<_>>(), self.at).await
    }

    /// The login succeeded: resets the account's failures, and remembers the address.
    pub async fn succeeded(&self, conn: &mut PgConnection, user: Uuid) -> Result<()> {
        self.lock(conn).await?;
        let (of_address, of_account) = self.counted.iter().partition::<Vec<_>, _>(|counted| counted.scope == Scope::Address);
        take_back(conn, &of_address, self.at).await?;
        let keys: Vec<Vec<u8>> = of_account.iter().map(|counted| counted.key).chain(self.account).map(|key| key.to_vec()).collect();
        store::clear(conn, &keys).await?;
        if let Some(network) = &self.network {
            store::remember_place(conn, user, network, self.at).await?;
        }
        Ok(())
    }

    /// Locks all scopes at once, in the common order.
    async fn lock(&self, conn: &mut PgConnection) -> Result<()> {
        let keys: Vec<Vec<u8>> = self.counted.iter().map(|counted| counted.key).chain(self.account).map(|key| key.to_vec()).collect();
        Ok(store::lock(conn, &keys).await?)
    }
}

async fn take_back(conn: &mut PgConnection, counted: &[&Counted], at: OffsetDateTime) -> Result<()> {
    let keys: Vec<Vec<u8>> = counted.iter().map(|counted| counted.key.to_vec()).collect();
    let before: Vec<OffsetDateTime> = counted.iter().map(|counted| counted.before).collect();
    Ok(store::take_back(conn, &keys, &before, at).await?)
}

/// Deletes expired and excess rows; returns how many.
pub async fn prune(platform: &Platform) -> Result<u64> {
    let now = platform.clock.now();
    Ok(store::prune(&platform.db, now, MOST_COUNTED, now - FAMILIAR_FOR).await?)
}

/// None for an unknown address.
fn key_of(scope: Scope, email: &str, network: Option<&str>) -> Option<store::Key> {
    let parts = match scope {
        Scope::Pair => ["pair", email, network.unwrap_or_default()],
        Scope::Account => ["account", email, ""],
        Scope::Address => ["address", "", network?],
    };
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    Some(hash.finalize().into())
}
