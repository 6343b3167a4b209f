//! The program itself, in a working directory of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
