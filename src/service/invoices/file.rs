//! A customer's invoices as a CSV file for accounting: one row per invoice, or per line.

use super::{ROWS_AT_ONCE, count_unexplained, filter};
use crate::{
    domain::{
        csv,
        file_name::slug,
        identity::CustomerId,
        invoice::{
            TaxBehavior, TaxId,
            line::unit_price_number,
            sums::{SumKind, TaxGroup, sums},
        },
        list::{InvoiceFilter, Parameter},
        money::{Currency, Money},
        period::Period,
    },
    service::{Error, Platform, Result, parameter::value},
    store::postgres::invoices::{self as store, FileInvoice, FileLine},
};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use std::{str::FromStr, sync::Arc};
use time::{Date, Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Lines per query.
const LINES_AT_ONCE: i64 = 2_000;

/// The export's format.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct FileOptions {
    /// Default: `decimal`.
    #[param(inline, required = false, value_type = Units)]
    pub units: Parameter<Units>,
    /// Default: `invoices`.
    #[param(inline, required = false, value_type = Rows)]
    pub rows: Parameter<Rows>,
}

/// The format of amounts in the export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Units {
    #[default]
    Decimal,
    /// Integers in the currency's minor unit.
    Minor,
}

impl FromStr for Units {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text {
            "decimal" => Ok(Units::Decimal),
            "minor" => Ok(Units::Minor),
            other => Err(format!("`{other}` is unknown; must be decimal or minor")),
        }
    }
}

/// What a row of the export is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Rows {
    #[default]
    Invoices,
    Lines,
}

impl FromStr for Rows {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        match text {
            "invoices" => Ok(Rows::Invoices),
            "lines" => Ok(Rows::Lines),
            other => Err(format!("`{other}` is unknown; must be invoices or lines")),
        }
    }
}

/// A file's name and its streamed text.
pub struct InvoiceFile<S> {
    pub name: String,
    pub rows: S,
}

impl Units {
    // Negative values are numbers, not formulas.
    fn amount(self, amount: i64, currency: Currency) -> String {
        match self {
            Units::Decimal => Money::new(amount, currency).decimal(),
            Units::Minor => amount.to_string(),
        }
    }

    fn unit_price(self, minor_units: &str, currency: Currency) -> String {
        match self {
            Units::Decimal => unit_price_number(minor_units, currency).unwrap_or_default().replace(',', ""),
            Units::Minor => csv::text(minor_units).into_owned(),
        }
    }
}

/// All of a customer's invoices that match the filter (RFC 4180), in its order. Starts with a byte
/// order mark: without it Excel assumes the system's code page.
///
/// # Errors
/// An invalid parameter, an unknown customer; later errors end the stream.
pub async fn file(
    platform: &Platform,
    customer: CustomerId,
    query: InvoiceFilter,
    options: FileOptions,
) -> Result<InvoiceFile<impl Stream<Item = Result<String>> + use<>>> {
    let units = value("units", options.units)?.unwrap_or_default();
    let of_lines = value("rows", options.rows)?.unwrap_or_default() == Rows::Lines;
    let filter = filter(query)?;
    let (customer_name, first, last) = store::extent(&platform.db, customer).await?.ok_or(Error::NotFound("customer"))?;
    let until = filter.to.map(|to| to - Duration::NANOSECOND).or(last);
    let name = name(&customer_name, filter.from.or(first), until, of_lines);
    let reader = Reader { db: platform.db.clone(), now: platform.clock.now(), customer, filter, units };
    let head = if of_lines { text_of([LINE_HEAD]) } else { text_of([HEAD]) };
    let head = stream::once(std::future::ready(head.map(|head| format!("{}{head}", csv::BYTE_ORDER_MARK))));
    let rows = if of_lines { reader.lines().left_stream() } else { reader.invoices().right_stream() };
    Ok(InvoiceFile { name, rows: head.chain(rows) })
}

/// `invoices-lumen-games-2026-01-01_2026-11-30.csv`.
fn name(customer: &str, from: Option<OffsetDateTime>, until: Option<OffsetDateTime>, of_lines: bool) -> String {
    let span = from.zip(until).map(|(from, until)| format!("{}_{}", day(from), day(until.max(from))));
    let parts = [Some(if of_lines { "invoice-lines" } else { "invoices" }.to_owned()), Some(slug(customer)), span];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-") + ".csv"
}

