//! The list of customers, for the platform's staff.

use super::{
    Platform, Result,
    parameter::{DEFAULT_LIMIT, MAX_LIMIT, number, search},
};
use crate::{
    domain::{customer::CustomerPage, invoice::Pagination},
    store::postgres::customers as store,
};

/// Pages that can be asked for.
const MOST_PAGES: u32 = 1_000_000;

/// One page of the customers that `q` is a part of: of their name, e-mail address, or id here or in Stripe.
pub async fn list(platform: &Platform, q: Option<String>, page: Option<String>, limit: Option<String>) -> Result<CustomerPage> {
    let limit = number("limit", limit, DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let page = number("page", page, 1, 1..=MOST_PAGES)?;
    let q = search("q", q)?;
    let offset = i64::from(page - 1) * i64::from(limit);
    let (customers, total) =
        tokio::try_join!(store::list(&platform.db, q.as_deref(), i64::from(limit), offset), store::count(&platform.db, q.as_deref()))?;
    Ok(CustomerPage { customers, pagination: Pagination { page, limit, total, total_pages: total.div_ceil(u64::from(limit)) } })
}
