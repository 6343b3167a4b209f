//! What `serve --demo` prints: how to get in, and what to try.

use super::{Access, stripe};
use std::fmt;

/// Everything that a person at the terminal needs.
pub struct FirstRun<'a> {
    pub access: &'a Access,
    /// A command that opens the database.
    pub psql: &'a str,
    pub stripe: Option<&'a stripe::DemoStripe>,
}

impl fmt::Display for FirstRun<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.access.url();
        write!(f, "{}", self.access)?;
        writeln!(f, "  database         {}", self.psql)?;
        let Some(stripe) = self.stripe else { return Ok(()) };
        let base = stripe.base_url();
        writeln!(f, "  Stripe stand-in  {base}  key {}", stripe::KEY)?;
        writeln!(f, "\n  What to try\n")?;
        writeln!(f, "  1. As admin, press \"Compare now\": what differs between this platform and Stripe.")?;
        writeln!(f, "     {url}/admin/reconciliation")?;
        writeln!(f, "  2. Press \"Repair all\", then compare again: nothing differs.")?;
        if let Some(invoice) = stripe.payable_invoice() {
            writeln!(f, "  3. Pay an open invoice at Stripe, and see its webhooks arrive.")?;
            writeln!(f, "     curl -u {}: -X POST {base}v1/invoices/{invoice}/pay", stripe::KEY)?;
            writeln!(f, "     {url}/admin/webhooks")?;
        }
        writeln!(f, "  4. As publisher, press \"Payment details at Stripe\": the customer portal.")?;
        writeln!(f, "     {url}/billing/invoices")
    }
}
