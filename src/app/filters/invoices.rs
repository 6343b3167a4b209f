use super::{Field, Filter, Listed};
use crate::{app::local_path::INVOICES, domain::list::InvoiceFilter};

impl Listed for InvoiceFilter {
    const PATH: &'static str = INVOICES;
}

impl Filter for InvoiceFilter {
    fn fields(&self) -> Vec<Field> {
        vec![
            ("status", self.status.text()),
            ("from", self.from.text()),
            ("to", self.to.text()),
            ("q", self.q.text()),
            ("sort", self.sort.text()),
        ]
    }

    fn cleared(&self) -> InvoiceFilter {
        InvoiceFilter { sort: self.sort.clone(), ..InvoiceFilter::default() }
    }
}
