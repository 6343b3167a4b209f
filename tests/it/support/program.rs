//! The program, in its own working directory.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::{
        fd::{AsRawFd, FromRawFd, OwnedFd},
        unix::process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

/// An empty working directory with the settings file, deleted with the test.
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
        command.args(args);
        self.prepared(command)
    }

    /// Like systemd's socket activation: `http`, and `metrics`.
    pub fn command_with_sockets(&self, args: &[&str], sockets: [&OwnedFd; 2]) -> Command {
        // LISTEN_PID is the program's own id, which is the shell's.
        let mut command = Command::new("sh");
        command.args(["-c", r#"LISTEN_PID=$$ exec "$@""#, "sh", env!("CARGO_BIN_EXE_apex-billing")]).args(args);
        command.envs([("LISTEN_FDS", "2"), ("LISTEN_FDNAMES", "http:metrics")]);
        // Above the target descriptors, so that none is overwritten.
        let above = sockets.map(|socket| {
            // SAFETY: duplicates a descriptor that is open.
            let fd = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 10) };
            assert!(fd >= 10);
            // SAFETY: just created, and not used elsewhere.
            unsafe { OwnedFd::from_raw_fd(fd) }
        });
        // SAFETY: dup2 may be called between fork and exec.
        unsafe {
            command.pre_exec(move || {
                for (fd, socket) in (3..).zip(&above) {
                    if libc::dup2(socket.as_raw_fd(), fd) < 0 {
                        return Err(std::io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        self.prepared(command)
    }

    /// Replaces the value of a setting of `Leptos.toml`, both as written there.
    pub fn set(&self, known: &str, other: &str) {
        let file = self.0.join("Leptos.toml");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(known), "Leptos.toml does not say {known}");
        fs::write(file, text.replace(known, other)).unwrap();
    }

    fn prepared(&self, mut command: Command) -> Command {
        command.current_dir(&self.0).stdin(Stdio::null());
        // The developer's own settings stay out of tests; the programs of PostgreSQL may be
        // anywhere.
        for name in crate::guide::settings().iter().filter(|name| *name != "APEX_PG_BIN") {
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

/// A running server, its address and its metrics address. Killed on drop.
pub struct Running {
    child: Child,
    pub address: String,
    pub metrics: String,
    printed: Arc<Printed>,
}

#[derive(Default)]
struct Printed {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

impl Running {
    pub fn start(command: &mut Command) -> Running {
        Running::try_start(command).expect("an address")
    }

    /// None: it ended before it served.
    pub fn try_start(command: &mut Command) -> Option<Running> {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut announced = |what: &str| lines.find_map(|line| line.unwrap().strip_prefix(what).map(str::to_owned));
        let addresses = announced("Metrics on http://").zip(announced("Serving http://"));
        let printed = Arc::new(Printed::default());
        let printing = printed.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                printing.lines.lock().unwrap().push(line);
                printing.grown.notify_all();
            }
        });
        let Some((metrics, address)) = addresses else {
            child.wait().unwrap();
            return None;
        };
        Some(Running { child, address, metrics: metrics.trim_end_matches("/metrics").to_owned(), printed })
    }

    /// What follows these words on a line that it prints after its addresses.
    pub fn printed(&self, what: &str) -> String {
        let found = |lines: &Vec<String>| lines.iter().find_map(|line| line.strip_prefix(what).map(str::to_owned));
        let lines = self.printed.lines.lock().unwrap();
        let waited = self.printed.grown.wait_timeout_while(lines, Duration::from_secs(20), |lines| found(lines).is_none());
        let (lines, _) = waited.unwrap();
        found(&lines).unwrap_or_else(|| panic!("no {what:?} in {lines:#?}"))
    }

    /// Everything that it has printed after its addresses.
    pub fn all_printed(&self) -> String {
        self.printed.lines.lock().unwrap().join("\n")
    }

    pub fn get(&self, path: &str) -> String {
        get(&self.address, path)
    }

    /// Sends a signal and waits for the end.
    pub fn signal(&mut self, signal: i32) -> Option<i32> {
        self.tell(signal);
        self.wait()
    }

    pub fn tell(&self, signal: i32) {
        // SAFETY: only sends a signal to a child that has not been waited for.
        unsafe { libc::kill(i32::try_from(self.child.id()).unwrap(), signal) };
    }

    /// Its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // No effect after it was waited for.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs a command to its end with this standard input.
pub fn run_with_input(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The command may end without reading.
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

pub fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
