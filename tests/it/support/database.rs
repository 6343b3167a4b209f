//! One database per test: a copy of a migrated template, because copying files is faster than
//! migrating.
//!
//! The cluster is not durable, lives in memory if possible, and keeps running between runs; every
//! test is a process that attaches to it. `TEST_DATABASE_URL` names a server to use instead, with a
//! role that may create databases.

use apex_billing::{
    private_postgres::{Cluster, Options},
    store::postgres::{MIGRATIONS, migrate},
};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Advisory lock for creating templates and dropping old databases.
const HOUSEKEEPING: i64 = 0x6170_6578_7465_7374;
/// Other branches have other migrations, and use the same cluster.
const TEMPLATES_KEPT: i64 = 12;

/// The test's own database, with the whole schema and no rows. Dropped when the test passes; that
/// of a failed test stays until the next run.
pub struct TestDatabase {
    pub pool: PgPool,
    pub url: String,
    name: String,
    /// The owner drops it.
    owned: bool,
}

impl TestDatabase {
    /// The same database for another user that is dropped earlier.
    pub fn shared(&self) -> TestDatabase {
        TestDatabase { pool: self.pool.clone(), url: self.url.clone(), name: self.name.clone(), owned: false }
    }

    pub async fn new() -> TestDatabase {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let template = template_name();
        let mut admin = PgConnection::connect_with(server()).await.expect("the test server takes connections");
        sweep(&mut admin).await;
        // Of an earlier process with the same id, not yet dropped.
        run(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        let copy = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY");
        if run(&mut admin, copy.clone()).await.is_err() {
            make_template(&mut admin, &template).await;
            run(&mut admin, copy).await.expect("the template can be copied");
        }
        admin.close().await.unwrap();
        let options = server().clone().database(&name);
        let url = options.to_url_lossy().to_string();
        let pool = PgPoolOptions::new().max_connections(5).connect_with(options).await.expect("the new database takes connections");
        TestDatabase { pool, url, name, owned: true }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if std::thread::panicking() || !self.owned {
            return;
        }
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // The test's own runtime can't be blocked from within.
        let dropping = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut admin = PgConnection::connect_with(server()).await.unwrap();
                run(&mut admin, statement).await.unwrap();
                admin.close().await.unwrap();
            });
        });
        dropping.join().expect("the test's database can be dropped");
    }
}

/// `TEST_DATABASE_URL`, or our own cluster.
fn server() -> &'static PgConnectOptions {
    static SERVER: OnceLock<PgConnectOptions> = OnceLock::new();
    SERVER.get_or_init(|| {
        let url = std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| {
            let cluster =
                Cluster::start(Options { dir: cluster_dir(), durable: false, keep_running: true }).expect("the test cluster starts");
            cluster.url("app")
        });
        PgConnectOptions::from_str(&url).expect("TEST_DATABASE_URL is an address of PostgreSQL").disable_statement_logging()
    })
}

