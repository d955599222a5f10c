//! One statement for many: the form with arrays, derived from the one text.
//!
//! Many batches of a group run the same statement with other parameters. PostgreSQL then gets it once,
//! with an array for each parameter, unpacked as the rows `fq` with the columns `p1`, …:
//!
//! - `insert into t (a, b) values ($1, $2) on conflict (a) do nothing` becomes
//!   `insert into t (a, b) select fq.p1, fq.p2 from (select unnest(…) …) … on conflict (a) do nothing returning a`;
//! - `update t set n = n + $2 where id = $1 and n + $2 <= 9` becomes
//!   `update t set n = n + fq.p2 from unnest(…) … where id = fq.p1 and … returning fq.ord`;
//! - a `delete` likewise, and a `select` is asked once for each set of parameters.
//!
//! A text that has no such form is executed one by one, which costs time and nothing else.

use super::lexer::Piece;
use super::text::Text;
use crate::statement::Statement;

/// A statement's form with arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrays {
    /// The text; its parameter `n` is the array of all `$n`.
    pub(super) text: String,
    /// How it is known which of the many passed.
    pub(super) answer: Answer,
    /// The parameters (from 0) that name the row. Two with equal ones may meet the same row.
    pub(super) keys: Vec<usize>,
    /// Whether such two must not be in one statement, because it touches a row once only.
    pub(super) one_per_key: bool,
}

/// How a form with arrays tells which of the many touched a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// All did, or the statement failed, or it does not matter.
    All,
    /// It returns the ordinal (from 1) of each row touched.
    Ordinals,
    /// It returns these parameters (from 0) of each row that was inserted.
    Keys(Vec<usize>),
}

/// The form with arrays, if the statement has one. `guarded` asks to know which of the many passed.
pub(super) fn arrays(statement: &Statement, guarded: bool) -> Option<Arrays> {
    form(statement, guarded, false)
}

/// The form that takes it for granted that all keys of a guarded `insert … on conflict (…) do nothing` are
/// free, if the statement is one: it fails when one of them is not.
///
/// PostgreSQL makes such an insert in two steps, so that others can take the key in between, and tells
/// which of the many were inserted. Most keys are free, and a plain insert costs two thirds of that.
pub(super) fn bold(statement: &Statement) -> Option<Arrays> {
    form(statement, true, true).filter(|form| form.answer == Answer::All)
}

fn form(statement: &Statement, guarded: bool, is_bold: bool) -> Option<Arrays> {
    if statement.params.is_empty() {
        return None;
    }
    let text = Text::of(statement);
    match text.word(0)? {
        "insert" => text.insert(guarded, is_bold),
        "update" => text.update(guarded),
        "delete" => text.delete(guarded),
        "select" | "with" if !text.writes() => {
            Some(text.select("select fq.ord", "cross join lateral", " as fq_q"))
        }
        _ => None,
    }
}

/// The form that asks which of the many would pass, and changes nothing.
///
/// Where some are refused it is cheaper to ask first: what a refused batch has written is thrown away
/// together with what the others of its group have.
pub(super) fn probe(statement: &Statement) -> Option<Arrays> {
    if statement.params.is_empty() {
        return None;
    }
    let text = Text::of(statement);
    match text.word(0)? {
        "insert" => text.insert_probe(),
        "update" => text.touch_probe(1),
        "delete" => text.touch_probe(2),
        _ => arrays(statement, true),
    }
}

/// The form of a question that answers many askers at once: the ordinal of the asker, the number of the
/// row among his, and the row.
pub(super) fn asked_by_many(statement: &Statement) -> Option<String> {
    if statement.params.is_empty() || !statement.is_question() {
        return None;
    }
    let text = Text::of(statement);
    if text.writes() {
        return None;
    }
    if text.find("order", 0).is_none() {
        // Rows in no order need no number, and without it the question becomes a plain join.
        let form = text.select(
            "select fq.ord, 0::bigint as fq_number, fq_q.*",
            "cross join lateral",
            " as fq_q",
        );
        return Some(form.text);
    }
    let form = text.select(
        "select fq.ord, fq_q.*",
        "cross join lateral (select row_number() over () as fq_number, fq_s.* from",
        " as fq_s) as fq_q",
    );
    Some(form.text)
}

