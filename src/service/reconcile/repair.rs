//! Repairs discrepancies: the object is fetched from Stripe and goes through the inbox, like all
//! changes of the mirror.

use super::{MISSING, named, run::Runner, streams, usage::hours_of};
use crate::{
    domain::{
        metric::Metric,
        reconcile::{Discrepancy, FoundDiscrepancy, Kind, Object, Repair, Tolerance, compare},
    },
    service::{
        Error, Platform, Result,
        actor::By,
        complete_objects::{self, Fetched},
        meters, webhooks,
    },
    store::postgres::{
        audit, customers, inbox,
        reconcile::{self as store, Run, found, mirror},
    },
    stripe::{fetched, record::kind_of, webhook::event::Document},
};
use serde_json::{Value, json, value::RawValue};
use std::time::{Duration, Instant};

/// Maximum number of discrepancies that one request repairs.
const MOST_REPAIRS: i64 = 200;
/// Time limit of a request, after which it finishes the current repair within the Stripe client's
/// timeouts.
const REPAIRING: Duration = Duration::from_secs(20);
/// Discrepancies per query.
const AT_A_TIME: i64 = 100;

impl Runner<'_> {
    /// Repairs the run's discrepancies, if requested.
    pub(super) async fn repair(&mut self) -> Result<()> {
        if !self.run.repair || self.run.dry_run {
            return Ok(());
        }
        let mut after = 0;
        loop {
            let page = found::unrepaired(&self.platform.db, self.run.id, after, AT_A_TIME).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for found in &page {
                mend(self.platform, &self.by, &self.run, found).await?;
            }
            self.save(&[]).await?;
        }
    }
}

/// Repairs one discrepancy of a run, and returns its new state. A repaired one is left unchanged.
pub async fn repair(platform: &Platform, by: &By, id: &str, discrepancy: i64) -> Result<FoundDiscrepancy> {
    platform.stripe()?;
    let run = store::run(&platform.db, named(id)?).await?.ok_or(MISSING)?;
    let found = found::one(&platform.db, run.id, discrepancy).await?.ok_or(Error::NotFound("discrepancy"))?;
    if found.repaired_at.is_none() {
        mend(platform, by, &run, &found).await?;
    }
    found::one(&platform.db, run.id, discrepancy).await?.ok_or(Error::NotFound("discrepancy"))
}

/// Repairs a run's open discrepancies, limited in time and number; reports how many are left. It
/// continues if the client disconnects.
pub async fn repair_all(platform: &Platform, by: &By, id: &str) -> Result<Repair> {
    platform.stripe()?;
    let run = store::run(&platform.db, named(id)?).await?.ok_or(MISSING)?;
    let (platform, by) = (platform.clone(), by.clone());
    tokio::spawn(async move { repair_some(&platform, &by, &run).await }).await.map_err(|error| Error::Internal(error.into()))?
}

async fn repair_some(platform: &Platform, by: &By, run: &Run) -> Result<Repair> {
    let began = Instant::now();
    let mut repair = Repair::default();
    for found in found::unrepaired(&platform.db, run.id, 0, MOST_REPAIRS).await? {
        if began.elapsed() >= REPAIRING {
            break;
        }
        if mend(platform, by, run, &found).await? { repair.repaired += 1 } else { repair.failed += 1 }
    }
    let mut conn = platform.db.acquire().await?;
    let sum = found::sum(&mut conn, run.id).await?;
    repair.left = (sum.count - sum.repaired - repair.failed).max(0);
    Ok(repair)
}

/// The result of a repair: no difference any more, or why it remains.
type Tried = std::result::Result<(), String>;

/// Repairs a discrepancy and audits the result, with the object before and after; returns whether
/// it worked.
async fn mend(platform: &Platform, by: &By, run: &Run, found: &FoundDiscrepancy) -> Result<bool> {
    let Discrepancy { kind, object, object_id, .. } = &found.discrepancy;
    let before = here(platform, *object, object_id).await?;
    let tried = match attempt(platform, run, &found.discrepancy).await {
        Ok(tried) => tried,
        // An error of this object only; if Stripe were unavailable, the others would fail too.
        Err(Error::StripeRefused(why)) => Err(why.to_string()),
        Err(other) => return Err(other),
    };
    let after = here(platform, *object, object_id).await?;
    let mut tx = platform.db.begin().await?;
    let error = tried.as_ref().err().map(String::as_str);
    found::repaired(&mut tx, found.id, platform.clock.now(), error).await?;
    let data = json!({
        "reconciliation_id": run.id, "discrepancy_id": found.id, "kind": kind, "object": object, "object_id": object_id,
        "before": before, "after": after, "error": error,
    });
    let event_type = if error.is_none() { "reconciliation.repaired" } else { "reconciliation.repair_failed" };
    audit::record(&mut tx, by.entry(event_type, found.customer_id, data)).await?;
    tx.commit().await?;
    Ok(error.is_none())
}

