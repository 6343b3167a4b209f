//! Sends usage events to a server, writes the same rows directly into its stores, and measures
//! reads of the current usage.
//!
//! `scripts/bench.sh` starts the servers and runs this once per measurement. It links nothing of
//! the program, and prints one line of JSON.

mod copy;
mod http;
mod processes;
mod usage_events;

use anyhow::{Context, bail, ensure};
use clap::{Parser, Subcommand};
use processes::CpuTime;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};
use time::OffsetDateTime;
use tokio::{
    net::TcpStream,
    task::{JoinSet, LocalSet},
};
use usage_events::event;
use uuid::Uuid;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
    /// cargo passes it to every benchmark
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum What {
    /// Over HTTP into a server
    Http {
        #[command(flatten)]
        load: Load,
        #[arg(long)]
        address: SocketAddr,
        /// One per customer, comma-separated
        #[arg(long, value_delimiter = ',')]
        keys: Vec<String>,
        /// Wait until this database's queue to ClickHouse is empty, and include that time
        #[arg(long)]
        queue: Option<String>,
    },
    /// With COPY into a server's tables
    Copy {
        #[command(flatten)]
        load: Load,
        #[arg(long)]
        database: String,
        #[arg(long, value_delimiter = ',')]
        customers: Vec<Uuid>,
    },
    /// With the bare client into a table like a server's
    Clickhouse {
        #[command(flatten)]
        load: Load,
        /// http://user:password@host:port/database
        #[arg(long)]
        url: String,
        #[arg(long, value_delimiter = ',')]
        customers: Vec<Uuid>,
    },
    /// How long `GET /billing/usage/current` takes
    Current {
        #[arg(long)]
        address: SocketAddr,
        #[arg(long)]
        key: String,
        #[arg(long)]
        requests: usize,
        #[arg(long)]
        warm_up: usize,
    },
}

#[derive(clap::Args)]
struct Load {
    #[arg(long)]
    connections: usize,
    #[arg(long)]
    batches: u64,
    /// Events per batch
    #[arg(long)]
    size: u64,
    /// Number of the first batch: the same numbers give the same events
    #[arg(long)]
    first: u64,
    /// Unix seconds of the newest event
    #[arg(long)]
    newest: i64,
    /// The server's process id, to measure its CPU time
    #[arg(long)]
    server_pid: Option<u32>,
    /// Process id of PostgreSQL's postmaster or of ClickHouse, to measure CPU time with all
    /// descendants
    #[arg(long)]
    store_pid: u32,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // One thread: the measured processes need the cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let report = match &arguments.what {
            What::Http { load, address, keys, queue } => http_load(load, *address, keys, queue.as_deref()).await?,
            What::Copy { load, database, customers } => copy_load(load, database, customers).await?,
            What::Clickhouse { load, url, customers } => clickhouse_load(load, url, customers).await?,
            What::Current { address, key, requests, warm_up } => current(*address, key, *requests, *warm_up).await?,
        };
        println!("{report}");
        Ok(())
    })
}

impl Load {
    fn newest(&self) -> anyhow::Result<OffsetDateTime> {
        Ok(OffsetDateTime::from_unix_timestamp(self.newest)?)
    }

    fn numbers(&self, batch: u64) -> std::ops::Range<u64> {
        (self.first + batch) * self.size..(self.first + batch + 1) * self.size
    }

    fn watch(&self) -> anyhow::Result<[CpuTime; 3]> {
        let server = self.server_pid.map(processes::cpu_of_tree).transpose()?.unwrap_or_default();
        Ok([server, processes::cpu_of_tree(self.store_pid)?, processes::cpu_of_tree(std::process::id())?])
    }

    fn report(&self, started: Started, milliseconds: Vec<f64>, shipped: Option<f64>) -> anyhow::Result<serde_json::Value> {
        let mut sorted = milliseconds;
        ensure!(sorted.len() as u64 == self.batches, "{} of {} batches were answered", sorted.len(), self.batches);
        sorted.sort_by(f64::total_cmp);
        let events = (self.batches * self.size) as f64;
        let cpu = |which: usize| (started.after[which] - started.before[which]).as_secs_f64() * 1e6 / events;
        Ok(json!({
            "connections": self.connections, "size": self.size, "events": self.batches * self.size,
            "events_per_second": events / started.seconds, "shipped_per_second": shipped.map(|seconds| events / seconds),
            "p50_ms": http::percentile(&sorted, 0.50), "p95_ms": http::percentile(&sorted, 0.95),
            "server_cpu_us": cpu(0), "store_cpu_us": cpu(1), "driver_cpu_us": cpu(2),
        }))
    }
}

