//! Proves who a shopper is (实名认证): name and number first, then a face or a photographed document. The answer is
//! kept with its reference; images stay with the provider.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::evidence::{IdentityEvidence, Passed, Step};
use fenqi_domain::id::ShopperId;
use fenqi_domain::identity::{self, IdNumber};
use fenqi_domain::pii::Pii;
use fenqi_domain::refusal::{Capability, Refusal, What};
use fenqi_store::tables::agreements;
use fenqi_store::tables::requests::Request;
use fenqi_store::tables::shoppers::{Person, StoredIdentity};
use fenqi_store::{Batch, vault};
use serde::{Deserialize, Serialize};

use crate::mistake::Mistake;
use crate::outcome::{Change, Denied, Key};
use crate::ports::IdentityAnswer;
use crate::unit::{Asked, Decision};
use crate::{App, Moment};

/// One step of the proof.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A name and an identity number, as the shopper wrote them.
    Name {
        /// The name.
        name: Pii<String>,
        /// The number.
        id_number: Pii<String>,
    },
    /// A face that the provider saw under this session.
    Face {
        /// The provider's session.
        session: String,
    },
    /// Photographs of the document that the provider holds under this session.
    Photograph {
        /// The provider's session.
        session: String,
    },
}

impl Proof {
    fn step(&self) -> Step {
        match self {
            Proof::Name { .. } => Step::Name,
            Proof::Face { .. } => Step::Face,
            Proof::Photograph { .. } => Step::Photograph,
        }
    }
}

/// The reply: what is proved so far, and what is still needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// What is proved.
    pub evidence: IdentityEvidence,
    /// The next step, or nothing if all is proved.
    pub missing: Option<String>,
}

/// Takes one step. A step that does not succeed counts as a try and is refused with the tries that are left.
pub async fn verify_identity(
    app: &App,
    actor: &Actor,
    key: &Key,
    shopper: ShopperId,
    proof: Proof,
) -> Result<Change<Verified>, Denied> {
    actor.require_for(shopper, Scope::Buy)?;
    let moment = app.moment();
    app.configuration()
        .await?
        .open_for(Capability::Verify, "platform", moment.now)?;
    let parsed = Parsed::of(&proof, &moment)?;
    let about = ("verify_identity", &proof.step());
    let asked = Asked::new(&shopper.to_string(), actor, key, fingerprint(app, &proof), about);
    if let Ok(Some(found)) = app.store.reply(&asked.request).await {
        return replayed(found, &asked.request);
    }
    let before = app.store.identity(shopper).await?.ok_or(Denied::NotFound)?;
    let evidence: IdentityEvidence = before.evidence()?;
    evidence.may_try(proof.step(), moment.today)?;
    let answer = ask(app, &before, &proof, &parsed).await?;
    let passed = |reference: String| Passed {
        at: moment.now,
        reference,
    };
    let (evidence, refusal) = match (answer, &proof) {
        (IdentityAnswer::Matched { reference, .. }, Proof::Name { .. }) => {
            (evidence.name_matched(passed(reference), parsed.age), None)
        }
        (IdentityAnswer::Matched { reference, .. }, Proof::Face { .. }) => {
            (evidence.face_matched(passed(reference)), None)
        }
        (
            IdentityAnswer::Matched {
                reference,
                valid_until,
            },
            Proof::Photograph { .. },
        ) => (evidence.photograph_matched(passed(reference), valid_until), None),
        (IdentityAnswer::Differs, _) => {
            let (evidence, refusal) = evidence.failed(proof.step(), moment.today);
            (evidence, Some(refusal))
        }
    };
    match refusal {
        None => app.once(&asked, || write(app, shopper, &evidence, &parsed)).await,
        Some(refusal) => {
            // The try itself is kept, the key is not: the same step may be tried again under it.
            let nothing = Parsed::default();
            app.step(|| write(app, shopper, &evidence, &nothing)).await?;
            Err(refusal.into())
        }
    }
}

/// Whether a shopper has proved enough for a purchase.
pub(crate) async fn proved(
    app: &App,
    shopper: ShopperId,
    majority: u8,
    moment: &Moment,
) -> Result<(), Denied> {
    let identity = app.store.identity(shopper).await?.ok_or(Denied::NotFound)?;
    let evidence: IdentityEvidence = identity.evidence()?;
    evidence.is_enough(moment.today)?;
    Ok(evidence.is_of_age(majority)?)
}

