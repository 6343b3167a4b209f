//! Two servers on one database share the jobs; if one is killed, the other completes the work, each
//! item once.

use super::senders::{Customer, post, wait_until};
use crate::{
    support::{
        program::{Running, Workplace, get},
        smtp::SmtpServer,
    },
    usage_store::Metered,
};
use apex_billing::service::api_keys;
use serde_json::json;
use sqlx::{PgPool, Postgres, Transaction};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::runtime::Runtime;

const CUSTOMERS: usize = 60;
const WEBHOOKS: i64 = 900;
/// 80 and 90 per cent of the plan.
const ALERTS: i64 = 2 * CUSTOMERS as i64;

/// Stripe's events of as many invoices, stored while billing is off.
const STORE_WEBHOOKS: &str = "
    INSERT INTO stripe_webhook_events (stripe_event_id, event_type, status, payload)
    SELECT 'evt_' || n, 'invoice.finalized', 'received', jsonb_build_object(
        'id', 'evt_' || n, 'object', 'event', 'type', 'invoice.finalized', 'created', 1790000000, 'livemode', false,
        'api_version', '2026-07-29.dahlia', 'data', jsonb_build_object('object', jsonb_build_object(
            'id', 'in_' || n, 'object', 'invoice', 'customer', 'cus_c' || n % 60, 'status', 'open', 'currency', 'usd', 'created', 1790000000,
            'total', 4200, 'subtotal', 4200, 'amount_due', 4200, 'amount_paid', 0, 'amount_remaining', 4200)))::text
    FROM generate_series(1, 900) AS n";

/// Rows of the queues to ClickHouse.
const WAITING: &str = "SELECT (SELECT count(*) FROM usage_outbox) + (SELECT count(*) FROM usage_outbox_batches)";

const SUBSCRIBE: &str = "
    INSERT INTO subscriptions (customer_id, stripe_subscription_id, status, plan_type, currency, current_period_start, current_period_end,
                               created_at, event_created_at, event_rank, event_id)
    SELECT id, 'sub_' || id, 'active', 'starter', 'usd', now() - interval '10 days', now() + interval '20 days', now() - interval '1 year',
           now() - interval '10 days', 0, 'evt_' || id
    FROM customers";

/// A lock held by the test stops servers within a transaction of a webhook or a shipped batch, for
/// one customer of many.
const HOLD_A_CUSTOMER: &str = "SELECT FROM customers WHERE name = 'c30' FOR UPDATE";

/// The same for alerts: it would be the second of its kind.
const HOLD_AN_ALERT: &str = "
    INSERT INTO usage_alerts (customer_id, period_start, period_end, metric, kind, threshold, used, included, cost, currency, fired_at, next_attempt_at)
    SELECT customer_id, current_period_start, current_period_end, 'impressions', 'percent', 90, 0, 0, 0, 'usd', now(), now()
    FROM subscriptions ORDER BY customer_id OFFSET 30 LIMIT 1";

/// If a server dies with claimed customers or mails, the others take over when the claim expires;
/// this expires the claims.
const CLAIMS_END: [&str; 2] = [
    "UPDATE usage_alert_checks SET checked_at = checked_at - interval '6 minutes'",
    "UPDATE usage_alerts SET next_attempt_at = now() WHERE notified_at IS NULL",
];

/// Two servers, and their shared state.
struct Replicas {
    servers: Vec<Running>,
    _place: Workplace,
    metered: Metered,
    customers: Vec<Customer>,
    mails: SmtpServer,
    held: Option<Transaction<'static, Postgres>>,
    // Dropped after the connections.
    runtime: Runtime,
}

