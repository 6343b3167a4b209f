//! A real ClickHouse for the tests: one engine per run, shared by its processes, with a database
//! per test; or a test's own engine, to be killed.
//!
//! `TEST_CLICKHOUSE_URL` (`http://user:password@host:port`) names a server to use instead of the
//! shared engine, with a user that may create databases. Without either, a test that needs
//! ClickHouse fails.

use super::database::fast_dir;
use apex_billing::config::{self, Config};
use clickhouse::Client;
use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// scripts/lib.sh uses the same folder.
const WHEEL: &str = "chdb-core-26.9.0";
const PASSWORD: &str = "p@ss of the tests";

/// The test's own empty database. Dropped when the test passes.
pub struct TestClickHouse {
    /// The value for `CLICKHOUSE_URL`.
    pub url: String,
    settings: config::ClickHouse,
    // Stops the engine if it is the test's own.
    _engine: Option<Engine>,
}

impl TestClickHouse {
    /// On the shared engine.
    pub fn new() -> TestClickHouse {
        TestClickHouse::on(server(), None)
    }

    fn on(server: &str, engine: Option<Engine>) -> TestClickHouse {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let url = format!("{server}/test_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        TestClickHouse { settings: settings(&url), url, _engine: engine }
    }

    /// For queries that the program does not make.
    pub fn client(&self) -> Client {
        let config::ClickHouse { endpoint, user, password, database, .. } = &self.settings;
        Client::default().with_url(endpoint).with_user(user).with_password(&password.0).with_database(database)
    }

    /// Rows, including duplicates, and events.
    pub async fn rows_and_events(&self) -> (u64, u64) {
        let client = self.client();
        let rows = client.query("SELECT count() FROM usage_events").fetch_one().await.expect("rows");
        (rows, client.query("SELECT count() FROM usage_events FINAL").fetch_one().await.expect("events"))
    }
}

impl Drop for TestClickHouse {
    fn drop(&mut self) {
        if std::thread::panicking() || self._engine.is_some() {
            return;
        }
        let (client, database) = (self.client().with_database("system"), self.settings.database.clone());
        // The test's own runtime can't be blocked from within.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(client.query(&format!("DROP DATABASE IF EXISTS {database} SYNC")).execute()).unwrap();
        });
        dropping.join().expect("the test's database can be dropped");
    }
}

fn settings(url: &str) -> config::ClickHouse {
    let environment = |name: &str| (name == "CLICKHOUSE_URL").then(|| url.to_owned());
    Config::read(include_str!("../../../Leptos.toml"), &environment).expect("an address of ClickHouse").clickhouse.expect("an address")
}

/// A test's own engine, which can be killed and restarted with its data.
pub struct Engine {
    dir: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Engine {
    /// One with a port that does not run yet.
    pub fn not_started() -> Engine {
        let dir = std::env::temp_dir().join(format!("apex-clickhouse-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&dir).unwrap();
        // Free now, and not assigned again soon.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Engine { dir, port, child: None }
    }

    /// The value for `CLICKHOUSE_URL`.
    pub fn url(&self) -> String {
        format!("{}/usage", address(self.port))
    }

    pub fn start(&mut self) {
        let mut command = engine(&self.dir);
        command.args(["--until-eof", "--port", &self.port.to_string()]).stdin(Stdio::piped());
        let (child, _) = started(command);
        self.child = Some(child);
    }

    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Like `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// One of its databases.
    pub fn database(&self) -> Client {
        let config::ClickHouse { endpoint, user, password, database, .. } = settings(&self.url());
        Client::default().with_url(endpoint).with_user(user).with_password(password.0).with_database(database)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.kill();
        fs::remove_dir_all(&self.dir).ok();
    }
}

fn address(port: u16) -> String {
    let password: String = percent_encoding::utf8_percent_encode(PASSWORD, percent_encoding::NON_ALPHANUMERIC).collect();
    format!("http://app:{password}@127.0.0.1:{port}")
}

/// `TEST_CLICKHOUSE_URL`, or this run's engine.
fn server() -> &'static str {
    static SERVER: OnceLock<String> = OnceLock::new();
    SERVER.get_or_init(|| match std::env::var("TEST_CLICKHOUSE_URL") {
        Ok(url) => url.trim_end_matches('/').to_owned(),
        Err(_) => address(shared_engine()),
    })
}

/// Its port. The run's first process starts it; it ends some seconds after the last process that
/// uses it.
fn shared_engine() -> u16 {
    let dir = shared_dir();
    fs::create_dir_all(&dir).unwrap();
    let turn = File::create(dir.join("turn")).unwrap();
    turn.lock().unwrap();
    let users = File::create(dir.join("users")).unwrap();
    users.lock_shared().unwrap();
    // Held until the process ends.
    std::mem::forget(users);
    let known = fs::read_to_string(dir.join("address")).unwrap_or_default();
    if let Some((port, name)) = known.split_once(' ').and_then(|(port, name)| Some((port.parse().ok()?, name)))
        && answers(port, name)
    {
        return port;
    }
    let mut command = engine(&dir);
    // Neither Ctrl-C nor the end of this process stops it.
    command.arg("--while-used").stdin(Stdio::null()).process_group(0);
    command.stderr(File::create(dir.join("log")).unwrap());
    started(command).1
}

fn shared_dir() -> PathBuf {
    fast_dir("apex-billing-clickhouse", "address").unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("clickhouse"))
}

fn engine(dir: &Path) -> Command {
    let home = std::env::var_os("HOME").map(PathBuf::from).expect("HOME is set");
    let wheel = home.join(".cache/apex-billing").join(WHEEL);
    assert!(wheel.is_dir(), "ClickHouse's engine is missing: run scripts/setup.sh --test, or set TEST_CLICKHOUSE_URL");
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/clickhouse_engine.py"));
    command.arg("--wheel").arg(wheel).arg("--dir").arg(dir).args(["--password", PASSWORD]).stdout(Stdio::piped());
    command
}

/// Waits until it reports its port.
fn started(mut command: Command) -> (Child, u16) {
    let mut child = command.spawn().expect("python3 runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.strip_prefix("ready ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    (child, port.expect("ClickHouse's engine starts"))
}

/// Whether the engine with this name responds there.
fn answers(port: u16, name: &str) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /?query=SELECT+1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    ask().is_ok_and(|answer| answer.contains(name))
}
