//! Names a first contact (第一联系人): somebody who may be asked to pass a message on, and is never told of a debt.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::ShopperId;
use fenqi_domain::identity;
use fenqi_domain::pii::Pii;
use fenqi_domain::refusal::Refusal;
use fenqi_store::Batch;
use fenqi_store::tables::shoppers::Contact;

use crate::mistake::Mistake;
use crate::outcome::Denied;
use crate::{App, audit};

/// A contact as the shopper names them.
// H1: a contact is kept only with the contact's own consent, for one purpose, and sealed.
#[derive(Debug, Clone)]
pub struct NameContact {
    /// The contact's name.
    pub name: Pii<String>,
    /// The contact's phone.
    pub phone: Pii<String>,
    /// How they are related: `parent`, `spouse`, `friend` and so on.
    pub relation: String,
    /// Whether the contact agreed themselves, by the code that was sent to their phone.
    pub has_agreed: bool,
}

/// Keeps a contact, or replaces the one before. It may be done twice: the second is the same.
///
/// Errors: [`Refusal::ConsentMissing`] without the contact's own consent.
pub async fn name_contact(
    app: &App,
    actor: &Actor,
    shopper: ShopperId,
    contact: &NameContact,
) -> Result<(), Denied> {
    actor.require_for(shopper, Scope::Buy)?;
    let name = identity::parse_name(contact.name.reveal())
        .map_err(|e| Denied::invalid("/name", Mistake::personal(e)))?;
    let phone = identity::parse_mobile(contact.phone.reveal())
        .map_err(|e| Denied::invalid("/phone", Mistake::personal(e)))?;
    Denied::of("/relation", Mistake::of_text(&contact.relation, 40))?;
    if !contact.has_agreed {
        return Err(Refusal::ConsentMissing {
            purpose: "contact".into(),
        }
        .into());
    }
    let key = app.store.data_key(shopper).await?.ok_or(Denied::NotFound)?;
    let mut batch = Batch::new(&shopper.to_string());
    let kept = Contact {
        id: "first",
        name: &name,
        phone: &phone,
        relation: &contact.relation,
        consented_at: app.clock.now(),
    };
    app.store.contact_named(&mut batch, shopper, &key, &kept)?;
    let about = ("name_contact", shopper.to_string());
    // Who the contact is stays sealed; how they are related is enough here.
    audit::by_staff(
        &mut batch,
        actor,
        (about.0, &about.1),
        &contact.relation,
        &mut app.moment(),
    );
    Ok(app.store.commit(batch).await?)
}
