//! A group of batches as calls to the database, and what the answers mean for each batch.
//!
//! Batches of one shape (the same sequence of statements) run position by position: all first
//! statements, then all second ones. That is how they could have run as concurrent transactions,
//! and it lets one call serve many batches.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::arrays::{Arrays, arrays, bold, probe};
use crate::batch::{Batch, Guard};
use crate::statement::{Identity, Statement};
use crate::value::Value;

/// A statement of a batch of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) batch: usize,
    pub(super) step: usize,
}

/// One call: a statement with the parameters of those who share it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) statement: &'static Statement,
    pub(super) guarded: bool,
    /// Whether the form takes it for granted that all keys are free.
    pub(super) is_bold: bool,
    /// The form with arrays; `None` for a call that serves one.
    pub(super) form: Option<Arc<Arrays>>,
    /// For each set of parameters, who gave it. Only a question has more than one asker for a set.
    pub(super) rows: Vec<Vec<Item>>,
    /// Which parameters name the row, for the question of who met whom.
    keys: Option<Arc<Arrays>>,
}

impl Call {
    /// The parameters of the row at `index`.
    pub(super) fn params<'a>(&self, batches: &[&'a Batch], index: usize) -> &'a [Value] {
        let item = self.rows.get(index).and_then(|items| items.first());
        item.map_or(&[], |item| params(batches, *item))
    }
}

/// The forms with arrays that are known, by statement and whether it is guarded.
#[derive(Default)]
pub(super) struct Forms {
    known: HashMap<(Identity, bool), Option<Arc<Arrays>>>,
    bold: HashMap<Identity, Option<Arc<Arrays>>>,
    /// For how many groups nothing is taken for granted.
    careful: u32,
    probes: HashMap<Identity, Option<Arc<Arrays>>>,
}

impl Forms {
    fn get(&mut self, statement: &'static Statement, guarded: bool) -> Option<Arc<Arrays>> {
        let key = (statement.identity(), guarded);
        self.known
            .entry(key)
            .or_insert_with(|| arrays(statement, guarded).map(Arc::new))
            .clone()
    }

    /// The bold form, unless this is no time for it.
    fn bold(&mut self, statement: &'static Statement) -> Option<Arc<Arrays>> {
        if self.careful > 0 {
            return None;
        }
        let known = self.bold.entry(statement.identity());
        known.or_insert_with(|| bold(statement).map(Arc::new)).clone()
    }

    /// Takes nothing for granted for so many groups.
    pub(super) fn be_careful(&mut self, groups: u32) {
        self.careful = groups;
    }

    /// One group less to be careful with.
    pub(super) fn next_group(&mut self) {
        self.careful = self.careful.saturating_sub(1);
    }

    fn probe(&mut self, statement: &'static Statement) -> Option<Arc<Arrays>> {
        let known = self.probes.entry(statement.identity());
        known.or_insert_with(|| probe(statement).map(Arc::new)).clone()
    }

    /// Remembers that the database does not take the form of this statement that asks.
    pub(super) fn forget_probe(&mut self, statement: &'static Statement) {
        self.probes.insert(statement.identity(), None);
    }

    /// Remembers that the database does not take the form of this statement.
    pub(super) fn forget(&mut self, statement: &'static Statement, guarded: bool) {
        self.known.insert((statement.identity(), guarded), None);
        self.bold.insert(statement.identity(), None);
    }
}

type Shape = Vec<(Identity, bool)>;

/// The calls that run a group.
pub(super) struct Plan {
    /// All calls, in order.
    pub(super) calls: Vec<Call>,
    /// How many of them go before the commit is certain: up to the last guard of each shape. What
    /// comes after cannot be refused and is sent together with the commit.
    pub(super) undecided: usize,
}

