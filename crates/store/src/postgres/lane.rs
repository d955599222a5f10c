//! A lane: one connection that commits its batches in groups.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio_postgres::error::SqlState;

use super::arrays::{Answer, Arrays};
use super::connect::{Address, Purpose};
use super::group::{Call, Forms, Plan, Refused, judge, judge_probes, plan, probes};
use super::session::{ANSWER_TIMEOUT, Form, Reply, Session, fault_of};
use super::wire::{Param, Sent, columns, flight};
use crate::batch::{Batch, Guard};
use crate::fault::{CommitError, Fault};
use crate::queue::{Backlog, Pending, RETRY_AFTER_MS};
use crate::value::Value;

/// How often the refused are taken out and the rest tried again, before each is tried by itself.
const ROUNDS_MAX: usize = 3;

/// How often a group that met others' locks, or lost its connection, is tried again.
const TRIES_MAX: u32 = 5;

/// How often a group whose rows were locked all the while is tried again. A process of ours that stopped
/// loses its locks within the first of them; what holds them longer is somebody else's.
const LOCKED_TRIES_MAX: u32 = 1;

/// A writing connection with its queue.
pub(super) struct Lane {
    pub(super) address: Address,
    pub(super) receiver: UnboundedReceiver<Pending>,
    pub(super) group_max: usize,
    pub(super) session: Option<Session>,
    pub(super) forms: Forms,
    /// For how many groups the guards are asked before anything is written.
    pub(super) wary: u32,
}

/// For how many groups guards are asked first after one did not hold: refusals come in crowds.
const WARY_GROUPS: u32 = 64;

/// For how many groups it is asked which keys were free after one was not.
const CAREFUL_GROUPS: u32 = 16;

/// Batches that are to be committed together, with what happened to them so far.
struct Group {
    open: Vec<Pending>,
    /// Those whose guard failed; they are told so when the rest is committed.
    refused: Vec<(Pending, Guard)>,
    rounds: usize,
    tries: u32,
}

/// What one attempt at a group came to.
enum Attempt {
    Committed,
    /// Rolled back, because of these.
    Refused(Vec<Refused>),
    /// Rolled back; others took the same rows at the same time.
    Contended,
    /// Rolled back; a key that was taken to be free is not.
    Taken,
    /// Rolled back; others held the same rows for as long as our patience lasts.
    Locked,
    /// The connection broke before the commit was sent: nothing was written.
    Broken,
    /// The connection broke while the commit was under way.
    Unknown,
    /// Rolled back; a statement failed, after these had been refused.
    Failed(Fault, Vec<Refused>),
    /// A form with arrays is not taken; it was forgotten, and the plan must be made again.
    Replan,
    /// The server cannot be reached.
    Unreachable(Fault),
}

impl Lane {
    /// Serves until the queue is closed.
    pub(super) async fn run(mut self) {
        let mut backlog = Backlog::new();
        while backlog.fill(&mut self.receiver).await {
            let mut open = backlog.next_group(self.group_max);
            self.forms.next_group();
            if self.wary > 0 && open.len() > 1 {
                self.wary = self.wary.saturating_sub(1);
                open = self.ask_first(open).await;
            }
            let mut waiting = vec![Group {
                open,
                refused: Vec::new(),
                rounds: 0,
                tries: 0,
            }];
            while let Some(group) = waiting.pop() {
                self.settle(group, &mut waiting).await;
            }
        }
    }

    /// Answers those whose guards do not hold as the store is now, and gives back the others. What cannot
    /// be asked, or fails to be, is left for the group to find out.
    async fn ask_first(&mut self, open: Vec<Pending>) -> Vec<Pending> {
        let Some(mut session) = self.session.take().filter(|session| !session.is_closed()) else {
            return open;
        };
        let batches: Vec<&Batch> = open.iter().map(|pending| &pending.batch).collect();
        let asked = probes(&plan(&batches, &mut self.forms).calls, &mut self.forms);
        let refused = probed(&mut session, &batches, &asked, &mut self.forms).await;
        self.session = Some(session).filter(|session| !session.is_closed());
        if !refused.is_empty() {
            self.wary = WARY_GROUPS;
        }
        let mut others = Vec::with_capacity(open.len());
        for (index, one) in open.into_iter().enumerate() {
            match refused.iter().find(|refused| refused.batch == index) {
                Some(refused) => one.answer(Err(CommitError::Refused(refused.guard))),
                None => others.push(one),
            }
        }
        others
    }

