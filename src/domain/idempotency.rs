//! Idempotency keys: a request with one has its effect once, however often it is sent ("The
//! Idempotency-Key HTTP Header Field", IETF draft).

use std::fmt;

/// 1 to 255 visible ASCII characters. Quoted or bare, it is the same key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// Maximum length.
pub const MOST_CHARACTERS: usize = 255;

/// Why a header's value is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the Idempotency-Key is empty")]
    Empty,
    #[error("the Idempotency-Key is longer than {MOST_CHARACTERS} characters")]
    TooLong,
    #[error("the Idempotency-Key may hold visible ASCII characters only")]
    NotVisible,
    #[error("the Idempotency-Key begins with a quote and does not end with one, or has one inside without a backslash")]
    Quotes,
}

impl IdempotencyKey {
    /// Parses a header's value: bare, or a quoted string of structured fields (RFC 9651, 3.3.3).
    pub fn parse(value: &[u8]) -> Result<IdempotencyKey, KeyError> {
        let value = value.trim_ascii();
        let key = match value {
            [b'"', quoted @ ..] => unquoted(quoted)?,
            bare => bare.to_vec(),
        };
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        if key.len() > MOST_CHARACTERS {
            return Err(KeyError::TooLong);
        }
        if !key.iter().all(u8::is_ascii_graphic) {
            return Err(KeyError::NotVisible);
        }
        String::from_utf8(key).map(IdempotencyKey).map_err(|_| KeyError::NotVisible)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text between the quotes; `text` begins after the first.
fn unquoted(text: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut key = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    loop {
        match rest.next() {
            Some(b'"') => break,
            Some(b'\\') => match rest.next() {
                Some(escaped @ (b'"' | b'\\')) => key.push(escaped),
                _ => return Err(KeyError::Quotes),
            },
            Some(byte) => key.push(byte),
            None => return Err(KeyError::Quotes),
        }
    }
    if rest.next().is_some() { Err(KeyError::Quotes) } else { Ok(key) }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn invalid_keys_are_rejected_with_a_reason() {
        let refused = |value: &[u8]| IdempotencyKey::parse(value).unwrap_err();
        assert_eq!(refused(b""), KeyError::Empty);
        assert_eq!(refused(b"  "), KeyError::Empty);
        assert_eq!(refused(b"\"\""), KeyError::Empty);
        assert_eq!(refused(&[b'a'; 256]), KeyError::TooLong);
        assert_eq!(refused(b"two words"), KeyError::NotVisible);
        assert_eq!(refused(b"bell\x07"), KeyError::NotVisible);
        assert_eq!(refused("schlüssel".as_bytes()), KeyError::NotVisible);
        assert_eq!(refused(b"\"open"), KeyError::Quotes);
        assert_eq!(refused(b"\"a\"b"), KeyError::Quotes);
        assert_eq!(refused(b"\"a\\x\""), KeyError::Quotes);
    }

    proptest! {
        #[test]
        fn a_key_is_the_same_bare_and_quoted(key in "[!#-~][!-~]{0,254}") {
            let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
            let bare = IdempotencyKey::parse(key.as_bytes()).unwrap();
            prop_assert_eq!(bare.as_str(), key.as_str());
            prop_assert_eq!(IdempotencyKey::parse(quoted.as_bytes()), Ok(bare));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            if let Ok(key) = IdempotencyKey::parse(&bytes) {
                prop_assert!((1..=MOST_CHARACTERS).contains(&key.as_str().len()));
            }
        }
    }
}