/// In memory, unless less than a gigabyte is free.
fn cluster_dir() -> PathBuf {
    fast_dir("apex-billing-tests", "data").unwrap_or_else(|| {
        // Cargo names it for integration tests only.
        option_env!("CARGO_TARGET_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from).join("apex-billing-postgres")
    })
}

/// This user's folder in memory, unless `part` of it is missing and less than a gigabyte is free.
pub(super) fn fast_dir(name: &str, part: &str) -> Option<PathBuf> {
    let memory = Path::new("/dev/shm");
    let dir = memory.join(format!("{name}-{}", user()));
    (dir.join(part).exists() || free_kilobytes(memory).is_some_and(|free| free > 1_000_000)).then_some(dir)
}

fn user() -> String {
    let output = Command::new("id").arg("-u").output().expect("the program `id` runs").stdout;
    String::from_utf8_lossy(&output).trim().to_owned()
}

fn free_kilobytes(folder: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(folder).output().ok().filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout).lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn template_name() -> String {
    // FNV-1a over the checksums.
    let hash = MIGRATIONS
        .iter()
        .flat_map(|migration| migration.checksum.iter())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    format!("template_{hash:016x}")
}

/// Under a lock, because every test of a run may be the first.
async fn make_template(admin: &mut PgConnection, template: &str) {
    sqlx::query("SELECT pg_advisory_lock($1)").bind(HOUSEKEEPING).execute(&mut *admin).await.unwrap();
    let made: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)")
        .bind(template)
        .fetch_one(&mut *admin)
        .await
        .unwrap();
    if !made {
        // Remains of an interrupted attempt.
        run(admin, format!("DROP DATABASE IF EXISTS {template} WITH (FORCE)")).await.unwrap();
        run(admin, format!("CREATE DATABASE {template}")).await.unwrap();
        let pool = PgPoolOptions::new().max_connections(1).connect_with(server().clone().database(template)).await.unwrap();
        migrate(&pool).await.expect("the migrations apply to an empty database");
        pool.close().await;
        run(admin, format!("ALTER DATABASE {template} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")).await.unwrap();
        drop_old_templates(admin).await;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(HOUSEKEEPING).execute(&mut *admin).await.unwrap();
}

async fn drop_old_templates(admin: &mut PgConnection) {
    let old: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname ~ '^template_[0-9a-f]{16}$' ORDER BY oid DESC OFFSET $1")
            .bind(TEMPLATES_KEPT)
            .fetch_all(&mut *admin)
            .await
            .unwrap();
    for template in old {
        // Fails while another run copies it; then the next run drops it.
        if run(admin, format!("ALTER DATABASE {template} WITH IS_TEMPLATE false")).await.is_ok() {
            let _ = run(admin, format!("DROP DATABASE {template}")).await;
        }
    }
}

/// Drops, once per process, the databases of ended processes: failed tests and interrupted runs.
async fn sweep(admin: &mut PgConnection) {
    static SWEPT: OnceLock<()> = OnceLock::new();
    if SWEPT.set(()).is_err() {
        return;
    }
    let names: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname ~ '^test_[0-9]+_[0-9]+$'")
        .fetch_all(&mut *admin)
        .await
        .unwrap();
    let left: Vec<String> = names.into_iter().filter(|name| name.split('_').nth(1).is_some_and(|owner| !is_running(owner))).collect();
    if left.is_empty() {
        return;
    }
    let ours: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(HOUSEKEEPING).fetch_one(&mut *admin).await.unwrap();
    if ours {
        for name in left {
            run(admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        }
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(HOUSEKEEPING).execute(&mut *admin).await.unwrap();
    }
}

fn is_running(pid: &str) -> bool {
    if Path::new("/proc/self").exists() {
        return Path::new("/proc").join(pid).exists();
    }
    Command::new("ps").args(["-p", pid]).output().is_ok_and(|output| output.status.success())
}

/// Statements with a database's name take no parameters; the names are our own.
async fn run(admin: &mut PgConnection, statement: String) -> sqlx::Result<()> {
    admin.execute(AssertSqlSafe(statement)).await.map(drop)
}

mod tests {
    use super::*;

    #[tokio::test]
    async fn every_test_has_its_own_migrated_database() {
        let (one, other) = (TestDatabase::new().await, TestDatabase::new().await);
        for database in [&one, &other] {
            let applied: i64 = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations").fetch_one(&database.pool).await.unwrap();
            assert_eq!(
                usize::try_from(applied),
                Ok(MIGRATIONS.iter().filter(|migration| migration.migration_type.is_up_migration()).count())
            );
            let by_address = PgPool::connect(&database.url).await.unwrap();
            let name: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(&by_address).await.unwrap();
            assert_eq!(name, database.name);
        }
        assert_ne!(one.name, other.name);
        let name = one.name.clone();
        drop(one);
        let gone: bool = sqlx::query_scalar("SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(name)
            .fetch_one(&other.pool)
            .await
            .unwrap();
        assert!(gone);
    }
}