    /// Tries the group once; what is left of it afterwards goes back among those that wait.
    async fn settle(&mut self, mut group: Group, waiting: &mut Vec<Group>) {
        if group.rounds >= ROUNDS_MAX && group.open.len() > 1 {
            // What keeps changing its mind in company is asked one by one.
            waiting.extend(one_by_one(group));
            return;
        }
        if group.open.is_empty() {
            return group.finish();
        }
        match self.attempt(&group.open).await {
            Attempt::Committed => group.finish(),
            Attempt::Replan => waiting.push(group),
            Attempt::Taken => {
                self.forms.be_careful(CAREFUL_GROUPS);
                waiting.push(group);
            }
            Attempt::Refused(refused) => {
                self.wary = WARY_GROUPS;
                group.take_out(&refused);
                group.rounds = group.rounds.saturating_add(1);
                waiting.push(group);
            }
            Attempt::Failed(fault, refused) => fail_in_part(group, fault, &refused, waiting),
            Attempt::Contended if group.tries < TRIES_MAX => {
                group.tries = group.tries.saturating_add(1);
                tokio::time::sleep(Duration::from_millis(u64::from(group.tries) * 3)).await;
                waiting.push(group);
            }
            Attempt::Locked if group.tries < LOCKED_TRIES_MAX => {
                group.tries = group.tries.saturating_add(1);
                waiting.push(group);
            }
            Attempt::Contended | Attempt::Locked => {
                let busy = Fault::Busy {
                    retry_after_ms: RETRY_AFTER_MS,
                };
                fail_in_part(group, busy, &[], waiting);
            }
            Attempt::Broken if group.tries < TRIES_MAX => {
                group.tries = group.tries.saturating_add(1);
                waiting.push(group);
            }
            Attempt::Broken => {
                group.give_up(&Fault::Unavailable(
                    "the connection to the server keeps breaking".to_owned(),
                ));
            }
            Attempt::Unknown => {
                group.keep_what_may_be_repeated();
                waiting.push(group);
            }
            Attempt::Unreachable(fault) => group.give_up(&fault),
        }
    }

    async fn attempt(&mut self, open: &[Pending]) -> Attempt {
        let batches: Vec<&Batch> = open.iter().map(|pending| &pending.batch).collect();
        let session = match self.session.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => match reach(&self.address).await {
                Ok(session) => session,
                Err(fault) => return Attempt::Unreachable(fault),
            },
        };
        let (attempt, session) = tried(session, &batches, &mut self.forms).await;
        self.session = session;
        attempt
    }
}

impl Group {
    fn finish(self) {
        self.open.into_iter().for_each(|one| one.answer(Ok(())));
        self.refused
            .into_iter()
            .for_each(|(one, guard)| one.answer(Err(CommitError::Refused(guard))));
    }

    /// None of these was committed. The refused are told to come again: those whose success refused
    /// them did not succeed.
    fn give_up(self, fault: &Fault) {
        self.open
            .into_iter()
            .for_each(|one| one.answer(Err(fault.clone().into())));
        let again = Fault::Busy {
            retry_after_ms: RETRY_AFTER_MS,
        };
        self.refused
            .into_iter()
            .for_each(|(one, _)| one.answer(Err(again.clone().into())));
    }

    fn take_out(&mut self, refused: &[Refused]) {
        let mut open = Vec::with_capacity(self.open.len());
        for (index, one) in std::mem::take(&mut self.open).into_iter().enumerate() {
            match refused
                .iter()
                .find(|refused| refused.batch == index && !refused.is_doubtful)
            {
                Some(refused) => self.refused.push((one, refused.guard)),
                None => open.push(one),
            }
        }
        self.open = open;
    }

