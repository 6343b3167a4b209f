//! TOTP secrets as stored: encrypted with a key that is not in the database, or unencrypted if no
//! key is set.
//!
//! An encrypted secret is a format byte, four bytes of the key's id, a nonce, the ChaCha20-Poly1305
//! ciphertext, and a tag. The user's id is associated data: in another user's row it can't be
//! decrypted.

use super::SECRET_BYTES;
use crate::config::{SecretsKey, SecretsKeys};
use anyhow::anyhow;
use rand::Rng;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
};
use sha2::{Digest, Sha256};
use std::{fmt, sync::Arc};
use uuid::Uuid;

/// The format byte.
const FORM: u8 = 1;
const KEY_ID_BYTES: usize = 4;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES;
/// Length of an encrypted secret; an unencrypted one has [`SECRET_BYTES`].
const SEALED_BYTES: usize = HEADER_BYTES + NONCE_LEN + SECRET_BYTES + MAX_TAG_LEN;

/// A key's id without information about the key: the beginning of its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId([u8; KEY_ID_BYTES]);

impl KeyId {
    fn of(key: &SecretsKey) -> KeyId {
        let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(key.bytes()));
        KeyId([a, b, c, d])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Why a stored secret can't be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopenable {
    #[error("encrypted with the key {0}, which SECRETS_KEY does not contain")]
    NoKey(KeyId),
    #[error("not encrypted with the key {0} for this user")]
    Changed(KeyId),
    #[error("neither an encrypted nor an unencrypted secret")]
    Neither,
}

/// Encrypts and decrypts secrets; cheap to clone.
#[derive(Clone)]
pub struct Sealer(Arc<Keys>);

struct Keys {
    seals: bool,
    known: Vec<(KeyId, SecretsKey)>,
}

impl Sealer {
    /// Encrypts with the first of these keys, decrypts with all.
    pub fn new(keys: &SecretsKeys) -> Sealer {
        Sealer(Arc::new(Keys { seals: keys.seals, known: keys.keys.iter().map(|key| (KeyId::of(key), key.clone())).collect() }))
    }

    /// The key that encrypts; None: secrets are stored unencrypted.
    fn sealing(&self) -> Option<&(KeyId, SecretsKey)> {
        self.0.known.first().filter(|_| self.0.seals)
    }

    /// Whether new secrets are encrypted.
    pub fn seals(&self) -> bool {
        self.sealing().is_some()
    }

    /// A user's secret for storage; with a key, each result is different.
    pub fn seal(&self, user: Uuid, secret: &[u8]) -> anyhow::Result<Vec<u8>> {
        let Some((id, key)) = self.sealing() else { return Ok(secret.to_vec()) };
        let mut nonce = [0; NONCE_LEN];
        rand::rng().fill_bytes(&mut nonce);
        let header = header(*id);
        let mut text = secret.to_vec();
        aead(key)
            .and_then(|aead| aead.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound_to(&header, user), &mut text))
            .map_err(|Unspecified| anyhow!("a secret can't be encrypted"))?;
        Ok([&header[..], &nonce, &text].concat())
    }

    /// Decrypts a user's stored secret.
    ///
    /// # Errors
    /// Its key is missing, or the value was changed or belongs to another user.
    pub fn open(&self, user: Uuid, kept: &[u8]) -> Result<Vec<u8>, Unopenable> {
        if kept.len() == SECRET_BYTES {
            return Ok(kept.to_vec());
        }
        let (header, nonce, text) = parts(kept).ok_or(Unopenable::Neither)?;
        let [_, id @ ..] = header;
        let id = KeyId(id);
        let mut named = self.0.known.iter().filter(|(known, _)| *known == id).peekable();
        named.peek().ok_or(Unopenable::NoKey(id))?;
        let opened = |key: &SecretsKey| {
            let mut text = text.to_vec();
            let secret = aead(key)?.open_in_place(Nonce::assume_unique_for_key(nonce), bound_to(&header, user), &mut text)?;
            Ok::<_, Unspecified>(secret.to_vec())
        };
        named.find_map(|(_, key)| opened(key).ok()).ok_or(Unopenable::Changed(id))
    }

    /// Whether it is stored as a new one would be: encrypted with the first key, or unencrypted
    /// without one.
    pub fn is_current(&self, kept: &[u8]) -> bool {
        match self.sealing() {
            None => kept.len() == SECRET_BYTES,
            Some((id, _)) => parts(kept).is_some_and(|(found, ..)| found == header(*id)),
        }
    }
}

fn header(KeyId([a, b, c, d]): KeyId) -> [u8; HEADER_BYTES] {
    [FORM, a, b, c, d]
}