/// The calls that run these batches.
pub(super) fn plan(batches: &[&Batch], forms: &mut Forms) -> Plan {
    let (mut calls, mut decided) = (Vec::new(), Vec::new());
    for members in by_shape(batches) {
        let runs: Vec<Vec<(usize, usize)>> = members
            .iter()
            .map(|member| runs_of(at(batches, *member)))
            .collect();
        let shape = members
            .first()
            .map_or_else(Vec::new, |member| shape_of(at(batches, *member)));
        let guards = shape
            .iter()
            .rposition(|(_, guarded)| *guarded)
            .map_or(0, |last| last.saturating_add(1));
        for position in 0..shape.len() {
            let mut items = Vec::new();
            for (member, runs) in members.iter().zip(&runs) {
                let (from, to) = runs.get(position).copied().unwrap_or((0, 0));
                items.extend((from..to).map(|step| Item { batch: *member, step }));
            }
            add_calls(
                batches,
                items,
                forms,
                if position < guards {
                    &mut calls
                } else {
                    &mut decided
                },
            );
        }
    }
    let undecided = calls.len();
    calls.append(&mut decided);
    Plan { calls, undecided }
}

/// The calls that ask which of a group's guards hold, for those that can be asked.
pub(super) fn probes(calls: &[Call], forms: &mut Forms) -> Vec<Call> {
    let mut places: HashMap<Identity, usize> = HashMap::new();
    let mut probes: Vec<Call> = Vec::new();
    for call in calls.iter().filter(|call| call.guarded) {
        let Some(form) = forms.probe(call.statement) else {
            continue;
        };
        let next = probes.len();
        let place = *places.entry(call.statement.identity()).or_insert(next);
        match probes.get_mut(place) {
            Some(probe) => probe.rows.extend(call.rows.iter().cloned()),
            None => probes.push(Call {
                statement: call.statement,
                guarded: true,
                is_bold: false,
                form: Some(form),
                rows: call.rows.clone(),
                keys: None,
            }),
        }
    }
    probes
}

/// The batches by their shape, in order of arrival, and within a shape by lane, so that groups in
/// other connections and processes take the same locks in the same order.
fn by_shape(batches: &[&Batch]) -> Vec<Vec<usize>> {
    let mut places: HashMap<Shape, usize> = HashMap::new();
    let mut shapes: Vec<Vec<usize>> = Vec::new();
    for (index, batch) in batches.iter().enumerate() {
        let next = shapes.len();
        let place = *places.entry(shape_of(batch)).or_insert(next);
        match shapes.get_mut(place) {
            Some(members) => members.push(index),
            None => shapes.push(vec![index]),
        }
    }
    for members in &mut shapes {
        members.sort_by_key(|member| at(batches, *member).lane());
    }
    shapes
}

fn shape_of(batch: &Batch) -> Shape {
    let mut shape: Shape = Vec::with_capacity(batch.steps().len());
    for step in batch.steps() {
        let next = (step.statement.identity(), step.guard.is_some());
        if shape.last() != Some(&next) {
            shape.push(next);
        }
    }
    shape
}

/// The runs of equal statements in a batch, as half-open ranges of steps: an order of three lines and
/// one of five have one shape.
fn runs_of(batch: &Batch) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut last = None;
    for (index, step) in batch.steps().iter().enumerate() {
        let this = (step.statement.identity(), step.guard.is_some());
        let after = index.saturating_add(1);
        match runs.last_mut() {
            Some(run) if last == Some(this) => run.1 = after,
            _ => runs.push((index, after)),
        }
        last = Some(this);
    }
    runs
}

