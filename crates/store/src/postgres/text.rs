//! A statement's text with its tokens: finding parts of it, and writing them anew.

use super::lexer::{Piece, Token, tokens};
use crate::statement::Statement;
use crate::value::Kind;

/// The text of a statement, taken apart.
pub(super) struct Text<'a> {
    sql: &'a str,
    pub(super) tokens: Vec<Token>,
    pub(super) params: &'a [Kind],
}

impl<'a> Text<'a> {
    pub(super) fn of(statement: &Statement) -> Text<'a> {
        Text {
            sql: statement.sql,
            tokens: tokens(statement.sql),
            params: statement.params,
        }
    }

    /// The arrays side by side, as a source of rows with their ordinals.
    pub(super) fn unnest(&self) -> String {
        let names: Vec<String> = (1..=self.params.len()).map(|n| format!("p{n}")).collect();
        format!(
            "unnest({}) with ordinality as fq({}, ord)",
            self.arrays().collect::<Vec<_>>().join(", "),
            names.join(", ")
        )
    }

    /// The same rows without ordinals, unpacked in a select list.
    ///
    /// In a `from`, every array is first written into a store of its own, which costs a wide row as much
    /// as its insertion does. A planner knows less about this form, so it is for inserts, which have
    /// nothing to plan.
    pub(super) fn unnest_in_list(&self) -> String {
        let columns: Vec<String> = (1..)
            .zip(self.arrays())
            .map(|(n, array)| format!("unnest({array}) as p{n}"))
            .collect();
        format!("(select {}) as fq", columns.join(", "))
    }

    fn arrays(&self) -> impl Iterator<Item = String> {
        (1_usize..).zip(self.params).map(|(n, kind)| {
            let name = match kind {
                Kind::Bool => "boolean",
                Kind::Int => "bigint",
                Kind::Text => "text",
                Kind::Blob => "bytea",
            };
            format!("${n}::{name}[]")
        })
    }

    /// The first parenthesised list at or after token `i`: where it opens, and the tokens of each part.
    pub(super) fn list_after(&self, i: usize) -> Option<(usize, Vec<(usize, usize)>)> {
        let open = (i..self.tokens.len()).find(|i| self.symbol(*i) == Some("(") && self.depth(*i) == 0)?;
        let close = self.closing(open)?;
        let mut parts = Vec::new();
        let first = open.checked_add(1)?;
        let mut start = first;
        for i in first..=close {
            let ends_part = i == close || (self.symbol(i) == Some(",") && self.depth(i) == 1);
            if ends_part {
                parts.push((start, i));
                start = i.checked_add(1)?;
            }
        }
        Some((open, parts))
    }

    pub(super) fn closing(&self, open: usize) -> Option<usize> {
        let depth = self.depth(open);
        (open..self.tokens.len()).find(|i| self.symbol(*i) == Some(")") && self.depth(*i) == depth)
    }

    pub(super) fn lone_param(&self, from: usize, to: usize) -> Option<usize> {
        (from.checked_add(1)? == to).then(|| self.param(from)).flatten()
    }

    pub(super) fn fq(&self, from: usize, to: usize) -> String {
        self.rewritten(from, to, &|n| format!("fq.p{n}"))
    }

    /// The text of these tokens, each parameter replaced.
    pub(super) fn rewritten(&self, from: usize, to: usize, replace: &dyn Fn(usize) -> String) -> String {
        let mut text = String::new();
        let mut end = None;
        for token in self.tokens.get(from..to).unwrap_or(&[]) {
            if end.is_some_and(|end| end < token.at.start) {
                text.push(' ');
            }
            match token.piece {
                Piece::Param(n) => text.push_str(&replace(n)),
                _ => text.push_str(self.at(token)),
            }
            end = Some(token.at.end);
        }
        text
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &str {
        let start = self.tokens.get(from).map_or(0, |token| token.at.start);
        let last = to.checked_sub(1).and_then(|last| self.tokens.get(last));
        last.and_then(|last| self.sql.get(start..last.at.end))
            .unwrap_or("")
    }

    pub(super) fn find(&self, word: &str, from: usize) -> Option<usize> {
        (from..self.tokens.len()).find(|i| self.word(*i) == Some(word) && self.depth(*i) == 0)
    }

    pub(super) fn find_at_any_depth(&self, word: &str) -> Option<usize> {
        (0..self.tokens.len()).find(|i| self.word(*i) == Some(word))
    }

    pub(super) fn word(&self, i: usize) -> Option<&str> {
        self.tokens
            .get(i)
            .filter(|token| token.piece == Piece::Word)
            .map(|token| self.at(token))
    }

    pub(super) fn symbol(&self, i: usize) -> Option<&str> {
        self.tokens
            .get(i)
            .filter(|token| token.piece == Piece::Other)
            .map(|token| self.at(token))
    }

    pub(super) fn param(&self, i: usize) -> Option<usize> {
        self.tokens.get(i).and_then(|token| match token.piece {
            Piece::Param(n) => Some(n),
            _ => None,
        })
    }

    pub(super) fn depth(&self, i: usize) -> usize {
        self.tokens.get(i).map_or(0, |token| token.depth)
    }

    /// How the table whose name is at `i` is called in the rest of the text.
    pub(super) fn table(&self, i: usize) -> Option<String> {
        let name = self.word(i)?;
        let next = i.checked_add(1)?;
        let alias = (self.word(next) == Some("as"))
            .then(|| next.checked_add(1).and_then(|a| self.word(a)))
            .flatten();
        Some(alias.unwrap_or(name).to_owned())
    }

    /// The name of the table that a write changes.
    pub(super) fn table_name(&self) -> Option<&str> {
        match self.word(0)? {
            "update" => self.word(1),
            _ => self.word(2),
        }
    }

    pub(super) fn at(&self, token: &Token) -> &str {
        self.sql.get(token.at.clone()).unwrap_or("")
    }
    pub(super) fn writes(&self) -> bool {
        ["insert", "update", "delete"]
            .iter()
            .any(|word| self.find_at_any_depth(word).is_some())
    }
}
