//! Lines about people, cards and outside parties.

use super::{code, label};
use crate::language::{Lasting, Outside, Record, Wrong};
use crate::words::{Read, Words};
use fenqi_domain::money::Amount;
use fenqi_domain::payment::FailureCode;
use fenqi_domain::refusal::DeclineReason;

/// Whether a word is what an outside party does.
pub(super) fn is_verb(word: &str) -> bool {
    let verbs = [
        "loses", "repeats", "keeps", "refuses", "does", "calls", "notifies", "leaves", "goes", "enters",
        "bounces",
    ];
    verbs.contains(&word)
}

/// `ann is 张安, 110101199003070011, phone 13800000001, earns 12000.00`
pub(super) fn person(words: &mut Words<'_>) -> Read<Outside> {
    let who = words.word("a name")?.to_owned();
    words.need("is")?;
    let name = words.word("a real name")?.to_owned();
    words.need(",")?;
    let id_number = words.word("an identity number")?.to_owned();
    words.need(", phone")?;
    let phone = words.word("a phone number")?.to_owned();
    words.need(", earns")?;
    let income = words.amount_or_zero()?;
    Ok(Outside::Person {
        who,
        name,
        id_number,
        phone,
        income,
    })
}

/// `ann earns 12000.00`
pub(super) fn earns(words: &mut Words<'_>) -> Read<Outside> {
    let who = words.word("a name")?.to_owned();
    words.need("earns")?;
    let income = words.amount_or_zero()?;
    Ok(Outside::Earns { who, income })
}

/// `ann's card tok_ann has 5000.00`, `ann's face is not recognised`, `ann's record is …`
pub(super) fn thing_of_a_person(words: &mut Words<'_>) -> Read<Outside> {
    let who = words.owner()?;
    if words.take("card") {
        card(words, who)
    } else if words.take("face") {
        words.need("is")?;
        let is_recognised = !words.take("not");
        words.need("recognised")?;
        Ok(Outside::Face { who, is_recognised })
    } else if words.take("record") {
        Ok(Outside::Record {
            who,
            record: record(words)?,
        })
    } else {
        Err(words.unexpected("“card TOKEN …”, “face …” or “record …”"))
    }
}

fn card(words: &mut Words<'_>, who: String) -> Read<Outside> {
    let token = code(words, "a card's token such as tok_ann")?;
    if words.take("has") {
        let balance = words.amount_or_zero()?;
        Ok(Outside::Balance { who, token, balance })
    } else if words.take("refuses") {
        words.need("with")?;
        let refuses_with = Some(failure(words)?);
        Ok(Outside::Condition {
            who,
            token,
            refuses_with,
        })
    } else if words.take("works") {
        words.need("again")?;
        Ok(Outside::Condition {
            who,
            token,
            refuses_with: None,
        })
    } else {
        Err(words.unexpected("“has AMOUNT”, “refuses with CODE” or “works again”"))
    }
}

/// `is 36 months, worst 45 days late, now 0 days late, 1 enquiries`
fn record(words: &mut Words<'_>) -> Read<Record> {
    words.need("is")?;
    let months = words.count("a number of months")?;
    words.need("months , worst")?;
    let worst_days = words.count("a number of days")?;
    words.need("days late , now")?;
    let days_now = words.count("a number of days")?;
    words.need("days late ,")?;
    let enquiries = words.count("a number of enquiries")?;
    words.need("enquiries")?;
    Ok(Record {
        months,
        worst_days,
        days_now,
        enquiries,
    })
}

/// `bank loses the reply of the next debit` and its like.
pub(super) fn party(words: &mut Words<'_>) -> Read<Outside> {
    let party = code(words, "an outside party such as bank")?;
    let verb = words.word("what it does")?;
    let (calls, how) = match verb {
        "goes" if words.take("down") => return Ok(Outside::Down { party }),
        "goes" if words.take("up") => return Ok(Outside::Up { party }),
        "goes" => return Err(words.unexpected("“down” or “up”")),
        "bounces" => {
            words.need("the last payment of")?;
            let label = label(words)?;
            return Ok(Outside::Bounces { label });
        }
        "loses" if words.take("the") => {
            let is_reply = words.take("reply");
            if is_reply {
                words.need("of the")?;
            }
            let lost = if is_reply {
                Wrong::LostReply
            } else {
                Wrong::LostRequest
            };
            (next_calls(words)?, lost)
        }
        "repeats" => (the_next(words)?, Wrong::Repeated),
        "keeps" => keeps(words)?,
        "refuses" => refuses(words)?,
        "does" => {
            words.need("not find")?;
            let calls = the_next(words)?;
            (calls, Wrong::NotFound(lasting(words)?))
        }
        "calls" => {
            let calls = the_next(words)?;
            let code = failure(words)?;
            let lasting = lasting(words)?;
            words.need("although it succeeds")?;
            (calls, Wrong::CalledFailed(code, lasting))
        }
        "notifies" => {
            let calls = the_next(words)?;
            words.need("twice")?;
            (calls, Wrong::NotifiedTwice)
        }
        "leaves" => {
            let calls = the_next(words)?;
            words.need("out of its statement")?;
            (calls, Wrong::LeftOut)
        }
        "enters" => enters(words)?,
        _ => return Err(words.unexpected("“the next …” or “the reply of the next …”")),
    };
    let (times, operation) = calls;
    Ok(Outside::Wrong {
        party,
        operation,
        times,
        how,
    })
}