impl Text<'_> {
    fn insert(&self, guarded: bool, is_bold: bool) -> Option<Arrays> {
        let table = self.table(2)?;
        let values = self.find("values", 0)?;
        let (columns_open, columns) = self.list_after(2)?;
        let (_, expressions) = self.list_after(values)?;
        if columns_open > values || columns.len() != expressions.len() {
            return None;
        }
        let columns: Vec<&str> = columns
            .into_iter()
            .map(|(from, to)| self.slice(from, to))
            .collect();
        // The tail begins after the parenthesis that closes the values.
        let values_open = values.checked_add(1)?;
        let close = self.closing(values_open)?;
        let tail = close.checked_add(1)?;
        if self.find("returning", tail).is_some() || self.tokens.get(tail).is_some_and(|t| self.at(t) == ",")
        {
            return None;
        }
        let plain: Vec<Option<usize>> = expressions
            .iter()
            .map(|(from, to)| self.lone_param(*from, *to))
            .collect();
        let conflict = self.conflict(tail, &columns, &plain)?;
        let selected: Vec<String> = expressions
            .iter()
            .map(|(from, to)| self.rewritten(*from, *to, &|n| format!("fq.p{n}")))
            .collect();
        let is_bold = is_bold && matches!(conflict, Conflict::On { updates: false, .. });
        let tail_text = if is_bold {
            String::new()
        } else {
            self.tail(tail, &columns, &plain)?
        };
        let head = self.slice(0, columns_open);
        let mut text = format!(
            "{head} ({}) select {} from {} {tail_text}",
            columns.join(", "),
            selected.join(", "),
            self.unnest_in_list()
        );
        let answer = match (&conflict, guarded) {
            _ if is_bold => Answer::All,
            (Conflict::None, _) | (_, false) => Answer::All,
            (Conflict::Anything, true) => return None,
            (Conflict::On { named, keys, .. }, true) => {
                let named: Vec<String> = named.iter().map(|column| format!("{table}.{column}")).collect();
                text.push_str(&format!(" returning {}", named.join(", ")));
                Answer::Keys(keys.clone())
            }
        };
        let (keys, one_per_key) = match conflict {
            Conflict::On { keys, updates, .. } => (keys, updates),
            Conflict::None | Conflict::Anything => (Vec::new(), false),
        };
        Some(Arrays {
            text,
            answer,
            keys,
            one_per_key,
        })
    }

    /// What the insert does when the row is there already. `None` when it has no form with arrays.
    fn conflict(&self, tail: usize, columns: &[&str], plain: &[Option<usize>]) -> Option<Conflict> {
        if self.tokens.len() <= tail {
            return Some(Conflict::None);
        }
        if self.word(tail)? != "on" || self.word(tail.checked_add(1)?)? != "conflict" {
            return None;
        }
        let updates = self.find("update", tail).is_some();
        let target = tail.checked_add(2)?;
        if self.tokens.get(target).map(|token| self.at(token)) != Some("(") {
            return (!updates).then_some(Conflict::Anything);
        }
        let (_, named) = self.list_after(target)?;
        let mut keys = Vec::new();
        let mut returned = Vec::new();
        for (from, to) in named {
            let name = self.slice(from, to).to_owned();
            let position = columns.iter().position(|column| *column == name)?;
            if let Some(param) = plain.get(position)? {
                keys.push(param.checked_sub(1)?);
                returned.push(name);
            }
        }
        (!keys.is_empty()).then_some(Conflict::On {
            named: returned,
            keys,
            updates,
        })
    }

    /// The tail of an insert, in which a parameter can only stand for the column that it was given to.
    fn tail(&self, tail: usize, columns: &[&str], plain: &[Option<usize>]) -> Option<String> {
        let excluded = |n: usize| {
            let position = plain.iter().position(|param| *param == Some(n))?;
            columns.get(position).map(|column| format!("excluded.{column}"))
        };
        let all = self.tokens.get(tail..).unwrap_or(&[]);
        let mut used = all.iter().filter_map(|token| match token.piece {
            Piece::Param(n) => Some(n),
            _ => None,
        });
        if used.any(|n| excluded(n).is_none()) {
            return None;
        }
        Some(self.rewritten(tail, self.tokens.len(), &|n| excluded(n).unwrap_or_default()))
    }

    fn update(&self, guarded: bool) -> Option<Arrays> {
        let table = self.table(1)?;
        let condition = self.find("where", 0)?;
        let from = self.find("from", 0).filter(|from| *from < condition);
        let (head, joined) = match from {
            Some(from) => (
                from,
                format!(" cross join {}", self.fq(from.checked_add(1)?, condition)),
            ),
            None => (condition, String::new()),
        };
        let returning = self.find("returning", condition).unwrap_or(self.tokens.len());
        let keys = self.keys(&table, from.is_some(), condition, returning)?;
        let mut text = format!(
            "{} from {}{joined} {}",
            self.fq(0, head),
            self.unnest(),
            self.fq(condition, returning)
        );
        Some(self.touching(&mut text, keys, guarded))
    }

    fn delete(&self, guarded: bool) -> Option<Arrays> {
        let table = self.table(2)?;
        let condition = self.find("where", 0)?;
        if self.find("using", 0).is_some() {
            return None;
        }
        let returning = self.find("returning", condition).unwrap_or(self.tokens.len());
        let keys = self.keys(&table, false, condition, returning)?;
        let mut text = format!(
            "{} using {} {}",
            self.fq(0, condition),
            self.unnest(),
            self.fq(condition, returning)
        );
        Some(self.touching(&mut text, keys, guarded))
    }

    /// `select` of what an update or a delete would touch.
    fn touch_probe(&self, table: usize) -> Option<Arrays> {
        let condition = self.find("where", 0)?;
        let head_ends = self.find("set", 0).unwrap_or(condition);
        let from = self.find("from", table).filter(|from| *from < condition);
        let joined = match from {
            Some(from) => format!(" cross join {}", self.fq(from.checked_add(1)?, condition)),
            None => String::new(),
        };
        let returning = self.find("returning", condition).unwrap_or(self.tokens.len());
        let text = format!(
            "select fq.ord from {} cross join {}{joined} {}",
            self.unnest(),
            self.slice(table, head_ends),
            self.fq(condition, returning)
        );
        Some(self.asked(text))
    }

    /// `select` of the keys that an insert would find free.
    fn insert_probe(&self) -> Option<Arrays> {
        let name = self.word(2)?;
        let conflict = self.find("conflict", 0)?;
        if self.find("update", conflict).is_some() {
            return None;
        }
        let (_, columns) = self.list_after(2)?;
        let (_, expressions) = self.list_after(self.find("values", 0)?)?;
        let (_, named) = self.list_after(conflict)?;
        let mut conditions = Vec::new();
        for (from, to) in named {
            let key = self.slice(from, to);
            let position = columns
                .iter()
                .position(|(from, to)| self.slice(*from, *to) == key)?;
            let (from, to) = expressions.get(position).copied()?;
            conditions.push(format!("{name}.{key} = {}", self.fq(from, to)));
        }
        let conditions = conditions.join(" and ");
        let text = format!(
            "select fq.ord from {} where not exists (select 1 from {name} where {conditions})",
            self.unnest()
        );
        Some(self.asked(text))
    }

    fn asked(&self, text: String) -> Arrays {
        Arrays {
            text,
            answer: Answer::Ordinals,
            keys: (0..self.params.len()).collect(),
            one_per_key: false,
        }
    }

    fn touching(&self, text: &mut String, keys: Vec<usize>, guarded: bool) -> Arrays {
        if guarded {
            text.push_str(" returning fq.ord");
        }
        let answer = if guarded { Answer::Ordinals } else { Answer::All };
        Arrays {
            text: std::mem::take(text),
            answer,
            keys,
            one_per_key: true,
        }
    }

    fn select(&self, head: &str, lateral: &str, tail: &str) -> Arrays {
        let body = self.fq(0, self.tokens.len());
        let text = format!("{head} from {} {lateral} ({body}){tail}", self.unnest());
        self.asked(text)
    }

    /// The parameters that a row must equal: `column = $n` among the conditions that all must hold.
    ///
    /// `None` when there are none, when an `or` makes them mean less, or when the statement reads
    /// the table that it changes: then two of the many could see each other's rows.
    fn keys(&self, table: &str, joined: bool, condition: usize, end: usize) -> Option<Vec<usize>> {
        let reads = self.find_at_any_depth("select").is_some();
        let mentions = self
            .tokens
            .iter()
            .filter(|token| self.at(token) == self.table_name().unwrap_or(""))
            .count();
        if (reads && mentions > 1)
            || (condition..end).any(|i| self.word(i) == Some("or") && self.depth(i) == 0)
        {
            return None;
        }
        let mut keys = Vec::new();
        for i in condition..end {
            if self.depth(i) != 0 || self.symbol(i) != Some("=") {
                continue;
            }
            // The other way round, `$n = column`, is not how our texts are written.
            let after = i.checked_add(1)?;
            let own_column = self.column_before(i, table, joined);
            let ends = after
                .checked_add(1)
                .is_none_or(|next| next >= end || self.word(next) == Some("and"));
            if let (Some(n), true, true) = (self.param(after), own_column, ends) {
                keys.push(n.checked_sub(1)?);
            }
        }
        (!keys.is_empty()).then_some(keys)
    }

    /// Whether what stands before the sign at `i` is a column of the table itself and nothing more.
    fn column_before(&self, i: usize, table: &str, joined: bool) -> bool {
        let back = |steps: usize| i.checked_sub(steps);
        let qualified = back(2).and_then(|dot| self.symbol(dot)) == Some(".");
        if qualified {
            let owner = back(3).and_then(|owner| self.word(owner));
            let starts = back(4).and_then(|before| self.word(before));
            return owner == Some(table) && matches!(starts, Some("where" | "and"));
        }
        let starts = back(2).and_then(|before| self.word(before));
        let is_column = back(1).and_then(|column| self.word(column)).is_some();
        !joined && is_column && matches!(starts, Some("where" | "and"))
    }
}

