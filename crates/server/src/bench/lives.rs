//! Lives of shoppers (样本人生), played once by the use cases and the day runs, and copied as often as a workload needs.
//!
//! A store of a million agreements cannot be played day by day in minutes, and rows that nobody's decision wrote are books
//! that could not be. So each kind of life is played once on a store of its own, where a driver writes down what was
//! committed for its shopper; a copy is the same statements in the same order with other identifiers, and with the digests
//! of its own quotes. `fenqi verify` accepts a store of copies as it accepts the one that was played.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fenqi_app::checkout::quote::KeptQuote;
use fenqi_domain::id::{CardId, Ids, ShopperId};
use fenqi_store::{Batch, BoxFuture, CommitError, Driver, Fault, Query, Row, Step, Store, Value, vault};

/// A driver that writes down what is committed, owner by owner, once it is asked to.
pub struct Scribe {
    inner: Arc<dyn Driver>,
    /// What was written of each owner, by its lane; none before anything is to be written down.
    written: Mutex<Option<BTreeMap<u64, Vec<Step>>>>,
}

impl Scribe {
    /// Stands before a driver.
    pub fn new(inner: Arc<dyn Driver>) -> Scribe {
        Scribe {
            inner,
            written: Mutex::new(None),
        }
    }

    /// From now on commits are written down.
    pub fn begin(&self) {
        if let Ok(mut written) = self.written.lock() {
            *written = Some(BTreeMap::new());
        }
    }

    /// What was committed for an owner since.
    fn of(&self, owner: &str) -> Vec<Step> {
        let written = self.written.lock().ok();
        let own = written.and_then(|written| written.as_ref()?.get(&Batch::new(owner).lane()).cloned());
        own.unwrap_or_default()
    }

    fn note(&self, batch: &Batch) {
        if let Ok(mut written) = self.written.lock()
            && let Some(written) = written.as_mut()
        {
            let own = written.entry(batch.lane()).or_default();
            own.extend(batch.steps().iter().cloned());
        }
    }
}

impl Driver for Scribe {
    fn read(&self, queries: Vec<Query>) -> BoxFuture<'_, Result<Vec<Vec<Row>>, Fault>> {
        self.inner.read(queries)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), CommitError>> {
        Box::pin(async move {
            self.inner.commit(batch.clone()).await?;
            // One owner's commits are awaited one after the other by who decides them, so that this is their order.
            self.note(&batch);
            Ok(())
        })
    }
}

/// What was committed for one shopper, ready to be copied.
#[derive(Debug, Clone)]
pub struct Life {
    steps: Vec<Copied>,
    /// The identifiers that occur, as their bits; the shopper's and the card's are the first two.
    known: Vec<u128>,
    /// The text of each quote, whose fingerprint is its digest.
    quotes: Vec<Template>,
}

/// A statement of a life.
#[derive(Debug, Clone)]
struct Copied {
    step: Step,
    /// Its texts in which something is to be put, by the place of their parameter.
    texts: Vec<(usize, Template)>,
}

/// A text as pieces.
type Template = Vec<Piece>;

/// A piece of a text that is copied.
#[derive(Debug, Clone)]
enum Piece {
    /// As it stands.
    Plain(String),
    /// The letters of an identifier, by its place among those that are known.
    Letters(usize),
    /// The digest of a quote, by its place.
    Digest(usize),
}

/// How many letters an identifier has after its prefix.
const LETTERS: usize = 26;

/// How many hexadecimal digits a digest has.
const DIGITS: usize = 64;

/// The bits of an identifier below its instant.
const BELOW_INSTANT: u32 = 80;

impl Life {
    /// The life of a shopper with a card, as it was written down on the store where it was played.
    ///
    /// # Errors
    /// What the store answers, in words.
    pub async fn of(
        scribe: &Scribe,
        store: &Store,
        shopper: ShopperId,
        card: CardId,
    ) -> Result<Life, String> {
        let mut digests = Vec::new();
        let mut texts = Vec::new();
        for (.., stored) in store.quotes(shopper).await.map_err(|e| e.to_string())? {
            let kept: KeptQuote = stored.detail().map_err(|e| e.to_string())?;
            texts.push(kept.quote.canonical());
            digests.push(kept.quote.digest);
        }
        let mut reader = Reader {
            known: vec![shopper.bits(), card.bits()],
            digests,
        };
        let quotes = texts.iter().map(|text| reader.template(text)).collect();
        let steps = scribe.of(&shopper.to_string());
        let steps = steps.into_iter().map(|step| reader.copied(step)).collect();
        Ok(Life {
            steps,
            known: reader.known,
            quotes,
        })
    }