/// Adds the calls that run one statement for all of these.
fn add_calls(batches: &[&Batch], items: Vec<Item>, forms: &mut Forms, calls: &mut Vec<Call>) {
    let Some(first) = items.first().and_then(|item| step(batches, *item)) else {
        return;
    };
    let (statement, guarded) = (first.statement, first.guard.is_some());
    let keys = forms.get(statement, guarded);
    let bold = guarded.then(|| forms.bold(statement)).flatten();
    let call = |rows: Vec<Vec<Item>>, form: Option<Arc<Arrays>>| {
        let is_bold = bold.is_some() && rows.len() > 1;
        let form = bold.clone().or(form).filter(|_| rows.len() > 1);
        Call {
            statement,
            guarded,
            is_bold,
            form,
            rows,
            keys: keys.clone(),
        }
    };
    if statement.is_question() {
        let rows = shared_questions(batches, items);
        match &keys {
            Some(form) => calls.push(call(rows, Some(Arc::clone(form)))),
            None => calls.extend(rows.into_iter().map(|row| call(vec![row], None))),
        }
        return;
    }
    let Some(form) = keys.clone() else {
        calls.extend(items.into_iter().map(|item| call(vec![vec![item]], None)));
        return;
    };
    for mut wave in waves(batches, items, &form) {
        if form.one_per_key {
            wave.sort_by(|a, b| key_of(&form, params(batches, *a)).cmp(&key_of(&form, params(batches, *b))));
        }
        calls.push(call(
            wave.into_iter().map(|item| vec![item]).collect(),
            Some(Arc::clone(&form)),
        ));
    }
}

/// A question that several ask with the same parameters is asked once.
fn shared_questions(batches: &[&Batch], items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut places: HashMap<&[Value], usize> = HashMap::new();
    let mut rows: Vec<Vec<Item>> = Vec::new();
    for item in items {
        let next = rows.len();
        let place = *places.entry(params(batches, item)).or_insert(next);
        match rows.get_mut(place) {
            Some(row) => row.push(item),
            None => rows.push(vec![item]),
        }
    }
    rows
}

/// The items in as many waves as the same row is met: one statement touches a row only once.
fn waves(batches: &[&Batch], items: Vec<Item>, form: &Arrays) -> Vec<Vec<Item>> {
    if !form.one_per_key {
        return vec![items];
    }
    let mut met: HashMap<Vec<&Value>, usize> = HashMap::new();
    let mut waves: Vec<Vec<Item>> = Vec::new();
    for item in items {
        let count = met.entry(key_of(form, params(batches, item))).or_insert(0);
        match waves.get_mut(*count) {
            Some(wave) => wave.push(item),
            None => waves.push(vec![item]),
        }
        *count = count.saturating_add(1);
    }
    waves
}

/// A batch that was refused in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) batch: usize,
    pub(super) guard: Guard,
    /// Whether another refused batch, whose effects are undone, may have been the cause: then the
    /// refusal is no answer, and the batch is tried again.
    pub(super) is_doubtful: bool,
}

/// Which batches were refused, given for each call that was answered which of its rows passed.
pub(super) fn judge(batches: &[&Batch], calls: &[Call], passed: &[Vec<bool>]) -> Vec<Refused> {
    let first_failed = first_failed(calls, passed);
    if first_failed.is_empty() {
        return Vec::new();
    }
    let effects = effects_of(batches, calls, passed, &first_failed);
    let mut refused: Vec<Refused> = first_failed
        .iter()
        .filter_map(|(batch, (failed, place, row))| {
            let guard = step(
                batches,
                Item {
                    batch: *batch,
                    step: *failed,
                },
            )?
            .guard?;
            let effect = calls.get(*place).map(|call| identity(batches, call, *row));
            let met = effect.and_then(|effect| effects.get(&effect));
            let by_row = met.is_some_and(|others| {
                others
                    .iter()
                    .any(|(other, order)| other != batch && *order < (*place, *row))
            });
            let by_owner = first_failed.keys().any(|other| {
                let (one, two) = (at(batches, *batch), at(batches, *other));
                other != batch && one.lane() == two.lane() && shape_of(one) != shape_of(two)
            });
            Some(Refused {
                batch: *batch,
                guard,
                is_doubtful: by_row || by_owner,
            })
        })
        .collect();
    refused.sort_by_key(|refused| refused.batch);
    refused
}

