use super::{Field, Filter, Listed};
use crate::{
    app::local_path::INVOICES,
    domain::list::{InvoiceFilter, Parameter, TimeBound},
};

impl Listed for InvoiceFilter {
    const PATH: &'static str = INVOICES;
}

impl Filter for InvoiceFilter {
    fn fields(&self) -> Vec<Field> {
        vec![
            Field::of("status", &self.status),
            Field::of("from", &self.from),
            Field::of("to", &self.to),
            Field::of("q", &self.q),
            Field::of("sort", &self.sort),
        ]
    }

    fn span(&self) -> Option<(&Parameter<TimeBound>, &Parameter<TimeBound>)> {
        Some((&self.from, &self.to))
    }

    fn cleared(&self) -> InvoiceFilter {
        InvoiceFilter { sort: self.sort.clone(), ..InvoiceFilter::default() }
    }
}