/// Header, nonce, and the secret with its tag.
fn parts(kept: &[u8]) -> Option<([u8; HEADER_BYTES], [u8; NONCE_LEN], &[u8])> {
    let (header, rest) = kept.split_first_chunk()?;
    let (nonce, text) = rest.split_first_chunk()?;
    (kept.len() == SEALED_BYTES && kept.first() == Some(&FORM)).then_some((*header, *nonce, text))
}

fn aead(key: &SecretsKey) -> Result<LessSafeKey, Unspecified> {
    UnboundKey::new(&CHACHA20_POLY1305, key.bytes()).map(LessSafeKey::new)
}

/// The associated data.
fn bound_to(header: &[u8; HEADER_BYTES], user: Uuid) -> Aad<Vec<u8>> {
    Aad::from([&header[..], user.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: [u8; SECRET_BYTES] = *b"12345678901234567890";
    const USER: Uuid = Uuid::from_u128(7);

    fn sealer(seals: bool, keys: &[u8]) -> Sealer {
        Sealer::new(&SecretsKeys { seals, keys: keys.iter().map(|byte| SecretsKey::new([*byte; 32])).collect() })
    }

    #[test]
    fn secrets_decrypt_only_for_their_user_and_key() {
        let sealer_one = sealer(true, &[1]);
        let (kept, again) = (sealer_one.seal(USER, &SECRET).unwrap(), sealer_one.seal(USER, &SECRET).unwrap());
        assert_eq!(kept.len(), 53, "as the constraint of the table says");
        assert!(kept != again && !kept.windows(4).any(|part| SECRET.windows(4).any(|known| known == part)));
        assert_eq!(sealer_one.open(USER, &kept).as_deref(), Ok(&SECRET[..]));
        let id = KeyId::of(&SecretsKey::new([1; 32]));
        assert_eq!(sealer_one.open(Uuid::from_u128(8), &kept), Err(Unopenable::Changed(id)));
        for others in [sealer(true, &[2]), sealer(false, &[])] {
            assert_eq!(others.open(USER, &kept), Err(Unopenable::NoKey(id)));
        }
    }

    #[test]
    fn rotation_reencrypts_secrets() {
        let (old, both, new) = (sealer(true, &[1]), sealer(true, &[2, 1]), sealer(true, &[2]));
        let kept = old.seal(USER, &SECRET).unwrap();
        assert!(old.is_current(&kept) && !both.is_current(&kept));
        let anew = both.seal(USER, &both.open(USER, &kept).unwrap()).unwrap();
        assert!(both.is_current(&anew) && new.is_current(&anew) && !old.is_current(&anew));
        assert_eq!(new.open(USER, &anew).as_deref(), Ok(&SECRET[..]));
    }

    #[test]
    fn plain_mode_still_decrypts() {
        for plain in [sealer(false, &[]), sealer(false, &[1])] {
            assert_eq!(plain.seal(USER, &SECRET).unwrap(), SECRET);
            assert!(plain.is_current(&SECRET));
        }
        let kept = sealer(true, &[1]).seal(USER, &SECRET).unwrap();
        let way_back = sealer(false, &[1]);
        assert!(!way_back.is_current(&kept));
        assert_eq!(way_back.open(USER, &kept).as_deref(), Ok(&SECRET[..]));
        let sealing = sealer(true, &[1]);
        assert!(!sealing.is_current(&SECRET));
        assert_eq!(sealing.open(USER, &SECRET).as_deref(), Ok(&SECRET[..]));
    }

    proptest! {
        #[test]
        fn changed_or_truncated_secrets_are_rejected(
            secret in prop::array::uniform20(any::<u8>()), user in any::<u128>(), key in any::<u8>(),
            length in 0..=SEALED_BYTES + 3, at in 0..SEALED_BYTES, flipped in 1..=u8::MAX,
        ) {
            let (sealer, user) = (sealer(true, &[key, key.wrapping_add(1)]), Uuid::from_u128(user));
            let kept = sealer.seal(user, &secret).unwrap();
            prop_assert_eq!(sealer.open(user, &kept), Ok(secret.to_vec()));
            let mut other = kept.clone();
            other[at] ^= flipped;
            prop_assert!(sealer.open(user, &other).is_err());
            let mut cut = kept;
            cut.resize(length, 0);
            // Any value with the length of an unencrypted secret is taken for one; its codes match
            // no app.
            let opened = sealer.open(user, &cut);
            prop_assert_eq!(opened.is_ok(), length == SEALED_BYTES || length == SECRET_BYTES);
            prop_assert!(length == SEALED_BYTES || opened.as_deref() != Ok(&secret[..]));
        }

        #[test]
        fn other_values_are_rejected(kept in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(sealer(true, &[1]).open(USER, &kept).is_ok(), kept.len() == SECRET_BYTES);
        }
    }
}
