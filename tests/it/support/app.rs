//! The whole server in process, with its own database and a frozen clock.

use super::{
    client::{Answer, Client},
    database::TestDatabase,
};
use apex_billing::{
    config::{Config, Secret},
    domain::{identity::CustomerId, money::Currency, role::Role},
    http::state::Server,
    server::router::router,
    service::{Clock, Platform, api_keys, customers, features, health::Heartbeat, ingest, users},
};
use sqlx::PgPool;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use time::{Duration, OffsetDateTime, macros::datetime};

/// The time of every test, until it moves the clock.
pub const NOW: OffsetDateTime = datetime!(2026-11-22 15:50 UTC);

/// Signs the tests' webhooks.
pub const WEBHOOK_SECRET: &str = "whsec_of_the_tests";

/// Password of all test users.
pub const PASSWORD: &str = "correct horse battery";

pub struct TestApp {
    pub db: PgPool,
    pub platform: Platform,
    router: axum::Router,
    clock: Arc<AtomicI64>,
    _database: TestDatabase,
}

impl TestApp {
    pub async fn start() -> TestApp {
        TestApp::start_with(&[]).await
    }

    /// With these environment variables.
    pub async fn start_with(variables: &[(&str, &str)]) -> TestApp {
        let database = TestDatabase::new().await;
        TestApp::on(database, include_str!("../../../Leptos.toml"), variables).await
    }

    /// With another value for a setting of `Leptos.toml`, each as written there.
    pub async fn start_with_settings(settings: &[(&str, &str)]) -> TestApp {
        TestApp::start_with_all(&[], settings).await
    }

    /// With environment variables and settings of `Leptos.toml`, as above.
    pub async fn start_with_all(variables: &[(&str, &str)], settings: &[(&str, &str)]) -> TestApp {
        TestApp::on(TestDatabase::new().await, &with_settings(settings), variables).await
    }

    /// Next to others on the same database: another replica.
    pub async fn replica_with(&self, variables: &[(&str, &str)]) -> TestApp {
        let replica = TestApp::on(self._database.shared(), include_str!("../../../Leptos.toml"), variables).await;
        replica.clock.store(self.clock.load(Ordering::Relaxed), Ordering::Relaxed);
        replica
    }

    /// The database's URL, for a separate program.
    pub fn database_url(&self) -> &str {
        &self._database.url
    }

    async fn on(database: TestDatabase, leptos_toml: &str, variables: &[(&str, &str)]) -> TestApp {
        let config = Config::read(leptos_toml, &|name: &str| {
            let set = variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            set.or_else(|| (name == "STRIPE_WEBHOOK_SECRET").then(|| WEBHOOK_SECRET.to_owned()))
        })
        .expect("settings of the test");
        let clock = Arc::new(AtomicI64::new(NOW.unix_timestamp()));
        let ticking = clock.clone();
        let now = Clock::new(move || OffsetDateTime::from_unix_timestamp(ticking.load(Ordering::Relaxed)).expect("an instant"));
        let platform = Platform::new(config, database.pool.clone(), now).expect("a platform");
        features::refresh(&platform).await.expect("switches");
        ingest::prepare(&platform).await.expect("partitions");
        let router = router(Server::new(platform.clone(), Heartbeat::default()));
        TestApp { db: database.pool.clone(), platform, router, clock, _database: database }
    }

    /// The same database and clock with other environment variables: a restart.
    pub async fn restart_with(self, variables: &[(&str, &str)]) -> TestApp {
        let TestApp { clock, _database, .. } = self;
        let app = TestApp::on(_database, include_str!("../../../Leptos.toml"), variables).await;
        app.clock.store(clock.load(Ordering::Relaxed), Ordering::Relaxed);
        app
    }

    pub fn now(&self) -> OffsetDateTime {
        self.platform.clock.now()
    }

    pub fn advance(&self, by: Duration) {
        self.clock.fetch_add(by.whole_seconds(), Ordering::Relaxed);
    }

    pub fn client(&self) -> Client {
        Client::new(self.router.clone())
    }

    /// Listens on a free loopback port until the test ends; returns the URL.
    pub async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let service = self.router.clone().into_make_service_with_connect_info::<std::net::SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        format!("http://{address}")
    }

    /// A new customer; its Stripe id is `cus_NAME`.
    pub async fn add_customer(&self, name: &str) -> CustomerId {
        self.add_customer_in(name, Currency::USD).await
    }

    pub async fn add_customer_in(&self, name: &str, currency: Currency) -> CustomerId {
        customers::put(&self.platform, &format!("cus_{name}"), name, &format!("billing@{name}.example"), currency)
            .await
            .expect("a customer")
    }

    /// A signed-in user with this role.
    pub async fn sign_in(&self, role: Role, customer: Option<CustomerId>) -> Client {
        let email = format!("{}-{}@people.example", role.as_str(), customer.map_or_else(String::new, |id| id.to_string()));
        users::put(&self.platform, &email, PASSWORD, role, customer).await.expect("a user");
        let client = self.client();
        let answer = client.post_json("/api/v1/auth/login", &serde_json::json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        client.with_cookies_of(&answer)
    }

    /// An API key of a customer.
    pub async fn machine(&self, customer: CustomerId) -> Client {
        let key = api_keys::create(&self.platform, customer, "tests").await.expect("a key");
        self.client().with_header("authorization", &format!("Bearer {key}"))
    }

    /// Gives a customer a plan, with the calendar month as its period.
    pub async fn subscribe(&self, customer: CustomerId, plan: &str, currency: &str) {
        sqlx::query(
            "INSERT INTO subscriptions (customer_id, stripe_subscription_id, status, plan_type, currency, current_period_start, current_period_end,
                                        created_at, event_created_at, event_rank, event_id)
             VALUES ($1, 'sub_' || $1, 'active', $2, $3, '2026-11-01Z', '2026-12-01Z', '2026-01-01Z', '2026-11-01Z', 0, 'evt_' || $1)",
        )
        .bind(customer.0)
        .bind(plan)
        .bind(currency)
        .execute(&self.db)
        .await
        .expect("a subscription");
    }

    /// Delivers a webhook with a Stripe signature.
    pub async fn post_webhook(&self, body: &str) -> Answer {
        let signature = apex_billing::stripe::signature::sign(body.as_bytes(), &Secret(WEBHOOK_SECRET.into()), self.now());
        self.client()
            .with_header("stripe-signature", &signature)
            .post("/api/v1/webhooks/stripe", "application/json", body.as_bytes().to_vec())
            .await
    }

    /// Delivers these in turn; all must be accepted.
    pub async fn deliver(&self, events: &[serde_json::Value]) {
        for event in events {
            let answer = self.post_webhook(&event.to_string()).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }

    /// Delivers a body with these headers as a webhook.
    pub async fn post_webhook_raw(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let client = headers.iter().fold(self.client(), |client, (name, value)| client.with_header(name, value));
        client.post("/api/v1/webhooks/stripe", "application/json", body.to_vec()).await
    }
}

fn with_settings(settings: &[(&str, &str)]) -> String {
    let mut text = include_str!("../../../Leptos.toml").to_owned();
    for (known, other) in settings {
        assert!(text.contains(known), "Leptos.toml does not say {known}");
        text = text.replace(known, other);
    }
    text
}
