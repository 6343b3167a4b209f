//! A run's counts and suspects, stored with its position.

use super::{Progress, Runner};
use crate::{
    domain::reconcile::{Discrepancy, Kind, Object, Pair, Record, compare},
    service::Result,
    store::postgres::reconcile::{self as store, found, mirror},
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Instant,
};

impl Runner<'_> {
    /// Counts pairs, and remembers those that differ.
    pub(in crate::service::reconcile) fn take(&mut self, object: Object, pairs: Vec<Pair>) {
        for pair in pairs {
            // An object that is only at Stripe may be unknown here or already counted: it counts
            // once that is known.
            if pair.0.is_some() {
                self.count(object);
            }
            match &pair {
                (Some(internal), Some(stripe)) if internal.agrees(stripe) => {}
                (None, None) => {}
                // An open payment had no event yet.
                (None, Some(stripe)) if object == Object::InvoicePayment && stripe.status.as_deref() != Some("paid") => {}
                _ => self.pending.push((object, pair)),
            }
        }
    }

    pub(in crate::service::reconcile) const fn count(&mut self, object: Object) {
        self.run.rows_checked += 1;
        match object {
            Object::Customer => self.run.checked.customers += 1,
            Object::Subscription => self.run.checked.subscriptions += 1,
            Object::Invoice => self.run.checked.invoices += 1,
            Object::Meter => self.run.checked.metrics += 1,
            Object::Charge | Object::InvoicePayment | Object::Refund | Object::CreditNote | Object::Event => {}
        }
    }

    /// Stores the run's position, its suspects, and the Stripe objects that it has seen, in one
    /// transaction.
    pub(in crate::service::reconcile) async fn save(&mut self, seen: &[String]) -> Result<()> {
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

    /// How these pairs differ. An object that is only at Stripe counts if its customer is known
    /// here and in scope.
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

    /// Counted objects that seem to be only at Stripe, because its list is out of order or repeats
    /// itself: mirrored ones count when the mirror lists them, and stored suspects were already
    /// counted.
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

    /// Whether the mirror lists a record in this run.
    fn brings(&self, object: Object, record: &Record) -> bool {
        self.is_in_window(object, record) && self.run.stripe_customer.as_ref().is_none_or(|only| record.customer.as_ref() == Some(only))
    }

    pub(in crate::service::reconcile) fn is_in_window(&self, object: Object, record: &Record) -> bool {
        let window = self.from().unwrap_or(i64::MIN)..self.run.to.unix_timestamp();
        object == Object::Customer || window.contains(&record.created)
    }
}
