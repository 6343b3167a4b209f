//! The connection to ClickHouse, over HTTP.

use crate::{
    config,
    store::usage::{Result, UsageStoreError},
    telemetry::traces,
};
use axum::http::HeaderMap;
use clickhouse::{Client, query::Query};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{borrow::Cow, future::Future, time::Duration};

const CONNECT: Duration = Duration::from_secs(3);
/// Timeout of a statement or a batch of rows.
const ANSWER: Duration = Duration::from_secs(30);
/// Timeout of a health check.
const PING: Duration = Duration::from_secs(2);
/// ClickHouse closes idle connections after 3 s by default; ours are closed earlier.
const IDLE: Duration = Duration::from_secs(2);

/// The ClickHouse client, and the names of its tables.
pub struct Server {
    client: Client,
    pub database: String,
    /// Tables are replicated on this cluster.
    pub cluster: Option<String>,
}

impl Server {
    pub fn new(settings: &config::ClickHouse) -> Server {
        let mut connector = HttpConnector::new();
        // Without TCP_NODELAY each small insert waits 40 ms for an acknowledgement.
        connector.set_nodelay(true);
        connector.set_keepalive(Some(Duration::from_secs(60)));
        connector.set_connect_timeout(Some(CONNECT));
        connector.enforce_http(false);
        let connector =
            hyper_rustls::HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(connector);
        let http = HttpClient::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(connector);
        let mut client = Client::with_http_client(http)
            .with_url(&settings.endpoint)
            .with_user(&settings.user)
            .with_password(&settings.password.0)
            .with_database(&settings.database)
            .with_product_info("apex-billing", env!("CARGO_PKG_VERSION"))
            // Batches are built here, and a response must mean that they are stored.
            .with_setting("async_insert", "0")
            .with_setting("max_execution_time", ANSWER.as_secs().to_string())
            // The sort key determines the partition, so all versions of a row are in one.
            .with_setting("do_not_merge_across_partitions_select_final", "1");
        if settings.cluster.is_some() {
            // Read-your-writes across replicas.
            client = client
                .with_setting("insert_quorum", "auto")
                .with_setting("insert_quorum_parallel", "0")
                .with_setting("select_sequential_consistency", "1");
        }
        Server { client, database: settings.database.clone(), cluster: settings.cluster.clone() }
    }

    /// The client, with the current trace in its headers: ClickHouse records its own spans.
    fn traced(&self) -> Cow<'_, Client> {
        let mut headers = HeaderMap::new();
        traces::pass_on(&mut headers);
        let known = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        known.fold(Cow::Borrowed(&self.client), |client, (name, value)| Cow::Owned(client.into_owned().with_header(name, value)))
    }

    /// A statement with ClickHouse's parameters, `{name:Type}`.
    pub fn query(&self, sql: &str) -> Query {
        self.traced().query_raw(sql)
    }

    /// A statement that doesn't need our database to exist.
    pub fn query_outside(&self, sql: &str) -> Query {
        self.traced().into_owned().with_database("system").query_raw(sql)
    }

    /// Inserts rows into one of our tables.
    pub async fn insert<T: clickhouse::Row>(&self, table: &str) -> Result<clickhouse::insert::Insert<T>> {
        Ok(within(ANSWER, self.traced().insert::<T>(table)).await?.with_timeouts(Some(ANSWER), Some(ANSWER)))
    }

    pub async fn execute(&self, query: Query) -> Result<()> {
        within(ANSWER, query.execute()).await
    }

    pub async fn fetch<T: clickhouse::RowOwned + clickhouse::RowRead>(&self, query: Query) -> Result<Vec<T>> {
        within(ANSWER, query.fetch_all()).await
    }

    /// Checks that it responds.
    pub async fn ping(&self) -> Result<()> {
        within(PING, self.query_outside("SELECT 1").execute()).await
    }
}

/// Adds a timeout.
async fn within<T>(limit: Duration, answer: impl Future<Output = clickhouse::error::Result<T>>) -> Result<T> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(UsageStoreError::TimedOut(limit)),
    }
}
