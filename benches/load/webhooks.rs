//! Sends signed Stripe events to a server from its own process, and measures events per second,
//! latencies and CPU time of both sides.
//!
//! `scripts/bench.sh` starts the servers and runs this once per measurement. It links nothing of
//! the program, so events and signatures are independent of the code under test. It prints one line
//! of JSON.

mod events;
mod http;
mod processes;

use anyhow::{Context, bail, ensure};
use clap::Parser;
use events::{Request, Sender};
use processes::CpuTime;
use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::Instant,
};
use tokio::{
    net::TcpStream,
    task::{JoinSet, LocalSet},
};

#[derive(Parser)]
struct Arguments {
    /// The server's address
    #[arg(long)]
    address: SocketAddr,
    /// The webhook's path
    #[arg(long)]
    path: String,
    /// Secret that signs the events
    #[arg(long)]
    secret: String,
    #[arg(long)]
    connections: usize,
    /// Number of events, and of the first one: the same numbers give the same events
    #[arg(long)]
    events: usize,
    #[arg(long)]
    first: usize,
    /// Number of customers
    #[arg(long)]
    customers: usize,
    /// The server's process id, to measure its CPU time
    #[arg(long)]
    server_pid: u32,
    /// Process id of PostgreSQL's postmaster; its descendants are included
    #[arg(long)]
    postgres_pid: u32,
    /// cargo passes it to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.connections > 0 && arguments.events > 0 && arguments.customers > 0, "there is nothing to send");
    // One thread: both measured sides need the cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, drive(&arguments))
}

async fn drive(arguments: &Arguments) -> anyhow::Result<()> {
    let address = arguments.address;
    let sender = Sender::new(address.to_string(), &arguments.path, &arguments.secret, arguments.customers)?;
    // Created and signed before the clock starts.
    let numbers = arguments.first..arguments.first + arguments.events;
    let requests = numbers.map(|number| sender.request(number)).collect::<anyhow::Result<Vec<Request>>>()?;
    let bytes: usize = requests.iter().map(|request| request.body_bytes).sum();
    let work = Rc::new(Work { requests, next: Cell::new(0), milliseconds: RefCell::new(Vec::with_capacity(arguments.events)) });

    let mut streams = Vec::new();
    for _ in 0..arguments.connections {
        let stream = TcpStream::connect(address).await.with_context(|| format!("nothing listens on {address}"))?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let watched = || -> anyhow::Result<[CpuTime; 3]> {
        Ok([
            processes::cpu_of_tree(arguments.server_pid)?,
            processes::cpu_of_tree(arguments.postgres_pid)?,
            processes::cpu_of_tree(std::process::id())?,
        ])
    };
    let before = watched()?;
    let started = Instant::now();
    let mut connections = JoinSet::new();
    for stream in streams {
        connections.spawn_local(send_all(stream, work.clone()));
    }
    while let Some(done) = connections.join_next().await {
        done??;
    }
    let seconds = started.elapsed().as_secs_f64();
    let after = watched()?;

    let mut latencies = work.milliseconds.take();
    ensure!(latencies.len() == arguments.events, "{} of {} events were answered", latencies.len(), arguments.events);
    latencies.sort_by(f64::total_cmp);
    let cpu = |which: usize| (after[which] - before[which]).as_secs_f64() * 1000.0 / arguments.events as f64;
    println!(
        "{}",
        serde_json::json!({
            "connections": arguments.connections, "events": arguments.events, "body_bytes": bytes / arguments.events,
            "events_per_second": arguments.events as f64 / seconds,
            "p50_ms": http::percentile(&latencies, 0.50), "p95_ms": http::percentile(&latencies, 0.95), "p99_ms": http::percentile(&latencies, 0.99),
            "server_cpu_ms": cpu(0), "postgres_cpu_ms": cpu(1), "driver_cpu_ms": cpu(2),
        })
    );
    Ok(())
}

/// The events to send and the results, shared by the connections of the one thread.
struct Work {
    requests: Vec<Request>,
    next: Cell<usize>,
    milliseconds: RefCell<Vec<f64>>,
}

/// Sends events over one connection until there are none left.
async fn send_all(mut stream: TcpStream, work: Rc<Work>) -> anyhow::Result<()> {
    let mut answer = vec![0; http::MOST_ANSWER_BYTES];
    loop {
        let number = work.next.get();
        let Some(request) = work.requests.get(number) else { return Ok(()) };
        work.next.set(number + 1);
        let sent = Instant::now();
        let length = http::ask(&mut stream, &request.bytes, &mut answer).await?;
        let took = sent.elapsed();
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            bail!("event {number} was answered:\n{}", String::from_utf8_lossy(&answer[..length]));
        }
        work.milliseconds.borrow_mut().push(took.as_secs_f64() * 1000.0);
    }
}