/// The step's data after it was read, so that nothing is handed on that is not what it should be.
#[derive(Default)]
struct Parsed {
    name: Option<Pii<String>>,
    id_number: Option<Pii<String>>,
    age: i16,
}

impl Parsed {
    fn of(proof: &Proof, moment: &Moment) -> Result<Parsed, Denied> {
        let Proof::Name { name, id_number } = proof else {
            return Ok(Parsed::default());
        };
        // Revealed to be parsed, and wrapped again at once.
        let name = identity::parse_name(name.reveal())
            .map_err(|e| Denied::invalid("/name", Mistake::personal(e)))?;
        let number = IdNumber::parse(id_number.reveal(), moment.today)
            .map_err(|e| Denied::invalid("/id_number", Mistake::personal(e)))?;
        let age = identity::age_on(*number.born_on.reveal(), moment.today);
        Ok(Parsed {
            name: Some(name),
            id_number: Some(number.number),
            age,
        })
    }
}

async fn ask(
    app: &App,
    before: &StoredIdentity,
    proof: &Proof,
    parsed: &Parsed,
) -> Result<IdentityAnswer, Denied> {
    let party = &app.parties.identity;
    let number = parsed.id_number.as_ref().or(before.id_number.as_ref());
    let needed = || Refusal::IdentityRequired {
        step: Step::Name.code().into(),
    };
    let number = number.ok_or_else(needed)?;
    let answer = match proof {
        Proof::Name { .. } => party.name(parsed.name.as_ref().ok_or_else(needed)?, number).await,
        Proof::Face { session } => party.face(number, session).await,
        Proof::Photograph { session } => party.photograph(number, session).await,
    };
    // A check moves nothing, so that an unanswered one is simply tried again, and no try is counted.
    answer.map_err(|_| app.unreachable("identity"))
}

async fn write(
    app: &App,
    shopper: ShopperId,
    evidence: &IdentityEvidence,
    parsed: &Parsed,
) -> Result<Decision<Verified>, Denied> {
    let moment = app.moment();
    let before = app.store.identity(shopper).await?.ok_or(Denied::NotFound)?;
    let key = app.store.data_key(shopper).await?.ok_or(Denied::NotFound)?;
    let owner = shopper.to_string();
    let mut batch = Batch::new(&owner);
    if let Some(number) = &parsed.id_number {
        match app.store.person("id_number", number).await? {
            None => app.store.indexed(&mut batch, shopper, "id_number", number),
            Some(other) if other == shopper => {}
            Some(_) => {
                return Err(Refusal::exists(What::IdNumber).into());
            }
        }
    }
    let person = Person {
        name: parsed.name.clone().or(before.name),
        id_number: parsed.id_number.clone().or(before.id_number),
        phone: before.phone,
    };
    app.store
        .identified(&mut batch, shopper, &key, &person, evidence)?;
    let subject = format!("identity_{owner}");
    let sequence = before.version;
    agreements::happened(
        &mut batch,
        &owner,
        &subject,
        sequence,
        "identity.changed",
        evidence,
        moment.now,
    );
    let missing = match evidence.is_enough(moment.today) {
        Err(Refusal::IdentityRequired { step }) => Some(step),
        _ => None,
    };
    Ok(Decision {
        batch,
        reply: Verified {
            evidence: evidence.clone(),
            missing,
        },
    })
}

/// The hash of a step. What is personal goes in by its blind index, so that a stored hash tells nothing.
fn fingerprint(app: &App, proof: &Proof) -> Vec<u8> {
    let vault = app.store.vault();
    match proof {
        Proof::Name { name, id_number } => {
            let mut text = vault.index("request", name.reveal());
            text.extend(vault.index("request", id_number.reveal()));
            vault::hash(&text)
        }
        Proof::Face { session } => vault::hash(format!("face {session}").as_bytes()),
        Proof::Photograph { session } => vault::hash(format!("photograph {session}").as_bytes()),
    }
}

fn replayed(found: (Vec<u8>, String), asked: &Request) -> Result<Change<Verified>, Denied> {
    if found.0 != asked.hash {
        return Err(Denied::KeyReused);
    }
    serde_json::from_str(&found.1)
        .map(Change::AlreadyMade)
        .map_err(|e| {
            Denied::Fault(fenqi_store::Fault::Corrupt {
                statement: "request.find",
                what: e.to_string(),
            })
        })
}
