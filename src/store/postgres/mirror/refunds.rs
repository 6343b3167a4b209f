//! Refunds of invoices, by `domain::refund` from the mirrored payments.

use crate::domain::{
    identity::CustomerId,
    refund::{self, Account, Charged, Paid, Refunded, Share},
};
use sqlx::PgExecutor;
use std::collections::{BTreeMap, HashMap};
use time::OffsetDateTime;

/// The refund parts of some invoices.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    /// The requested invoices, and those that share a payment with one of them, by Stripe's ids;
    /// with the total of each.
    pub refunded: BTreeMap<String, i64>,
    /// Every part, also of other invoices.
    shares: Vec<(CustomerId, Share)>,
}

impl Shares {
    /// One invoice's parts.
    pub fn of<'a>(&'a self, customer: CustomerId, stripe_invoice_id: &'a str) -> impl Iterator<Item = &'a Share> {
        self.shares.iter().filter(move |(of, share)| *of == customer && share.invoice == stripe_invoice_id).map(|(_, share)| share)
    }
}

struct Row {
    what: String,
    id: String,
    customer_id: Option<uuid::Uuid>,
    invoice: Option<String>,
    payment_intent: Option<String>,
    charge: Option<String>,
    amount: i64,
    refunded: i64,
    status: String,
    at: Option<OffsetDateTime>,
    said_at: Option<OffsetDateTime>,
    credited: i64,
}

/// The refund parts of these invoices, and of invoices paid together with them.
pub async fn shares(db: impl PgExecutor<'_>, stripe_invoice_ids: &[&str]) -> sqlx::Result<Shares> {
    let rows = sqlx::query_file_as!(Row, "src/store/postgres/mirror/refunds.sql", stripe_invoice_ids as &[&str]).fetch_all(db).await?;
    let mut shares = Shares::default();
    for (customer, account) in accounts(&rows) {
        shares.shares.extend(account.shares().into_iter().map(|share| (customer, share)));
    }
    for near in rows.iter().filter(|row| row.what == "near") {
        let sum = |customer: CustomerId| shares.of(customer, &near.id).filter(|share| share.counts).map(|share| share.amount).sum::<i64>();
        let customer = rows.iter().find(|row| row.invoice.as_ref() == Some(&near.id)).and_then(|row| row.customer_id);
        let refunded = customer.map_or(0, |customer| sum(CustomerId(customer)));
        shares.refunded.insert(near.id.clone(), refunded);
    }
    Ok(shares)
}

/// One account per payment intent, or per charge without one.
fn accounts(rows: &[Row]) -> Vec<(CustomerId, Account)> {
    let of_kind = |what: &'static str| rows.iter().filter(move |row| row.what == what);
    let intents: HashMap<&str, &str> =
        of_kind("charge").filter_map(|charge| Some((charge.id.as_str(), charge.payment_intent.as_deref()?))).collect();
    let mut accounts: BTreeMap<(uuid::Uuid, &str), Account> = BTreeMap::new();
    // Payments before charges: a charge that references an invoice counts as its payment only if no
    // other is known.
    for row in of_kind("payment").chain(of_kind("charge")).chain(of_kind("refund")) {
        let charge = if row.what == "charge" { Some(row.id.as_str()) } else { row.charge.as_deref() };
        let intent = row.payment_intent.as_deref().or_else(|| intents.get(charge?).copied());
        let (Some(customer), Some(key), Some(at)) = (row.customer_id, intent.or(charge), row.at) else { continue };
        let account = accounts.entry((customer, key)).or_default();
        match row.what.as_str() {
            "payment" if row.status == "canceled" => {}
            "payment" => account.paid.extend(paid(row, row.status == "paid", at)),
            "charge" => {
                account.charged.extend(row.said_at.map(|said_at| Charged { amount_refunded: row.refunded, said_at }));
                if !account.paid.iter().any(|paid| Some(&paid.invoice) == row.invoice.as_ref()) {
                    account.paid.extend(paid(row, row.status == "succeeded", at));
                }
            }
            _ => account.refunded.extend(row.said_at.map(|said_at| Refunded {
                id: row.id.clone(),
                amount: row.amount,
                counts: refund::counts(&row.status),
                created_at: at,
                said_at,
            })),
        }
    }
    accounts.into_iter().map(|((customer, _), account)| (CustomerId(customer), account)).collect()
}

fn paid(row: &Row, complete: bool, at: OffsetDateTime) -> Option<Paid> {
    let invoice = row.invoice.clone()?;
    Some(Paid { id: row.id.clone(), invoice, amount: row.amount, complete, at, credited: row.credited })
}