impl Replicas {
    /// Creates work for every job: queued webhooks, usage to ship, due alerts. None can finish
    /// while the test holds its locks.
    fn start(hold: &'static str) -> Replicas {
        let runtime = Runtime::new().unwrap();
        let (metered, customers) = runtime.block_on(async {
            let metered = Metered::on_clickhouse().await;
            let mut customers = Vec::new();
            for number in 0..CUSTOMERS {
                let id = metered.app.add_customer(&format!("c{number}")).await;
                let key = api_keys::create(&metered.app.platform, id, "machine").await.unwrap();
                customers.push(Customer { id: id.0, key });
            }
            sqlx::query(SUBSCRIBE).execute(&metered.app.db).await.unwrap();
            (metered, customers)
        });
        let (place, mails) = (Workplace::new(), SmtpServer::start());
        let clickhouse = metered.clickhouse.as_ref().unwrap().url.clone();
        let start = || {
            let mut command = place.command(&["serve"]);
            command.env("DATABASE_URL", metered.app.database_url()).env("CLICKHOUSE_URL", &clickhouse);
            Running::start(command.env("SMTP_URL", mails.url()).env("STRIPE_WEBHOOK_SECRET", "whsec_of_this_test"))
        };
        let servers = vec![start(), start()];
        let held = runtime.block_on(async {
            let mut held = metered.app.db.begin().await.unwrap();
            assert_eq!(sqlx::query(hold).execute(&mut *held).await.unwrap().rows_affected(), 1);
            held
        });
        let replicas = Replicas { servers, _place: place, metered, customers, mails, held: Some(held), runtime };
        replicas.execute(STORE_WEBHOOKS);
        let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap();
        for (number, customer) in replicas.customers.iter().enumerate() {
            let bearer = format!("Bearer {}", customer.key);
            let parts = [400_000, 550_000]
                .map(|part| json!({"id": part.to_string(), "metric": "impressions", "quantity": part, "timestamp": now, "app_id": "app"}));
            let server = &replicas.servers[number % 2];
            let (status, answer) =
                post(&server.address, &[("authorization", &bearer)], "/api/v1/usage/events", &json!(parts).to_string()).unwrap();
            assert_eq!((status, answer.as_str()), (202, r#"{"accepted":2,"duplicates":0,"rejected":[]}"#));
        }
        replicas
    }

    fn db(&self) -> &PgPool {
        &self.metered.app.db
    }

    fn execute(&self, sql: &'static str) {
        self.runtime.block_on(sqlx::query(sql).execute(self.db())).unwrap();
    }

    fn number(&self, sql: &'static str) -> i64 {
        self.runtime.block_on(sqlx::query_scalar(sql).fetch_one(self.db())).unwrap()
    }

    /// Kills the server that has done more work, once it has done enough, and releases the locks.
    fn kill_the_busier(&mut self, metric: &str, so_much: f64) {
        let mut done = Vec::new();
        wait_until("one of the servers does something", || {
            done = self.servers.iter().map(|server| counted(server, metric)).collect();
            done.iter().any(|done| *done >= so_much)
        });
        let busier = if done[0] >= done[1] { 0 } else { 1 };
        self.servers.remove(busier).signal(libc::SIGKILL);
        eprintln!("killed one when they had done {done:?}");
        let held = self.held.take().expect("something is held");
        self.runtime.block_on(held.rollback()).unwrap();
        CLAIMS_END.into_iter().for_each(|sql| self.execute(sql));
    }

    /// The remaining server completes everything, each item once.
    fn everything_is_done_once(&self) {
        wait_until("every webhook is applied", || {
            self.number("SELECT count(*) FROM stripe_webhook_events WHERE status = 'applied' AND attempts = 1") == WEBHOOKS
        });
        for sql in [
            "SELECT count(*) FROM invoices WHERE version = 1",
            "SELECT count(*) FROM billing_audit WHERE event_type = 'webhook.applied'",
            "SELECT count(DISTINCT data->>'stripe_event_id') FROM billing_audit WHERE event_type = 'webhook.applied'",
            "SELECT count(*) FROM events WHERE data ? 'stripe_event_id'",
            "SELECT count(DISTINCT data->>'stripe_event_id') FROM events",
        ] {
            assert_eq!(self.number(sql), WEBHOOKS, "{sql}");
        }

        wait_until("every event is shipped", || self.number(WAITING) == 0);
        assert_eq!(self.number("SELECT sum(quantity)::bigint FROM usage_records"), 950_000 * CUSTOMERS as i64);
        assert_eq!(self.number("SELECT sum(event_count)::bigint FROM usage_records"), 2 * CUSTOMERS as i64);
        let (_, events) = self.runtime.block_on(self.metered.clickhouse.as_ref().unwrap().rows_and_events());
        assert_eq!(events, 2 * CUSTOMERS as u64);

        wait_until("every alert is notified", || self.number("SELECT count(*) FROM usage_alerts WHERE notified_at IS NOT NULL") == ALERTS);
        for sql in [
            "SELECT count(*) FROM usage_alerts",
            "SELECT count(*) FROM billing_audit WHERE event_type = 'usage_alert.fired'",
            "SELECT count(DISTINCT (customer_id, data->>'threshold')) FROM billing_audit WHERE event_type = 'usage_alert.fired'",
            "SELECT count(*) FROM events WHERE event_type = 'usage_alert.fired'",
            "SELECT count(DISTINCT (customer_id, data->>'threshold')) FROM events WHERE event_type = 'usage_alert.fired'",
            "SELECT sum(jsonb_array_length(data->'usage_alerts'))::bigint FROM billing_audit WHERE event_type = 'usage_alert.notified'",
            "SELECT sum(jsonb_array_length(data->'usage_alerts'))::bigint FROM events WHERE event_type = 'usage_alert.notified'",
        ] {
            assert_eq!(self.number(sql), ALERTS, "{sql}");
        }
        for number in 0..CUSTOMERS {
            let to = format!("billing@c{number}.example");
            assert!(self.mails.received().iter().any(|mail| mail.to == [to.as_str()]), "{to} was not notified");
        }
    }
}

/// The value of a server's metric with this name and these labels.
fn counted(server: &Running, metric: &str) -> f64 {
    let (name, label) = metric.split_once(' ').unwrap_or((metric, ""));
    let metrics = get(&server.metrics, "/metrics");
    let lines = metrics.lines().filter(|line| line.starts_with(name) && line.contains(label));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.trim().parse::<f64>().ok()).sum()
}

#[test]
fn one_of_two_servers_is_killed_among_webhooks() {
    let mut replicas = Replicas::start(HOLD_A_CUSTOMER);
    replicas.kill_the_busier(r#"webhook_events_total{ result="applied""#, 20.0);
    replicas.everything_is_done_once();
}

#[test]
fn one_of_two_servers_is_killed_among_alerts() {
    let mut replicas = Replicas::start(HOLD_AN_ALERT);
    replicas.kill_the_busier("usage_alerts_total{", 2.0);
    replicas.everything_is_done_once();
}
