//! Components of invoices' sums: the `jsonb` columns, tax rates, and sums of lines.

use crate::domain::invoice::{
    TaxAmount, TaxRate,
    sums::{Figures, LineFigures},
};
use futures::TryStreamExt;
use serde::de::DeserializeOwned;
use sqlx::PgPool;
use std::collections::HashMap;
use uuid::Uuid;

/// A `jsonb` column. An unknown format counts as not stored: the invoice is shown without it.
pub fn parsed<T: DeserializeOwned>(json: Option<&serde_json::Value>) -> Option<T> {
    serde_json::from_value(json?.clone()).inspect_err(|error| tracing::warn!(%error, "stored amounts of an invoice can't be parsed")).ok()
}

/// A `numeric` without trailing zeros.
pub fn shortest(number: String) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number }
}

/// All taxes of an invoice that may have a rate.
pub fn taxes_of(figures: &mut Figures) -> impl Iterator<Item = &mut TaxAmount> {
    let of_invoice = figures.taxes.iter_mut().flatten();
    let of_shipping = figures.shipping.iter_mut().flat_map(|shipping| &mut shipping.taxes);
    let of_lines = figures.lines.iter_mut().flat_map(|lines| &mut lines.taxes);
    of_invoice.chain(of_shipping).chain(of_lines)
}

/// Adds the known rates to taxes.
pub async fn with_rates(pool: &PgPool, taxes: Vec<&mut TaxAmount>) -> sqlx::Result<()> {
    let mut ids: Vec<String> = taxes.iter().filter(|tax| tax.rate.is_none()).filter_map(|tax| tax.rate_id.clone()).collect();
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        "SELECT stripe_tax_rate_id, display_name, percentage::text AS percentage, tax_type, country, state, jurisdiction
         FROM tax_rates WHERE stripe_tax_rate_id = ANY($1)",
        &ids,
    )
    .fetch_all(pool)
    .await?;
    let rates: HashMap<String, TaxRate> = rows
        .into_iter()
        .map(|row| {
            let rate = TaxRate {
                id: row.stripe_tax_rate_id.clone(),
                display_name: row.display_name,
                percentage: row.percentage.map(shortest),
                tax_type: row.tax_type,
                country: row.country,
                state: row.state,
                jurisdiction: row.jurisdiction,
            };
            (row.stripe_tax_rate_id, rate)
        })
        .collect();
    for tax in taxes.into_iter().filter(|tax| tax.rate.is_none()) {
        tax.rate = tax.rate_id.as_ref().and_then(|id| rates.get(id)).cloned();
    }
    Ok(())
}

/// The sums of the lines of each of these invoices, however many lines there are.
pub async fn of_lines(pool: &PgPool, invoices: &[Uuid]) -> sqlx::Result<HashMap<Uuid, LineFigures>> {
    let mut rows = sqlx::query!(
        "SELECT invoice_id, amount, discount, tax, taxes, pretax_credits FROM invoice_line_items WHERE invoice_id = ANY($1) ORDER BY invoice_id, position",
        invoices,
    )
    .fetch(pool);
    let mut figures: HashMap<Uuid, LineFigures> = HashMap::new();
    while let Some(line) = rows.try_next().await? {
        let taxes: Vec<TaxAmount> = parsed(line.taxes.as_ref()).unwrap_or_default();
        let credits: Vec<_> = parsed(line.pretax_credits.as_ref()).unwrap_or_default();
        figures.entry(line.invoice_id).or_default().add(line.amount, line.discount, line.tax, &taxes, &credits);
    }
    Ok(figures)
}
