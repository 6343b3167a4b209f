//! One run, stage by stage.

use super::{entry, rfc3339, streams};
use crate::{
    domain::reconcile::{
        Discrepancy, Kind, Merge, Object, Pair, ReconciliationStatus, ReconciliationSummary, Record, Step, Tolerance, Totals, compare, over,
    },
    service::{Error, Platform, Result, accounts::Origin, webhooks::By},
    store::postgres::{
        audit,
        backfill::Lead,
        outbox,
        reconcile::{self as store, End, Position, Run, found, mirror},
    },
    stripe::{client::Window, record::kind_of},
    telemetry,
};
use serde::Serialize;
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often a run keeps where it is, and hears whether it is to end.
const KEEP: Duration = Duration::from_secs(1);
/// Suspects that are noted at a time.
const MOST_PENDING: usize = 500;
/// Discrepancies that are read at a time.
const AT_A_TIME: i64 = 500;

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Customers,
    Subscriptions,
    Invoices,
    Charges,
    Payments,
    Refunds,
    CreditNotes,
    Meters,
    BilledUsage,
    Events,
    SecondLook,
    Repair,
}

impl Stage {
    pub const FIRST: Stage = Stage::Customers;

    const ALL: [Stage; 12] = [
        Stage::Customers,
        Stage::Subscriptions,
        Stage::Invoices,
        Stage::Charges,
        Stage::Payments,
        Stage::Refunds,
        Stage::CreditNotes,
        Stage::Meters,
        Stage::BilledUsage,
        Stage::Events,
        Stage::SecondLook,
        Stage::Repair,
    ];

    /// As stored and shown in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Customers => "customers",
            Stage::Subscriptions => "subscriptions",
            Stage::Invoices => "invoices",
            Stage::Charges => "charges",
            Stage::Payments => "payments",
            Stage::Refunds => "refunds",
            Stage::CreditNotes => "credit_notes",
            Stage::Meters => "usage",
            Stage::BilledUsage => "billed_usage",
            Stage::Events => "events",
            Stage::SecondLook => "second_look",
            Stage::Repair => "repair",
        }
    }
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub stage: String,
    pub rows_checked: i64,
    pub rows_total: Option<i64>,
}

/// Hears how far a run is, about once a second.
pub type Listener = Arc<dyn Fn(&Progress) + Send + Sync>;

/// A run, and the lead in its scope.
pub struct Work {
    pub(super) platform: Platform,
    pub(super) run: Run,
    pub(super) lead: Lead,
}

impl Work {
    pub fn id(&self) -> Uuid {
        self.run.id
    }

    /// Runs to the end, whatever it is, and says how it ended. A dry run leaves nothing behind but what is given back: see [`Work::rehearse`].
    ///
    /// # Errors
    /// Only when the end could not be recorded: the run is taken up later.
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

    /// Runs to the end and forgets the run: its end, and the first discrepancies that it found.
    pub async fn rehearse(
        self,
        listener: &Listener,
        cancel: &CancellationToken,
    ) -> Result<(ReconciliationSummary, Vec<crate::domain::reconcile::FoundDiscrepancy>)> {
        let (platform, id) = (self.platform.clone(), self.run.id);
        let summary = self.carry_out(listener, cancel).await;
        let found = found::page(&platform.db, id, None, super::MOST_ANSWERED, 0).await;
        store::remove(&platform.db, id).await?;
        Ok((summary?, found?))
    }
}

fn by_of(run: &Run) -> By {
    By { actor: run.actor.clone(), origin: Origin { ip_address: run.ip_address.clone(), user_agent: run.user_agent.clone() } }
}

