//! Access to the demo: logins, API key, webhook secret. Generated once and stored, so that a second
//! run prints the same.

use super::{ADMIN, PUBLISHER, READONLY};
use crate::{
    auth::api_key,
    config::{Config, Secret, data_dir},
};
use anyhow::Context;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::{fmt, fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// The demo's secrets.
#[derive(Debug)]
pub struct Access {
    /// For all three logins.
    pub password: Secret,
    pub webhook_secret: Secret,
    /// For the first customer.
    pub api_key: Secret,
    url: String,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    password: String,
    webhook_secret: String,
    api_key: String,
}

impl Access {
    /// Reads the stored secrets, or generates them. `DEMO_PASSWORD` and `STRIPE_WEBHOOK_SECRET`
    /// take precedence; without a webhook secret, the generated one is used.
    pub fn remembered(config: &mut Config) -> anyhow::Result<Access> {
        let file = data_dir().join("demo.json");
        let kept = read_or_make(&file).with_context(|| format!("{} can't be read or written", file.display()))?;
        if config.stripe_webhook_secrets.is_empty() {
            config.stripe_webhook_secrets.push(Secret(kept.webhook_secret));
        }
        Ok(Access {
            password: config.demo_password.clone().unwrap_or(Secret(kept.password)),
            webhook_secret: config.stripe_webhook_secrets.first().cloned().context("no webhook secret")?,
            api_key: Secret(kept.api_key),
            url: config.public_url.origin().to_owned(),
        })
    }

    /// Generated and not stored.
    pub fn made_up(webhook_secret: Secret) -> Access {
        Access { password: Secret(random(8)), webhook_secret, api_key: Secret(api_key::generate()), url: String::new() }
    }

    /// Where the console is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// For scripts: `apex-billing demo --json`.
    pub fn to_json(&self) -> serde_json::Value {
        let login = |email: &str, role: &str| serde_json::json!({"email": email, "role": role, "password": self.password.0});
        serde_json::json!({
            "url": self.url,
            "logins": [login(ADMIN, "admin"), login(PUBLISHER, "publisher"), login(READONLY, "readonly")],
            "password": self.password.0,
            "api_key": self.api_key.0,
            "webhook_secret": self.webhook_secret.0,
        })
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  sign in at       {}/login", self.url)?;
        for (email, role) in [(ADMIN, "admin"), (PUBLISHER, "publisher"), (READONLY, "readonly")] {
            writeln!(f, "  {role:<15}  {email:<19}  {}", self.password.0)?;
        }
        writeln!(f, "  API key          {}", self.api_key.0)?;
        writeln!(f, "  webhook secret   {}", self.webhook_secret.0)
    }
}

fn read_or_make(file: &Path) -> anyhow::Result<Remembered> {
    if let Ok(text) = fs::read_to_string(file) {
        return Ok(serde_json::from_str(&text)?);
    }
    let made = Remembered { password: random(8), webhook_secret: format!("whsec_{}", random(24)), api_key: api_key::generate() };
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir)?;
    }
    // Written atomically, and only readable by the owner.
    let draft = file.with_extension("new");
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?
        .write_all(serde_json::to_string_pretty(&made)?.as_bytes())?;
    fs::rename(&draft, file)?;
    Ok(made)
}

fn random(bytes: usize) -> String {
    let mut secret = vec![0u8; bytes];
    rand::rng().fill_bytes(&mut secret);
    hex::encode(secret)
}
