//! A private PostgreSQL cluster, used if `DATABASE_URL` is unset. It is created once, reached
//! through a socket in its own folder that no other user may enter, and stopped when its last user
//! ends.
//!
//! Two locks in the folder: `lock` serializes starts and stops. `users` is held in shared mode by
//! every handle, so a handle that gets it exclusively is the last. With one lock for both, a start
//! that waits for a stop would deadlock.
//!
//! A program killed by SIGKILL leaves the server running; the next start attaches to it.

mod account;
mod programs;
mod watch;

pub use watch::keep_alive;

use account::Account;
use programs::Programs;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The role that owns everything, and the name of the default database.
const ROLE: &str = "app";
/// Only names the socket file: the cluster doesn't listen on TCP.
const PORT: u16 = 5432;
const SETTINGS: &str = "apex.conf";
/// Timeout for a server that another process starts or stops, and for the backends of a killed one.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Where the cluster is, and how it runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the cluster, its socket, log and locks; created if missing.
    pub dir: PathBuf,
    /// False: a machine failure loses the last seconds of work. For tests only.
    pub durable: bool,
    /// The server stays running after its last user, so that the next one starts faster.
    pub keep_running: bool,
}

/// A handle of a running cluster; dropping the last one stops it.
#[derive(Debug)]
pub struct Cluster {
    options: Options,
    data: PathBuf,
    socket_dir: PathBuf,
    users: File,
    started: bool,
}

/// Why there is no cluster, in one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(
        "PostgreSQL {} or newer is missing: install it (apt-get install postgresql, brew install postgresql), or set DATABASE_URL",
        programs::MIN_MAJOR
    )]
    NoPrograms,
    #[error(
        "APEX_PG_BIN is `{}`, but must be the folder with postgres, initdb and pg_ctl of PostgreSQL {}",
        .0.display(),
        .1.map_or_else(|| format!("{} or newer", programs::MIN_MAJOR), |major| major.to_string())
    )]
    WrongFolder(PathBuf, Option<u32>),
    #[error("the database in {} was created by PostgreSQL {major}, which is missing: install that version, or set APEX_PG_BIN or DATABASE_URL", dir.display())]
    OtherMajor { dir: PathBuf, major: u32 },
    #[error(
        "PostgreSQL doesn't run as root, and there is no user `postgres` or `nobody` to run it as: set DATABASE_URL, or run as another user"
    )]
    NoAccount,
    #[error("PostgreSQL doesn't run as root, and the user that it would run as can't enter {}: set DATABASE_URL, or run as another user", .0.display())]
    ClosedFolder(PathBuf),
    #[error("{} belongs to another user: remove it, or set DATABASE_URL", .0.display())]
    NotOurs(PathBuf),
    #[error("the PostgreSQL in {} neither responds nor stops: see its log, or set DATABASE_URL", .0.display())]
    Stuck(PathBuf),
    #[error("PostgreSQL's {program} failed: {detail}")]
    Program { program: &'static str, detail: String },
    #[error("the database in {} is missing: restore it from a backup, then start the program again", .0.display())]
    Gone(PathBuf),
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
}

trait At<T> {
    fn at(self, path: &Path) -> Result<T, ClusterError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, ClusterError> {
        self.map_err(|source| ClusterError::File { path: path.to_owned(), source })
    }
}

impl Cluster {
    /// Creates the cluster if missing, and starts it or attaches to it. Blocks: seconds the first
    /// time, then milliseconds.
    pub fn start(options: Options) -> Result<Cluster, ClusterError> {
        fs::create_dir_all(&options.dir).at(&options.dir)?;
        let dir = options.dir.canonicalize().at(&options.dir)?;
        fs::set_permissions(&dir, Permissions::from_mode(0o700)).at(&dir)?;
        let turn = lock_file(&dir, "lock")?;
        turn.lock().at(&dir)?;
        let users = lock_file(&dir, "users")?;
        let data = dir.join("data");
        let mut cluster =
            Cluster { socket_dir: socket_dir(&dir, &data)?, options: Options { dir, ..options }, data, users, started: false };
        match cluster.make_and_run() {
            Ok(started) => cluster.started = started,
            Err(error) => {
                // Dropping it must not wait for the lock that `turn` holds.
                cluster.options.keep_running = true;
                return Err(error);
            }
        }
        cluster.users.lock_shared().at(&cluster.options.dir)?;
        Ok(cluster)
    }

