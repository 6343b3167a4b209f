//! `apex-billing audit`.

use super::session::{Schema, Session};
use crate::service::{
    Platform,
    audit::{self, Broken},
};
use anyhow::bail;
use clap::Subcommand;
use std::io::IsTerminal;

/// Seals between two progress updates on a terminal.
const SHOWN_EVERY: u64 = 100;

/// The audit log
#[derive(Subcommand)]
#[command(after_help = "Examples:\n  apex-billing audit verify\n  apex-billing audit verify --json | jq -r .head")]
pub enum Audit {
    /// Verify that no entry was changed, removed or inserted; otherwise fail and report where
    #[command(
        after_help = "Reads the whole audit log. Store the printed head outside the database: with --expect-head, a later run also detects\nthat entries were removed from the end.\n\nExample:\n  apex-billing audit verify --expect-head 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
    )]
    Verify {
        /// The head that an earlier run printed
        #[arg(long)]
        expect_head: Option<String>,
        #[arg(long)]
        json: bool,
    },
}

impl Audit {
    pub async fn run(self) -> anyhow::Result<()> {
        Session::run(Schema::Unchanged, async |platform| self.on(platform).await).await
    }

    async fn on(self, platform: &Platform) -> anyhow::Result<()> {
        let Audit::Verify { expect_head, json } = self;
        let shown = std::io::stderr().is_terminal();
        let proof = audit::verify(platform, expect_head.as_deref(), |seals| {
            if shown && seals % SHOWN_EVERY == 0 {
                eprintln!("{seals} seals");
            }
        })
        .await?;
        if json {
            println!("{}", serde_json::to_string_pretty(&proof)?);
        } else {
            for Broken { seal, after_id, last_id, reason } in &proof.broken {
                println!("seal {seal}, entries above {after_id} up to {last_id}: {reason}");
            }
            println!("{} entries in {} seals, {} not sealed yet", proof.rows, proof.seals, proof.unsealed);
            if let Some(head) = &proof.head {
                println!("head {head}");
            }
        }
        if !proof.intact {
            bail!("the audit log was tampered with");
        }
        Ok(())
    }
}
