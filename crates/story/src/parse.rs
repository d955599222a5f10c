//! Reads lines of a scenario into commands.

mod outside;
mod shopper;
mod staff;

use crate::language::{Command, Goods};
use crate::words::{Read, Words, is_code, is_label, is_name};

/// What can begin a line, for who begins one with something else.
const BEGINNINGS: &str = "a line that begins with at, the days pass until, the jobs run, a person (ann …), store, staff, \
                          supervisor, an outside party (bank …), or the end";

/// Reads one line.
pub(crate) fn command(line: &str) -> Read<Command> {
    let mut words = Words::of(line);
    let command = sentence(&mut words)?;
    words.end()?;
    Ok(command)
}

fn sentence(words: &mut Words<'_>) -> Read<Command> {
    match words.peek() {
        Some("at") => {
            words.need("at")?;
            Ok(Command::At(words.moment()?))
        }
        Some("the") => the(words),
        Some("store") => staff::store(words).map(Command::Store),
        Some("staff" | "supervisor") => staff::desk(words),
        Some(word) if word.strip_suffix("'s").is_some_and(is_name) => {
            outside::thing_of_a_person(words).map(Command::Outside)
        }
        Some(_) if words.peek_second().is_some_and(outside::is_verb) => {
            outside::party(words).map(Command::Outside)
        }
        Some(word) if is_name(word) && words.peek_second() == Some("is") => {
            outside::person(words).map(Command::Outside)
        }
        Some(word) if is_name(word) && words.peek_second() == Some("earns") => {
            outside::earns(words).map(Command::Outside)
        }
        Some(word) if is_name(word) && words.peek_second().is_some() => {
            let who = words.word("a name")?.to_owned();
            let does = shopper::shopping(words)?;
            Ok(Command::Shopper { who, does })
        }
        _ => Err(words.unexpected(BEGINNINGS)),
    }
}

fn the(words: &mut Words<'_>) -> Read<Command> {
    words.need("the")?;
    if words.take("end") {
        Ok(Command::End)
    } else if words.take("jobs") {
        words.need("run")?;
        Ok(Command::Work)
    } else if words.take("days") {
        words.need("pass until")?;
        Ok(Command::Pass(words.date()?))
    } else {
        Err(words.unexpected("“days pass until DAY”, “jobs run” or “end”"))
    }
}

/// Reads an agreement's label.
fn label(words: &mut Words<'_>) -> Read<String> {
    words.word_if("an agreement's label such as A1", is_label)
}

/// Reads the code of something.
fn code(words: &mut Words<'_>, expected: &str) -> Read<String> {
    words.word_if(expected, is_code)
}

/// Reads somebody's name.
fn name(words: &mut Words<'_>) -> Read<String> {
    words.word_if("a person's name such as ann", is_name)
}

/// Reads `A1` or `SKU + SKU of A1`.
fn goods(words: &mut Words<'_>) -> Read<Goods> {
    if words.peek().is_some_and(is_label) {
        let label = label(words)?;
        return Ok(Goods {
            skus: Vec::new(),
            label,
        });
    }
    let skus = skus(words)?;
    words.need("of")?;
    let label = label(words)?;
    Ok(Goods { skus, label })
}

/// Reads article numbers with plus signs between them.
fn skus(words: &mut Words<'_>) -> Read<Vec<String>> {
    let mut skus = vec![code(words, "an article number such as PH-1001")?];
    while words.take("+") {
        skus.push(code(words, "an article number such as PH-1001")?);
    }
    Ok(skus)
}

#[cfg(test)]
mod tests;