    /// After a commit whose answer was lost: a batch that takes a request's key is given again. Its
    /// first statement meets the row of that key on a new connection, waits for the old transaction if
    /// that is still under way, and so knows for certain; the stored reply is then the answer. Of the
    /// others nobody knows.
    fn keep_what_may_be_repeated(&mut self) {
        self.tries = self.tries.saturating_add(1);
        let may_be_repeated = self.tries < TRIES_MAX;
        for one in std::mem::take(&mut self.open) {
            if may_be_repeated && one.batch.may_be_repeated() {
                self.open.push(one);
            } else {
                one.answer(Err(Fault::Lost.into()));
            }
        }
        let again = std::mem::take(&mut self.refused);
        self.open.extend(again.into_iter().map(|(one, _)| one));
    }
}

fn one_by_one(group: Group) -> Vec<Group> {
    let refused = group.refused.into_iter().map(|(one, _)| one);
    // The last is popped first, so that they go in their order, and the refused after the rest.
    let all = group.open.into_iter().chain(refused).rev();
    all.map(|one| Group {
        open: vec![one],
        refused: Vec::new(),
        rounds: 0,
        tries: 0,
    })
    .collect()
}

/// A statement failed. The refused before it may be the cause (a repeated request writes its rows twice),
/// so they are taken out first; then the group is halved until the one that fails is found.
fn fail_in_part(mut group: Group, fault: Fault, refused: &[Refused], waiting: &mut Vec<Group>) {
    if refused.iter().any(|refused| !refused.is_doubtful) {
        group.take_out(refused);
        waiting.push(group);
        return;
    }
    if group.open.len() == 1 || matches!(fault, Fault::Unavailable(_)) {
        return group.give_up(&fault);
    }
    let again = std::mem::take(&mut group.refused)
        .into_iter()
        .map(|(one, _)| one)
        .collect::<Vec<_>>();
    let half = group.open.len().div_ceil(2);
    let second = group.open.split_off(half);
    for part in [again, second, group.open] {
        if !part.is_empty() {
            waiting.push(Group {
                open: part,
                refused: Vec::new(),
                rounds: 0,
                tries: group.tries,
            });
        }
    }
}

