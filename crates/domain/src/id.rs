//! Identifiers (编号): 128 bits, ordered by time, written with a prefix that says of what.

use core::fmt;
use core::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Crockford's base 32: no I, L, O, U, so that a person can read it aloud.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a text is not an identifier of the kind that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdError {
    /// The prefix that was expected, such as `agr`.
    pub expected: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "is not an identifier here; {}_ and 26 letters or digits is expected",
            self.expected
        )
    }
}

/// Makes identifiers: the instant in the high 48 bits, so that new rows lie together, and the rest from a seed.
///
/// They are names and not secrets: nothing may rest on their being hard to guess.
#[derive(Debug, Clone)]
pub struct Ids {
    millis: u64,
    state: u64,
}

impl Ids {
    /// A source for one decision. Two sources need different seeds.
    pub fn new(now: Timestamp, seed: u64) -> Ids {
        Ids {
            millis: u64::try_from(now.as_millisecond()).unwrap_or(0),
            // A source walks from its state in steps of one constant. Mixed first, neighbouring seeds begin far apart;
            // else a seed that is some steps ahead of another would repeat its identifiers within the same millisecond.
            state: mixed(seed),
        }
    }

    /// The next 128 bits.
    pub fn next_bits(&mut self) -> u128 {
        let high = u128::from(self.millis & 0xFFFF_FFFF_FFFF).wrapping_shl(80);
        let middle = u128::from(self.random() & 0xFFFF).wrapping_shl(64);
        high | middle | u128::from(self.random())
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): every seed gives a different, well mixed sequence.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed(self.state)
    }
}

