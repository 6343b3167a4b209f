//! Compares customers' usage with Stripe's billing meters, and with what invoices bill.

use super::{rfc3339, run::Runner};
use crate::{
    domain::{
        identity::CustomerId,
        meter::closed_until,
        metric::Metric,
        period::hour_of,
        reconcile::{Discrepancy, Field, Kind, Object, Said, compare::share},
        subscription::metered_at,
    },
    service::{Result, usage},
    store::postgres::{
        meters,
        reconcile::{found, found::Suspect, mirror, mirror::Billed},
    },
};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// Customers per query.
const AT_A_TIME: i64 = 100;
/// How long the usage of a closed hour may be on its way.
const UNDER_WAY: Duration = Duration::minutes(10);

/// Hours of a customer's metric within one of its periods.
#[derive(Clone, Copy, Debug)]
struct Span {
    customer: CustomerId,
    metric: Metric,
    start: OffsetDateTime,
    end: OffsetDateTime,
}

impl Runner<'_> {
    /// Each customer's metrics in the current and the previous period, for hours that are closed
    /// and sent.
    pub(super) async fn meters(&mut self) -> Result<()> {
        if !self.platform.config.file.meters.enabled {
            return Ok(());
        }
        loop {
            let after = self.run.position.after.clone().and_then(|id| id.parse().ok()).unwrap_or_default();
            let customers = mirror::metered_customers(&self.platform.db, self.run.customer, after, AT_A_TIME).await?;
            let Some((last, _)) = customers.last() else { return Ok(()) };
            let last = last.to_string();
            for (customer, stripe_id) in customers {
                let mut suspects = Vec::new();
                for span in self.spans(customer).await? {
                    self.count(Object::Meter);
                    suspects.extend(self.weigh(span, &stripe_id).await?);
                }
                let mut conn = self.platform.db.acquire().await?;
                found::note(&mut conn, self.run.id, &suspects, false).await?;
            }
            self.run.position.after = Some(last);
            self.save(&[]).await?;
        }
    }

    /// What each finalized invoice bills of a metric in a period, by the lines with a price of one
    /// of our meters.
    pub(super) async fn billed_usage(&mut self) -> Result<()> {
        if !self.platform.config.file.meters.enabled {
            return Ok(());
        }
        let metered = self.metered_prices().await?;
        if metered.is_empty() {
            return Ok(());
        }
        loop {
            let after = self.run.position.after.clone().unwrap_or_default();
            let page = mirror::billed(&self.platform.db, self.scope(), self.run.to, &metered, None, &after, AT_A_TIME).await?;
            let Some(last) = page.last().map(|billed| billed.invoice.clone()) else { return Ok(()) };
            let (mut suspects, mut checked) = (Vec::new(), 0);
            for billed in page.iter().filter(|billed| was_sent(billed, self.platform.config.file.meters.since)) {
                checked += 1;
                suspects.extend(self.weigh_bill(billed));
            }
            (0..checked).for_each(|_| self.count(Object::Meter));
            let mut conn = self.platform.db.acquire().await?;
            found::note(&mut conn, self.run.id, &suspects, false).await?;
            drop(conn);
            self.run.position.after = Some(last);
            self.save(&[]).await?;
        }
    }

    /// The prices on invoices in scope that bill usage of one of our meters, with the metric of
    /// each.
    async fn metered_prices(&mut self) -> Result<Vec<(String, &'static str)>> {
        if let Some(known) = &self.metered {
            return Ok(known.clone());
        }
        let stripe = self.platform.stripe()?;
        let settings = &self.platform.config.file.meters;
        let (mut metered, mut after) = (Vec::new(), String::new());
        loop {
            let page = mirror::prices(&self.platform.db, self.scope(), self.run.to, &after, AT_A_TIME).await?;
            let Some(last) = page.last().cloned() else { break };
            for price in page {
                let event_name = stripe.metered_by(&price).await?;
                let metric = Metric::ALL.into_iter().find(|metric| event_name.as_deref() == Some(settings.event_name(*metric)));
                metered.extend(metric.map(|metric| (price, metric.as_str())));
            }
            after = last;
        }
        self.metered = Some(metered.clone());
        Ok(metered)
    }

    fn weigh_bill(&self, billed: &Billed) -> Option<Discrepancy> {
        if billed.used == billed.billed {
            return None;
        }
        let quantity = Field {
            name: "quantity".into(),
            internal: Some(Said::Number(billed.used)),
            stripe: Some(Said::Number(billed.billed)),
            differs: true,
        };
        Some(Discrepancy {
            kind: Kind::UsageQuantity,
            object: Object::Meter,
            object_id: format!("{}/{}/{}", billed.invoice, billed.metric, rfc3339(billed.start)),
            stripe_customer_id: Some(billed.stripe_customer.clone()),
            subscription_id: billed.subscription.clone(),
            invoice_id: Some(billed.invoice.clone()),
            metric: Some(billed.metric.clone()),
            field: Some(quantity.name.clone()),
            internal_value: quantity.internal.clone(),
            stripe_value: quantity.stripe.clone(),
            difference: Some(billed.used.saturating_sub(billed.billed)),
            percentage_diff: share(billed.used, billed.billed),
            amount: 0,
            currency: None,
            within_tolerance: self.tolerance().holds(billed.used, billed.billed),
            fields: vec![quantity, alike("from", billed.start), alike("to", billed.end)],
        })
    }

    /// Compares suspected invoices again.
    async fn weigh_bills_again(&mut self, suspects: &[Suspect]) -> Result<()> {
        let invoices: Vec<&str> = suspects.iter().filter_map(|suspect| suspect.invoice.as_deref()).collect();
        if invoices.is_empty() {
            return Ok(());
        }
        let metered = self.metered_prices().await?;
        let limit = i64::try_from(invoices.len()).unwrap_or(i64::MAX);
        let bills = mirror::billed(&self.platform.db, self.scope(), self.run.to, &metered, Some(invoices.as_slice()), "", limit).await?;
        let found: Vec<Discrepancy> = bills.iter().filter_map(|billed| self.weigh_bill(billed)).collect();
        let mut tx = self.platform.db.begin().await?;
        for suspect in suspects.iter().filter(|suspect| suspect.invoice.is_some()) {
            let still: Vec<Discrepancy> = found.iter().filter(|found| found.object_id == suspect.object_id).cloned().collect();
            found::settle(&mut tx, self.run.id, suspect, &still).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Compares suspected metrics again.
    pub(super) async fn weigh_again(&mut self, suspects: &[Suspect]) -> Result<()> {
        self.weigh_bills_again(suspects).await?;
        for suspect in suspects.iter().filter(|suspect| suspect.invoice.is_none()) {
            let mut found = Vec::new();
            if let Some(stripe_id) = &suspect.stripe_customer
                && let Some(customer) = crate::store::postgres::customers::by_stripe_id(&self.platform.db, stripe_id).await?
            {
                for span in self.spans(customer).await?.into_iter().filter(|span| name(stripe_id, span) == suspect.object_id) {
                    found.extend(self.weigh(span, stripe_id).await?);
                }
            }
            let mut tx = self.platform.db.begin().await?;
            found::settle(&mut tx, self.run.id, suspect, &found).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn spans(&self, customer: CustomerId) -> Result<Vec<Span>> {
        let settings = &self.platform.config.file.meters;
        // As of the run's start, so that both comparisons use the same hours.
        let closed = closed_until(self.run.started_at - UNDER_WAY, settings.grace()).min(hour_of(self.run.to));
        let subscriptions = usage::subscriptions(self.platform, customer).await?;
        let period = metered_at(&subscriptions, self.platform.clock.now()).period;
        let before = metered_at(&subscriptions, period.start() - Duration::NANOSECOND).period;
        self.platform.usage.split(customer, &[before.start(), period.start(), period.end()]).await?;
        let begins = [settings.since, self.run.from].into_iter().flatten().max();
        let up = |at: OffsetDateTime| hour_of(at + Duration::HOUR - Duration::NANOSECOND);
        let mut spans = Vec::new();
        for metric in Metric::ALL {
            let behind = meters::behind(&self.platform.db, customer, metric).await?;
            for (start, end) in [(before.start(), period.start().min(before.end())), (period.start(), period.end())] {
                let start = begins.map_or(start, |begins| start.max(up(begins)));
                let end = [end, closed].into_iter().chain(behind).min().unwrap_or(closed);
                if start < end {
                    spans.push(Span { customer, metric, start, end });
                }
            }
        }
        Ok(spans)
    }

    async fn weigh(&self, span: Span, stripe_id: &str) -> Result<Option<Discrepancy>> {
        let Span { customer, metric, start, end } = span;
        let event_name = self.platform.config.file.meters.event_name(metric);
        let hours = meters::used(&self.platform.db, customer, metric, start, end).await?;
        let used = hours.iter().fold(0_u64, |sum, (_, quantity)| sum.saturating_add(*quantity));
        let counted = match self.platform.stripe()?.metered(event_name, stripe_id, start, end).await {
            Ok(counted) => counted,
            // The meter or the customer doesn't exist: nothing is counted.
            Err(error) if error.is_missing() => 0,
            Err(error) => return Err(error.into()),
        };
        if used == counted {
            return Ok(None);
        }
        let number = |quantity: u64| i64::try_from(quantity).unwrap_or(i64::MAX);
        let (used, counted) = (number(used), number(counted));
        let quantity =
            Field { name: "quantity".into(), internal: Some(Said::Number(used)), stripe: Some(Said::Number(counted)), differs: true };
        Ok(Some(Discrepancy {
            kind: Kind::UsageQuantity,
            object: Object::Meter,
            object_id: name(stripe_id, &span),
            stripe_customer_id: Some(stripe_id.to_owned()),
            subscription_id: None,
            invoice_id: None,
            metric: Some(metric.as_str().to_owned()),
            field: Some(quantity.name.clone()),
            internal_value: quantity.internal.clone(),
            stripe_value: quantity.stripe.clone(),
            difference: Some(used - counted),
            percentage_diff: share(used, counted),
            amount: 0,
            currency: None,
            within_tolerance: self.tolerance().holds(used, counted),
            fields: vec![quantity, alike("from", start), alike("to", end)],
        }))
    }
}

/// Usage from before `since` is never sent to Stripe.
fn was_sent(billed: &Billed, since: Option<OffsetDateTime>) -> bool {
    since.is_none_or(|since| since <= billed.start)
}

/// The compared quantities.
fn alike(name: &str, at: OffsetDateTime) -> Field {
    let said = Some(Said::Text(rfc3339(at)));
    Field { name: name.to_owned(), internal: said.clone(), stripe: said, differs: false }
}

/// The hours of a discrepancy.
pub(super) fn hours_of(discrepancy: &Discrepancy) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let instant = |name: &str| match &discrepancy.fields.iter().find(|field| field.name == name)?.internal {
        Some(Said::Text(text)) => OffsetDateTime::parse(text, &Rfc3339).ok(),
        _ => None,
    };
    instant("from").zip(instant("to"))
}

/// The id of a customer's metric in a period.
fn name(stripe_id: &str, span: &Span) -> String {
    format!("{stripe_id}/{}/{}", span.metric, rfc3339(span.start))
}
