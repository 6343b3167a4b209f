//! Webhooks: a signed event of an unhandled type is accepted once, an unsigned one is rejected.

use super::{
    Findings,
    client::{Answer, As, Site},
};
use crate::{config::Secret, store::postgres::checklist as store, stripe::signature};
use axum::http::Method;
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

const PATH: &str = "/api/v1/webhooks/stripe";
const SIGNED: [&str; 4] = ["webhook-accepted", "webhook-duplicate", "webhook-stored", "database-same"];

pub async fn check(site: &Site, db: Option<&PgPool>, findings: &mut Findings) {
    let id = format!("{}{}", store::PING_PREFIX, Uuid::new_v4().simple());
    let now = OffsetDateTime::now_utc();
    let body = json!({"id": id, "object": "event", "type": store::PING_TYPE, "created": now.unix_timestamp(),
                      "data": {"object": {"id": "ping", "object": "ping"}}})
    .to_string();
    let unsigned = deliver(site, &body, None).await;
    findings.judge(
        "webhook-reachable",
        unsigned.status == 400 && unsigned.code() == "signature_missing",
        unsigned.said(),
        "does the proxy forward POST /api/v1/webhooks/stripe with unchanged body and headers?",
    );
    let forged = deliver(site, &body, Some(&Secret("whsec_of_somebody_else".into()))).await;
    findings.judge(
        "webhook-refused",
        forged.status == 400 && forged.code() == "signature_invalid",
        format!("a foreign signature {}", forged.said()),
        "does --url point to this program?",
    );
    let Some(secret) = &site.options.webhook_secret else {
        return findings.unchecked(&SIGNED, "the signing secret, as STRIPE_WEBHOOK_SECRET");
    };
    let first = deliver(site, &body, Some(secret)).await;
    let taken = first.status == 200 && first.json()["received"] == true && first.json()["duplicate"] == false;
    let fix = "STRIPE_WEBHOOK_SECRET of the server must be the signing secret of this endpoint in Stripe's dashboard; is its clock right?";
    findings.judge("webhook-accepted", taken, first.said(), fix);
    if !taken {
        return findings.unchecked(&SIGNED[1..], "an accepted signed event");
    }
    let again = deliver(site, &body, Some(secret)).await;
    let known = again.status == 200 && again.json()["duplicate"] == true;
    findings.judge(
        "webhook-duplicate",
        known,
        format!("repeated: {}, duplicate: {}", again.said(), again.json()["duplicate"]),
        "do all servers use the same database?",
    );
    stored(site, db, &id, findings).await;
}

async fn stored(site: &Site, db: Option<&PgPool>, id: &str, findings: &mut Findings) {
    match db {
        None => {
            findings.unchecked(&["database-same"], "--database-url");
            let Some(admin) = site.admin() else {
                return findings.unchecked(&["webhook-stored"], "--database-url or --admin-cookie");
            };
            let answer = site.get(&format!("/api/v1/admin/webhooks/{id}"), admin).await;
            findings.judge(
                "webhook-stored",
                answer.status == 200,
                format!("{id} {}; it stays in the inbox as ignored", answer.said()),
                "see the log",
            );
        }
        Some(db) => {
            let status = store::ping_status(db, id).await.unwrap_or_default();
            let found = status.is_some();
            let seen = format!("{id} is {}", status.as_deref().unwrap_or("not there"));
            let fix = "--database-url and the server's DATABASE_URL are different databases";
            findings.judge("webhook-stored", found, seen.clone(), fix);
            findings.judge("database-same", found, seen, fix);
            if let Err(error) = store::remove_pings(db).await {
                findings.failed(
                    "webhook-stored",
                    format!("the ping can't be removed: {error}"),
                    "DELETE FROM stripe_webhook_events WHERE event_type = 'apex.checklist_ping'",
                );
            }
        }
    }
}

async fn deliver(site: &Site, body: &str, secret: Option<&Secret>) -> Answer {
    let signature = secret.map(|secret| signature::sign(body.as_bytes(), secret, OffsetDateTime::now_utc()));
    let mut headers = vec![("content-type", "application/json")];
    if let Some(signature) = &signature {
        headers.push(("stripe-signature", signature));
    }
    site.send(Method::POST, PATH, As::Anonymous, &headers, body.as_bytes().to_vec()).await
}
