use super::{Field, Filter, Listed, href};
use crate::{
    app::local_path::AUDIT,
    domain::{
        identity::CustomerId,
        list::{AuditFilter, ListQuery, Parameter},
    },
};

impl Listed for AuditFilter {
    const PATH: &'static str = AUDIT;
}

impl Filter for AuditFilter {
    fn fields(&self) -> Vec<Field> {
        vec![
            ("customer_id", self.customer_id.text()),
            ("actor", self.actor.text()),
            ("type", self.event_type.text()),
            ("from", self.from.text()),
            ("to", self.to.text()),
            ("q", self.q.text()),
        ]
    }
}

/// URL of the audit log of one customer.
pub fn audit_of(customer: CustomerId) -> String {
    href(&ListQuery::from(AuditFilter { customer_id: Parameter::Given(customer), ..AuditFilter::default() }))
}
