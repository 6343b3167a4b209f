//! API keys: 256 random bits, shown once, stored as SHA-256.
//!
//! A fast hash is enough here: unlike a password, a key of this length can't be guessed.

use rand::Rng;
use sha2::{Digest, Sha256};

const PREFIX: &str = "apex_";
const SECRET_HEX_CHARS: usize = 64;
const SHOWN_CHARS: usize = PREFIX.len() + 8;

/// A new key: `apex_` and 64 hexadecimal characters.
pub fn generate() -> String {
    let mut secret = [0u8; SECRET_HEX_CHARS / 2];
    rand::rng().fill_bytes(&mut secret);
    format!("{PREFIX}{}", hex::encode(secret))
}

/// The SHA-256 of a key; None for invalid text.
pub fn hash(key: &str) -> Option<[u8; 32]> {
    let secret = key.strip_prefix(PREFIX)?;
    (secret.len() == SECRET_HEX_CHARS && secret.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Sha256::digest(key.as_bytes()).into())
}

/// The key's prefix that may be shown to identify it.
pub fn prefix(key: &str) -> &str {
    key.get(..SHOWN_CHARS).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_recognised_and_differ() {
        let (a, b) = (generate(), generate());
        assert_ne!(a, b);
        assert!(hash(&a).is_some() && hash(&a) != hash(&b));
        assert_eq!(prefix(&a).len(), 13);
        for bad in ["", "apex_", "apex_zz", &a[1..], &format!("{a}0")] {
            assert_eq!(hash(bad), None, "{bad}");
        }
    }
}
