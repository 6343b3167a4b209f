//! `SECRETS_KEY`.

use super::ConfigError;
use data_encoding::{BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use std::fmt;

/// As the first entry, it turns encryption off.
const PLAIN: &str = "plain";

/// A 256-bit key that never appears in logs, errors or debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretsKey([u8; 32]);

impl SecretsKey {
    pub const fn new(bytes: [u8; 32]) -> SecretsKey {
        SecretsKey(bytes)
    }

    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The keys of secrets that must be readable, such as TOTP secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretsKeys {
    /// Whether the first key encrypts. False: secrets are stored unencrypted.
    pub seals: bool,
    /// Each decrypts what it encrypted.
    pub keys: Vec<SecretsKey>,
}

/// Keys in base64 or hex, comma-separated; `plain` as the first entry turns encryption off. The
/// message omits the value.
pub fn read(value: &str) -> Result<SecretsKeys, ConfigError> {
    let mut parts = value.split(',').map(str::trim).filter(|part| !part.is_empty()).peekable();
    let seals = parts.next_if_eq(&PLAIN).is_none();
    let keys: Option<Vec<SecretsKey>> = parts.map(key).collect();
    keys.filter(|keys| !keys.is_empty()).map(|keys| SecretsKeys { seals, keys }).ok_or_else(|| {
        ConfigError(
            "SECRETS_KEY is not a list of keys; expected 32 random bytes in base64 or hex (`openssl rand -base64 32`), comma-separated"
                .into(),
        )
    })
}

fn key(text: &str) -> Option<SecretsKey> {
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().filter(|bytes| bytes.len() == 32);
    let bytes = bytes.or_else(|| BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok())?;
    bytes.try_into().ok().map(SecretsKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE64: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const HEX: &str = "02020202020202020202020202020202020202020202020202020202020202fF";

    #[test]
    fn keys_are_base64_or_hex_and_the_first_encrypts() {
        let mut second = [2; 32];
        second[31] = 0xff;
        let keys = vec![SecretsKey([1; 32]), SecretsKey(second)];
        assert_eq!(read(&format!("{BASE64}, {HEX},")).unwrap(), SecretsKeys { seals: true, keys: keys.clone() });
        assert_eq!(read(&format!("plain,{BASE64},{HEX}")).unwrap(), SecretsKeys { seals: false, keys });
        assert_eq!(read(BASE64.trim_end_matches('=')).unwrap(), read(BASE64).unwrap());
    }

    #[test]
    fn invalid_keys_are_rejected_and_not_repeated() {
        for value in [
            "plain",
            ",",
            "hunter2",
            &HEX[2..],
            &BASE64[4..],
            &format!("{BASE64},hunter2"),
            &format!("{BASE64},plain"),
            &format!("{HEX}{HEX}"),
        ] {
            let error = read(value).unwrap_err().to_string();
            assert!(error.starts_with("SECRETS_KEY") && !error.contains("hunter2") && !error.contains("AQEB"), "{error}");
        }
        assert!(!format!("{:?}", read(BASE64).unwrap()).contains('1'));
    }
}
