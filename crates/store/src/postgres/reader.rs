//! The readers: each takes its share of the questions that wait and asks them in one flight.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use super::arrays::asked_by_many;
use super::connect::{Address, Purpose, unavailable};
use super::session::{ANSWER_TIMEOUT, Form, Reply, Session, fault_of};
use super::wire::{Param, columns, flight, row_of};
use crate::fault::Fault;
use crate::statement::{Identity, Query, Statement};
use crate::value::{Row, Value};

/// Questions to be answered from one snapshot.
pub(super) struct Asked {
    pub(super) queries: Vec<Query>,
    pub(super) reply: oneshot::Sender<Answer>,
}

pub(super) type Answer = Result<Vec<Vec<Row>>, Fault>;

/// The queue that all readers share.
pub(super) type Questions = Arc<Mutex<mpsc::UnboundedReceiver<Asked>>>;

/// How many callers are answered in one flight at most.
const SHARED_MAX: usize = 128;

/// How often a question is asked again on a new connection.
const TRIES_MAX: usize = 3;

/// A reading connection.
pub(super) struct Reader {
    pub(super) address: Address,
    pub(super) questions: Questions,
    pub(super) readers: usize,
    pub(super) session: Option<Session>,
    pub(super) forms: HashMap<Identity, Option<String>>,
}

/// One call: a query, or the same query with the parameters of many.
struct Call {
    statement: &'static Statement,
    is_shared: bool,
    /// Who asked: the place among the callers and among the caller's queries.
    askers: Vec<(usize, usize)>,
}

enum Failed {
    /// The connection is gone; a question may be asked again.
    Broken(Fault),
    /// A statement failed.
    Statement(Fault),
}

impl Reader {
    /// Serves until the queue is closed.
    pub(super) async fn run(mut self) {
        while let Some(taken) = self.take().await {
            let answers = self.answer_all(&taken).await;
            for (asked, answer) in taken.into_iter().zip(answers) {
                let _ = asked.reply.send(answer);
            }
        }
    }

    /// Takes a share of what waits. All of it was asked before the snapshots that answer it begin.
    async fn take(&self) -> Option<Vec<Asked>> {
        let mut queue = self.questions.lock().await;
        let mut taken = vec![queue.recv().await?];
        let share = queue.len().checked_div(self.readers).unwrap_or(0).min(SHARED_MAX);
        for _ in 0..share {
            let Ok(next) = queue.try_recv() else { break };
            taken.push(next);
        }
        Some(taken)
    }

    async fn answer_all(&mut self, taken: &[Asked]) -> Vec<Answer> {
        let queries: Vec<&[Query]> = taken.iter().map(|asked| asked.queries.as_slice()).collect();
        match self.ask(&queries).await {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(fault) if queries.len() == 1 => vec![Err(fault)],
            Err(_) => {
                // One that fails must not fail the others.
                let mut answers = Vec::with_capacity(queries.len());
                for alone in &queries {
                    let answer = self.ask(&[*alone]).await;
                    answers.push(answer.map(|mut answers| answers.pop().unwrap_or_default()));
                }
                answers
            }
        }
    }

    async fn ask(&mut self, queries: &[&[Query]]) -> Result<Vec<Vec<Vec<Row>>>, Fault> {
        let mut last = Fault::Unavailable("the server was not asked".to_owned());
        for _ in 0..TRIES_MAX {
            let session = match self.session.take().filter(|session| !session.is_closed()) {
                Some(session) => session,
                None => Session::open(&self.address, Purpose::Read).await?,
            };
            match self.ask_on(session, queries).await {
                Ok(answers) => return Ok(answers),
                Err(Failed::Statement(fault)) => return Err(fault),
                Err(Failed::Broken(fault)) => last = fault,
            }
        }
        Err(last)
    }

    async fn ask_on(
        &mut self,
        mut session: Session,
        queries: &[&[Query]],
    ) -> Result<Vec<Vec<Vec<Row>>>, Failed> {
        let calls = self.plan(queries);
        if let Err(failed) = self.prepare(&mut session, &calls).await {
            self.session = Some(session).filter(|session| !session.is_closed());
            return Err(failed);
        }
        // Questions that belong together see one snapshot; single ones need none of their own.
        let wants_snapshot = queries.iter().any(|queries| queries.len() > 1);
        let mut sent = Vec::with_capacity(calls.len().saturating_add(2));
        if wants_snapshot {
            sent.push(session.control("begin isolation level repeatable read read only"));
        }
        for call in &calls {
            let form = if call.is_shared { Form::Asked } else { Form::Plain };
            if let Some(prepared) = session.prepared(call.statement, form) {
                sent.push(session.rows(prepared, params_of(call, queries)));
            }
        }
        if wants_snapshot {
            sent.push(session.control("commit"));
        }
        let answers = tokio::time::timeout(ANSWER_TIMEOUT, flight(sent)).await;
        let Ok(answers) = answers else {
            return Err(Failed::Broken(Fault::Unavailable(
                "the server does not answer".to_owned(),
            )));
        };
        let mut rows: Vec<Vec<Vec<Row>>> = queries
            .iter()
            .map(|own| own.iter().map(|_| Vec::new()).collect())
            .collect();
        let mut failed = None;
        for (call, answer) in calls
            .iter()
            .zip(answers.into_iter().skip(usize::from(wants_snapshot)))
        {
            let done = match answer {
                Ok(Reply::Rows(found)) => hand_out(call, &found, &mut rows).map_err(Failed::Statement),
                Ok(_) => Ok(()),
                Err(error) if error.as_db_error().is_some() => {
                    Err(Failed::Statement(fault_of(call.statement, &error)))
                }
                Err(error) => Err(Failed::Broken(unavailable(&error))),
            };
            // The first failure says why; those behind it only that there was one.
            failed = failed.or(done.err());
        }
        self.session = Some(session).filter(|session| !session.is_closed());
        failed.map_or(Ok(rows), Err)
    }

