use super::{Field, Filter, Listed, address, paging_fields};
use crate::{
    app::local_path::{RECONCILIATION, percent_encode},
    domain::list::{DiscrepancyFilter, EveryRun, ListQuery},
};

impl Listed for EveryRun {
    const PATH: &'static str = RECONCILIATION;
}

impl Filter for EveryRun {
    fn fields(&self) -> Vec<Field> {
        Vec::new()
    }
}

impl Filter for DiscrepancyFilter {
    fn fields(&self) -> Vec<Field> {
        vec![Field::of("kind", &self.kind)]
    }
}

/// URL of a run's page, with its discrepancies filtered and paged.
pub fn run_href(id: &str, query: &ListQuery<DiscrepancyFilter>) -> String {
    // The id stays one segment of the path.
    let path = format!("{RECONCILIATION}/{}", percent_encode(id).replace('/', "%2F"));
    address(&path, query.filter.fields().into_iter().chain(paging_fields(&query.paging)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{list::Parameter, reconcile::Kind};

    #[test]
    fn the_address_holds_the_filter_and_the_page() {
        assert_eq!(run_href("a/b", &ListQuery::default()), "/admin/reconciliation/a%2Fb");
        let amounts = ListQuery::from(DiscrepancyFilter { kind: Parameter::Given(Kind::Amount) });
        assert_eq!(run_href("a", &amounts.on_page(2)), "/admin/reconciliation/a?kind=amount&page=2");
    }
}
