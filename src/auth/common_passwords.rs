//! Common passwords, and those derived from the account or the product.
//!
//! The list is built in, so that no part of a password leaves the machine.

use super::error::{CredentialError, Result};
use crate::domain::field_error::Fault;
use std::{collections::HashSet, sync::LazyLock};

static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords/list.txt").lines().collect());

/// Words that attackers of this platform would try.
const OF_THIS_PLATFORM: &[&str] = &["apexmediation", "apex-billing", "apex", "mediation", "billing", "stripe"];

/// Minimum length of a password without the account's words.
const MIN_OWN_CHARS: usize = 6;

/// Rejects a password that is on the list in any case, or consists mostly of the account's address
/// or the platform's names.
pub fn refuse(password: &str, email: &str) -> Result<()> {
    let lower = password.to_lowercase();
    if COMMON.contains(lower.as_str()) {
        let detail = "is one of the most common passwords; choose another".into();
        return Err(CredentialError::Refused { detail, fault: Fault::CommonPassword });
    }
    let email = email.to_lowercase();
    let (name, host) = email.split_once('@').unwrap_or((email.as_str(), ""));
    let words = [email.as_str(), host, name].into_iter().chain(OF_THIS_PLATFORM.iter().copied()).filter(|word| word.len() >= 4);
    let own = words.fold(lower, |left, word| left.replace(word, ""));
    if own.chars().filter(|c| c.is_alphanumeric()).count() < MIN_OWN_CHARS && own.len() < password.len() {
        let detail = "is too close to the e-mail address or to the name of this platform; choose another".into();
        return Err(CredentialError::Refused { detail, fault: Fault::ObviousPassword });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::password::MIN_CHARS;

    #[test]
    fn the_list_has_asvs_3000_passwords_of_valid_length() {
        assert!(COMMON.len() >= 3000);
        assert!(COMMON.iter().all(|password| password.chars().count() >= MIN_CHARS && *password == password.to_lowercase()));
    }

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        for password in ["password", "PassWord", "12345678", "qwertyuiop", "iloveyou"] {
            assert!(matches!(refuse(password, "ops@people.example"), Err(CredentialError::Refused { .. })), "{password}");
        }
    }

    #[test]
    fn account_and_platform_words_are_refused() {
        for password in ["ops@people.example", "people.example1", "ApexMediation2026", "billing-billing", "finance-finance!"] {
            assert!(refuse(password, "finance@people.example").is_err() || refuse(password, "ops@people.example").is_err(), "{password}");
        }
        for password in [
            "correct horse battery",
            "a long password",
            "6f1c02d9a7b3e548",
            "\u{5bc6}\u{7801}\u{662f}\u{5f88}\u{957f}\u{7684}\u{4e00}\u{53e5}",
        ] {
            assert!(refuse(password, "finance@people.example").is_ok(), "{password}");
        }
    }
}
