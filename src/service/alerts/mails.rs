//! Sends the mails of fired alerts, at least once each, with growing delays while the mail server
//! is unavailable. A recipient that got the mail does not get it again if another recipient's
//! failed.

use super::{Platform, Result, outbox, store, store::Owed, system_entry};
use crate::{
    domain::{email::EmailAddress, identity::CustomerId, language::Language},
    mail::Mail,
    store::postgres::{audit, contacts, customers, users},
    text::{common, format, mail as words},
};
use serde_json::json;
use std::collections::HashMap;
use time::Duration;

/// After this time an unsent mail is outdated.
const GIVEN_UP_AFTER: Duration = Duration::days(3);

/// Sends pending mails of up to this many alerts; returns how many are finished.
pub async fn send_owed(platform: &Platform, limit: i64) -> Result<usize> {
    let now = platform.clock.now();
    let owed = store::take_owed(&platform.db, now, now - GIVEN_UP_AFTER, limit).await?;
    let mut settled = 0;
    // One customer's alerts of one period at one time are one mail.
    for group in groups(owed) {
        settled += send(platform, &group).await?;
    }
    Ok(settled)
}

fn groups(owed: Vec<Owed>) -> Vec<Vec<Owed>> {
    let mut groups: Vec<Vec<Owed>> = Vec::new();
    for one in owed {
        let fits = |group: &&mut Vec<Owed>| {
            group.first().is_some_and(|first| first.customer == one.customer && first.alert.period == one.alert.period)
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

async fn send(platform: &Platform, group: &[Owed]) -> Result<usize> {
    let Some(first) = group.first() else { return Ok(0) };
    let customer = first.customer;
    let ids: Vec<i64> = group.iter().map(|owed| owed.id).collect();
    let name = customers::name(&platform.db, customer).await?.unwrap_or_default();
    let recipients = recipients(platform, customer).await?;
    let languages = languages(platform, customer, &recipients).await?;
    let mut failure = recipients.is_empty().then(|| "no recipient is configured".to_owned());
    for to in &recipients {
        let missing: Vec<&Owed> = group.iter().filter(|owed| !owed.notified_to.iter().any(|got| got == to.as_str())).collect();
        if missing.is_empty() {
            continue;
        }
        match platform.mail.send(write(platform, languages.get(to.as_str()).copied().unwrap_or_default(), &name, to, &missing)).await {
            Ok(()) => {
                let missing: Vec<i64> = missing.iter().map(|owed| owed.id).collect();
                store::sent_to(&platform.db, &missing, to.as_str()).await?;
            }
            Err(error) => {
                let attempts = missing.iter().map(|owed| owed.attempts).max().unwrap_or(1);
                tracing::warn!(%customer, %to, attempts, %error, "sending a usage alert failed; it is retried");
                failure = Some(error.to_string().chars().take(300).collect());
            }
        }
    }
    if let Some(error) = failure {
        store::not_sent(&platform.db, &ids, &error).await?;
        return Ok(0);
    }
    let mut tx = platform.db.begin().await?;
    store::notified(&mut tx, &ids, platform.clock.now()).await?;
    let data = json!({"usage_alerts": ids, "to": recipients});
    audit::record(&mut tx, system_entry("usage_alert.notified", Some(customer), data.clone())).await?;
    outbox::publish(&mut tx, "usage_alert.notified", Some(customer), data).await?;
    tx.commit().await?;
    Ok(group.len())
}

/// The recipients in the settings, else the billing contacts, else Stripe's address.
async fn recipients(platform: &Platform, customer: CustomerId) -> Result<Vec<EmailAddress>> {
    let named = store::settings(&platform.db, customer).await?.map(|settings| settings.recipients().to_vec()).unwrap_or_default();
    if !named.is_empty() {
        return Ok(named);
    }
    let contacts: Vec<EmailAddress> = contacts::list(&platform.db, customer).await?.into_iter().map(|contact| contact.email).collect();
    if !contacts.is_empty() {
        return Ok(contacts);
    }
    let email = contacts::billing_email(&platform.db, customer).await?;
    Ok(email.and_then(|email| email.parse().ok()).into_iter().collect())
}

/// The language of each recipient: the setting of the user with this address, else the customer's
/// preferred locale.
async fn languages(platform: &Platform, customer: CustomerId, recipients: &[EmailAddress]) -> Result<HashMap<String, Language>> {
    let emails: Vec<String> = recipients.iter().map(|email| email.as_str().to_lowercase()).collect();
    let chosen: HashMap<String, Language> = users::languages(&platform.db, &emails).await?.into_iter().collect();
    let locale = customers::preferred_locale(&platform.db, customer).await?;
    let of = |email: &EmailAddress| Language::choose(chosen.get(&email.as_str().to_lowercase()).copied(), locale.as_deref(), None);
    Ok(recipients.iter().map(|email| (email.as_str().to_owned(), of(email))).collect())
}

fn write<'a>(platform: &Platform, language: Language, customer: &str, to: &'a EmailAddress, alerts: &[&Owed]) -> Mail<'a> {
    let mut lines: Vec<String> = alerts.iter().map(|owed| format!("- {}", words::alert_sentence(language, &owed.alert))).collect();
    let origin = platform.config.public_url.origin();
    lines.push(String::new());
    if let Some(first) = alerts.first() {
        lines.push(words::period_ends(language, &format::date_time(language, first.alert.period.end())));
    }
    lines.push(words::current_usage(language, &format!("{origin}/billing/usage")));
    lines.push(words::change_alerts(language, &format!("{origin}/billing/settings")));
    let subject = match alerts {
        [one] => words::alert_subject(language, customer, common::metric(language, one.alert.metric)),
        several => words::alerts_subject(language, several.len() as u64, customer),
    };
    let text = format!("{}\n\n{}\n", words::alert_intro(language, customer), lines.join("\n"));
    let newest = alerts.iter().map(|owed| owed.id).max().unwrap_or_default();
    // Mail programs show no-break spaces in plain text in different ways.
    let plain = |text: String| text.replace(['\u{a0}', '\u{202f}'], " ");
    Mail { to, subject: plain(subject), text: plain(text), id: format!("usage-alert-{newest}") }
}
