//! Requests one page of a server over several connections, and measures how long each response
//! takes.
//!
//! `scripts/bench.sh` starts the servers and runs this once per measurement. It links nothing of
//! the program, and prints one line of JSON.

mod http;
mod processes;

use anyhow::{Context, ensure};
use clap::Parser;
use serde_json::json;
use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpStream,
    task::{JoinSet, LocalSet},
};

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    path: String,
    /// Value of the `Cookie` header
    #[arg(long)]
    cookie: String,
    /// Value of the `Accept-Encoding` header
    #[arg(long, default_value = "identity")]
    encoding: String,
    /// Text that a connection's first response must contain; only for `identity`
    #[arg(long)]
    contains: Option<String>,
    #[arg(long)]
    connections: usize,
    /// Duration: the sides differ too much for a number of requests
    #[arg(long)]
    seconds: f64,
    /// The server's process id, to measure its CPU time
    #[arg(long)]
    server_pid: u32,
    /// Process id of PostgreSQL's postmaster, to measure its CPU time with all descendants
    #[arg(long)]
    postgres_pid: u32,
    /// cargo passes it to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // One thread: it shares its core with PostgreSQL.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        println!("{}", measure(&arguments).await?);
        Ok(())
    })
}

async fn measure(arguments: &Arguments) -> anyhow::Result<serde_json::Value> {
    let Arguments { address, path, cookie, encoding, .. } = arguments;
    let request: Rc<str> =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nAccept: text/html\r\nAccept-Encoding: {encoding}\r\n\r\n")
            .into();
    let contains: Option<Rc<str>> = arguments.contains.as_deref().map(Rc::from);
    let (milliseconds, bytes) = (Rc::new(RefCell::new(Vec::new())), Rc::new(Cell::new(0)));
    let mut streams = Vec::new();
    for _ in 0..arguments.connections {
        let stream = TcpStream::connect(address).await.with_context(|| format!("nothing listens on {address}"))?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let watched = [arguments.server_pid, arguments.postgres_pid, std::process::id()];
    let watch = || watched.into_iter().map(processes::cpu_of_tree).collect::<anyhow::Result<Vec<_>>>();
    let before = watch()?;
    let begun = Instant::now();
    let until = begun + Duration::from_secs_f64(arguments.seconds);
    let mut connections = JoinSet::new();
    for mut stream in streams {
        let (request, contains, milliseconds, bytes) = (request.clone(), contains.clone(), milliseconds.clone(), bytes.clone());
        connections.spawn_local(async move {
            let mut answer = vec![0; http::MOST_ANSWER_BYTES];
            let mut expected = contains;
            while Instant::now() < until {
                let sent = Instant::now();
                let length = http::ask(&mut stream, request.as_bytes(), &mut answer).await?;
                milliseconds.borrow_mut().push(sent.elapsed().as_secs_f64() * 1000.0);
                bytes.set(bytes.get() + length);
                let answer = &answer[..length];
                ensure!(
                    answer.starts_with(b"HTTP/1.1 200 "),
                    "a page was answered:\n{}",
                    String::from_utf8_lossy(&answer[..length.min(1000)])
                );
                if let Some(text) = expected.take() {
                    ensure!(String::from_utf8_lossy(answer).contains(&*text), "a page lacks `{text}`");
                }
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = connections.join_next().await {
        ended??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let after = watch()?;
    let cpu = |which: usize| (after[which] - before[which]).as_secs_f64();
    let mut sorted = milliseconds.take();
    sorted.sort_by(f64::total_cmp);
    let requests = sorted.len() as f64;
    Ok(json!({
        "path": path, "encoding": encoding, "connections": arguments.connections, "requests": sorted.len(),
        "requests_per_second": requests / seconds, "p50_ms": http::percentile(&sorted, 0.50), "p99_ms": http::percentile(&sorted, 0.99),
        "bytes": bytes.get() as f64 / requests,
        "server_cpu_us": cpu(0) * 1e6 / requests, "postgres_cpu_us": cpu(1) * 1e6 / requests, "driver_cpu_us": cpu(2) * 1e6 / requests,
        "server_busy": cpu(0) / seconds, "other_core_busy": (cpu(1) + cpu(2)) / seconds,
        "rss_bytes": resident(arguments.server_pid)?,
    }))
}

/// Resident memory of a process, from Linux's /proc (proc(5), `/proc/[pid]/status`).
fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kibibytes.map(|kibibytes| kibibytes * 1024).context("no VmRSS in /proc")
}