    /// URL of a database in the cluster. The database `app` exists.
    pub fn url(&self, database: &str) -> String {
        let host: String = self
            .socket_dir
            .as_os_str()
            .as_bytes()
            .iter()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => char::from(*byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect();
        format!("postgres://{ROLE}@localhost:{PORT}/{database}?host={host}")
    }

    /// A shell command that opens a database in the cluster. Blocks while it searches for
    /// PostgreSQL's programs.
    pub fn psql(&self, database: &str) -> String {
        let beside_the_server = || Tools::find(&self.options.dir, self.major()).ok().map(|tools| tools.programs.folder.join("psql"));
        let program = if programs::is_in_path("psql") { None } else { beside_the_server().filter(|path| path.is_file()) };
        let program = program.map_or_else(|| "psql".to_owned(), |path| quoted(&path));
        format!("{program} -h {} -p {PORT} -U {ROLE} {database}", quoted(&self.socket_dir))
    }

    /// Whether this handle started the server; false if it attached to a running one.
    pub fn started(&self) -> bool {
        self.started
    }

    /// Restarts the server if it has died; true if it had. Blocks: microseconds while it runs,
    /// otherwise until it accepts connections.
    ///
    /// # Errors
    /// It can't be started. The next call tries again.
    pub fn revive(&self) -> Result<bool, ClusterError> {
        if self.lives() {
            return Ok(false);
        }
        if self.major().is_none() {
            return Err(ClusterError::Gone(self.options.dir.clone()));
        }
        let turn = lock_file(&self.options.dir, "lock")?;
        turn.lock().at(&self.options.dir)?;
        self.make_and_run()
    }

    /// Whether the server's process exists, including one in crash recovery.
    fn lives(&self) -> bool {
        let text = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        text.lines().next().and_then(|line| line.trim().parse().ok()).is_some_and(|pid| is_server(pid, &self.data))
    }

    /// PostgreSQL's version that created the data; None without data.
    fn major(&self) -> Option<u32> {
        fs::read_to_string(self.data.join("PG_VERSION")).ok().and_then(|text| text.trim().parse().ok())
    }

    /// Returns whether the server had to be started.
    fn make_and_run(&self) -> Result<bool, ClusterError> {
        let major = self.major();
        if major.is_some() && self.is_ready()? {
            return Ok(false);
        }
        let tools = Tools::find(&self.options.dir, major)?;
        if major.is_none() {
            self.make(&tools)?;
        }
        self.write_settings(&tools)?;
        // Backends of a killed server may live on for a moment; PostgreSQL refuses to start beside
        // them.
        let deadline = Instant::now() + PATIENCE;
        let log = self.options.dir.join("log");
        loop {
            let from = fs::metadata(&log).map_or(0, |log| log.len());
            let start = tools
                .run("pg_ctl", |command| command.arg("-D").arg(&self.data).arg("-l").arg(&log).args(["-w", "-s", "-t", "120", "start"]));
            match start {
                Ok(()) => break,
                Err(_) if log_since(&log, from).contains("is still in use") && Instant::now() < deadline => sleep(POLL),
                Err(_) => return Err(ClusterError::Program { program: "start", detail: last_lines(&log_since(&log, from)) }),
            }
        }
        Ok(true)
    }

    /// Created under another name first, so that an interrupted attempt leaves no partial cluster.
    fn make(&self, tools: &Tools) -> Result<(), ClusterError> {
        let new = self.options.dir.join("data.new");
        if new.exists() {
            fs::remove_dir_all(&new).at(&new)?;
        }
        tools.run("initdb", |command| {
            command.arg("-D").arg(&new).args(["-U", ROLE, "-A", "trust", "-E", "UTF8"]);
            if tools.programs.major >= 17 {
                command.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]);
            } else {
                command.arg("--no-locale");
            }
            if !self.options.durable {
                command.arg("--no-sync");
            }
            command
        })?;
        let conf = new.join("postgresql.conf");
        OpenOptions::new().append(true).open(&conf).and_then(|mut file| writeln!(file, "include_if_exists '{SETTINGS}'")).at(&conf)?;
        // Single-user mode needs neither a client program nor a running server.
        let sql = self.options.dir.join("create.sql");
        fs::write(&sql, format!("CREATE DATABASE {ROLE}\n")).at(&sql)?;
        let input = File::open(&sql).at(&sql)?;
        tools.run("postgres", |command| command.args(["--single", "-D"]).arg(&new).arg("postgres").stdin(input))?;
        fs::remove_file(&sql).at(&sql)?;
        fs::rename(&new, &self.data).at(&new)
    }

    fn write_settings(&self, tools: &Tools) -> Result<(), ClusterError> {
        let socket_dir = self.socket_dir.to_string_lossy().replace('\'', "''");
        let mut settings = format!(
            "listen_addresses = ''\nunix_socket_directories = '\"{socket_dir}\"'\nunix_socket_permissions = 0700\nport = {PORT}\n\
             max_connections = 200\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n"
        );
        if !self.options.durable {
            settings += "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nwal_level = minimal\nmax_wal_senders = 0\n\
                         max_wal_size = 512MB\nautovacuum = off\nlog_checkpoints = off\n";
        }
        let path = self.data.join(SETTINGS);
        fs::write(&path, settings).at(&path)?;
        tools.account.own(&path)
    }

    /// Whether a server of this cluster accepts connections. Waits while one starts or stops, and
    /// removes the files of a dead one.
    fn is_ready(&self) -> Result<bool, ClusterError> {
        let pid_file = self.data.join("postmaster.pid");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Ok(text) = fs::read_to_string(&pid_file) else { return Ok(false) };
            let mut lines = text.splitn(2, '\n');
            let pid = lines.next().and_then(|line| line.trim().parse::<u32>().ok());
            let rest = lines.next().unwrap_or_default();
            let alive = pid.is_some_and(|pid| is_server(pid, &self.data));
            if alive
                && rest.lines().last().is_some_and(|state| state.trim() == "ready")
                && UnixStream::connect(self.socket_dir.join(format!(".s.PGSQL.{PORT}"))).is_ok()
            {
                return Ok(true);
            }
            if !alive {
                // The pid may belong to another program (after a reboot, in a new container) or to
                // a zombie, and PostgreSQL would refuse to start. Replace it with an impossible pid
                // and leave the other lines: PostgreSQL uses them to detect backends that have
                // outlived the server.
                fs::write(&pid_file, format!("999999999\n{rest}")).at(&pid_file)?;
                let _ = fs::remove_file(self.socket_dir.join(format!(".s.PGSQL.{PORT}.lock")));
                return Ok(false);
            }
            if Instant::now() > deadline {
                return Err(ClusterError::Stuck(self.options.dir.clone()));
            }
            sleep(POLL);
        }
    }

    fn stop(&self) -> Result<(), ClusterError> {
        let tools = Tools::find(&self.options.dir, self.major())?;
        tools.run("pg_ctl", |command| command.arg("-D").arg(&self.data).args(["-m", "fast", "-w", "-s", "stop"]))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.options.keep_running {
            return;
        }
        let Ok(turn) = lock_file(&self.options.dir, "lock") else { return };
        if turn.lock().is_ok()
            && self.users.unlock().is_ok()
            && self.users.try_lock().is_ok()
            && let Err(error) = self.stop()
        {
            tracing::warn!(%error, "the private PostgreSQL could not be stopped");
        }
    }
}