/// `2026-11-30`, in UTC.
fn day(at: OffsetDateTime) -> Date {
    at.to_offset(UtcOffset::UTC).date()
}

struct Reader {
    db: sqlx::PgPool,
    now: OffsetDateTime,
    customer: CustomerId,
    filter: store::Filter,
    units: Units,
}

/// The position in a file of lines.
enum Place {
    /// Before the invoices after this one.
    Invoices(Option<Uuid>),
    /// Among the lines of these, after this line; and where to continue.
    Lines {
        invoices: Arc<Vec<FileInvoice>>,
        after: Option<(usize, i32)>,
        next: Option<Uuid>,
    },
    End,
}

impl Reader {
    async fn some(&self, after: Option<Uuid>) -> Result<(Vec<FileInvoice>, Option<Uuid>)> {
        let invoices = store::list_after(&self.db, self.customer, &self.filter, after, self.now).await?;
        let is_full = i64::try_from(invoices.len()) == Ok(ROWS_AT_ONCE);
        let next = invoices.last().filter(|_| is_full).map(|invoice| invoice.summary.id);
        Ok((invoices, next))
    }

    fn invoices(self) -> impl Stream<Item = Result<String>> {
        stream::try_unfold((self, Some(None)), |(reader, after): (Reader, Option<Option<Uuid>>)| async move {
            let Some(after) = after else { return Ok(None) };
            let (invoices, next) = reader.some(after).await?;
            let rows = text_of(invoices.iter().map(|invoice| row(invoice, reader.units)))?;
            Ok(Some((rows, (reader, next.map(Some)))))
        })
    }

    fn lines(self) -> impl Stream<Item = Result<String>> {
        stream::try_unfold((self, Place::Invoices(None)), |(reader, mut place)| async move {
            loop {
                match place {
                    Place::End => return Ok(None),
                    Place::Invoices(after) => {
                        let (invoices, next) = reader.some(after).await?;
                        place = Place::Lines { invoices: Arc::new(invoices), after: None, next };
                    }
                    Place::Lines { invoices, after, next } => {
                        let ids: Vec<Uuid> = invoices.iter().map(|invoice| invoice.summary.id).collect();
                        let lines = store::lines_after(&reader.db, &ids, after, LINES_AT_ONCE).await?;
                        let is_full = i64::try_from(lines.len()) == Ok(LINES_AT_ONCE);
                        let rows =
                            text_of(lines.iter().filter_map(|line| Some(line_row(invoices.get(line.invoice)?, line, reader.units))))?;
                        place = match (lines.last().filter(|_| is_full), next) {
                            (Some(last), _) => Place::Lines { after: Some((last.invoice, last.position)), invoices, next },
                            (None, Some(next)) => Place::Invoices(Some(next)),
                            (None, None) => Place::End,
                        };
                        return Ok(Some((rows, (reader, place))));
                    }
                }
            }
        })
    }
}

/// The first sixteen columns are the original ones and keep their order.
const HEAD: [&str; 31] = [
    "id",
    "stripe_invoice_id",
    "number",
    "status",
    "currency",
    "total",
    "amount_due",
    "amount_paid",
    "amount_remaining",
    "amount_refunded",
    "period_start",
    "period_end",
    "created_at",
    "due_date",
    "paid_at",
    "overdue",
    "issue_date",
    "customer",
    "customer_tax_id",
    "subtotal",
    "discount",
    "credits_before_tax",
    "shipping",
    "tax",
    "tax_included",
    "net",
    "tax_by_rate",
    "other_adjustments",
    "credited",
    "credited_after_payment",
    "balance",
];

const LINE_HEAD: [&str; 24] = [
    "invoice_id",
    "stripe_invoice_id",
    "number",
    "status",
    "issue_date",
    "customer",
    "customer_tax_id",
    "currency",
    "line",
    "description",
    "quantity",
    "unit_price",
    "unit_price_per",
    "amount",
    "discount",
    "credits_before_tax",
    "tax",
    "tax_included",
    "net",
    "tax_by_rate",
    "period_start",
    "period_end",
    "proration",
    "lines_complete",
];

fn text_of<const N: usize, F: AsRef<[u8]>>(rows: impl IntoIterator<Item = [F; N]>) -> Result<String> {
    csv::rows(rows).map_err(|error| anyhow::Error::from(error).into())
}

fn text(text: &str) -> String {
    csv::text(text).into_owned()
}

fn date(at: Option<OffsetDateTime>) -> String {
    at.map(|at| day(at).to_string()).unwrap_or_default()
}

