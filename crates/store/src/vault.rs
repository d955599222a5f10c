//! The vault (数据加密): what is personal is sealed under a key per person, and found by a keyed index.
//!
//! Three layers: a key-encryption key from the configuration wraps a data key per person, which seals each field with
//! AES-256-GCM. The place of a field is authenticated with it, so that a ciphertext moved to another row or column does
//! not open. Forgetting a data key forgets the person, in backups as well.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{digest, hmac, rand};

use crate::fault::Fault;

/// The first byte of everything sealed: which algorithm. 1 is AES-256-GCM with a random 96-bit nonce.
const ALGORITHM: u8 = 1;

/// Where a sealed field stands.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row's key.
    pub row: &'a str,
}

/// A person's own key, opened. It is never printed or stored.
pub struct DataKey {
    key: LessSafeKey,
    version: u8,
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("DataKey(***)")
    }
}

/// The keys of one installation.
pub struct Vault {
    wrapping: LessSafeKey,
    version: u8,
    index: hmac::Key,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Vault(***)")
    }
}

impl Vault {
    /// A vault over 32 bytes of key-encryption key, its version, and 32 bytes of index key.
    ///
    /// Errors: [`Fault::Sealed`] if the keys cannot be used.
    pub fn new(wrapping: &[u8; 32], version: u8, index: &[u8; 32]) -> Result<Vault, Fault> {
        Ok(Vault {
            wrapping: key(wrapping)?,
            version,
            index: hmac::Key::new(hmac::HMAC_SHA256, index),
        })
    }

    /// A new key for a person, and its wrapped form to be stored with them.
    pub fn new_key(&self, person: &str) -> Result<(DataKey, Vec<u8>), Fault> {
        let mut bytes = [0u8; 32];
        random(&mut bytes)?;
        let wrapped = seal(&self.wrapping, &self.wrapping_place(person), &bytes)?;
        Ok((
            DataKey {
                key: key(&bytes)?,
                version: self.version,
            },
            wrapped,
        ))
    }

    /// A person's key from its wrapped form. Errors: [`Fault::Sealed`] if it is another person's or another vault's.
    pub fn open_key(&self, person: &str, wrapped: &[u8]) -> Result<DataKey, Fault> {
        let bytes = open(&self.wrapping, &self.wrapping_place(person), wrapped)?;
        let bytes: [u8; 32] = bytes
            .try_into()
            .map_err(|_| Fault::Sealed("a data key has not 32 bytes".into()))?;
        Ok(DataKey {
            key: key(&bytes)?,
            version: self.version,
        })
    }

    /// The blind index of a value: the same value gives the same 128 bits in one kind of index and others in another,
    /// and without the key nothing can be tried out.
    pub fn index(&self, kind: &str, value: &str) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        context.sign().as_ref().iter().take(16).copied().collect()
    }

    fn wrapping_place(&self, person: &str) -> Vec<u8> {
        format!("shopper|data_key|{person}|{}", self.version).into_bytes()
    }
}

impl DataKey {
    /// Seals a field for its place.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Fault> {
        seal(&self.key, &self.aad(place), plain)
    }

    /// Opens a field of this place. Errors: [`Fault::Sealed`] if it was sealed for another one, or tampered with.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        open(&self.key, &self.aad(place), sealed)
    }

    fn aad(&self, place: &Place<'_>) -> Vec<u8> {
        format!("{}|{}|{}|{}", place.table, place.column, place.row, self.version).into_bytes()
    }
}

/// The SHA-256 of a text, in lower-case hexadecimal digits: what binds a quote, a document, a request.
pub fn fingerprint(text: &[u8]) -> String {
    use std::fmt::Write;
    digest::digest(&digest::SHA256, text)
        .as_ref()
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// The SHA-256 of a command, as 32 bytes.
pub fn hash(text: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, text).as_ref().to_vec()
}