/// The mirrored object.
async fn here(platform: &Platform, object: Object, id: &str) -> Result<Value> {
    let record = mirror::by_ids(&platform.db, object, &[id]).await?.pop();
    Ok(record.map_or(Value::Null, |record| json!(record.said())))
}

async fn attempt(platform: &Platform, run: &Run, discrepancy: &Discrepancy) -> Result<Tried> {
    let Discrepancy { object, object_id: id, kind, .. } = discrepancy;
    let Some(of_stripe) = kind_of(*object) else {
        return match object {
            Object::Event => missed(platform, id).await,
            _ => resend(platform, discrepancy).await,
        };
    };
    match complete_objects::fetch(platform, of_stripe, id).await? {
        Fetched::Taken { .. } => {}
        Fetched::Gone => {
            if let Err(reason) = delete(platform, discrepancy).await? {
                return Ok(Err(reason));
            }
        }
    }
    let stripe = streams::retrieve(platform, of_stripe, id).await?;
    let internal = mirror::by_ids(&platform.db, *object, &[id]).await?.pop();
    let still = compare(*object, internal.as_ref(), stripe.as_ref(), Tolerance(run.tolerance));
    Ok(match still.iter().find(|still| still.kind == *kind).or(still.first()) {
        None => Ok(()),
        Some(Discrepancy { kind: Kind::MissingLocally, .. }) => {
            Err("the object was fetched but not mirrored: see the inbox for the reason".into())
        }
        Some(still) => Err(format!("it still differs in its {}", still.field.as_deref().unwrap_or(still.kind.as_str()))),
    })
}

/// Stores and applies a missed event.
async fn missed(platform: &Platform, id: &str) -> Result<Tried> {
    let answer = match platform.stripe()?.event(id).await {
        Ok(answer) => answer,
        Err(error) if error.is_missing() => return Ok(Err("Stripe stores events for 30 days, and this one has expired".into())),
        Err(error) => return Err(error.into()),
    };
    webhooks::take(platform, answer.text()?).await?;
    Ok(Ok(()))
}

/// Sends missing usage to Stripe's meters.
async fn resend(platform: &Platform, discrepancy: &Discrepancy) -> Result<Tried> {
    if discrepancy.invoice_id.is_some() {
        return Ok(Err("the invoice is final: a credit note, or an item on the next one, corrects it".into()));
    }
    let metric = discrepancy.metric.as_deref().and_then(|metric| metric.parse::<Metric>().ok());
    let customer = match &discrepancy.stripe_customer_id {
        Some(stripe_id) => customers::by_stripe_id(&platform.db, stripe_id).await?,
        None => None,
    };
    match (metric, customer, hours_of(discrepancy)) {
        (Some(metric), Some(customer), Some((start, end))) => meters::resend(platform, customer, metric, start, end).await,
        _ => Ok(Err("the customer of this usage is unknown".into())),
    }
}

/// Marks an object as deleted in the mirror, for types that Stripe allows to be deleted.
async fn delete(platform: &Platform, discrepancy: &Discrepancy) -> Result<Tried> {
    let Discrepancy { object, object_id: id, .. } = discrepancy;
    let Some(kind) = kind_of(*object) else { return Ok(Ok(())) };
    let draft = discrepancy
        .fields
        .iter()
        .any(|field| field.name == "status" && field.internal == Some(crate::domain::reconcile::Said::Text("draft".into())));
    let last = match object {
        Object::Customer => json!({"id": id, "object": "customer", "deleted": true}),
        Object::Invoice if draft => {
            match inbox::last_payload(&platform.db, id).await?.and_then(|body| Document::read(&body).object().map(Value::from)) {
                Some(object) => object,
                None => return Ok(Err("the draft exists neither in Stripe nor in an event of the inbox".into())),
            }
        }
        _ => {
            return Ok(Err(format!(
                "Stripe has no such {} and never deletes one: it belongs to another account or mode, or never existed in Stripe",
                object.title().to_lowercase()
            )));
        }
    };
    let unwritable = |error: serde_json::Error| Error::Internal(error.into());
    let last: Box<RawValue> = serde_json::value::to_raw_value(&last).map_err(unwritable)?;
    let given = fetched::Given { at: platform.clock.now(), api_version: "", livemode: platform.config.stripe_livemode };
    let body = fetched::deletion(kind, id, &last, given).map_err(unwritable)?;
    webhooks::take(platform, &body).await?;
    Ok(Ok(()))
}