    /// Adds a copy to a batch, for a shopper with a card. Its instants are those of the life; its identifiers are later by
    /// so many milliseconds, so that copies lie in their order and not strewn over each other.
    pub fn copy(&self, batch: &mut Batch, (shopper, card): (ShopperId, CardId), later: u64, ids: &mut Ids) {
        let below = (1u128 << BELOW_INSTANT).wrapping_sub(1);
        let anew = |known: &u128| {
            let instant = (known >> BELOW_INSTANT).wrapping_add(u128::from(later));
            instant << BELOW_INSTANT | ids.next_bits() & below
        };
        let mut bits: Vec<u128> = self.known.iter().map(anew).collect();
        for (own, place) in [shopper.bits(), card.bits()].into_iter().zip(&mut bits) {
            *place = own;
        }
        let letters: Vec<String> = bits.into_iter().map(letters_of).collect();
        let digest = |text: &Template| vault::fingerprint(written(text, &letters, &[]).as_bytes());
        let digests: Vec<String> = self.quotes.iter().map(digest).collect();
        for Copied { step, texts } in &self.steps {
            let mut params = step.params.clone();
            for (place, text) in texts {
                if let Some(param) = params.get_mut(*place) {
                    *param = Value::Text(written(text, &letters, &digests));
                }
            }
            match step.guard {
                Some(guard) => batch.require(guard, step.statement, params),
                None => batch.put(step.statement, params),
            }
        }
    }
}

fn written(text: &Template, letters: &[String], digests: &[String]) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Plain(text) => Some(text.clone()),
        Piece::Letters(place) => letters.get(*place).cloned(),
        Piece::Digest(place) => digests.get(*place).cloned(),
    };
    text.iter().filter_map(piece).collect()
}

/// The letters of an identifier; they are the same whatever it names.
fn letters_of(bits: u128) -> String {
    let text = ShopperId::from_bits(bits).to_string();
    text.get(ShopperId::PREFIX.len().saturating_add(1)..)
        .unwrap_or_default()
        .to_owned()
}

fn bits_of(letters: &str) -> Option<u128> {
    let named = format!("{}_{letters}", ShopperId::PREFIX);
    named.parse::<ShopperId>().ok().map(ShopperId::bits)
}

/// Finds in texts what is another in each copy.
struct Reader {
    known: Vec<u128>,
    digests: Vec<String>,
}

impl Reader {
    fn copied(&mut self, step: Step) -> Copied {
        let mut texts = Vec::new();
        for (place, param) in step.params.iter().enumerate() {
            let Value::Text(text) = param else { continue };
            let template = self.template(text);
            if !matches!(template.as_slice(), [] | [Piece::Plain(_)]) {
                texts.push((place, template));
            }
        }
        Copied { step, texts }
    }

    fn template(&mut self, text: &str) -> Template {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(next) = rest.chars().next() {
            let (piece, length) = match self.piece(rest, plain.ends_with('_')) {
                Some(found) => found,
                None => {
                    plain.push(next);
                    rest = rest.get(next.len_utf8()..).unwrap_or_default();
                    continue;
                }
            };
            pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            pieces.push(piece);
            rest = rest.get(length..).unwrap_or_default();
        }
        pieces.push(Piece::Plain(plain));
        pieces.retain(|piece| !matches!(piece, Piece::Plain(text) if text.is_empty()));
        pieces
    }

    /// What begins here, and how long it is: the letters of an identifier behind the line that follows its prefix, or a digest.
    fn piece(&mut self, text: &str, follows_prefix: bool) -> Option<(Piece, usize)> {
        if follows_prefix && let Some(bits) = text.get(..LETTERS).and_then(bits_of) {
            let known = self.known.iter().position(|known| *known == bits);
            let place = known.unwrap_or_else(|| {
                self.known.push(bits);
                self.known.len().saturating_sub(1)
            });
            return Some((Piece::Letters(place), LETTERS));
        }
        let digits = text.get(..DIGITS)?;
        let place = self.digests.iter().position(|digest| digest == digits)?;
        Some((Piece::Digest(place), DIGITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_digests_are_found_and_everything_else_stays() {
        let (one, other) = (ShopperId::from_bits(7), CardId::from_bits(8));
        let digest = "ab".repeat(32);
        let mut reader = Reader {
            known: vec![one.bits()],
            digests: vec![digest.clone()],
        };
        let text =
            format!("{{\"of\":\"{one}\",\"by\":\"{other}\",\"digest\":\"{digest}\",\"note\":\"a_b 七\"}}");
        let template = reader.template(&text);
        assert_eq!(reader.known, [7, 8]);
        let letters = [letters_of(9), letters_of(10)];
        let copy = written(&template, &letters, &["cd".repeat(32)]);
        let expected = text
            .replace(&one.to_string(), &ShopperId::from_bits(9).to_string())
            .replace(&other.to_string(), &CardId::from_bits(10).to_string())
            .replace("ab", "cd");
        assert_eq!(copy, expected);
    }
}
