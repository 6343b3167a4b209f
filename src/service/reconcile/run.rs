//! A run, stage by stage.

mod end;
mod stage;
mod suspects;

pub(super) use stage::Stage;

use super::{reports::MOST_ANSWERED, streams};
use crate::{
    domain::reconcile::{FoundDiscrepancy, Merge, Object, Pair, ReconciliationSummary, Record, Step, Tolerance},
    service::{
        Error, Platform, Result,
        actor::{By, Origin},
    },
    store::postgres::{
        backfill::Lead,
        reconcile::{self as store, Position, Run, found, mirror},
    },
    stripe::{client::Window, record::kind_of},
    telemetry,
};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often a run stores its position and checks for a cancellation.
const KEEP: Duration = Duration::from_secs(1);
/// Suspects per transaction.
const MOST_PENDING: usize = 500;
/// Objects of ours per query.
const AT_A_TIME: i64 = 500;

/// A run's progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub stage: String,
    pub rows_checked: i64,
    pub rows_total: Option<i64>,
}

/// Called with a run's progress, about once a second.
pub type Listener = Arc<dyn Fn(&Progress) + Send + Sync>;

/// A run, and the lock of its scope.
pub struct Work {
    pub(super) platform: Platform,
    pub(super) run: Run,
    pub(super) lead: Lead,
}

impl Work {
    pub fn id(&self) -> Uuid {
        self.run.id
    }

    /// Runs to the end, whatever the result, and returns it. A dry run leaves no rows: see
    /// [`Work::rehearse`].
    ///
    /// # Errors
    /// Only if the end could not be stored: the run is resumed later.
    pub async fn carry_out(self, listener: &Listener, cancel: &CancellationToken) -> Result<ReconciliationSummary> {
        let Work { platform, run, lead } = self;
        let began = Instant::now();
        let mut runner = Runner {
            platform: &platform,
            by: by_of(&run),
            run,
            lead,
            listener,
            pending: Vec::new(),
            saved: Instant::now(),
            omitted: None,
            metered: None,
        };
        let watch = watch(&platform, runner.run.id);
        let ended = tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            watched = watch => watched.err().map(Err),
            done = runner.stages() => Some(done),
        };
        let summary = runner.end(ended).await?;
        metrics::counter!(telemetry::RECONCILE_RUNS, "result" => summary.status.as_str()).increment(1);
        metrics::histogram!(telemetry::RECONCILE_SECONDS).record(began.elapsed().as_secs_f64());
        Ok(summary)
    }

    /// Runs to the end and deletes the run; returns its end and its first discrepancies.
    pub async fn rehearse(self, listener: &Listener, cancel: &CancellationToken) -> Result<(ReconciliationSummary, Vec<FoundDiscrepancy>)> {
        let (platform, id) = (self.platform.clone(), self.run.id);
        let summary = self.carry_out(listener, cancel).await;
        let found = found::page(&platform.db, id, None, MOST_ANSWERED, 0).await;
        store::remove(&platform.db, id).await?;
        Ok((summary?, found?))
    }
}

fn by_of(run: &Run) -> By {
    By { actor: run.actor.clone(), origin: Origin { ip_address: run.ip_address.clone(), user_agent: run.user_agent.clone() } }
}

/// Waits until the run's cancellation is requested.
async fn watch(platform: &Platform, id: Uuid) -> Result<()> {
    let mut turns = tokio::time::interval(KEEP);
    loop {
        turns.tick().await;
        if store::is_cancelled(&platform.db, id).await? {
            return Ok(());
        }
    }
}

pub(super) struct Runner<'a> {
    pub(super) platform: &'a Platform,
    pub(super) by: By,
    pub(super) run: Run,
    lead: Lead,
    listener: &'a Listener,
    /// Differing pairs that are not stored yet.
    pending: Vec<(Object, Pair)>,
    saved: Instant,
    /// The number of existing objects that Stripe's lists left out, and one of them.
    pub(super) omitted: Option<(usize, String)>,
    /// The prices that bill a metric, once fetched.
    pub(super) metered: Option<Vec<(String, &'static str)>>,
}

