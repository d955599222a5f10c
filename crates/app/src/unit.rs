//! A unit of work: decide, commit, and what to do when a guard does not hold.

use std::future::Future;

use fenqi_domain::actor::Actor;
use fenqi_domain::refusal::{Refusal, What};
use fenqi_store::tables::requests::{self, Request};
use fenqi_store::tables::staff;
use fenqi_store::{Batch, CommitError, Fault, Guard, vault};
use futures_util::future::join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::machine_now;
use crate::outcome::{Change, Denied, Key};
use crate::{App, audit};

/// How often a decision is made again when what it rested on changed meanwhile.
const ATTEMPTS: u32 = 3;

/// What was decided: what to write, and what to answer once it is written.
pub(crate) struct Decision<T> {
    pub batch: Batch,
    pub reply: T,
}

/// A command as it was asked for: who asks for what on whose object, under which key.
pub(crate) struct Asked {
    /// What makes it happen once.
    pub request: Request,
    /// What staff asked for, as the audit trail keeps it: who, with which verb, and the command.
    by_staff: Option<(Actor, &'static str, serde_json::Value)>,
}

impl Asked {
    /// A command with the hash of all that was asked, and what of it may be put on record.
    pub fn new<C: Serialize>(
        owner: &str,
        actor: &Actor,
        key: &Key,
        hash: Vec<u8>,
        (verb, command): (&'static str, &C),
    ) -> Asked {
        Asked {
            request: Request {
                owner: owner.into(),
                principal: actor.principal(),
                key: key.as_str().into(),
                hash,
            },
            by_staff: matches!(actor, Actor::Staff { .. }).then(|| {
                let command = serde_json::to_value(command).unwrap_or_default();
                (actor.clone(), verb, command)
            }),
        }
    }

    /// Puts what staff do on record, unless the command wrote a record of its own, with its reason.
    fn record(&self, batch: &mut Batch, app: &App) {
        if let Some((actor, verb, command)) = &self.by_staff
            && !staff::is_audited(batch)
        {
            let about = (*verb, self.request.owner.as_str());
            audit::by_staff(batch, actor, about, command, &mut app.moment());
        }
    }
}

/// The request of a command.
pub(crate) fn request<C: Serialize>(
    owner: &str,
    actor: &Actor,
    key: &Key,
    verb: &'static str,
    command: &C,
) -> Asked {
    // The verb is hashed too, so that one key cannot stand for two kinds of command.
    let text = serde_json::to_vec(&(verb, command)).unwrap_or_default();
    Asked::new(owner, actor, key, vault::hash(&text), (verb, command))
}

impl App {
    /// Decides and commits a command once for its key. The attempt is repeated when a guard says that what it read has
    /// changed; a refusal, an error and a fault leave nothing behind, so that the key is then free again. No command of
    /// staff goes unrecorded: it is put on record here if it did not do so itself.
    pub(crate) async fn once<T, F>(&self, asked: &Asked, attempt: impl Fn() -> F) -> Result<Change<T>, Denied>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<Decision<T>, Denied>>,
    {
        let request = &asked.request;
        for _ in 0..ATTEMPTS {
            let decision = match attempt().await {
                Ok(decision) => decision,
                // The command may be a repetition whose first run is the very reason why it is refused now.
                Err(denied) => return self.replay(request).await?.ok_or(denied),
            };
            let reply = serde_json::to_string(&decision.reply).map_err(|e| Fault::Corrupt {
                statement: "request.insert",
                what: e.to_string(),
            })?;
            let mut batch = Batch::new(&request.owner);
            requests::taken(&mut batch, request, &reply, machine_now().as_microsecond());
            batch.append(decision.batch);
            asked.record(&mut batch, self);
            match self.store.commit(batch).await {
                Ok(()) => return Ok(Change::Made(decision.reply)),
                Err(CommitError::Refused(Guard::RequestUnused)) => {
                    return self
                        .replay(request)
                        .await?
                        .ok_or(Denied::Fault(Fault::Busy { retry_after_ms: 200 }));
                }
                Err(CommitError::Refused(Guard::Quantity("order_unused"))) => {
                    return Err(Refusal::exists(What::Order).into());
                }
                Err(CommitError::Refused(guard)) => self.look_again(guard).await?,
                Err(CommitError::Fault(fault)) => return Err(fault.into()),
            }
        }
        Err(Denied::Fault(Fault::Busy { retry_after_ms: 200 }))
    }