    async fn prepare(&self, session: &mut Session, calls: &[Call]) -> Result<(), Failed> {
        let wanted = calls.iter().map(|call| {
            let shared = self.forms.get(&call.statement.identity());
            match shared.and_then(Option::as_ref) {
                Some(text) if call.is_shared => (call.statement, Form::Asked, text.as_str()),
                _ => (call.statement, Form::Plain, call.statement.sql),
            }
        });
        let wanted: Vec<_> = wanted.collect();
        let prepared = session.prepare_all(&wanted).await;
        prepared.map_err(|(place, error)| match calls.get(place) {
            Some(call) if error.as_db_error().is_some() => {
                Failed::Statement(fault_of(call.statement, &error))
            }
            _ => Failed::Broken(unavailable(&error)),
        })
    }

    /// One call for each query, or for all that ask the same.
    fn plan(&mut self, queries: &[&[Query]]) -> Vec<Call> {
        let mut places: HashMap<Identity, usize> = HashMap::new();
        let mut calls: Vec<Call> = Vec::new();
        for (caller, own) in queries.iter().enumerate() {
            for (position, query) in own.iter().enumerate() {
                let next = calls.len();
                let place = *places.entry(query.statement.identity()).or_insert(next);
                match calls.get_mut(place) {
                    Some(call) => call.askers.push((caller, position)),
                    None => calls.push(Call {
                        statement: query.statement,
                        is_shared: false,
                        askers: vec![(caller, position)],
                    }),
                }
            }
        }
        let mut planned = Vec::with_capacity(calls.len());
        for mut call in calls {
            let identity = call.statement.identity();
            let form = self
                .forms
                .entry(identity)
                .or_insert_with(|| asked_by_many(call.statement));
            if call.askers.len() > 1 && form.is_some() {
                call.is_shared = true;
                planned.push(call);
            } else {
                let Call {
                    statement, askers, ..
                } = call;
                let one = |asker| Call {
                    statement,
                    is_shared: false,
                    askers: vec![asker],
                };
                planned.extend(askers.into_iter().map(one));
            }
        }
        planned
    }
}

fn params_of<'a>(call: &Call, queries: &[&'a [Query]]) -> Vec<Param<'a>> {
    let given = |(caller, position): &(usize, usize)| -> &'a [Value] {
        queries
            .get(*caller)
            .and_then(|own| own.get(*position))
            .map_or(&[], |query| query.params.as_slice())
    };
    if !call.is_shared {
        return call
            .askers
            .first()
            .map_or(&[][..], given)
            .iter()
            .map(Param::One)
            .collect();
    }
    columns(call.statement, call.askers.iter().map(given))
}

/// Gives each asker his rows, in their order.
fn hand_out(call: &Call, found: &[tokio_postgres::Row], rows: &mut [Vec<Vec<Row>>]) -> Result<(), Fault> {
    let place = |rows: &mut [Vec<Vec<Row>>], asker: usize, row: Row| {
        let Some((caller, position)) = call.askers.get(asker) else {
            return;
        };
        if let Some(own) = rows.get_mut(*caller).and_then(|own| own.get_mut(*position)) {
            own.push(row);
        }
    };
    if !call.is_shared {
        for row in found {
            place(rows, 0, row_of(call.statement, row, 0)?);
        }
        return Ok(());
    }
    let mut ordered: Vec<(i64, i64, &tokio_postgres::Row)> = Vec::with_capacity(found.len());
    for row in found {
        let wrong = |error: tokio_postgres::Error| fault_of(call.statement, &error);
        ordered.push((
            row.try_get(0).map_err(wrong)?,
            row.try_get(1).map_err(wrong)?,
            row,
        ));
    }
    ordered.sort_by_key(|(asker, number, _)| (*asker, *number));
    for (asker, _, row) in ordered {
        let asker = usize::try_from(asker.saturating_sub(1)).unwrap_or(usize::MAX);
        place(rows, asker, row_of(call.statement, row, 2)?);
    }
    Ok(())
}
