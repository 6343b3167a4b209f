//! The program itself, in a working directory of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// An empty working directory with the settings file, gone with the test.
pub struct Workplace(pub PathBuf);

impl Workplace {
    pub fn new() -> Workplace {
        let dir = std::env::temp_dir().join(format!("apex-program-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&dir).unwrap();
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("Leptos.toml"), dir.join("Leptos.toml")).unwrap();
        Workplace(dir)
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_apex-billing"));
        command.args(args).current_dir(&self.0).stdin(Stdio::null());
        for name in [
            "DATABASE_URL",
            "CLICKHOUSE_URL",
            "CLICKHOUSE_CLUSTER",
            "BILLING_ENABLED",
            "STRIPE_SECRET_KEY",
            "STRIPE_WEBHOOK_SECRET",
            "PUBLIC_URL",
            "DEMO_PASSWORD",
            "LOG_FORMAT",
            "SMTP_URL",
        ] {
            command.env_remove(name);
        }
        command.env("RUST_LOG", "warn").env("LEPTOS_SITE_ADDR", "127.0.0.1:0").env("METRICS_ADDR", "127.0.0.1:0");
        command
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A server that runs, its address and that of its metrics. Killed when it is dropped.
pub struct Running {
    child: Child,
    pub address: String,
    pub metrics: String,
}

impl Running {
    pub fn start(command: &mut Command) -> Running {
        Running::try_start(command).expect("an address")
    }

    /// None: it ended before it served.
    pub fn try_start(command: &mut Command) -> Option<Running> {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = |what: &str| lines.find_map(|line| line.unwrap().strip_prefix(what).map(str::to_owned));
        let addresses = told("Metrics on http://").zip(told("Serving http://"));
        // Whatever else it prints must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        let Some((metrics, address)) = addresses else {
            child.wait().unwrap();
            return None;
        };
        Some(Running { child, address, metrics: metrics.trim_end_matches("/metrics").to_owned() })
    }

    pub fn get(&self, path: &str) -> String {
        get(&self.address, path)
    }

    pub fn signal(&mut self, signal: i32) -> Option<i32> {
        // SAFETY: only sends a signal to a child that has not been waited for.
        unsafe { libc::kill(i32::try_from(self.child.id()).unwrap(), signal) };
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing happens to one that has been waited for.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