/// A number that nobody can foresee, to seed identifiers.
///
/// Errors: [`Fault::Unavailable`] if the machine has no randomness.
pub fn seed() -> Result<u64, Fault> {
    let mut bytes = [0u8; 8];
    random(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn key(bytes: &[u8; 32]) -> Result<LessSafeKey, Fault> {
    UnboundKey::new(&AES_256_GCM, bytes)
        .map(LessSafeKey::new)
        .map_err(|_| Fault::Sealed("a key of 32 bytes was not accepted".into()))
}

#[expect(clippy::disallowed_methods, reason = "keys and nonces must not be repeatable")]
fn random(bytes: &mut [u8]) -> Result<(), Fault> {
    rand::fill(bytes).map_err(|_| Fault::Unavailable("the machine gives no randomness".into()))
}

fn seal(key: &LessSafeKey, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut nonce = [0u8; NONCE_LEN];
    random(&mut nonce)?;
    let mut body = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut body)
        .map_err(|_| Fault::Sealed("sealing failed".into()))?;
    let mut sealed = Vec::with_capacity(body.len().saturating_add(NONCE_LEN).saturating_add(1));
    sealed.push(ALGORITHM);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&body);
    Ok(sealed)
}

fn open(key: &LessSafeKey, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
    let broken = || Fault::Sealed("it was sealed by another key, for another place, or tampered with".into());
    let (algorithm, rest) = sealed.split_first().ok_or_else(broken)?;
    let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
    if *algorithm != ALGORITHM {
        return Err(Fault::Sealed(format!("algorithm {algorithm} is not known")));
    }
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
    let mut body = body.to_vec();
    let plain = key
        .open_in_place(nonce, Aad::from(aad), &mut body)
        .map_err(|_| broken())?;
    Ok(plain.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new(&[7; 32], 1, &[9; 32]).unwrap()
    }

    #[test]
    fn a_field_opens_only_with_its_key_and_in_its_place() {
        let vault = vault();
        let (key, wrapped) = vault.new_key("shp_a").unwrap();
        let place = Place {
            table: "identity",
            column: "name",
            row: "shp_a",
        };
        let sealed = key.seal(&place, "张安".as_bytes()).unwrap();
        assert_eq!(key.open(&place, &sealed).unwrap(), "张安".as_bytes());
        assert_ne!(
            key.seal(&place, "张安".as_bytes()).unwrap(),
            sealed,
            "each nonce is new"
        );
        for other in [
            Place {
                row: "shp_b",
                ..place
            },
            Place {
                column: "phone",
                ..place
            },
        ] {
            assert!(
                matches!(key.open(&other, &sealed), Err(Fault::Sealed(_))),
                "swapped rows or columns do not open"
            );
        }
        let again = vault.open_key("shp_a", &wrapped).unwrap();
        assert_eq!(again.open(&place, &sealed).unwrap(), "张安".as_bytes());
        assert!(
            vault.open_key("shp_b", &wrapped).is_err(),
            "a data key is bound to its person"
        );
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let vault = vault();
        let (key, _) = vault.new_key("shp_a").unwrap();
        let place = Place {
            table: "identity",
            column: "name",
            row: "shp_a",
        };
        let sealed = key.seal(&place, b"Ann").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(key.open(&place, &changed).is_err(), "byte {index}");
        }
        assert!(key.open(&place, &[]).is_err());
        assert!(key.open(&place, &sealed[..5]).is_err());
    }

    #[test]
    fn an_index_is_the_same_for_the_same_value_and_kind_alone() {
        let vault = vault();
        assert_eq!(
            vault.index("phone", "+8613800000000"),
            vault.index("phone", "+8613800000000")
        );
        assert_ne!(
            vault.index("phone", "+8613800000000"),
            vault.index("contact", "+8613800000000")
        );
        assert_eq!(vault.index("phone", "x").len(), 16);
    }

    #[test]
    fn the_fingerprint_is_sha_256() {
        // FIPS 180-4's example for "abc".
        assert_eq!(
            fingerprint(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn what_another_implementation_sealed_and_indexed_is_known() {
        // Made with Python: AESGCM(5 * 32).encrypt(nonce 00..0b, ..., b"identity|name|shp_a|1"), with the algorithm
        // and the nonce in front; and hmac-sha-256 of b"phone\0+8613800000000" under 9 * 32, its first 16 bytes.
        let sealed = unhex("01000102030405060708090a0b3f12264ce0cec771845a4ed38ccf820c04ddfcab74dd");
        let data_key = DataKey {
            key: key(&[5; 32]).unwrap(),
            version: 1,
        };
        let place = Place {
            table: "identity",
            column: "name",
            row: "shp_a",
        };
        assert_eq!(data_key.open(&place, &sealed).unwrap(), "张安".as_bytes());
        assert_eq!(
            vault().index("phone", "+8613800000000"),
            unhex("f4de3a67f95421a23faf8e9ce45b68a0")
        );
    }

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }
}
