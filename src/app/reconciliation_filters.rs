//! URLs of the reconciliation pages.

use super::local_path::percent_encode;
use crate::app::local_path::RECONCILIATION;

/// URL of a run's page: its discrepancies of one kind or of all, by page.
pub fn run_href(id: &str, kind: Option<&str>, page: u64) -> String {
    let kind = kind.map(|kind| format!("kind={}", percent_encode(kind)));
    let page = (page > 1).then(|| format!("page={page}"));
    let query: Vec<String> = [kind, page].into_iter().flatten().collect();
    // Encoded as one path segment.
    let at = format!("{RECONCILIATION}/{}", percent_encode(id).replace('/', "%2F"));
    if query.is_empty() { at } else { format!("{at}?{}", query.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_has_the_filter_and_the_page() {
        assert_eq!(run_href("a/b", None, 1), "/admin/reconciliation/a%2Fb");
        assert_eq!(run_href("a", Some("amount"), 2), "/admin/reconciliation/a?kind=amount&page=2");
    }
}
