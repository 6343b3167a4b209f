//! The deployment checklist, checked from outside: over HTTP against a running deployment, and over
//! its database, metrics and Prometheus if given. Test data is marked (`evt_checklist_…`, the app
//! `apex_checklist`) and removed.
//!
//! The boxes are those of `docs/operate/deployment-checklist.md`. A box that names a check in a
//! comment is ticked here; people tick the others.

mod access;
mod client;
mod database;
mod document;
mod features;
mod invoices;
mod monitoring;
mod pages;
mod reconcile;
mod usage;
mod webhooks;

pub use document::{Report, boxes};

use crate::config::Secret;
use client::Site;
use std::{collections::BTreeMap, time::Duration};

/// The checklist document in the repository.
pub const DOCUMENT: &str = include_str!("../docs/operate/deployment-checklist.md");

/// The test data's app and id prefix.
const MARK: &str = "apex_checklist";

/// Requests of which the 95th percentile is taken.
const SAMPLES: usize = 20;

/// The deployment's addresses and credentials.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The public URL.
    pub url: String,
    pub admin_cookie: Option<Secret>,
    /// Of a publisher or a read-only user.
    pub member_cookie: Option<Secret>,
    pub api_key: Option<Secret>,
    pub webhook_secret: Option<Secret>,
    pub database_url: Option<Secret>,
    pub metrics_url: Option<String>,
    pub prometheus_url: Option<String>,
    /// Switch billing off for some seconds to check the effect.
    pub switch_billing: bool,
}

/// The result of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed(String),
    Failed {
        reason: String,
        fix: String,
    },
    /// The options that the check needs.
    Unchecked(String),
}

/// Results by the name of their check.
#[derive(Debug, Default)]
pub struct Findings(BTreeMap<&'static str, Verdict>);

impl Findings {
    fn passed(&mut self, check: &'static str, detail: impl Into<String>) {
        self.0.insert(check, Verdict::Passed(detail.into()));
    }

    fn failed(&mut self, check: &'static str, reason: impl Into<String>, fix: &str) {
        self.0.insert(check, Verdict::Failed { reason: reason.into(), fix: fix.to_owned() });
    }

    fn unchecked(&mut self, checks: &[&'static str], needs: &str) {
        for check in checks {
            self.0.insert(check, Verdict::Unchecked(needs.to_owned()));
        }
    }

    /// Records a pass or a failure, with what was observed.
    fn judge(&mut self, check: &'static str, good: bool, seen: impl Into<String>, fix: &str) {
        if good { self.passed(check, seen) } else { self.failed(check, seen, fix) }
    }

    pub fn of(&self, check: &str) -> Option<&Verdict> {
        self.0.get(check)
    }

    pub fn checks(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

/// Runs the checklist.
///
/// # Errors
/// Nothing can be checked: an invalid URL, or a given database that can't be reached.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let site = Site::new(options)?;
    let db = database::open(options).await?;
    let mut findings = Findings::default();
    let known = features::check(&site, &mut findings).await;
    access::check(&site, &mut findings).await;
    webhooks::check(&site, db.as_ref(), &mut findings).await;
    usage::check(&site, db.as_ref(), &mut findings).await;
    let first = invoices::check(&site, db.as_ref(), &mut findings).await;
    pages::check(&site, first.as_ref(), &mut findings).await;
    reconcile::check(&site, db.as_ref(), &mut findings).await;
    monitoring::check(&site, &mut findings).await;
    database::check(db.as_ref(), &mut findings).await;
    features::check_off(&site, known, &mut findings).await;
    if let Some(db) = &db {
        db.close().await;
    }
    Ok(Report::new(findings))
}

/// The duration within which 95 of a hundred finished.
fn p95(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get((times.len() * 95).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_95th_of_a_hundred_is_its_percentile() {
        let times = |n: u64| (1..=n).rev().map(Duration::from_millis).collect::<Vec<_>>();
        assert_eq!(p95(times(100)), Duration::from_millis(95));
        assert_eq!(p95(times(20)), Duration::from_millis(19));
        assert_eq!(p95(times(1)), Duration::from_millis(1));
        assert_eq!(p95(Vec::new()), Duration::ZERO);
    }
}