/// Waits until somebody wants the run to end.
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
    /// Pairs that differ and are not noted yet.
    pending: Vec<(Object, Pair)>,
    saved: Instant,
    /// How many objects Stripe's lists left out that Stripe has, and one of them.
    pub(super) omitted: Option<(usize, String)>,
    /// The prices that bill a metric, once they are asked for.
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

    /// Of objects that both sides list newest first.
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

    /// Of objects whose order here is another one: each page of Stripe's is looked up, and what was not seen then is missing there.
    async fn looked_up(&mut self, object: Object) -> Result<()> {
        let Some(kind) = kind_of(object) else { return Ok(()) };
        // When a customer came to be is known here only of ourselves.
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

    /// Ours of these, by Stripe's ids.
    pub(super) async fn internal_of(&self, object: Object, stripe: &[Record]) -> Result<HashMap<String, Record>> {
        let ids: Vec<&str> = stripe.iter().map(|record| record.id.as_str()).collect();
        let found = mirror::by_ids(&self.platform.db, object, &ids).await?;
        let mut internal: HashMap<String, Record> = found.into_iter().map(|record| (record.id.clone(), record)).collect();
        if object == Object::InvoicePayment {
            // Older API versions tell of a payment on its invoice only.
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

    /// Counts pairs, and remembers those that differ.
    pub(super) fn take(&mut self, object: Object, pairs: Vec<Pair>) {
        for pair in pairs {
            // What is only there may be nobody's here, or have counted before: it counts once that is known.
            if pair.0.is_some() {
                self.count(object);
            }
            match &pair {
                (Some(internal), Some(stripe)) if internal.agrees(stripe) => {}
                (None, None) => {}
                // A payment that is still open came with no event.
                (None, Some(stripe)) if object == Object::InvoicePayment && stripe.status.as_deref() != Some("paid") => {}
                _ => self.pending.push((object, pair)),
            }
        }
    }

    pub(super) const fn count(&mut self, object: Object) {
        self.run.rows_checked += 1;
        match object {
            Object::Customer => self.run.checked.customers += 1,
            Object::Subscription => self.run.checked.subscriptions += 1,
            Object::Invoice => self.run.checked.invoices += 1,
            Object::Meter => self.run.checked.metrics += 1,
            Object::Charge | Object::InvoicePayment | Object::Refund | Object::CreditNote | Object::Event => {}
        }
    }

    /// Keeps where the run is, what it suspects, and what it has seen of Stripe, in one transaction.
    pub(super) async fn save(&mut self, seen: &[String]) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let suspects = self.judge(pending).await?;
        let now = self.platform.clock.now();
        let mut tx = self.platform.db.begin().await?;
        if !suspects.is_empty() {
            found::note(&mut tx, self.run.id, &suspects, false).await?;
        }
        if !seen.is_empty() {
            store::saw(&mut tx, self.run.id, &seen.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        }
        store::keep(&mut tx, &self.run, now).await?;
        tx.commit().await?;
        self.lead.check().await?;
        self.saved = Instant::now();
        (self.listener)(&Progress { stage: self.run.stage.clone(), rows_checked: self.run.rows_checked, rows_total: self.run.rows_total });
        Ok(())
    }

    /// How these pairs differ. What is only there counts if its customer is one of ours and in scope.
    async fn judge(&mut self, pairs: Vec<(Object, Pair)>) -> Result<Vec<Discrepancy>> {
        let foreign: Vec<&Record> = pairs.iter().filter_map(|(_, pair)| pair.1.as_ref().filter(|_| pair.0.is_none())).collect();
        let owners = if foreign.is_empty() { HashMap::new() } else { mirror::owners(&self.platform.db, &foreign).await? };
        let mut counted = self.counted(&pairs, &owners).await?;
        let mut found = Vec::new();
        for (object, (internal, mut stripe)) in pairs {
            if let (None, Some(record)) = (&internal, &mut stripe) {
                let Some(owner) = owners.get(&record.id) else { continue };
                if self.run.stripe_customer.as_ref().is_some_and(|only| only != owner) {
                    continue;
                }
                record.customer = Some(owner.clone());
                if counted.insert((object, record.id.clone())) {
                    self.count(object);
                }
            }
            found.extend(compare(object, internal.as_ref(), stripe.as_ref(), self.tolerance()));
        }
        Ok(found)
    }

    /// What seems to be only there and counts without it, because Stripe's list breaks its order or repeats itself: what the mirror has counts
    /// when the mirror brings it, and what was noted before has counted then.
    async fn counted(&self, pairs: &[(Object, Pair)], owners: &HashMap<String, String>) -> Result<HashSet<(Object, String)>> {
        let mut ids: BTreeMap<Object, Vec<&str>> = BTreeMap::new();
        for (object, pair) in pairs {
            if let (None, Some(record)) = pair
                && owners.contains_key(&record.id)
            {
                ids.entry(*object).or_default().push(&record.id);
            }
        }
        let mut counted = HashSet::new();
        for (object, ids) in ids {
            let here = mirror::by_ids(&self.platform.db, object, &ids).await?.into_iter().filter(|record| self.brings(object, record));
            let noted = found::noted(&self.platform.db, self.run.id, Kind::MissingLocally, object, &ids).await?;
            counted.extend(here.map(|record| record.id).chain(noted).map(|id| (object, id)));
        }
        Ok(counted)
    }

    /// Whether the mirror brings a record of its own in this run.
    fn brings(&self, object: Object, record: &Record) -> bool {
        self.is_in_window(object, record) && self.run.stripe_customer.as_ref().is_none_or(|only| record.customer.as_ref() == Some(only))
    }

    pub(super) fn is_in_window(&self, object: Object, record: &Record) -> bool {
        let window = self.from().unwrap_or(i64::MIN)..self.run.to.unix_timestamp();
        object == Object::Customer || window.contains(&record.created)
    }

    /// Records how the run ended: what it found, its audit rows and events, in one transaction.
    async fn end(mut self, ended: Option<Result<()>>) -> Result<ReconciliationSummary> {
        let id = self.run.id;
        let covered = || format!("it had come to the {} and compared {} objects", self.run.stage.replace('_', " "), self.run.rows_checked);
        let (status, error) = match &ended {
            Some(Ok(())) => (ReconciliationStatus::Completed, None),
            Some(Err(error)) => (ReconciliationStatus::Failed, Some(format!("{}; {}", reason(error), covered()))),
            None => (ReconciliationStatus::Cancelled, Some(format!("it was ended early; {}", covered()))),
        };
        if let Some(Err(error)) = &ended {
            tracing::error!(reconciliation_id = %id, stage = self.run.stage, %error, "a reconciliation failed");
        }
        let at = self.platform.clock.now();
        let mut tx = self.platform.db.begin().await?;
        let sum = found::sum(&mut tx, id).await?;
        let within = (status == ReconciliationStatus::Completed).then_some(sum.within_tolerance);
        let end = End {
            status,
            discrepancies: sum.count,
            repaired: sum.repaired,
            totals: &sum.totals,
            within_tolerance: within,
            error: error.as_deref(),
            at,
        };
        // Of what is to be forgotten nobody else is told.
        if store::end(&mut tx, id, &end).await? && !self.run.dry_run {
            self.tell(&mut tx, &end, &sum.totals).await?;
        }
        tx.commit().await?;
        self.lead.give_up().await?;
        store::summary(&self.platform.db, id).await?.ok_or(super::MISSING)
    }

    async fn tell(&mut self, tx: &mut sqlx::PgConnection, end: &End<'_>, totals: &Totals) -> Result<()> {
        let id = self.run.id;
        if end.status == ReconciliationStatus::Completed {
            let mut after = 0;
            loop {
                let page = found::after(tx, id, after, AT_A_TIME).await?;
                let Some(last) = page.last() else { break };
                after = last.id;
                for found in &page {
                    let data = json!({"reconciliation_id": id, "discrepancy": found});
                    audit::record(tx, entry("reconciliation.discrepancy", &self.by, found.customer_id, data)).await?;
                }
            }
        }
        let data = json!({
            "reconciliation_id": id, "status": end.status, "checked": self.run.checked, "rows_checked": self.run.rows_checked,
            "discrepancies": end.discrepancies, "repaired": end.repaired, "currency_totals": totals, "within_tolerance": end.within_tolerance,
            "error": end.error, "from": self.run.from.map(rfc3339), "to": rfc3339(self.run.to),
        });
        let event_type = match end.status {
            ReconciliationStatus::Failed => "reconciliation.failed",
            ReconciliationStatus::Cancelled => "reconciliation.cancelled",
            ReconciliationStatus::Completed | ReconciliationStatus::Running => "reconciliation.completed",
        };
        audit::record(tx, entry(event_type, &self.by, self.run.customer, data.clone())).await?;
        outbox::publish(tx, event_type, self.run.customer, data.clone()).await?;
        if end.within_tolerance == Some(false) {
            outbox::publish(tx, "reconciliation.out_of_tolerance", self.run.customer, data.clone()).await?;
        }
        let over = over(totals, self.platform.config.file.reconcile.alert_over);
        if end.status == ReconciliationStatus::Completed && !over.is_empty() {
            tracing::error!(reconciliation_id = %id, ?totals, "reconciliation: more is at stake than is to be borne without an alert");
            let data = json!({"reconciliation_id": id, "currencies": over, "currency_totals": totals});
            outbox::publish(tx, "reconciliation.alert", self.run.customer, data).await?;
        }
        Ok(())
    }
}

/// What staff may read of an error; of our own the log says more.
fn reason(error: &Error) -> String {
    match error {
        Error::StripeUnavailable(why) | Error::StripeRefused(why) => why.to_string(),
        Error::Internal(_) => "an error of our own, which is in the log".to_owned(),
        other => other.to_string(),
    }
}
