//! Just enough of SQL's shape to rewrite our own statements: words, parameters, parentheses.

use std::ops::Range;

/// What a piece of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A keyword or a name.
    Word,
    /// A parameter with its number.
    Param(usize),
    /// A number, a string, or one character of punctuation.
    Other,
}

/// A piece with its place in the text and how many parentheses are open around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) piece: Piece,
    pub(super) at: Range<usize>,
    pub(super) depth: usize,
}

/// The tokens of a text, without its comments. A parenthesis has the depth of what is outside it.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let bytes = sql.as_bytes();
    let mut tokens = Vec::new();
    let (mut start, mut depth) = (0_usize, 0_usize);
    while let Some(first) = bytes.get(start) {
        let rest = bytes.get(start..).unwrap_or(&[]);
        let length = match first {
            b'-' if rest.starts_with(b"--") => {
                start = start.saturating_add(rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()));
                continue;
            }
            b if b.is_ascii_whitespace() => {
                start = start.saturating_add(1);
                continue;
            }
            b'\'' => quoted(rest),
            b'$' => 1_usize.saturating_add(run(rest.get(1..).unwrap_or(&[]), |b| b.is_ascii_digit())),
            b if is_of_word(*b) => run(rest, is_of_word),
            _ => 1,
        };
        if *first == b')' {
            depth = depth.saturating_sub(1);
        }
        let at = start..start.saturating_add(length);
        let piece = match first {
            b'$' => sql
                .get(start.saturating_add(1)..at.end)
                .and_then(|n| n.parse().ok())
                .map_or(Piece::Other, Piece::Param),
            b if is_of_word(*b) && !b.is_ascii_digit() => Piece::Word,
            _ => Piece::Other,
        };
        start = at.end;
        tokens.push(Token { piece, at, depth });
        if *first == b'(' {
            depth = depth.saturating_add(1);
        }
    }
    tokens
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn run(bytes: &[u8], holds: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| holds(**byte)).count()
}

/// The length of the string that begins here; two quotes within it stand for one.
fn quoted(bytes: &[u8]) -> usize {
    let mut length = 1_usize;
    while let Some(byte) = bytes.get(length) {
        length = length.saturating_add(1);
        if *byte == b'\'' {
            if bytes.get(length) != Some(&b'\'') {
                break;
            }
            length = length.saturating_add(1);
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_words_parameters_and_the_rest() {
        let sql = "-- a.b\nupdate t set n = n + $12 where id in ('it''s', f($1))";
        let found: Vec<(&str, usize)> = tokens(sql)
            .iter()
            .map(|t| (&sql[t.at.clone()], t.depth))
            .collect();
        let expected = [
            ("update", 0),
            ("t", 0),
            ("set", 0),
            ("n", 0),
            ("=", 0),
            ("n", 0),
            ("+", 0),
            ("$12", 0),
            ("where", 0),
            ("id", 0),
            ("in", 0),
            ("(", 0),
            ("'it''s'", 1),
            (",", 1),
            ("f", 1),
            ("(", 1),
            ("$1", 2),
            (")", 1),
            (")", 0),
        ];
        assert_eq!(found, expected);
        assert_eq!(tokens("$12")[0].piece, Piece::Param(12));
    }
}