/// What an insert does when the row is there already.
enum Conflict {
    /// It fails.
    None,
    /// It does nothing, whichever key it was.
    Anything,
    /// It looks at these columns, given by these parameters (from 0), and perhaps updates the row.
    On {
        named: Vec<String>,
        keys: Vec<usize>,
        updates: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Kind;

    fn form(sql: &'static str, params: &'static [Kind], guarded: bool) -> Option<Arrays> {
        arrays(
            &Statement {
                name: "t.x",
                sql,
                params,
                columns: &[],
            },
            guarded,
        )
    }

    const I: Kind = Kind::Int;
    const T: Kind = Kind::Text;

    #[test]
    fn an_insert_selects_from_its_arrays() {
        let sql = "-- t.x\ninsert into t (a, b, c) values ($1, 0, $2)";
        let found = form(sql, &[T, I], true).unwrap();
        assert_eq!(
            found.text,
            "insert into t (a, b, c) select fq.p1, 0, fq.p2 from (select unnest($1::text[]) as p1, \
             unnest($2::bigint[]) as p2) as fq "
        );
        assert_eq!((found.answer, found.one_per_key), (Answer::All, false));
    }

    #[test]
    fn a_guarded_insert_returns_the_keys_that_were_new() {
        let sql = "insert into t (a, k, b) values ($1, 'x', $2) on conflict (a, k) do nothing";
        let found = form(sql, &[T, I], true).unwrap();
        assert!(
            found
                .text
                .ends_with(" as p2) as fq on conflict (a, k) do nothing returning t.a"),
            "{}",
            found.text
        );
        assert_eq!(found.answer, Answer::Keys(vec![0]));
        assert!(form("insert into t (a) values ($1) on conflict do nothing", &[T], true).is_none());
        assert!(
            form(
                "insert into t (a) values ($1) on conflict do nothing",
                &[T],
                false
            )
            .is_some()
        );
    }

    #[test]
    fn a_bold_insert_takes_it_that_all_keys_are_free() {
        let bold = |sql: &'static str| {
            bold(&Statement {
                name: "t.x",
                sql,
                params: &[T, I],
                columns: &[],
            })
        };
        let found = bold("insert into t (a, b) values ($1, $2) on conflict (a) do nothing").unwrap();
        assert_eq!(
            found.text,
            "insert into t (a, b) select fq.p1, fq.p2 from (select unnest($1::text[]) as p1, \
             unnest($2::bigint[]) as p2) as fq "
        );
        assert_eq!((found.answer, found.keys), (Answer::All, vec![0]));
        assert!(bold("insert into t (a, b) values ($1, $2) on conflict (a) do update set b = $2").is_none());
        assert!(bold("update t set b = $2 where a = $1").is_none());
    }