/// Connects, and waits for a server that is coming back for up to three seconds.
async fn reach(address: &Address) -> Result<Session, Fault> {
    let mut last = Fault::Unavailable("the server was not tried".to_owned());
    for wait_ms in [0, 50, 200, 500, 1_000, 1_250] {
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        match Session::open(address, Purpose::Write).await {
            Ok(session) => return Ok(session),
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

/// Asks which guards hold. Nothing is written, and so nothing is wrong with asking in vain.
async fn probed(
    session: &mut Session,
    batches: &[&Batch],
    asked: &[Call],
    forms: &mut Forms,
) -> Vec<Refused> {
    for call in asked {
        let Some(form) = &call.form else { continue };
        if let Err(error) = session.prepare(call.statement, Form::Probe, &form.text).await {
            tracing::warn!(statement = call.statement.name, %error, "the form that asks is not taken");
            forms.forget_probe(call.statement);
            return Vec::new();
        }
    }
    let sent = asked
        .iter()
        .filter_map(|call| send(session, call, Form::Probe, batches))
        .collect();
    let Ok(answers) = tokio::time::timeout(ANSWER_TIMEOUT, flight(sent)).await else {
        return Vec::new();
    };
    let mut passed = Vec::with_capacity(asked.len());
    for (call, answer) in asked.iter().zip(answers) {
        let Ok(Reply::Rows(rows)) = answer else {
            return Vec::new();
        };
        passed.push(by_ordinals(call.rows.len(), &rows));
    }
    judge_probes(batches, asked, &passed)
}

/// Runs the batches in one transaction, in two flights: what may be refused, and then the rest with the
/// commit. The session comes back unless its connection is gone.
async fn tried(mut session: Session, batches: &[&Batch], forms: &mut Forms) -> (Attempt, Option<Session>) {
    let Plan { calls, undecided } = plan(batches, forms);
    if let Err(attempt) = prepare_all(&mut session, &calls, forms).await {
        let session = Some(session).filter(|session| !session.is_closed());
        return (attempt, session);
    }
    let (guards, rest) = calls.split_at_checked(undecided).unwrap_or((&calls, &[]));
    if let Some(attempt) = decided(&session, batches, guards).await {
        if session.is_closed() || matches!(attempt, Attempt::Broken) {
            return (Attempt::Broken, None);
        }
        let undone = tokio::time::timeout(ANSWER_TIMEOUT, session.control("rollback")).await;
        let session = matches!(undone, Ok(Ok(_))).then_some(session);
        return (attempt, session);
    }
    let begins = guards.is_empty().then(|| session.control("begin"));
    let mut sent: Vec<_> = begins.into_iter().collect();
    sent.extend(
        rest.iter()
            .filter_map(|call| send(&session, call, form_of(call).0, batches)),
    );
    sent.push(session.control("commit"));
    let Ok(mut answers) = tokio::time::timeout(ANSWER_TIMEOUT, flight(sent)).await else {
        return (Attempt::Unknown, None);
    };
    let commit = answers.pop();
    let first = usize::from(guards.is_empty());
    let failed = rest
        .iter()
        .zip(answers.into_iter().skip(first))
        .find_map(|(call, answer)| {
            // A failure that the server reports has undone the transaction, and its commit with it.
            answer
                .err()
                .filter(|error| error.as_db_error().is_some())
                .map(|error| (call, error))
        });
    if let Some((call, error)) = failed {
        let attempt = failure(call, &error, Vec::new());
        let is_over = session.is_closed() || matches!(attempt, Attempt::Broken);
        return (attempt, (!is_over).then_some(session));
    }
    match commit {
        Some(Ok(_)) => (Attempt::Committed, Some(session)),
        Some(Err(error)) if error.code().is_some_and(is_contention) => (Attempt::Contended, Some(session)),
        Some(Err(error)) if error.code() == Some(&SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT) => {
            (Attempt::Broken, None)
        }
        Some(Err(_)) if session.was_ended_before_its_commit().await => (Attempt::Broken, None),
        _ => (Attempt::Unknown, None),
    }
}

/// Begins the transaction and runs the calls up to the last guard. `None` when all of them passed.
async fn decided(session: &Session, batches: &[&Batch], guards: &[Call]) -> Option<Attempt> {
    if guards.is_empty() {
        return None;
    }
    let mut sent = vec![session.control("begin")];
    sent.extend(
        guards
            .iter()
            .filter_map(|call| send(session, call, form_of(call).0, batches)),
    );
    let answers = tokio::time::timeout(ANSWER_TIMEOUT, flight(sent)).await;
    let Ok(answers) = answers else {
        return Some(Attempt::Broken);
    };
    let mut passed = Vec::with_capacity(guards.len());
    // The first answer is the beginning's, which fails only with the connection.
    for (call, answer) in guards.iter().zip(answers.into_iter().skip(1)) {
        match answer {
            Ok(reply) => passed.push(rows_passed(call, &reply, batches)),
            Err(error) => return Some(failure(call, &error, judge(batches, guards, &passed))),
        }
    }
    let refused = judge(batches, guards, &passed);
    (!refused.is_empty()).then_some(Attempt::Refused(refused))
}

/// What the failure of a call means for its group.
fn failure(call: &Call, error: &tokio_postgres::Error, refused: Vec<Refused>) -> Attempt {
    match error.code() {
        None => Attempt::Broken,
        // The server ended the session, and the transaction with it: the group goes to another.
        Some(code) if is_the_end_of_the_session(code) => Attempt::Broken,
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => Attempt::Locked,
        Some(code) if is_contention(code) => Attempt::Contended,
        Some(code) if call.is_bold && *code == SqlState::UNIQUE_VIOLATION => Attempt::Taken,
        Some(_) => Attempt::Failed(fault_of(call.statement, error), refused),
    }
}

fn is_the_end_of_the_session(code: &SqlState) -> bool {
    *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT || code.code().starts_with("57P")
}

fn is_contention(code: &SqlState) -> bool {
    *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
}

fn form_of(call: &Call) -> (Form, &str) {
    match &call.form {
        Some(arrays) if call.is_bold => (Form::Bold, arrays.text.as_str()),
        Some(arrays) => (
            Form::Arrays {
                guarded: call.guarded,
            },
            arrays.text.as_str(),
        ),
        None => (Form::Plain, call.statement.sql),
    }
}

async fn prepare_all(session: &mut Session, calls: &[Call], forms: &mut Forms) -> Result<(), Attempt> {
    let wanted = calls.iter().map(|call| {
        let (form, text) = form_of(call);
        (call.statement, form, text)
    });
    let wanted: Vec<_> = wanted.collect();
    let Err((place, error)) = session.prepare_all(&wanted).await else {
        return Ok(());
    };
    let Some(call) = calls.get(place).filter(|_| error.as_db_error().is_some()) else {
        return Err(Attempt::Broken);
    };
    if form_of(call).0 == Form::Plain {
        return Err(Attempt::Failed(fault_of(call.statement, &error), Vec::new()));
    }
    tracing::warn!(statement = call.statement.name, %error, "the form with arrays is not taken");
    forms.forget(call.statement, call.guarded);
    Err(Attempt::Replan)
}

fn send<'a>(
    session: &'a Session,
    call: &'a Call,
    form: Form,
    batches: &[&'a Batch],
) -> Option<Sent<'a, super::session::Answer>> {
    let prepared = session.prepared(call.statement, form)?;
    let params = match &call.form {
        None => call.params(batches, 0).iter().map(Param::One).collect(),
        Some(_) => columns(
            call.statement,
            (0..call.rows.len()).map(|index| call.params(batches, index)),
        ),
    };
    let returns = match &call.form {
        None => call.statement.is_question(),
        Some(arrays) => arrays.answer != Answer::All,
    };
    Some(if returns {
        session.rows(prepared, params)
    } else {
        session.touch(prepared, params)
    })
}

/// Which rows of a call passed: those that touched or returned exactly one row.
fn rows_passed(call: &Call, reply: &Reply, batches: &[&Batch]) -> Vec<bool> {
    if !call.guarded {
        return vec![true; call.rows.len()];
    }
    match (reply, &call.form) {
        (Reply::Touched(count), None) => vec![*count == 1],
        (Reply::Rows(rows), None) => vec![rows.len() == 1],
        (Reply::Rows(rows), Some(arrays)) => match &arrays.answer {
            Answer::Keys(keys) => by_keys(call, rows, keys, arrays, batches),
            Answer::Ordinals | Answer::All => by_ordinals(call.rows.len(), rows),
        },
        (Reply::Touched(_) | Reply::Done, _) => vec![true; call.rows.len()],
    }
}

fn by_ordinals(count: usize, rows: &[tokio_postgres::Row]) -> Vec<bool> {
    let mut touched = vec![0_usize; count];
    for row in rows {
        let ordinal = row
            .try_get::<_, i64>(0)
            .ok()
            .and_then(|ordinal| usize::try_from(ordinal).ok());
        if let Some(count) = ordinal
            .and_then(|n| n.checked_sub(1))
            .and_then(|index| touched.get_mut(index))
        {
            *count = count.saturating_add(1);
        }
    }
    touched.into_iter().map(|count| count == 1).collect()
}

/// Of those that gave the same key, the first is the one that was inserted.
fn by_keys(
    call: &Call,
    rows: &[tokio_postgres::Row],
    keys: &[usize],
    arrays: &Arrays,
    batches: &[&Batch],
) -> Vec<bool> {
    let kinds = call.statement.params;
    let mut inserted: std::collections::HashSet<Vec<Value>> = rows
        .iter()
        .map(|row| {
            let values = keys.iter().enumerate().map(|(position, key)| {
                let kind = kinds.get(*key).copied();
                kind.and_then(|kind| super::wire::value_of(kind, row, position).ok())
                    .unwrap_or(Value::Null)
            });
            values.collect()
        })
        .collect();
    (0..call.rows.len())
        .map(|index| {
            let given = call.params(batches, index);
            let key: Vec<Value> = arrays
                .keys
                .iter()
                .filter_map(|key| given.get(*key).cloned())
                .collect();
            inserted.remove(&key)
        })
        .collect()
}
