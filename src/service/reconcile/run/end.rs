//! Ends a run, and notifies about it.

use super::Runner;
use crate::{
    domain::reconcile::{ReconciliationStatus, ReconciliationSummary, Totals, over},
    service::{
        Error, Result,
        reconcile::{MISSING, rfc3339},
    },
    store::postgres::{
        audit, outbox,
        reconcile::{self as store, End, found},
    },
};
use serde_json::json;

/// Discrepancies per query.
const AT_A_TIME: i64 = 500;

impl Runner<'_> {
    /// Stores the run's end: its result, audit rows and events, in one transaction.
    pub(super) async fn end(mut self, ended: Option<Result<()>>) -> Result<ReconciliationSummary> {
        let id = self.run.id;
        let covered = || format!("it had reached the {} and compared {} objects", self.run.stage.replace('_', " "), self.run.rows_checked);
        let (status, error) = match &ended {
            Some(Ok(())) => (ReconciliationStatus::Completed, None),
            Some(Err(error)) => (ReconciliationStatus::Failed, Some(format!("{}; {}", reason(error), covered()))),
            None => (ReconciliationStatus::Cancelled, Some(format!("it was cancelled; {}", covered()))),
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
        // Dry runs notify no one.
        if store::end(&mut tx, id, &end).await? && !self.run.dry_run {
            self.tell(&mut tx, &end, &sum.totals).await?;
        }
        tx.commit().await?;
        self.lead.give_up().await?;
        store::summary(&self.platform.db, id).await?.ok_or(MISSING)
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
                    audit::record(tx, self.by.entry("reconciliation.discrepancy", found.customer_id, data)).await?;
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
        audit::record(tx, self.by.entry(event_type, self.run.customer, data.clone())).await?;
        outbox::publish(tx, event_type, self.run.customer, data.clone()).await?;
        if end.within_tolerance == Some(false) {
            outbox::publish(tx, "reconciliation.out_of_tolerance", self.run.customer, data.clone()).await?;
        }
        let over = over(totals, self.platform.config.file.reconcile.alert_over);
        if end.status == ReconciliationStatus::Completed && !over.is_empty() {
            tracing::error!(reconciliation_id = %id, ?totals, "reconciliation discrepancies exceed alert threshold");
            let data = json!({"reconciliation_id": id, "currencies": over, "currency_totals": totals});
            outbox::publish(tx, "reconciliation.alert", self.run.customer, data).await?;
        }
        Ok(())
    }
}

/// An error's text for staff; internal errors are only logged.
fn reason(error: &Error) -> String {
    match error {
        Error::StripeUnavailable(why) | Error::StripeRefused(why) => why.to_string(),
        Error::Internal(_) => "an internal error; see the log".to_owned(),
        other => other.to_string(),
    }
}
