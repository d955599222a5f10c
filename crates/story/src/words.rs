//! A line as words, read from left to right; each reading says what it expects.

use fenqi_domain::money::{Amount, Currency, Money};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

/// What stands at a place, and what was expected there. The file and line are added by who knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unexpected {
    pub(crate) column: usize,
    pub(crate) found: String,
    pub(crate) expected: String,
}

pub(crate) type Read<T> = Result<T, Unexpected>;

/// The words of one line, and how far they were read.
#[derive(Clone)]
pub(crate) struct Words<'a> {
    line: &'a str,
    /// Where each word begins, and the word. A comma is a word of its own, unless it stands between the digits of a number.
    words: Vec<(usize, &'a str)>,
    next: usize,
}

impl<'a> Words<'a> {
    pub(crate) fn of(line: &'a str) -> Words<'a> {
        let mut words = Vec::new();
        let mut rest = line;
        while let Some(skipped) = rest.find(|c: char| !c.is_whitespace()) {
            let start = line.len() - rest.len() + skipped;
            rest = rest.get(skipped..).unwrap_or("");
            let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let mut word = rest.get(..length).unwrap_or("");
            rest = rest.get(length..).unwrap_or("");
            let mut start = start;
            while let Some((at, comma)) = comma_of(word) {
                let bare = word.get(..at).unwrap_or("");
                if !bare.is_empty() {
                    words.push((start, bare));
                }
                words.push((start + at, ","));
                let behind = at + comma.len_utf8();
                word = word.get(behind..).unwrap_or("");
                start += behind;
            }
            if !word.is_empty() {
                words.push((start, word));
            }
        }
        Words { line, words, next: 0 }
    }

    pub(crate) fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).map(|(_, word)| *word)
    }

    /// The word after the next.
    pub(crate) fn peek_second(&self) -> Option<&'a str> {
        self.words.get(self.next + 1).map(|(_, word)| *word)
    }

    /// What is wrong at the next word.
    pub(crate) fn unexpected(&self, expected: impl Into<String>) -> Unexpected {
        let place = self.words.get(self.next);
        let before = place.map_or(self.line, |(start, _)| self.line.get(..*start).unwrap_or(""));
        Unexpected {
            column: before.trim_end_matches('\r').chars().count() + 1,
            found: place.map_or(String::new(), |(_, word)| (*word).to_owned()),
            expected: expected.into(),
        }
    }

    /// Reads the word if it is the next.
    pub(crate) fn take(&mut self, word: &str) -> bool {
        let is_next = self.peek() == Some(word);
        self.next += usize::from(is_next);
        is_next
    }

    /// Reads these words, which must be the next.
    pub(crate) fn need(&mut self, words: &str) -> Read<()> {
        for word in words.split(' ') {
            if !self.take(word) {
                return Err(self.unexpected(format!("“{word}”")));
            }
        }
        Ok(())
    }

    /// Reads the next word, whatever it is.
    pub(crate) fn word(&mut self, expected: &str) -> Read<&'a str> {
        let word = self
            .peek()
            .filter(|w| *w != ",")
            .ok_or_else(|| self.unexpected(expected))?;
        self.next += 1;
        Ok(word)
    }

    /// Reads a word that a test accepts.
    pub(crate) fn word_if(&mut self, expected: &str, test: impl Fn(&str) -> bool) -> Read<String> {
        match self.peek() {
            Some(word) if test(word) => {
                self.next += 1;
                Ok(word.to_owned())
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    /// Reads the word after whose `'s` somebody's thing follows.
    pub(crate) fn owner(&mut self) -> Read<String> {
        let expected = "a person's name with 's, such as ann's";
        let word = self.word_if(expected, |w| w.strip_suffix("'s").is_some_and(is_name))?;
        Ok(word.trim_end_matches("'s").to_owned())
    }

    /// Reads an amount of renminbi that is more than nothing.
    pub(crate) fn amount(&mut self) -> Read<Amount> {
        let amount = self.amount_or_zero()?;
        if amount.is_positive() {
            Ok(amount)
        } else {
            self.next -= 1;
            Err(self.unexpected("an amount of more than zero"))
        }
    }

    /// Reads an amount of renminbi.
    pub(crate) fn amount_or_zero(&mut self) -> Read<Amount> {
        let expected = "an amount such as 3999.00";
        let word = self.peek().ok_or_else(|| self.unexpected(expected))?;
        let money = Money::parse(word, Currency::Cny)
            .map_err(|why| self.unexpected(format!("{expected}; it {why}")))?;
        self.next += 1;
        Ok(money.amount)
    }

    pub(crate) fn date(&mut self) -> Read<Date> {
        let date = self.peek().and_then(|w| w.parse().ok());
        let date = date.ok_or_else(|| self.unexpected("a day such as 2025-01-05"))?;
        self.next += 1;
        Ok(date)
    }

    /// Reads a day and, if it follows, a time; a day alone is its first instant.
    pub(crate) fn moment(&mut self) -> Read<Timestamp> {
        let date = self.date()?;
        let time = match self.peek() {
            Some(word) if word.contains(':') => {
                let time = word
                    .parse()
                    .map_err(|_| self.unexpected("a time such as 10:00"))?;
                self.next += 1;
                time
            }
            _ => jiff::civil::Time::midnight(),
        };
        in_china(date.to_datetime(time)).ok_or_else(|| self.unexpected("a day within the calendar"))
    }

    /// Reads a whole number.
    pub(crate) fn count(&mut self, expected: &str) -> Read<u32> {
        let count = self.peek().and_then(|w| w.parse().ok());
        let count = count.ok_or_else(|| self.unexpected(expected))?;
        self.next += 1;
        Ok(count)
    }

    /// Reads a whole number that is more than nothing.
    pub(crate) fn some(&mut self, expected: &str) -> Read<u32> {
        let count = self.count(expected)?;
        if count > 0 {
            return Ok(count);
        }
        self.next -= 1;
        Err(self.unexpected(format!("{expected} of at least 1")))
    }

    /// Reads `because` and all that follows.
    pub(crate) fn because(&mut self) -> Read<String> {
        self.need("because")?;
        let Some((start, _)) = self.words.get(self.next) else {
            return Err(self.unexpected("a reason"));
        };
        let reason = self.line.get(*start..).unwrap_or("").trim();
        // "because of a new release" gives the reason "a new release".
        let reason = reason.strip_prefix("of ").unwrap_or(reason).to_owned();
        self.next = self.words.len();
        Ok(reason)
    }

    /// Makes sure that nothing follows.
    pub(crate) fn end(&self) -> Read<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("the end of the line")),
        }
    }
}

