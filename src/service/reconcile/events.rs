//! Compares the inbox with Stripe's list of events.

use super::run::Runner;
use crate::{
    domain::reconcile::{Discrepancy, Field, Kind, Object, Said},
    service::Result,
    store::postgres::{
        inbox,
        reconcile::found::{self, Suspect},
    },
    stripe::{
        client::{StripeError, Window},
        webhook::event::Document,
    },
};
use time::Duration;

/// Stripe's retention of events ("List all events").
const KEPT: Duration = Duration::days(30);

impl Runner<'_> {
    /// Every event that the inbox lacks is a missed one.
    pub(super) async fn events(&mut self) -> Result<()> {
        let oldest = self.platform.clock.now() - KEPT;
        let from = self.run.from.map_or(oldest, |from| from.max(oldest)).unix_timestamp();
        let window = Window { from: Some(from), before: Some(self.run.to.unix_timestamp()), customer: None };
        loop {
            let after = self.run.position.after.clone();
            let (_, page) = match self.platform.stripe()?.events_within(window, after.as_deref()).await {
                // The cursor's event is no longer in the list.
                Err(error) if error.is_missing() && after.is_some() => {
                    self.run.position.after = None;
                    continue;
                }
                other => other?,
            };
            let objects = page.objects()?;
            let Some((last, _)) = objects.last() else {
                let unreadable = || StripeError::Unreadable("a page without events that is not the last".into());
                return if page.has_more { Err(unreadable().into()) } else { Ok(()) };
            };
            if after.as_deref() == Some(last) {
                return Err(StripeError::Unreadable("its list of events does not end".into()).into());
            }
            let ids: Vec<&str> = objects.iter().map(|(id, _)| id.as_str()).collect();
            let stored = inbox::stored(&self.platform.db, &ids).await?;
            let mut missed = Vec::new();
            for (id, body) in &objects {
                let event = Document::read(body);
                let customer = customer_of(&event);
                if self.run.stripe_customer.is_some() && customer != self.run.stripe_customer {
                    continue;
                }
                self.count(Object::Event);
                if !stored.contains(id) {
                    missed.push(missed_event(id, &event, customer));
                }
            }
            let mut conn = self.platform.db.acquire().await?;
            found::note(&mut conn, self.run.id, &missed, false).await?;
            drop(conn);
            self.run.position.after = Some(last.clone());
            self.save(&[]).await?;
            if !page.has_more {
                return Ok(());
            }
        }
    }

    /// Which of these have arrived meanwhile?
    pub(super) async fn look_for_events(&self, suspects: &[Suspect]) -> Result<()> {
        let ids: Vec<&str> = suspects.iter().map(|suspect| suspect.object_id.as_str()).collect();
        let stored = inbox::stored(&self.platform.db, &ids).await?;
        let missing: Vec<&str> = ids.into_iter().filter(|id| !stored.contains(*id)).collect();
        let mut tx = self.platform.db.begin().await?;
        for suspect in suspects.iter().filter(|suspect| stored.contains(&suspect.object_id)) {
            found::settle(&mut tx, self.run.id, suspect, &[]).await?;
        }
        found::confirm(&mut tx, self.run.id, Object::Event, &missing).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Stripe's id of the event's customer.
fn customer_of(document: &Document<'_>) -> Option<String> {
    let object = document.object()?.as_object()?;
    let text = |name: &str| object.get(name)?.as_str();
    text(if text("object") == Some("customer") { "id" } else { "customer" }).map(str::to_owned)
}

fn missed_event(id: &str, document: &Document<'_>, customer: Option<String>) -> Discrepancy {
    let event = &document.event;
    let kind = || document.object()?.as_object()?.get("object")?.as_str();
    let text = |name: &str| kind().filter(|kind| *kind == name).and(event.object_id.clone());
    let field =
        |name: &str, value: Option<String>| Field { name: name.to_owned(), internal: None, stripe: value.map(Said::Text), differs: true };
    Discrepancy {
        kind: Kind::MissedEvent,
        object: Object::Event,
        object_id: id.to_owned(),
        stripe_customer_id: customer,
        subscription_id: text("subscription"),
        invoice_id: text("invoice"),
        metric: None,
        field: None,
        internal_value: None,
        stripe_value: Some(Said::Text(event.event_type.clone())),
        difference: None,
        percentage_diff: None,
        amount: 0,
        currency: None,
        within_tolerance: false,
        fields: vec![field("type", Some(event.event_type.clone())), field("object", event.object_id.clone())],
    }
}