    #[test]
    fn an_upsert_takes_its_parameters_from_the_row_that_was_excluded() {
        let sql = "insert into t (a, n) values ($1, $2) on conflict (a) do update set n = t.n + $2";
        let found = form(sql, &[T, I], false).unwrap();
        assert!(
            found
                .text
                .ends_with("on conflict (a) do update set n = t.n + excluded.n"),
            "{}",
            found.text
        );
        assert_eq!((found.keys, found.one_per_key), (vec![0], true));
        let other = "insert into t (a, n) values ($1, $2 + 1) on conflict (a) do update set n = t.n + $2";
        assert!(form(other, &[T, I], false).is_none());
    }

    #[test]
    fn an_update_names_its_row_by_the_equalities_that_must_all_hold() {
        let sql = "update t set n = n + $2, v = v + 1 where id = $1 and n + $2 <= cap and v = $3";
        let found = form(sql, &[T, I, I], true).unwrap();
        assert_eq!(
            found.text,
            "update t set n = n + fq.p2, v = v + 1 from unnest($1::text[], $2::bigint[], $3::bigint[]) \
             with ordinality as fq(p1, p2, p3, ord) where id = fq.p1 and n + fq.p2 <= cap and v = fq.p3 \
             returning fq.ord"
        );
        assert_eq!(
            (found.answer, found.keys, found.one_per_key),
            (Answer::Ordinals, vec![0, 2], true)
        );
        assert!(form("update t set n = $2 where id = $1 or n = 2", &[T, I], false).is_none());
        assert!(form("update t set n = $2 where id = $1 + 1", &[I, I], false).is_none());
        assert!(form("update t set n = $2 where n + id = $1", &[I, I], false).is_none());
    }