/// Which batches were refused by a probe: nothing was written, so that none is doubtful.
pub(super) fn judge_probes(batches: &[&Batch], probes: &[Call], passed: &[Vec<bool>]) -> Vec<Refused> {
    let failed = first_failed(probes, passed).into_iter();
    let refused = failed.filter_map(|(batch, (failed, ..))| {
        let guard = step(batches, Item { batch, step: failed })?.guard?;
        Some(Refused {
            batch,
            guard,
            is_doubtful: false,
        })
    });
    refused.collect()
}

/// For each batch that has one: its first failed step, with the call and the row that failed.
fn first_failed(calls: &[Call], passed: &[Vec<bool>]) -> HashMap<usize, (usize, usize, usize)> {
    let mut first_failed: HashMap<usize, (usize, usize, usize)> = HashMap::new();
    for (place, (call, passed)) in calls.iter().zip(passed).enumerate() {
        for (row, (items, passed)) in call.rows.iter().zip(passed).enumerate() {
            for item in items.iter().filter(|_| call.guarded && !passed) {
                let entry = first_failed.entry(item.batch).or_insert((item.step, place, row));
                *entry = (*entry).min((item.step, place, row));
            }
        }
    }
    first_failed
}

type Effect<'a> = (Identity, Vec<&'a Value>);

/// Who had an effect, and at which place in the order of the calls.
type Effects<'a> = HashMap<Effect<'a>, Vec<(usize, (usize, usize))>>;

/// What the refused batches did before they were undone, by statement and row: who, and in which order.
fn effects_of<'a>(
    batches: &[&'a Batch],
    calls: &[Call],
    passed: &[Vec<bool>],
    refused: &HashMap<usize, (usize, usize, usize)>,
) -> Effects<'a> {
    let refused: HashSet<usize> = refused.keys().copied().collect();
    let mut effects: Effects<'a> = HashMap::new();
    for (place, (call, passed)) in calls.iter().zip(passed).enumerate() {
        if call.statement.is_question() {
            continue;
        }
        for (row, (items, passed)) in call.rows.iter().zip(passed).enumerate() {
            for item in items
                .iter()
                .filter(|item| *passed && refused.contains(&item.batch))
            {
                let effect = identity(batches, call, row);
                effects
                    .entry(effect)
                    .or_default()
                    .push((item.batch, (place, row)));
            }
        }
    }
    effects
}

fn identity<'a>(batches: &[&'a Batch], call: &Call, row: usize) -> Effect<'a> {
    let key = call
        .keys
        .as_ref()
        .map_or_else(Vec::new, |form| key_of(form, call.params(batches, row)));
    (call.statement.identity(), key)
}

fn key_of<'a>(form: &Arrays, params: &'a [Value]) -> Vec<&'a Value> {
    form.keys.iter().filter_map(|key| params.get(*key)).collect()
}

static NOBODY: std::sync::LazyLock<Batch> = std::sync::LazyLock::new(|| Batch::new(""));

fn at<'a>(batches: &[&'a Batch], index: usize) -> &'a Batch {
    batches.get(index).copied().unwrap_or(&NOBODY)
}

fn step<'a>(batches: &[&'a Batch], item: Item) -> Option<&'a crate::batch::Step> {
    at(batches, item.batch).steps().get(item.step)
}