/// The first comma of a word, whichever keyboard wrote it; one between two digits groups a number and is none.
fn comma_of(word: &str) -> Option<(usize, char)> {
    word.char_indices().find(|(at, c)| {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let before = word.get(..*at).and_then(|before| before.chars().next_back());
        let after = word.get(at + 1..).and_then(|after| after.chars().next());
        *c == '，' || (*c == ',' && !(digit(before) && digit(after)))
    })
}

/// The instant of a wall clock in China, which has had one offset since 1992.
pub(crate) fn in_china(at: DateTime) -> Option<Timestamp> {
    jiff::tz::offset(8).to_timestamp(at).ok()
}

/// Whether a word can be a person's name in a scenario.
pub(crate) fn is_name(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|c| c.is_ascii_lowercase())
        && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// Whether a word can be an agreement's label in a scenario: a capital letter and digits.
pub(crate) fn is_label(word: &str) -> bool {
    let mut letters = word.chars();
    let digits = word.len().saturating_sub(1);
    letters.next().is_some_and(|c| c.is_ascii_uppercase())
        && (1..=3).contains(&digits)
        && letters.all(|c| c.is_ascii_digit())
}

/// Whether a word can be the code of a plan, a lender, a seller, a campaign or a card.
pub(crate) fn is_code(word: &str) -> bool {
    !word.is_empty()
        && word.len() <= 64
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Whether a word can be a region's code.
pub(crate) fn is_region(word: &str) -> bool {
    word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit())
}