/// The finishing steps of SplitMix64: near numbers become far ones, and no two the same.
const fn mixed(mut z: u64) -> u64 {
    z = (z ^ z.wrapping_shr(30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z.wrapping_shr(27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z.wrapping_shr(31)
}

/// 128 bits as 26 letters and digits.
struct Letters([u8; 26]);

impl Letters {
    fn of(bits: u128) -> Letters {
        let mut letters = [b'0'; 26];
        // The low 65 bits are the last 13 letters: arithmetic in 64 bits costs a fraction of that in 128.
        let (head, tail) = letters.split_at_mut(13);
        write_fives(
            tail,
            low_bits(bits & 0x1_FFFF_FFFF_FFFF_FFFF),
            low_bits(bits.wrapping_shr(60)),
        );
        let high = low_bits(bits.wrapping_shr(65));
        write_fives(head, high, high.wrapping_shr(60));
        Letters(letters)
    }

    fn text(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The low 64 bits.
fn low_bits(bits: u128) -> u64 {
    u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0)
}

/// Writes five bits a letter, from the last place to the first; the five of the first place are given apart.
fn write_fives(places: &mut [u8], mut bits: u64, first: u64) {
    let letter = |five: u64| {
        let place = usize::try_from(five & 31).ok();
        place
            .and_then(|place| ALPHABET.get(place))
            .copied()
            .unwrap_or(b'0')
    };
    for place in places.iter_mut().rev() {
        *place = letter(bits);
        bits = bits.wrapping_shr(5);
    }
    if let Some(place) = places.first_mut() {
        *place = letter(first);
    }
}

/// Reads what [`Letters`] writes.
fn decode(text: &str) -> Option<u128> {
    if text.len() != 26 {
        return None;
    }
    let mut bits: u128 = 0;
    for (place, byte) in text.bytes().enumerate() {
        let value = u128::from(value_of(byte)?);
        if place == 0 && value > 7 {
            return None;
        }
        bits = bits.wrapping_shl(5) | value;
    }
    Some(bits)
}

/// The number that a letter stands for.
const fn value_of(letter: u8) -> Option<u8> {
    // The alphabet leaves out I, L, O and U.
    let left_out = match letter {
        b'0'..=b'9' => return Some(letter.wrapping_sub(b'0')),
        b'A'..=b'H' => 0,
        b'J' | b'K' => 1,
        b'M' | b'N' => 2,
        b'P'..=b'T' => 3,
        b'V'..=b'Z' => 4,
        _ => return None,
    };
    Some(letter.wrapping_sub(b'A').wrapping_add(10).wrapping_sub(left_out))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What its text begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new one.
            pub fn new(ids: &mut Ids) -> $name {
                $name(ids.next_bits())
            }

            /// One of given bits, for data that must be the same each time.
            pub const fn from_bits(bits: u128) -> $name {
                $name(bits)
            }

            /// Its bits.
            pub const fn bits(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(Letters::of(self.0).text())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<$name, IdError> {
                text.strip_prefix($prefix)
                    .and_then(|rest| rest.strip_prefix('_'))
                    .and_then(decode)
                    .map($name)
                    .ok_or(IdError { expected: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A shopper (顾客).
    ShopperId = "shp";
    /// A quote (报价).
    QuoteId = "quo";
    /// An application for credit (授信申请).
    ApplicationId = "apl";
    /// A credit line (授信额度).
    LineId = "lin";
    /// An agreement (分期合同).
    AgreementId = "agr";
    /// An order of a store (订单).
    OrderId = "ord";
    /// A bill (账单).
    BillId = "bil";
    /// A payment attempt (支付).
    PaymentId = "pay";
    /// A refund (退款).
    RefundId = "ref";
    /// A return (退货).
    ReturnId = "ret";
    /// A bound card (绑定的银行卡).
    CardId = "crd";
    /// A consent (同意书).
    ConsentId = "con";
    /// A message to a person (消息).
    MessageId = "msg";
    /// A ledger entry (分录).
    EntryId = "ent";
    /// A hold on a limit (额度冻结).
    HoldId = "hld";
    /// A dispute (争议).
    DisputeId = "dis";
    /// A proposal of staff that another must approve (待复核事项).
    ProposalId = "prp";
    /// An audit record (审计记录).
    AuditId = "aud";
    /// A notice to the public (公告).
    NoticeId = "ntc";
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_identifier_reads_back_what_it_writes() {
        let mut ids = Ids::new(Timestamp::from_second(1_760_000_000).unwrap(), 7);
        let id = AgreementId::new(&mut ids);
        let text = id.to_string();
        assert_eq!(text.len(), 30);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.parse::<ShopperId>(), Err(IdError { expected: "shp" }));
        assert!(
            "agr_8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<AgreementId>().is_err(),
            "does not fit 128 bits"
        );
    }

    #[test]
    fn every_letter_of_every_place_reads_back() {
        for place in 0..26u32 {
            for (value, letter) in ALPHABET.iter().enumerate().take(if place == 25 { 8 } else { 32 }) {
                let bits = u128::try_from(value).unwrap().wrapping_shl(place * 5);
                let text = Letters::of(bits).text().to_string();
                let at = 25 - usize::try_from(place).unwrap();
                assert!(
                    text.bytes()
                        .enumerate()
                        .all(|(i, b)| b == if i == at { *letter } else { b'0' }),
                    "{text}"
                );
                assert_eq!(decode(&text), Some(bits));
            }
        }
        assert_eq!(decode(Letters::of(u128::MAX).text()), Some(u128::MAX));
        let read = (0..=255u8).filter(|byte| value_of(*byte).is_some());
        assert_eq!(read.collect::<alloc::vec::Vec<u8>>(), ALPHABET);
    }

    #[test]
    fn sources_of_neighbouring_seeds_never_give_the_same_identifier() {
        let now = Timestamp::from_second(1_760_000_000).unwrap();
        let step = 0x9E37_79B9_7F4A_7C15u64;
        let mut seen = alloc::collections::BTreeSet::new();
        for seed in 0..1000u64 {
            // The seeds of successive decisions are one step of the walk apart, which must not make their walks meet.
            let mut ids = Ids::new(now, seed.wrapping_mul(step));
            for _ in 0..20 {
                assert!(seen.insert(ids.next_bits()), "seed {seed}");
            }
        }
    }

    #[test]
    fn later_identifiers_sort_after_earlier_ones() {
        let early = AgreementId::new(&mut Ids::new(Timestamp::from_second(1_760_000_000).unwrap(), 9));
        let late = AgreementId::new(&mut Ids::new(Timestamp::from_second(1_760_000_001).unwrap(), 3));
        assert!(early.to_string() < late.to_string());
    }
}
