//! Opens an account for a shopper with a phone that nobody else has (开户).

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::evidence::IdentityEvidence;
use fenqi_domain::id::ShopperId;
use fenqi_domain::identity;
use fenqi_domain::pii::Pii;
use fenqi_domain::refusal::Refusal;
use fenqi_domain::standing::Standing;
use fenqi_store::Batch;
use fenqi_store::tables::shoppers::{self, Person};

use crate::outcome::Denied;
use crate::{App, audit};

/// Opens an account, at a store's checkout or at a desk. The phone is its name to people: staff who give the same phone
/// again get the same account. Whoever is no staff does not learn whose account a phone is; its owner signs in.
///
/// Errors: [`Denied::Invalid`] if the phone is none; [`Refusal::AlreadyExists`] to a store if it has an account;
/// [`Denied::NotFound`] to a shopper, who has one.
pub async fn open_account(app: &App, actor: &Actor, phone: &str) -> Result<ShopperId, Denied> {
    if matches!(actor, Actor::Shopper { .. }) {
        return Err(Denied::NotFound);
    }
    actor.require(Scope::Offer)?;
    let phone = identity::parse_mobile(phone).map_err(|e| Denied::invalid("phone", e))?;
    if app.store.person("phone", &phone).await?.is_some() {
        return known(app, actor, &phone).await;
    }
    let mut moment = app.moment();
    let shopper = ShopperId::new(&mut moment.ids);
    let owner = shopper.to_string();
    let (key, wrapped) = app.store.vault().new_key(&owner)?;
    let mut batch = Batch::new(&owner);
    app.store.indexed(&mut batch, shopper, "phone", &phone);
    shoppers::opened(&mut batch, shopper, wrapped, &Standing::default(), moment.now);
    let person = Person {
        name: None,
        id_number: None,
        phone: Some(phone.clone()),
    };
    app.store
        .identified(&mut batch, shopper, &key, &person, &IdentityEvidence::default())?;
    audit::by_staff(&mut batch, actor, ("open_account", &owner), &(), &mut moment);
    match app.store.commit(batch).await {
        Ok(()) => Ok(shopper),
        // Somebody opened it at the same moment: theirs stands.
        Err(fenqi_store::CommitError::Refused(_)) => known(app, actor, &phone).await,
        Err(error) => Err(error.into()),
    }
}

/// The account that a phone has already.
async fn known(app: &App, actor: &Actor, phone: &Pii<String>) -> Result<ShopperId, Denied> {
    let known = match actor {
        Actor::Staff { .. } => app.store.person("phone", phone).await?,
        _ => None,
    };
    known.ok_or_else(|| Refusal::AlreadyExists { what: "phone".into() }.into())
}