impl Runner<'_> {
    async fn stages(&mut self) -> Result<()> {
        if self.run.rows_total.is_none() {
            self.run.rows_total = Some(mirror::count(&self.platform.db, self.scope(), self.run.to).await?);
        }
        self.save(&[]).await?;
        let at = Stage::ALL.into_iter().find(|stage| stage.as_str() == self.run.stage).unwrap_or(Stage::FIRST);
        for stage in Stage::ALL.into_iter().skip_while(|stage| *stage != at) {
            if self.run.stage != stage.as_str() {
                (self.run.stage, self.run.position) = (stage.as_str().to_owned(), Position::default());
                self.save(&[]).await?;
            }
            match stage {
                Stage::Customers => self.looked_up(Object::Customer).await?,
                Stage::Subscriptions => self.ordered(Object::Subscription).await?,
                Stage::Invoices => self.ordered(Object::Invoice).await?,
                Stage::Charges => self.ordered(Object::Charge).await?,
                Stage::Payments => self.looked_up(Object::InvoicePayment).await?,
                Stage::Refunds => self.ordered(Object::Refund).await?,
                Stage::CreditNotes => self.ordered(Object::CreditNote).await?,
                Stage::Meters => self.meters().await?,
                Stage::BilledUsage => self.billed_usage().await?,
                Stage::Events => self.events().await?,
                Stage::SecondLook => self.second_look().await?,
                Stage::Repair => self.repair().await?,
            }
        }
        Ok(())
    }

    pub(super) fn scope(&self) -> mirror::Scope {
        mirror::Scope { customer: self.run.customer, from: self.run.from }
    }

    pub(super) const fn tolerance(&self) -> Tolerance {
        Tolerance(self.run.tolerance)
    }

    fn from(&self) -> Option<i64> {
        self.run.from.map(OffsetDateTime::unix_timestamp)
    }

    /// Compares types that both sides list newest first.
    async fn ordered(&mut self, object: Object) -> Result<()> {
        let Some(kind) = kind_of(object) else { return Ok(()) };
        let before = self.run.position.before.unwrap_or_else(|| self.run.to.unix_timestamp());
        let instant = OffsetDateTime::from_unix_timestamp(before).map_err(|error| Error::Internal(error.into()))?;
        let mut internal = streams::internal(self.platform, object, self.scope(), instant);
        let window = Window { from: self.from(), before: Some(before), customer: self.run.stripe_customer.as_deref() };
        let mut stripe = streams::stripe(self.platform, kind, window, None)?;
        let mut merge = Merge::default();
        loop {
            match merge.step() {
                Step::NeedsInternal => merge.push_internal(internal.next().await?),
                Step::NeedsStripe => merge.push_stripe(stripe.next().await?),
                Step::Second(second, pairs) => {
                    self.take(object, pairs);
                    self.run.position.before = Some(second);
                    if self.pending.len() >= MOST_PENDING || self.saved.elapsed() >= KEEP {
                        self.save(&[]).await?;
                    }
                }
                Step::Done => return self.save(&[]).await,
            }
        }
    }

    /// Compares types with another order here: looks up each page of Stripe's, and reports what was
    /// not seen as missing.
    async fn looked_up(&mut self, object: Object) -> Result<()> {
        let Some(kind) = kind_of(object) else { return Ok(()) };
        // Only our own creation date of a customer is known here.
        let windowed = object != Object::Customer;
        let window = Window {
            from: self.from().filter(|_| windowed),
            before: windowed.then(|| self.run.to.unix_timestamp()),
            customer: self.run.stripe_customer.as_deref(),
        };
        if let (Object::Customer, Some(only)) = (object, self.run.stripe_customer.clone()) {
            let stripe = streams::retrieve(self.platform, kind, &only).await?;
            let internal = mirror::by_ids(&self.platform.db, object, &[&only]).await?.pop();
            self.take(object, vec![(internal, stripe)]);
            return self.save(&[]).await;
        }
        let mut pages = streams::stripe(self.platform, kind, window, self.run.position.after.clone())?;
        loop {
            let page = pages.next().await?;
            let Some(last) = page.last().map(|record| record.id.clone()) else { break };
            let ids: Vec<String> = page.iter().map(|record| record.id.clone()).collect();
            let mut internal = self.internal_of(object, &page).await?;
            let pairs = page.into_iter().map(|record| (internal.remove(&record.id), Some(record))).collect();
            self.take(object, pairs);
            self.run.position.after = Some(last);
            self.save(&ids).await?;
        }
        let mut after = String::new();
        loop {
            let scope = mirror::Scope { from: self.run.from.filter(|_| windowed), ..self.scope() };
            let unseen = match object {
                Object::Customer => mirror::unseen_customers(&self.platform.db, self.run.id, scope, &after, AT_A_TIME).await?,
                _ => mirror::unseen_payments(&self.platform.db, self.run.id, scope, self.run.to, &after, AT_A_TIME).await?,
            };
            let Some(last) = unseen.last() else { break };
            after.clone_from(&last.id);
            self.take(object, unseen.into_iter().map(|record| (Some(record), None)).collect());
            self.save(&[]).await?;
        }
        let mut conn = self.platform.db.acquire().await?;
        Ok(store::forget_seen(&mut conn, self.run.id).await?)
    }

    /// Our objects with these Stripe ids.
    pub(super) async fn internal_of(&self, object: Object, stripe: &[Record]) -> Result<HashMap<String, Record>> {
        let ids: Vec<&str> = stripe.iter().map(|record| record.id.as_str()).collect();
        let found = mirror::by_ids(&self.platform.db, object, &ids).await?;
        let mut internal: HashMap<String, Record> = found.into_iter().map(|record| (record.id.clone(), record)).collect();
        if object == Object::InvoicePayment {
            // Older API versions only have a payment on its invoice.
            let lacking: Vec<&Record> = stripe.iter().filter(|record| !internal.contains_key(&record.id)).collect();
            let invoices: Vec<&str> = lacking.iter().filter_map(|record| record.invoice.as_deref()).collect();
            let read_off = mirror::payments_from_invoices(&self.platform.db, &invoices).await?;
            for record in lacking.into_iter().filter(|record| record.status.as_deref() == Some("paid")) {
                if let Some(same) = read_off.iter().find(|other| other.invoice == record.invoice) {
                    internal.insert(record.id.clone(), Record { id: record.id.clone(), ..same.clone() });
                }
            }
        }
        Ok(internal)
    }
}
