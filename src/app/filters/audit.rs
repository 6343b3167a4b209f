use super::{Field, Filter, Listed, href};
use crate::{
    app::local_path::AUDIT,
    domain::{
        identity::CustomerId,
        list::{AuditFilter, ListQuery, Parameter, TimeBound},
    },
};

impl Listed for AuditFilter {
    const PATH: &'static str = AUDIT;
}

impl Filter for AuditFilter {
    fn fields(&self) -> Vec<Field> {
        vec![
            Field::of("customer_id", &self.customer_id),
            Field::of("actor", &self.actor),
            Field::of("type", &self.event_type),
            Field::of("from", &self.from),
            Field::of("to", &self.to),
            Field::of("q", &self.q),
        ]
    }

    fn span(&self) -> Option<(&Parameter<TimeBound>, &Parameter<TimeBound>)> {
        Some((&self.from, &self.to))
    }
}

/// URL of the audit log of one customer.
pub fn audit_of(customer: CustomerId) -> String {
    href(&ListQuery::from(AuditFilter { customer_id: Parameter::Given(customer), ..AuditFilter::default() }))
}
