//! Compares suspects again on both sides before they are confirmed.

use super::{run::Runner, streams};
use crate::{
    domain::reconcile::{Discrepancy, Kind, Object, Record, compare},
    service::{Error, Result},
    store::postgres::reconcile::{
        found::{self, Suspect},
        mirror,
    },
    stripe::{client::StripeError, record::kind_of},
};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeMap, HashMap};

/// Objects per transaction.
const AT_A_TIME: i64 = 100;
/// Concurrent requests.
const AT_ONCE: usize = 8;

impl Runner<'_> {
    pub(super) async fn second_look(&mut self) -> Result<()> {
        let mut waited = false;
        loop {
            let suspects = found::suspects(&self.platform.db, self.run.id, AT_A_TIME).await?;
            if suspects.is_empty() {
                break;
            }
            if !waited {
                // A webhook may still be on its way.
                tokio::time::sleep(self.platform.config.file.reconcile.settle()).await;
                waited = true;
            }
            let mut by_object: BTreeMap<Object, Vec<Suspect>> = BTreeMap::new();
            for suspect in suspects {
                by_object.entry(suspect.object).or_default().push(suspect);
            }
            for (object, suspects) in by_object {
                self.look_at(object, suspects).await?;
            }
            self.save(&[]).await?;
        }
        // If Stripe's lists omit existing objects, they may also omit objects that only Stripe has.
        match &self.omitted {
            Some((count, one)) => Err(StripeError::Unreadable(format!("its lists omit {count} existing objects, e.g. {one}")).into()),
            None => Ok(()),
        }
    }

    async fn look_at(&mut self, object: Object, suspects: Vec<Suspect>) -> Result<()> {
        if object == Object::Event {
            return self.look_for_events(&suspects).await;
        }
        if object == Object::Meter {
            return self.weigh_again(&suspects).await;
        }
        let mut suspects = suspects;
        let ids: Vec<&str> = suspects.iter().map(|suspect| suspect.object_id.as_str()).collect();
        let internal = mirror::by_ids(&self.platform.db, object, &ids).await?;
        let internal: HashMap<String, Record> = internal.into_iter().map(|record| (record.id.clone(), record)).collect();
        if kind_of(object).is_some() {
            // Stripe has just listed it, and only drafts can be deleted: no request is needed.
            let stays = |suspect: &Suspect| {
                suspect.kinds == [Kind::MissingLocally]
                    && !internal.contains_key(&suspect.object_id)
                    && !matches!(object, Object::Invoice | Object::InvoicePayment)
            };
            let (certain, rest): (Vec<_>, Vec<_>) = suspects.into_iter().partition(stays);
            suspects = rest;
            let ids: Vec<&str> = certain.iter().map(|suspect| suspect.object_id.as_str()).collect();
            let mut conn = self.platform.db.acquire().await?;
            found::confirm(&mut conn, self.run.id, object, &ids).await?;
        }
        let looks: Vec<(Suspect, Vec<Discrepancy>, bool)> = stream::iter(suspects)
            .map(|suspect| {
                let runner = &*self;
                let internal = internal.get(&suspect.object_id).cloned();
                async move {
                    let (found, omitted) = runner.look(object, &suspect, internal).await?;
                    Ok::<_, Error>((suspect, found, omitted))
                }
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let mut tx = self.platform.db.begin().await?;
        for (suspect, found, omitted) in &looks {
            found::settle(&mut tx, self.run.id, suspect, found).await?;
            if *omitted {
                let (count, _) = self.omitted.get_or_insert_with(|| (0, suspect.object_id.clone()));
                *count += 1;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// How an object differs now, and whether Stripe's list omitted it.
    async fn look(&self, object: Object, suspect: &Suspect, internal: Option<Record>) -> Result<(Vec<Discrepancy>, bool)> {
        let Some(kind) = kind_of(object) else { return Ok((Vec::new(), false)) };
        let mut stripe = streams::retrieve(self.platform, kind, &suspect.object_id).await?;
        let mut internal = internal;
        if let (None, Some(record)) = (&internal, &stripe) {
            internal = self.internal_of(object, std::slice::from_ref(record)).await?.remove(&record.id);
        }
        if let (None, Some(record)) = (&internal, &mut stripe) {
            // Its customer was determined when it became a suspect.
            record.customer.clone_from(&suspect.stripe_customer);
        }
        let omitted = suspect.kinds == [Kind::MissingInStripe] && stripe.as_ref().is_some_and(|record| self.is_in_window(object, record));
        Ok((compare(object, internal.as_ref(), stripe.as_ref(), self.tolerance()), omitted))
    }
}