/// `the next debit with insufficient_funds`
fn refuses(words: &mut Words<'_>) -> Read<((u32, String), Wrong)> {
    let calls = the_next(words)?;
    words.need("with")?;
    let why = match calls.1.as_str() {
        "assessment" | "ask-assessment" => decline(words)?,
        "bind" | "funding" | "ask-funding" | "name" | "face" | "photograph" => {
            code(words, "a code such as card_unknown")?
        }
        _ => failure(words)?,
    };
    Ok((calls, Wrong::Refused(why)))
}

/// `the next debit pending for 2 asks`, `the next debit pending until 2025-02-06 10:00`
fn keeps(words: &mut Words<'_>) -> Read<((u32, String), Wrong)> {
    let calls = the_next(words)?;
    words.need("pending")?;
    Ok((calls, Wrong::Pending(lasting(words)?)))
}

/// `the next debit 0.01 too low into its statement`
fn enters(words: &mut Words<'_>) -> Read<((u32, String), Wrong)> {
    let calls = the_next(words)?;
    let amount = words.amount()?;
    words.need("too")?;
    let sign = match words.word("“low” or “high”")? {
        "low" => -1,
        _ => 1,
    };
    words.need("into its statement")?;
    let by = Amount::from_minor(amount.minor() * sign);
    Ok((calls, Wrong::Differs(by)))
}

/// The code of a payment that fails.
fn failure(words: &mut Words<'_>) -> Read<String> {
    one_of(words, "a code", &FailureCode::ALL.map(FailureCode::code))
}

/// The reason of a lender who says no.
fn decline(words: &mut Words<'_>) -> Read<String> {
    one_of(words, "a reason", &DeclineReason::ALL.map(DeclineReason::code))
}

/// One of the words that there are.
fn one_of(words: &mut Words<'_>, what: &str, known: &[&str]) -> Read<String> {
    let expected = format!("{what}: {}", known.join(", "));
    words.word_if(&expected, |word| known.contains(&word))
}

/// `the next debit`
fn the_next(words: &mut Words<'_>) -> Read<(u32, String)> {
    words.need("the")?;
    next_calls(words)
}

/// `next debit`, `next 3 debits`
fn next_calls(words: &mut Words<'_>) -> Read<(u32, String)> {
    words.need("next")?;
    let is_many = words.peek().is_some_and(|w| w.parse::<u32>().is_ok());
    let times = if is_many { words.some("a number")? } else { 1 };
    let expected = "an operation: debit, pay-out, ask, close, bind, statement, name, face, photograph, message, enquiry, \
                    report, assessment, ask-assessment, funding or ask-funding";
    let word = words.word_if(expected, |w| OPERATIONS.contains(&singular(w)))?;
    Ok((times, singular(&word).to_owned()))
}

/// The words for operations, as the sandbox knows them.
const OPERATIONS: [&str; 16] = [
    "bind",
    "debit",
    "pay-out",
    "ask",
    "close",
    "statement",
    "name",
    "face",
    "photograph",
    "message",
    "enquiry",
    "report",
    "assessment",
    "ask-assessment",
    "funding",
    "ask-funding",
];

fn singular(word: &str) -> &str {
    word.strip_suffix('s').unwrap_or(word)
}

/// `for 2 asks`, `until 2025-02-06 10:00`
fn lasting(words: &mut Words<'_>) -> Read<Lasting> {
    if words.take("until") {
        return Ok(Lasting::Until(words.moment()?));
    }
    words.need("for")?;
    let asks = words.some("a number of asks")?;
    if !words.take("ask") {
        words.need("asks")?;
    }
    Ok(Lasting::Asks(asks))
}
