//! A durable PostgreSQL of the test's own, to be killed.

use super::senders::wait_until;
use apex_billing::private_postgres::{Cluster, Options};
use rand::{RngExt, rngs::StdRng};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const NAME: &str = "apex-faults-postgres";

pub struct Postgres {
    dir: PathBuf,
    url: String,
}

struct Process {
    pid: i32,
    parent: i32,
    command: String,
}

impl Postgres {
    pub fn start() -> Postgres {
        sweep();
        let dir = std::env::temp_dir().join(format!("{NAME}-{}-{}", std::process::id(), uuid::Uuid::new_v4().simple()));
        let mut postgres = Postgres { dir, url: String::new() };
        postgres.url = postgres.start_again().url("app");
        postgres
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts it if it does not run. It keeps running when the handle is dropped.
    pub fn start_again(&self) -> Cluster {
        Cluster::start(Options { dir: self.dir.clone(), durable: true, keep_running: true }).unwrap()
    }

    /// Kills the server and all its processes. Returns when they have ended.
    pub fn kill(&self) {
        let killed = kill(&self.dir);
        wait_until("PostgreSQL is gone", || !processes().iter().any(|process| killed.contains(&process.pid)));
    }

    /// Kills one backend, if any; the server then ends all others, and recovers by itself.
    pub fn kill_a_backend(&self, rng: &mut StdRng) {
        let Some((_, children)) = server(&self.dir) else { return };
        let backends: Vec<i32> =
            children.iter().filter(|child| child.command.starts_with("postgres: app app")).map(|child| child.pid).collect();
        if !backends.is_empty() {
            send_kill(backends[rng.random_range(0..backends.len())]);
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        kill(&self.dir);
        fs::remove_dir_all(&self.dir).ok();
    }
}

/// Cleans up after a killed test.
fn sweep() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(NAME).and_then(|rest| rest.split('-').nth(1)?.parse::<i32>().ok());
        if owner.is_some_and(|owner| !processes().iter().any(|process| process.pid == owner)) {
            kill(&entry.path());
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

/// Kills the server first, because it would restart its processes.
fn kill(dir: &Path) -> Vec<i32> {
    let Some((server, children)) = server(dir) else { return Vec::new() };
    let killed: Vec<i32> = [server].into_iter().chain(children.iter().map(|child| child.pid)).collect();
    killed.iter().for_each(|pid| send_kill(*pid));
    killed
}

/// The server of this folder and its children, only by the folder's own files, and only if they are
/// current.
fn server(dir: &Path) -> Option<(i32, Vec<Process>)> {
    let data = dir.join("data");
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    let all = processes();
    all.iter().find(|process| process.pid == pid && process.command.contains(&*data.to_string_lossy()))?;
    Some((pid, all.into_iter().filter(|process| process.parent == pid).collect()))
}

/// Without zombies.
fn processes() -> Vec<Process> {
    let output = Command::new("ps").args(["-axww", "-o", "pid=,ppid=,stat=,command="]).output().expect("the program `ps` runs").stdout;
    let read = |line: &str| {
        let (pid, rest) = line.trim_start().split_once(' ')?;
        let (parent, rest) = rest.trim_start().split_once(' ')?;
        let (state, command) = rest.trim_start().split_once(' ')?;
        let process = Process { pid: pid.parse().ok()?, parent: parent.parse().ok()?, command: command.trim().to_owned() };
        (!state.starts_with('Z')).then_some(process)
    };
    String::from_utf8_lossy(&output).lines().filter_map(read).collect()
}

fn send_kill(pid: i32) {
    assert!(pid > 1);
    // SAFETY: sends a signal; the process may have ended.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}