/// Clock and CPU times before and after.
struct Started {
    before: [CpuTime; 3],
    after: [CpuTime; 3],
    seconds: f64,
}

/// Connections take batches from this queue, and record how long each took.
struct Work<B> {
    batches: Vec<B>,
    next: Cell<usize>,
    milliseconds: RefCell<Vec<f64>>,
}

impl<B> Work<B> {
    fn new(batches: Vec<B>) -> Rc<Work<B>> {
        Rc::new(Work { batches, next: Cell::new(0), milliseconds: RefCell::default() })
    }

    fn next(&self) -> Option<&B> {
        let number = self.next.get();
        self.next.set(number + 1);
        self.batches.get(number)
    }

    fn done(&self, since: Instant) {
        self.milliseconds.borrow_mut().push(since.elapsed().as_secs_f64() * 1000.0);
    }
}

async fn http_load(load: &Load, address: SocketAddr, keys: &[String], queue: Option<&str>) -> anyhow::Result<serde_json::Value> {
    let newest = load.newest()?;
    // Prepared before the clock starts.
    let requests = (0..load.batches).map(|batch| {
        let mut body = String::new();
        for number in load.numbers(batch) {
            usage_events::line(&event(number, newest), &mut body)?;
        }
        let key = &keys[((load.first + batch) % keys.len() as u64) as usize];
        Ok(format!(
            "POST /api/v1/usage/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    });
    let work = Work::new(requests.collect::<anyhow::Result<Vec<String>>>()?);
    let mut streams = Vec::new();
    for _ in 0..load.connections {
        let stream = TcpStream::connect(address).await.with_context(|| format!("nothing listens on {address}"))?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let before = load.watch()?;
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for mut stream in streams {
        let (work, wanted) = (work.clone(), format!(r#"{{"accepted":{},"duplicates":0,"rejected":[]}}"#, load.size));
        connections.spawn_local(async move {
            let mut answer = vec![0; http::MOST_ANSWER_BYTES];
            while let Some(request) = work.next() {
                let sent = Instant::now();
                let length = http::ask(&mut stream, request.as_bytes(), &mut answer).await?;
                work.done(sent);
                let answer = String::from_utf8_lossy(&answer[..length]);
                ensure!(answer.starts_with("HTTP/1.1 202 ") && answer.ends_with(&wanted), "a batch was answered:\n{answer}");
            }
            Ok(())
        });
    }
    all(&mut connections).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let shipped = match queue {
        Some(database) => {
            empty(database).await?;
            Some(begun.elapsed().as_secs_f64())
        }
        None => None,
    };
    let started = Started { before, after: load.watch()?, seconds };
    load.report(started, work.milliseconds.take(), shipped)
}

async fn all(connections: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(done) = connections.join_next().await {
        done??;
    }
    Ok(())
}

/// Waits until the queue to ClickHouse is empty.
async fn empty(database: &str) -> anyhow::Result<()> {
    let mut conn = PgConnection::connect(database).await?;
    let begun = Instant::now();
    while sqlx::query_scalar::<_, bool>("SELECT EXISTS (SELECT FROM usage_outbox) OR EXISTS (SELECT FROM usage_outbox_batches)")
        .fetch_one(&mut conn)
        .await?
    {
        ensure!(begun.elapsed() < Duration::from_secs(300), "the queue to ClickHouse does not become empty");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn copy_load(load: &Load, database: &str, customers: &[Uuid]) -> anyhow::Result<serde_json::Value> {
    let newest = load.newest()?;
    let batches = (0..load.batches).map(|batch| {
        let customer = customers[((load.first + batch) % customers.len() as u64) as usize];
        copy::Batch::of(customer, load.numbers(batch).map(|number| event(number, newest)))
    });
    let work = Work::new(batches.collect::<anyhow::Result<Vec<_>>>()?);
    let mut databases = Vec::new();
    for _ in 0..load.connections {
        databases.push(PgConnection::connect(database).await?);
    }
    let before = load.watch()?;
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for mut conn in databases {
        let work = work.clone();
        connections.spawn_local(async move {
            while let Some(batch) = work.next() {
                let sent = Instant::now();
                batch.write(&mut conn).await?;
                work.done(sent);
            }
            Ok(())
        });
    }
    all(&mut connections).await?;
    let started = Started { before, seconds: begun.elapsed().as_secs_f64(), after: load.watch()? };
    load.report(started, work.milliseconds.take(), None)
}

#[derive(clickhouse::Row, serde::Serialize)]
struct Row {
    #[serde(with = "clickhouse::serde::uuid")]
    customer_id: Uuid,
    app_id: String,
    metric: &'static str,
    event_id: String,
    #[serde(with = "clickhouse::serde::time::datetime64::millis")]
    ts: OffsetDateTime,
    quantity: u64,
    properties: String,
    version: u64,
}

async fn clickhouse_load(load: &Load, url: &str, customers: &[Uuid]) -> anyhow::Result<serde_json::Value> {
    let newest = load.newest()?;
    let (login, place) =
        url.strip_prefix("http://").and_then(|rest| rest.split_once('@')).context("http://user:password@host:port/database")?;
    let ((user, password), (host, database)) = (login.split_once(':').context("a password")?, place.split_once('/').context("a database")?);
    let client =
        clickhouse::Client::default().with_url(format!("http://{host}")).with_user(user).with_password(password).with_database(database);
    let batches = (0..load.batches).map(|batch| {
        let customer_id = customers[((load.first + batch) % customers.len() as u64) as usize];
        let rows = load.numbers(batch).map(|number| {
            let usage_events::Event { id, metric, quantity, at, app, properties } = event(number, newest);
            Row { customer_id, app_id: app, metric, event_id: id, ts: at, quantity, properties, version: 1 }
        });
        rows.collect::<Vec<Row>>()
    });
    let work = Work::new(batches.collect());
    let before = load.watch()?;
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for _ in 0..load.connections {
        let (work, client) = (work.clone(), client.clone());
        connections.spawn_local(async move {
            while let Some(batch) = work.next() {
                let sent = Instant::now();
                let mut insert = client.insert::<Row>("usage_events").await?;
                for row in batch {
                    insert.write(row).await?;
                }
                insert.end().await?;
                work.done(sent);
            }
            Ok(())
        });
    }
    all(&mut connections).await?;
    let started = Started { before, seconds: begun.elapsed().as_secs_f64(), after: load.watch()? };
    load.report(started, work.milliseconds.take(), None)
}

async fn current(address: SocketAddr, key: &str, requests: usize, warm_up: usize) -> anyhow::Result<serde_json::Value> {
    let request = format!("GET /api/v1/billing/usage/current HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\r\n");
    let mut stream = TcpStream::connect(address).await.with_context(|| format!("nothing listens on {address}"))?;
    stream.set_nodelay(true)?;
    let mut answer = vec![0; http::MOST_ANSWER_BYTES];
    let (mut milliseconds, mut impressions) = (Vec::with_capacity(requests), None);
    for number in 0..warm_up + requests {
        let sent = Instant::now();
        let length = http::ask(&mut stream, request.as_bytes(), &mut answer).await?;
        if number >= warm_up {
            milliseconds.push(sent.elapsed().as_secs_f64() * 1000.0);
        }
        let text = str::from_utf8(&answer[..length])?;
        let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(head, _)| head.starts_with("HTTP/1.1 200 ")) else {
            bail!("unexpected response of the current usage:\n{text}");
        };
        let usage: serde_json::Value = serde_json::from_str(body).with_context(|| format!("{head}\n\n{body}"))?;
        let found = usage["current_period"]["impressions"].as_u64().context("impressions")?;
        ensure!(impressions.replace(found).is_none_or(|before| before == found), "the usage changes");
    }
    milliseconds.sort_by(f64::total_cmp);
    let at = |part: f64| http::percentile(&milliseconds, part);
    Ok(json!({"requests": requests, "impressions": impressions, "p50_ms": at(0.50), "p95_ms": at(0.95), "p99_ms": at(0.99)}))
}
