//! The sandbox's check of names, faces and documents (实名核验).
//!
//! Who is in the table of people is compared with it. Who is not is taken to be who they say, so that anyone can try the
//! demo; a session that begins with `fail` differs for everybody.

use fenqi_app::ports::{BoxFuture, IdentityAnswer, IdentityCheck, Unreachable};
use fenqi_domain::pii::Pii;

use crate::people::Person;
use crate::script::{Misbehaviour, Operation};
use crate::world::{Call, Shared};

/// The identity check.
pub struct SandboxIdentity {
    world: Shared,
}

impl SandboxIdentity {
    pub(crate) fn new(world: Shared) -> SandboxIdentity {
        SandboxIdentity { world }
    }

    fn check(
        &self,
        operation: Operation,
        id_number: &str,
        session: &str,
        agrees: impl Fn(&Person) -> bool,
    ) -> Result<IdentityAnswer, Unreachable> {
        let call = Call {
            party: "identity",
            operation,
            key: id_number,
        };
        self.world.lock().call(call, |world, misbehaviour| {
            let person = world.people.get(id_number);
            let is_refused = matches!(misbehaviour, Some(Misbehaviour::Refused { .. }));
            if is_refused || session.starts_with("fail") || person.is_some_and(|p| !agrees(p)) {
                return IdentityAnswer::Differs;
            }
            let saw_document = operation == Operation::CheckPhotograph;
            IdentityAnswer::Matched {
                reference: world.reference("I", &format!("{}/{id_number}/{session}", operation.word())),
                valid_until: person
                    .filter(|_| saw_document)
                    .and_then(|p| p.document_valid_until),
            }
        })
    }
}

// The check compares the very data, so this is a place where it leaves its wrapper.
impl IdentityCheck for SandboxIdentity {
    fn name<'a>(
        &'a self,
        name: &'a Pii<String>,
        id_number: &'a Pii<String>,
    ) -> BoxFuture<'a, Result<IdentityAnswer, Unreachable>> {
        Box::pin(async move {
            self.check(Operation::CheckName, id_number.reveal(), "", |person| {
                person.name == *name.reveal()
            })
        })
    }

    fn face<'a>(
        &'a self,
        id_number: &'a Pii<String>,
        session: &'a str,
    ) -> BoxFuture<'a, Result<IdentityAnswer, Unreachable>> {
        Box::pin(async move {
            self.check(Operation::CheckFace, id_number.reveal(), session, |person| {
                person.face_matches
            })
        })
    }

    fn photograph<'a>(
        &'a self,
        id_number: &'a Pii<String>,
        session: &'a str,
    ) -> BoxFuture<'a, Result<IdentityAnswer, Unreachable>> {
        Box::pin(async move {
            self.check(
                Operation::CheckPhotograph,
                id_number.reveal(),
                session,
                |person| person.document_matches,
            )
        })
    }
}