fn instant(at: Option<OffsetDateTime>) -> String {
    at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

/// First and last day; both are days of the period.
fn days(period: Option<&Period>) -> [String; 2] {
    [date(period.map(Period::start)), date(period.map(|period| period.end() - Duration::NANOSECOND))]
}

fn tax_ids(ids: &[TaxId]) -> String {
    text(&ids.iter().map(|id| id.value.trim()).collect::<Vec<_>>().join("; "))
}

/// `VAT 19% on €100.00: 19.00; …`.
fn by_rate(taxes: &[TaxGroup], currency: Currency, units: Units) -> String {
    let parts = taxes.iter().map(|tax| format!("{}: {}", tax.label(currency), units.amount(tax.total(), currency)));
    text(&parts.collect::<Vec<_>>().join("; "))
}

fn row(invoice: &FileInvoice, units: Units) -> [String; HEAD.len()] {
    let FileInvoice { summary, figures, .. } = invoice;
    let sums = sums(figures);
    count_unexplained(&summary.stripe_invoice_id, &sums);
    let amount = |amount: i64| units.amount(amount, summary.currency);
    let taken_off = |kind| amount(sums.of(kind).saturating_neg());
    let [period_start, period_end] = days(summary.period.as_ref());
    let (added, included) = (sums.of(SumKind::Tax), sums.of(SumKind::TaxIncluded));
    [
        summary.id.to_string(),
        text(&summary.stripe_invoice_id),
        text(summary.number.as_deref().unwrap_or_default()),
        text(summary.status.as_str()),
        summary.currency.code().to_owned(),
        amount(summary.total),
        amount(summary.amount_due),
        amount(summary.amount_paid),
        amount(summary.amount_remaining),
        amount(summary.amount_refunded),
        period_start,
        period_end,
        instant(Some(summary.created_at)),
        date(summary.due_date),
        instant(summary.paid_at),
        summary.overdue.to_string(),
        date(summary.issued_at),
        text(&invoice.customer_name),
        tax_ids(&invoice.tax_ids),
        amount(figures.subtotal),
        taken_off(SumKind::Discount),
        taken_off(SumKind::PretaxCredits),
        amount(sums.of(SumKind::Shipping)),
        amount(added.saturating_add(included)),
        amount(included),
        amount(sums.net),
        by_rate(&sums.taxes, summary.currency, units),
        amount(sums.of(SumKind::OtherAdjustments)),
        amount(summary.amount_credited),
        amount(figures.credit_notes_after_payment),
        amount(sums.balance()),
    ]
}

fn line_row(invoice: &FileInvoice, FileLine { position, line, .. }: &FileLine, units: Units) -> [String; LINE_HEAD.len()] {
    let FileInvoice { summary, .. } = invoice;
    let currency = summary.currency;
    let amount = |amount: i64| units.amount(amount, currency);
    let price = line.price(currency);
    let [period_start, period_end] = days(line.period.as_ref());
    let taxes = line.tax_groups();
    let of = |behavior| taxes.iter().filter(|tax| tax.behavior == behavior).map(TaxGroup::total).fold(0, i64::saturating_add);
    let (added, included) = (of(TaxBehavior::Exclusive), of(TaxBehavior::Inclusive));
    let credits = line.credits_before_tax();
    let net = line.amount.saturating_sub(line.discount).saturating_sub(credits).saturating_sub(included);
    [
        summary.id.to_string(),
        text(&summary.stripe_invoice_id),
        text(summary.number.as_deref().unwrap_or_default()),
        text(summary.status.as_str()),
        date(summary.issued_at),
        text(&invoice.customer_name),
        tax_ids(&invoice.tax_ids),
        currency.code().to_owned(),
        (i64::from(*position) + 1).to_string(),
        text(&line.description),
        price.quantity.unwrap_or_default().replace(',', ""),
        price.unit_price.and(line.unit_amount.as_deref()).map(|minor| units.unit_price(minor, currency)).unwrap_or_default(),
        price.per.map(|per| per.trim_start_matches("per ").replace(',', "")).unwrap_or_default(),
        amount(line.amount),
        amount(line.discount),
        amount(credits),
        amount(added.saturating_add(included)),
        amount(included),
        amount(net),
        by_rate(&taxes, currency, units),
        period_start,
        period_end,
        line.proration.to_string(),
        invoice.lines_complete.to_string(),
    ]
}
