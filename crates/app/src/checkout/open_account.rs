//! Opens an account for a shopper with a phone that nobody else has (开户).

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::evidence::IdentityEvidence;
use fenqi_domain::id::ShopperId;
use fenqi_domain::identity;
use fenqi_domain::pii::Pii;
use fenqi_domain::refusal::{Refusal, What};
use fenqi_domain::standing::Standing;
use fenqi_store::tables::shoppers::{self, Person};
use fenqi_store::{Batch, vault};

use crate::mistake::Mistake;
use crate::outcome::{Change, Denied, Key};
use crate::unit::{Asked, Decision};
use crate::{App, audit};

/// Opens an account, at a store's checkout or at a desk. The phone is its name to people: staff who give the same phone
/// again get the same account. Whoever is no staff does not learn whose account a phone is, unless they opened it under
/// this very key; its owner signs in.
///
/// Errors: [`Denied::Invalid`] if the phone is none; [`Refusal::AlreadyExists`] to a store if it has an account;
/// [`Denied::NotFound`] to a shopper, who has one.
pub async fn open_account(
    app: &App,
    actor: &Actor,
    key: &Key,
    phone: &str,
) -> Result<Change<ShopperId>, Denied> {
    if matches!(actor, Actor::Shopper { .. }) {
        return Err(Denied::NotFound);
    }
    actor.require(Scope::Offer)?;
    let phone = identity::parse_mobile(phone).map_err(|e| Denied::invalid("/phone", Mistake::personal(e)))?;
    // What is personal goes in by its blind index, so that a stored hash tells nothing. Whose account it will be is not
    // known yet: the request is kept with whoever makes it.
    let mut text = app.store.vault().index("request", phone.reveal());
    text.extend(b"open_account");
    let verb = ("open_account", &());
    let asked = Asked::new(&actor.principal(), actor, key, vault::hash(&text), verb);
    app.once(&asked, || decide(app, actor, &phone)).await
}

async fn decide(app: &App, actor: &Actor, phone: &Pii<String>) -> Result<Decision<ShopperId>, Denied> {
    let mut moment = app.moment();
    if let Some(known) = app.store.person("phone", phone).await? {
        if !matches!(actor, Actor::Staff { .. }) {
            return Err(Refusal::exists(What::Phone).into());
        }
        let owner = known.to_string();
        let mut batch = Batch::new(&owner);
        audit::by_staff(&mut batch, actor, ("open_account", &owner), &(), &mut moment);
        return Ok(Decision { batch, reply: known });
    }
    let shopper = ShopperId::new(&mut moment.ids);
    let owner = shopper.to_string();
    let (key, wrapped) = app.store.vault().new_key(&owner)?;
    let mut batch = Batch::new(&owner);
    // Refused if somebody opens it at the same moment: theirs stands.
    app.store.indexed(&mut batch, shopper, "phone", phone);
    shoppers::opened(&mut batch, shopper, wrapped, &Standing::default(), moment.now);
    let person = Person {
        name: None,
        id_number: None,
        phone: Some(phone.clone()),
    };
    app.store
        .identified(&mut batch, shopper, &key, &person, &IdentityEvidence::default())?;
    audit::by_staff(&mut batch, actor, ("open_account", &owner), &(), &mut moment);
    Ok(Decision {
        batch,
        reply: shopper,
    })
}
