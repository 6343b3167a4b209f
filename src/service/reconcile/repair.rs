//! Putting right what differs: Stripe's object is fetched again and goes through the inbox, as everything does that changes the mirror.

use super::{MISSING, entry, named, run::Runner, streams, usage::hours_of};
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

/// Discrepancies that one request repairs at most.
const MOST_REPAIRS: i64 = 200;
/// How long one request repairs, and then what it is at: each in the time that the client for Stripe allows itself.
const REPAIRING: Duration = Duration::from_secs(20);
/// Discrepancies that are read at a time.
const AT_A_TIME: i64 = 100;

impl Runner<'_> {
    /// Repairs what the run has found, if it was asked to.
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

/// Repairs one discrepancy of a run, and says what is known of it now. One that is repaired is left alone.
pub async fn repair(platform: &Platform, by: &By, id: &str, discrepancy: i64) -> Result<FoundDiscrepancy> {
    platform.stripe()?;
    let run = store::run(&platform.db, named(id)?).await?.ok_or(MISSING)?;
    let found = found::one(&platform.db, run.id, discrepancy).await?.ok_or(Error::NotFound("discrepancy"))?;
    if found.repaired_at.is_none() {
        mend(platform, by, &run, &found).await?;
    }
    found::one(&platform.db, run.id, discrepancy).await?.ok_or(Error::NotFound("discrepancy"))
}

/// Repairs what a run has found and is not repaired yet, for some seconds and a bounded number at a time; what is left is said. It goes on by
/// itself when whoever asked has gone.
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

/// What a try came to: nothing differs any more, or why it still does.
type Tried = std::result::Result<(), String>;

/// Tries to repair a discrepancy and notes what came of it, with how it was here before and is now; whether it worked.
async fn mend(platform: &Platform, by: &By, run: &Run, found: &FoundDiscrepancy) -> Result<bool> {
    let Discrepancy { kind, object, object_id, .. } = &found.discrepancy;
    let before = here(platform, *object, object_id).await?;
    let tried = match attempt(platform, run, &found.discrepancy).await {
        Ok(tried) => tried,
        // This object's fault; when Stripe is away the others would meet the same.
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
    audit::record(&mut tx, entry(event_type, by, found.customer_id, data)).await?;
    tx.commit().await?;
    Ok(error.is_none())
}

/// An object as the mirror has it.
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
        Some(Discrepancy { kind: Kind::MissingLocally, .. }) => Err("Stripe's object came, and is not mirrored: the inbox says why".into()),
        Some(still) => Err(format!("it still differs in its {}", still.field.as_deref().unwrap_or(still.kind.as_str()))),
    })
}

/// Puts an event that never came through the inbox.
async fn missed(platform: &Platform, id: &str) -> Result<Tried> {
    let answer = match platform.stripe()?.event(id).await {
        Ok(answer) => answer,
        Err(error) if error.is_missing() => return Ok(Err("Stripe keeps events for 30 days, and this one no longer".into())),
        Err(error) => return Err(error.into()),
    };
    webhooks::take(platform, answer.text()?).await?;
    Ok(Ok(()))
}

/// Has Stripe's meters told of what they lack.
async fn resend(platform: &Platform, discrepancy: &Discrepancy) -> Result<Tried> {
    if discrepancy.invoice_id.is_some() {
        return Ok(Err("the invoice is final: a credit note, or an item on the next one, makes up for it".into()));
    }
    let metric = discrepancy.metric.as_deref().and_then(|metric| metric.parse::<Metric>().ok());
    let customer = match &discrepancy.stripe_customer_id {
        Some(stripe_id) => customers::by_stripe_id(&platform.db, stripe_id).await?,
        None => None,
    };
    match (metric, customer, hours_of(discrepancy)) {
        (Some(metric), Some(customer), Some((start, end))) => meters::resend(platform, customer, metric, start, end).await,
        _ => Ok(Err("nobody knows any more whose usage this was".into())),
    }
}

/// Tells the mirror of an object that is gone from Stripe, where Stripe lets objects of its kind go.
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
                None => return Ok(Err("Stripe has no such draft, and the inbox no event of it".into())),
            }
        }
        _ => {
            return Ok(Err(format!(
                "Stripe has no such {}, though it never lets one go: it is another account's or mode's, or was never Stripe's",
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