    #[test]
    fn an_update_that_reads_its_own_table_is_left_alone() {
        let own = "update t set n = (select max(n) from t) where id = $1";
        assert!(form(own, &[T], false).is_none());
        let other = "update t set n = $2 where id = $1 and exists (select 1 from lease where token = $2)";
        let found = form(other, &[T, I], true).unwrap();
        assert!(
            found
                .text
                .contains("exists (select 1 from lease where token = fq.p2)"),
            "{}",
            found.text
        );
    }

    #[test]
    fn an_update_with_a_source_keeps_it_beside_the_arrays() {
        let sql = "update t set n = s.n from s where t.id = s.id and t.id = $1 returning n";
        let found = form(sql, &[T], false).unwrap();
        assert_eq!(
            found.text,
            "update t set n = s.n from unnest($1::text[]) with ordinality as fq(p1, ord) cross join s \
             where t.id = s.id and t.id = fq.p1"
        );
    }

    #[test]
    fn a_delete_and_a_question_have_a_form_too() {
        let found = form("delete from t where id = $1", &[T], true).unwrap();
        assert_eq!(
            found.text,
            "delete from t using unnest($1::text[]) with ordinality as fq(p1, ord) where id = fq.p1 returning fq.ord"
        );
        let found = form("select 1 from t where id = $1 limit 1", &[T], true).unwrap();
        assert_eq!(
            found.text,
            "select fq.ord from unnest($1::text[]) with ordinality as fq(p1, ord) cross join lateral \
             (select 1 from t where id = fq.p1 limit 1) as fq_q"
        );
    }

    #[test]
    fn a_probe_asks_and_changes_nothing() {
        let probe = |sql: &'static str, params: &'static [Kind]| {
            probe(&Statement {
                name: "t.x",
                sql,
                params,
                columns: &[],
            })
            .unwrap()
            .text
        };
        assert_eq!(
            probe(
                "update t as x set n = n + $2 where id = $1 and n + $2 <= cap",
                &[T, I]
            ),
            "select fq.ord from unnest($1::text[], $2::bigint[]) with ordinality as fq(p1, p2, ord) \
             cross join t as x where id = fq.p1 and n + fq.p2 <= cap"
        );
        assert_eq!(
            probe(
                "insert into t (a, k, b) values ($1, 'x', $2) on conflict (a, k) do nothing",
                &[T, I]
            ),
            "select fq.ord from unnest($1::text[], $2::bigint[]) with ordinality as fq(p1, p2, ord) \
             where not exists (select 1 from t where t.a = fq.p1 and t.k = 'x')"
        );
        assert_eq!(
            probe("delete from t where id = $1", &[T]),
            "select fq.ord from unnest($1::text[]) with ordinality as fq(p1, ord) cross join t where id = fq.p1"
        );
    }

    #[test]
    fn what_has_no_safe_form_has_none() {
        assert!(form("insert into t (a) select max(a) + $1 from t", &[I], false).is_none());
        assert!(form("insert into t (a) values ($1), ($2)", &[I, I], false).is_none());
        assert!(form("update t set n = 1", &[], false).is_none());
    }
}