/// A path as a word of a shell command.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-".contains(character);
    if text.chars().all(is_plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// PostgreSQL's programs and the account to run them as.
struct Tools {
    dir: PathBuf,
    programs: Programs,
    account: Account,
}

impl Tools {
    fn find(dir: &Path, major: Option<u32>) -> Result<Tools, ClusterError> {
        let programs = Programs::find(dir, major)?;
        let account = Account::choose(dir, &programs.folder)?;
        Ok(Tools { dir: dir.to_owned(), programs, account })
    }

    fn run(&self, program: &'static str, arguments: impl FnOnce(&mut Command) -> &mut Command) -> Result<(), ClusterError> {
        let path = self.programs.folder.join(program);
        let errors = self.dir.join("tool.log");
        let mut command = Command::new(&path);
        command.stdin(Stdio::null());
        arguments(&mut command);
        command.current_dir(&self.dir).env("LC_ALL", "C");
        for variable in ["PGDATA", "PGHOST", "PGPORT", "PGOPTIONS"] {
            command.env_remove(variable);
        }
        // The server inherits file descriptors: no terminal and no pipe of ours. It has its own
        // process group, because a second Ctrl-C must not interrupt pg_ctl.
        command.stdout(Stdio::null()).stderr(File::create(&errors).at(&errors)?).process_group(0);
        self.account.apply(&mut command);
        let status = command.status().at(&path)?;
        if status.success() {
            return Ok(());
        }
        let detail = fs::read_to_string(&errors).unwrap_or_default();
        Err(ClusterError::Program { program, detail: format!("{status}: {}", last_lines(&detail)) })
    }
}

/// Whether the process is the server of this data folder; a zombie is not.
#[cfg(target_os = "linux")]
fn is_server(pid: u32, data: &Path) -> bool {
    match fs::read_link(format!("/proc/{pid}/cwd")) {
        Ok(folder) => folder == data,
        // A container's root may be denied details of other users' processes, but not their names:
        // "pid (name) state ...".
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => fs::read_to_string(format!("/proc/{pid}/stat"))
            .ok()
            .and_then(|stat| stat.rsplit_once(") ").map(|(name, state)| name.ends_with("(postgres") && !state.starts_with('Z')))
            .unwrap_or(false),
        Err(_) => false,
    }
}

#[cfg(not(target_os = "linux"))]
fn is_server(pid: u32, data: &Path) -> bool {
    let Ok(output) = Command::new("ps").args(["-o", "stat=,command=", "-p", &pid.to_string()]).output() else { return false };
    let line = String::from_utf8_lossy(&output.stdout);
    !line.trim_start().starts_with('Z') && line.contains(&*data.to_string_lossy())
}

fn lock_file(dir: &Path, name: &str) -> Result<File, ClusterError> {
    let path = dir.join(name);
    OpenOptions::new().create(true).truncate(false).write(true).open(&path).at(&path)
}

/// The cluster's own folder, or a private one under `/tmp` if its path is too long for a socket
/// (103 bytes on macOS, 107 on Linux) or contains a character that PostgreSQL's list of folders
/// can't.
fn socket_dir(dir: &Path, data: &Path) -> Result<PathBuf, ClusterError> {
    if dir.as_os_str().len() <= 80 && !dir.to_string_lossy().contains(['"', ',', '\n', '\\', char::REPLACEMENT_CHARACTER]) {
        return Ok(dir.to_owned());
    }
    // FNV-1a: stable between builds and versions, unlike the standard library's hasher.
    let hash = dir
        .as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    let us = account::effective_user();
    let short = PathBuf::from(format!("/tmp/apex-billing-{us}-{hash:016x}"));
    match fs::create_dir(&short) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error).at(&short),
        _ => {}
    }
    let found = fs::symlink_metadata(&short).at(&short)?;
    let server = fs::metadata(data).map_or(us, |data| data.uid());
    if !found.is_dir() || (found.uid() != us && found.uid() != server) {
        return Err(ClusterError::NotOurs(short));
    }
    fs::set_permissions(&short, Permissions::from_mode(0o700)).at(&short)?;
    Ok(short)
}

fn log_since(log: &Path, from: u64) -> String {
    let text = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text[usize::try_from(from).unwrap_or(0).min(text.len())..]).into_owned()
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}
