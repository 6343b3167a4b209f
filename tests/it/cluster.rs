//! The private PostgreSQL: created, shared, stopped with its last user, and recovered after every
//! kind of crash.

use crate::{
    faults::senders::wait_until,
    support::program::{Running, Workplace},
};
use apex_billing::private_postgres::{Cluster, Options};
use sqlx::{Connection, PgConnection};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A folder for one cluster. A failed test leaves it for inspection.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let path = parent.join(format!("apex-cluster-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Folder(path)
    }

    fn start(&self) -> Cluster {
        Cluster::start(Options { dir: self.0.clone(), durable: false, keep_running: false }).unwrap()
    }

    fn pid_file(&self) -> PathBuf {
        self.0.join("data/postmaster.pid")
    }

    fn pid(&self) -> String {
        fs::read_to_string(self.pid_file()).unwrap().lines().next().unwrap().to_owned()
    }

    fn remove(self) {
        assert!(!self.pid_file().exists(), "the server still runs");
        fs::remove_dir_all(&self.0).unwrap();
    }
}

async fn answers(cluster: &Cluster) -> String {
    let mut connection = PgConnection::connect(&cluster.url("app")).await.unwrap();
    let database = sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    database
}

fn kill(pid: &str) {
    assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
    let deadline = Instant::now() + Duration::from_secs(10);
    while is_running(pid) {
        assert!(Instant::now() < deadline, "process {pid} survives SIGKILL");
        std::thread::yield_now();
    }
}

/// An unreaped zombie doesn't run.
fn is_running(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap().stdout;
    !state.is_empty() && state[0] != b'Z'
}

#[tokio::test]
async fn the_first_handle_starts_it_and_the_last_stops_it() {
    let folder = Folder::new("share");
    let first = folder.start();
    assert!(first.started());
    assert_eq!(answers(&first).await, "app");
    let second = folder.start();
    assert!(!second.started());
    drop(first);
    assert_eq!(answers(&second).await, "app");
    drop(second);
    assert!(!folder.pid_file().exists());
    let again = folder.start();
    assert!(again.started());
    drop(again);
    folder.remove();
}

#[tokio::test]
async fn it_keeps_running_if_requested() {
    let folder = Folder::new("keep");
    drop(Cluster::start(Options { dir: folder.0.clone(), durable: false, keep_running: true }).unwrap());
    let next = folder.start();
    assert!(!next.started());
    drop(next);
    folder.remove();
}

#[tokio::test]
async fn it_starts_again_after_the_server_was_killed() {
    let folder = Folder::new("kill");
    let durable = || Cluster::start(Options { dir: folder.0.clone(), durable: true, keep_running: false }).unwrap();
    let cluster = durable();
    let mut connection = PgConnection::connect(&cluster.url("app")).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 7 AS number").execute(&mut connection).await.unwrap();
    kill(&folder.pid());
    let again = durable();
    assert!(again.started());
    let mut connection = PgConnection::connect(&again.url("app")).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i32>("SELECT number FROM kept").fetch_one(&mut connection).await.unwrap(), 7);
    connection.close().await.unwrap();
    drop(cluster);
    assert_eq!(answers(&again).await, "app");
    drop(again);
    folder.remove();
}

#[tokio::test]
async fn a_handle_restarts_a_killed_server() {
    let folder = Folder::new("revive");
    let cluster = folder.start();
    assert!(!cluster.revive().unwrap());
    let first = folder.pid();
    kill(&first);
    assert!(cluster.revive().unwrap());
    assert_ne!(folder.pid(), first);
    assert_eq!(answers(&cluster).await, "app");
    assert!(!cluster.revive().unwrap());
    drop(cluster);
    folder.remove();
}

#[test]
fn a_missing_database_is_not_recreated() {
    let folder = Folder::new("gone");
    let cluster = folder.start();
    kill(&folder.pid());
    fs::remove_dir_all(folder.0.join("data")).unwrap();
    let error = cluster.revive().unwrap_err().to_string();
    assert!(error.contains("is missing") && !error.contains('\n') && !folder.0.join("data").exists(), "{error}");
    drop(cluster);
    folder.remove();
}

#[test]
fn a_server_survives_a_killed_postgresql() {
    let place = Workplace::new();
    let log = place.0.join("log");
    let mut command = place.command(&["serve"]);
    command.env("STRIPE_WEBHOOK_SECRET", "whsec_x").env("LOG_FORMAT", "json").stderr(fs::File::create(&log).unwrap());
    let mut server = Running::start(&mut command);
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    let pid_file = place.0.join(".data/pg/data/postmaster.pid");
    let pid = || fs::read_to_string(&pid_file).ok().and_then(|text| text.lines().next().map(str::to_owned));
    let first = pid().unwrap();
    kill(&first);
    wait_until("another PostgreSQL serves", || pid().is_some_and(|pid| pid != first) && server.get("/readyz").starts_with("HTTP/1.1 200"));
    assert!(fs::read_to_string(&log).unwrap().contains("private PostgreSQL died and was restarted"));
    assert_eq!(server.signal(libc::SIGINT), Some(0));
    assert!(!pid_file.exists(), "it is stopped with its last user");
}

#[tokio::test]
async fn a_stale_pid_file_does_not_stop_it() {
    let folder = Folder::new("stale");
    drop(folder.start());
    // As after a reboot: the pid belongs to another process now.
    fs::write(
        folder.pid_file(),
        format!("{}\n{}\n1700000000\n5432\n\n\n\nready   \n", std::process::id(), folder.0.join("data").display()),
    )
    .unwrap();
    let cluster = folder.start();
    assert!(cluster.started());
    assert_eq!(answers(&cluster).await, "app");
    drop(cluster);
    folder.remove();
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_works() {
    let folder = Folder::new(&"long-".repeat(20));
    let cluster = folder.start();
    assert_eq!(answers(&cluster).await, "app");
    let socket_dir = PathBuf::from(cluster.url("app").split_once("?host=").unwrap().1);
    assert!(!socket_dir.starts_with(&folder.0));
    drop(cluster);
    fs::remove_dir_all(socket_dir).unwrap();
    folder.remove();
}

#[test]
fn a_missing_postgresql_version_is_one_sentence() {
    let folder = Folder::new("major");
    fs::create_dir_all(folder.0.join("data")).unwrap();
    fs::write(folder.0.join("data/PG_VERSION"), "9\n").unwrap();
    let error = Cluster::start(Options { dir: folder.0.clone(), durable: true, keep_running: false }).unwrap_err().to_string();
    assert!(error.contains("PostgreSQL 9") && !error.contains('\n'), "{error}");
    folder.remove();
}
