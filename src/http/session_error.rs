//! Errors of the session store.

use crate::{service::Error, store::postgres::sessions};

pub fn broken(error: tower_sessions::session::Error) -> Error {
    match error {
        tower_sessions::session::Error::Store(tower_sessions::session_store::Error::Backend(why)) => backend_failure(why),
        other => Error::Internal(other.into()),
    }
}

fn backend_failure(why: String) -> Error {
    let is_full = why.starts_with(sessions::STORAGE_FULL);
    let cause = anyhow::anyhow!(why);
    if is_full { Error::StorageFull(cause) } else { Error::Unavailable(cause) }
}
