//! E-mail addresses that can only be built valid.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Longest address: RFC 5321, section 4.5.3.1.3 leaves 254 characters between the angle brackets.
pub const MAX_CHARS: usize = 254;

/// An unquoted address of RFC 5321: a dot-atom of ASCII, and a domain of at least two labels. It
/// can't contain characters that would break out of a mail header.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(value_type = String, example = "billing@example.com")]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EmailAddress {
    type Err = String;

    /// Lower case: no mail system in use distinguishes case.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let text = s.trim();
        let valid = text.len() <= MAX_CHARS && text.split_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain));
        if valid {
            Ok(EmailAddress(text.to_ascii_lowercase()))
        } else {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
            Err(format!("`{shown}` is not an e-mail address such as billing@example.com"))
        }
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = String;

    fn try_from(s: String) -> Result<Self, Self::Error> {
        s.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.0
    }
}

fn is_local(local: &str) -> bool {
    let atom = |atom: &str| !atom.is_empty() && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b));
    local.len() <= 64 && local.split('.').all(atom)
}

fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(label) && !domain.ends_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn invalid_addresses_are_rejected() {
        for good in ["a@b.example", "Billing.Team+apex@Lumen-Games.example", "o'neill@x.co.uk"] {
            assert_eq!(good.parse::<EmailAddress>().unwrap().as_str(), good.to_ascii_lowercase());
        }
        let long = format!("{}@b.example", "x".repeat(65));
        for bad in [
            "",
            "a",
            "@b.example",
            "a@",
            "a@b",
            "a@b..example",
            "a@-b.example",
            "a b@c.example",
            "a@b.example, c@d.example",
            "a@b@c.example",
            ".a@b.example",
            "a@b.example\r\nBcc: c@d.example",
            "a@127.0.0.1",
            "ä@b.example",
            "<a@b.example>",
            &long,
        ] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_input_adds_line_breaks_or_brackets(text in any::<String>()) {
            if let Ok(address) = text.parse::<EmailAddress>() {
                prop_assert!(address.as_str().is_ascii() && !address.as_str().contains(['\r', '\n', '<', '>', ',', ' ']));
            }
        }
    }
}