fn params<'a>(batches: &[&'a Batch], item: Item) -> &'a [Value] {
    step(batches, item).map_or(&[], |step| &step.params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Kind;

    static TAKE: Statement = Statement {
        name: "request.take",
        sql: "insert into request (key) values ($1) on conflict (key) do nothing",
        params: &[Kind::Text],
        columns: &[],
    };
    static SPEND: Statement = Statement {
        name: "line.spend",
        sql: "update line set used = used + $2 where id = $1 and used + $2 <= cap",
        params: &[Kind::Text, Kind::Int],
        columns: &[],
    };
    static ON_SALE: Statement = Statement {
        name: "plan.on_sale",
        sql: "select 1 from plan where id = $1",
        params: &[Kind::Text],
        columns: &[Kind::Int],
    };
    static NOTE: Statement = Statement {
        name: "note.add",
        sql: "insert into note (id) values ($1)",
        params: &[Kind::Text],
        columns: &[],
    };

    fn purchase(owner: &str, key: &str, notes: &[&str]) -> Batch {
        let mut batch = Batch::new(owner);
        batch.require(Guard::RequestUnused, &TAKE, vec![key.into()]);
        batch.require(Guard::Fact("plan_on_sale"), &ON_SALE, vec!["p".into()]);
        batch.require(
            Guard::Quantity("credit_available"),
            &SPEND,
            vec![owner.into(), 1_i64.into()],
        );
        notes
            .iter()
            .for_each(|note| batch.put(&NOTE, vec![(*note).into()]));
        batch
    }

    fn planned(batches: &[&Batch]) -> Vec<(&'static str, Vec<usize>)> {
        let calls = plan(batches, &mut Forms::default()).calls;
        calls
            .iter()
            .map(|call| (call.statement.name, call.rows.iter().map(Vec::len).collect()))
            .collect()
    }

    #[test]
    fn batches_of_one_shape_share_their_calls_and_their_questions() {
        let (one, two) = (purchase("a", "k1", &["x"]), purchase("b", "k2", &["y", "z"]));
        let expected = vec![
            ("request.take", vec![1, 1]),
            ("plan.on_sale", vec![2]),
            ("line.spend", vec![1, 1]),
            ("note.add", vec![1, 1, 1]),
        ];
        assert_eq!(planned(&[&one, &two]), expected);
    }

    #[test]
    fn two_that_meet_the_same_row_go_in_two_waves() {
        let (one, two) = (purchase("a", "k1", &[]), purchase("a", "k2", &[]));
        let expected = vec![
            ("request.take", vec![1, 1]),
            ("plan.on_sale", vec![2]),
            ("line.spend", vec![1]),
            ("line.spend", vec![1]),
        ];
        assert_eq!(planned(&[&one, &two]), expected);
    }

    #[test]
    fn the_first_guard_in_the_order_of_the_batch_is_the_answer() {
        let one = purchase("a", "k1", &[]);
        let batches = [&one];
        let calls = plan(&batches, &mut Forms::default()).calls;
        let refused = judge(&batches, &calls, &[vec![true], vec![false], vec![false]]);
        let expected = Refused {
            batch: 0,
            guard: Guard::Fact("plan_on_sale"),
            is_doubtful: false,
        };
        assert_eq!(refused, vec![expected]);
    }

    #[test]
    fn a_refusal_behind_one_that_committed_is_final() {
        let (one, two) = (purchase("a", "k1", &[]), purchase("a", "k2", &[]));
        let batches = [&one, &two];
        let calls = plan(&batches, &mut Forms::default()).calls;
        let refused = judge(
            &batches,
            &calls,
            &[vec![true, true], vec![true], vec![true], vec![false]],
        );
        let expected = Refused {
            batch: 1,
            guard: Guard::Quantity("credit_available"),
            is_doubtful: false,
        };
        assert_eq!(refused, vec![expected]);
    }

    #[test]
    fn a_refusal_behind_one_that_is_undone_is_doubtful() {
        // The second has the first one's key, and the first is refused later for want of credit.
        let (one, two) = (purchase("a", "k", &[]), purchase("b", "k", &[]));
        let batches = [&one, &two];
        let calls = plan(&batches, &mut Forms::default()).calls;
        let order: Vec<usize> = calls[0].rows.iter().map(|row| row[0].batch).collect();
        let (first, second) = (order[0], order[1]);
        let credit: Vec<bool> = calls[2].rows.iter().map(|row| row[0].batch != first).collect();
        let refused = judge(&batches, &calls, &[vec![true, false], vec![true], credit]);
        let doubtful = |batch| {
            refused
                .iter()
                .find(|refused| refused.batch == batch)
                .unwrap()
                .is_doubtful
        };
        assert!(!doubtful(first));
        assert!(doubtful(second));
    }
}
