//! Links to Stripe's dashboard.

/// URL of the object's page; None if the dashboard has none for this kind of id. `is_live`: the
/// mode, if it is known.
pub fn dashboard_href(id: &str, is_live: Option<bool>) -> Option<String> {
    let (prefix, rest) = id.split_once('_')?;
    let is_id = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let section = match prefix {
        "cus" => "customers",
        "in" => "invoices",
        "sub" => "subscriptions",
        "ch" | "pi" | "py" => "payments",
        _ => return None,
    };
    let mode = if is_live == Some(false) { "test/" } else { "" };
    is_id.then(|| format!("https://dashboard.stripe.com/{mode}{section}/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_ids_have_a_page() {
        assert_eq!(dashboard_href("in_1", Some(true)).unwrap(), "https://dashboard.stripe.com/invoices/in_1");
        assert_eq!(dashboard_href("cus_a_b", Some(false)).unwrap(), "https://dashboard.stripe.com/test/customers/cus_a_b");
        for other in ["", "in_", "in", "meter_1", "in_a/b", "in_a?b", "cus_ä"] {
            assert_eq!(dashboard_href(other, None), None, "{other}");
        }
    }
}
