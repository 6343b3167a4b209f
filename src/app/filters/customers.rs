use super::{Field, Filter, Listed};
use crate::{app::local_path::CUSTOMERS, domain::list::CustomerFilter};

impl Listed for CustomerFilter {
    const PATH: &'static str = CUSTOMERS;
}

impl Filter for CustomerFilter {
    fn fields(&self) -> Vec<Field> {
        vec![Field::of("q", &self.q)]
    }
}
