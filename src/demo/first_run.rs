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
        writeln!(f, "  1. As admin, reconcile with Stripe: some objects differ.")?;
        writeln!(f, "     {url}/admin/reconciliation")?;
        writeln!(f, "  2. Repair all of them, and reconcile again: nothing differs.")?;
        writeln!(f, "  3. As publisher, open the customer portal: \"Manage payment method\".")?;
        writeln!(f, "     {url}/billing/invoices")?;
        if let Some(invoice) = stripe.payable_invoice() {
            writeln!(f, "  4. Pay an open invoice at Stripe, and see its events arrive.")?;
            writeln!(f, "     curl -u {}: -X POST {base}v1/invoices/{invoice}/pay", stripe::KEY)?;
            writeln!(f, "     {url}/admin/webhooks")?;
        }
        Ok(())
    }
}
