//! `apex-billing checklist`.

use crate::{
    checklist::{self, Options},
    config::Secret,
};
use anyhow::bail;
use clap::Args;

/// Run the deployment checklist against a running deployment; fails if an automatic check fails
#[derive(Args)]
#[command(after_help = "Boxes: [x] ticked, [ ] failed, [?] not checked for want of an option, [-] for people.

Safe on production. It sends one signed event of the type apex.checklist_ping, which is ignored and, with --database-url, removed; one usage event
of the app apex_checklist, which is corrected to 0; and asks for a reconciliation that repairs nothing. Two deliveries of each run fail their
signature on purpose, so that a third run within an hour may set off the alert for that. Billing is switched off only with --switch-billing.

Secrets are better given by the environment, where other users of the machine don't see them.

Examples:
  CHECKLIST_ADMIN_COOKIE=… CHECKLIST_MEMBER_COOKIE=… STRIPE_WEBHOOK_SECRET=… apex-billing checklist --url https://billing.example.com
  apex-billing checklist --url http://127.0.0.1:3000 --metrics-url http://127.0.0.1:9464/metrics --json")]
pub struct Checklist {
    /// The public URL
    #[arg(long)]
    url: String,
    /// Session cookie (auth_token) of an admin
    #[arg(long, env = "CHECKLIST_ADMIN_COOKIE", hide_env_values = true)]
    admin_cookie: Option<String>,
    /// Session cookie (auth_token) of a publisher or a read-only user
    #[arg(long, env = "CHECKLIST_MEMBER_COOKIE", hide_env_values = true)]
    member_cookie: Option<String>,
    /// API key of a customer of your own
    #[arg(long, env = "CHECKLIST_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Signing secret of Stripe's webhooks; of several, the first
    #[arg(long, env = "STRIPE_WEBHOOK_SECRET", hide_env_values = true)]
    webhook_secret: Option<String>,
    /// The deployment's PostgreSQL
    #[arg(long, env = "CHECKLIST_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The metrics of one server, e.g. http://127.0.0.1:9464/metrics
    #[arg(long, env = "CHECKLIST_METRICS_URL")]
    metrics_url: Option<String>,
    /// A Prometheus, e.g. http://127.0.0.1:9090
    #[arg(long, env = "CHECKLIST_PROMETHEUS_URL")]
    prometheus_url: Option<String>,
    /// Switch billing off for some seconds to check the effect
    #[arg(long)]
    switch_billing: bool,
    #[arg(long)]
    json: bool,
}

impl Checklist {
    pub async fn run(self) -> anyhow::Result<()> {
        let secret = |given: Option<String>| given.filter(|text| !text.is_empty()).map(Secret);
        let first = |list: String| list.split(',').next().unwrap_or_default().trim().to_owned();
        let options = Options {
            url: self.url,
            admin_cookie: secret(self.admin_cookie),
            member_cookie: secret(self.member_cookie),
            api_key: secret(self.api_key),
            webhook_secret: secret(self.webhook_secret.map(first)),
            database_url: secret(self.database_url),
            metrics_url: self.metrics_url,
            prometheus_url: self.prometheus_url,
            switch_billing: self.switch_billing,
        };
        let report = checklist::run(&options).await?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report.to_json())?);
        } else {
            print!("{report}");
        }
        match report.counts().failed {
            0 => Ok(()),
            1 => bail!("1 box of the checklist failed"),
            failed => bail!("{failed} boxes of the checklist failed"),
        }
    }
}
