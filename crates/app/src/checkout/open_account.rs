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

use crate::App;
use crate::outcome::Denied;

/// Opens an account. The phone is its name to people: the same phone again gives the same account.
///
/// Errors: [`Denied::Invalid`] if the phone is none.
pub async fn open_account(app: &App, actor: &Actor, phone: &str) -> Result<ShopperId, Denied> {
    actor.require(Scope::Offer)?;
    let phone = identity::parse_mobile(phone).map_err(|e| Denied::invalid("phone", e))?;
    if let Some(known) = app.store.person("phone", &phone).await? {
        return Ok(known);
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
    match app.store.commit(batch).await {
        Ok(()) => Ok(shopper),
        // Somebody opened it at the same moment: theirs stands.
        Err(fenqi_store::CommitError::Refused(_)) => by_phone(app, &phone).await,
        Err(error) => Err(error.into()),
    }
}

async fn by_phone(app: &App, phone: &Pii<String>) -> Result<ShopperId, Denied> {
    let known = app.store.person("phone", phone).await?;
    known.ok_or_else(|| Refusal::AlreadyExists { what: "phone".into() }.into())
}