    /// Decides and commits what has no key: a job's step, which may run twice because it looks at the state first.
    pub(crate) async fn step<T, F>(&self, attempt: impl Fn() -> F) -> Result<T, Denied>
    where
        F: Future<Output = Result<Decision<T>, Denied>>,
    {
        for _ in 0..ATTEMPTS {
            if let Some(reply) = self.tried(attempt().await?).await? {
                return Ok(reply);
            }
        }
        Err(Denied::Fault(Fault::Busy { retry_after_ms: 200 }))
    }

    /// As [`App::step`], for many at once: what they rest on is read in one snapshot, each is decided by itself, and
    /// their batches are handed over together, so that they share transactions and fsyncs. Whoever was refused by a
    /// guard is read and decided again; what fails one fails no other. The outcomes come in the order of the keys.
    pub(crate) async fn steps<K: Clone, C, T, F>(
        &self,
        keys: &[K],
        read: impl Fn(Vec<K>) -> F,
        decide: impl Fn(&K, C) -> Result<Decision<T>, Denied>,
    ) -> Vec<Result<T, Denied>>
    where
        F: Future<Output = Result<Vec<Result<Option<C>, Fault>>, Fault>>,
    {
        let mut outcomes: Vec<(&K, Option<Result<T, Denied>>)> = keys.iter().map(|key| (key, None)).collect();
        for _ in 0..ATTEMPTS {
            let mut open: Vec<_> = outcomes.iter_mut().filter(|(_, o)| o.is_none()).collect();
            if open.is_empty() {
                break;
            }
            let cases = match read(open.iter().map(|(key, _)| (*key).clone()).collect()).await {
                Ok(cases) => cases,
                Err(fault) => open.iter().map(|_| Err(fault.clone())).collect(),
            };
            let decided = open.iter().zip(cases).map(|((key, _), case)| {
                let case = case.map_err(Denied::from)?;
                decide(key, case.ok_or(Denied::NotFound)?)
            });
            let commits = decided.map(|decision| async { self.tried(decision?).await });
            let answers = join_all(commits).await;
            for ((_, outcome), answer) in open.iter_mut().zip(answers) {
                *outcome = answer.transpose();
            }
        }
        let busy = || Err(Denied::Fault(Fault::Busy { retry_after_ms: 200 }));
        let outcomes = outcomes.into_iter();
        outcomes
            .map(|(_, outcome)| outcome.unwrap_or_else(busy))
            .collect()
    }

    /// Commits a decision; none if a guard says that it must be made again.
    pub(crate) async fn tried<T>(&self, decision: Decision<T>) -> Result<Option<T>, Denied> {
        if decision.batch.is_empty() {
            return Ok(Some(decision.reply));
        }
        match self.store.commit(decision.batch).await {
            Ok(()) => Ok(Some(decision.reply)),
            Err(CommitError::Refused(guard)) => {
                self.look_again(guard).await?;
                Ok(None)
            }
            Err(CommitError::Fault(fault)) => Err(fault.into()),
        }
    }

    /// The reply to the same request made before; the same key with another command is named as such.
    async fn replay<T: DeserializeOwned>(&self, request: &Request) -> Result<Option<Change<T>>, Denied> {
        let Some((hash, reply)) = self.store.reply(request).await? else {
            return Ok(None);
        };
        if hash != request.hash {
            return Err(Denied::KeyReused);
        }
        let reply = serde_json::from_str(&reply).map_err(|e| Fault::Corrupt {
            statement: "request.find",
            what: e.to_string(),
        })?;
        Ok(Some(Change::AlreadyMade(reply)))
    }

    /// Prepares another attempt: if the configuration changed, it must be read again.
    async fn look_again(&self, guard: Guard) -> Result<(), Fault> {
        if guard == Guard::Fact("generation") {
            self.reload().await?;
        }
        Ok(())
    }
}
