//! Shoppers who are ready to buy: proved, approved and with a card, as the use cases would leave them.

use std::sync::Arc;

use fenqi_app::checkout::offer::Ask;
use fenqi_app::checkout::{quote, sign};
use fenqi_app::{App, Key, Moment};
use fenqi_domain::actor::Actor;
use fenqi_domain::application::{Application, State};
use fenqi_domain::consent::DocumentRead;
use fenqi_domain::credit::{LimitEvent, Line};
use fenqi_domain::evidence::{IdentityEvidence, Passed};
use fenqi_domain::id::{ApplicationId, CardId, EntryId, QuoteId, ShopperId};
use fenqi_domain::market::CartLine;
use fenqi_domain::money::{Amount, Rate};
use fenqi_domain::pii::Pii;
use fenqi_domain::standing::Standing;
use fenqi_store::Batch;
use fenqi_store::tables::agreements;
use fenqi_store::tables::credit::{self, StoredChange};
use fenqi_store::tables::payments::{self, Card};
use fenqi_store::tables::shoppers::{self, Person};
use jiff::SignedDuration;

/// The plan that is bought in every workload: twelve instalments with a flat fee.
pub const PLAN: &str = "xiaofu-flat-12";
/// Its institution.
pub const INSTITUTION: &str = "xiaofu";
/// Where everything is delivered to.
pub const REGION: &str = "310000";

/// A shopper with signed quotes that may be confirmed.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// Who.
    pub shopper: ShopperId,
    /// Their card.
    pub card: CardId,
    /// Signed quotes with their digests.
    pub quotes: Vec<(QuoteId, String)>,
}

/// Makes a shopper whose limit is so many times the price of the article, with as many signed quotes as asked for.
pub async fn buyer(
    app: &Arc<App>,
    sku: &str,
    price: Amount,
    times: i64,
    quotes: usize,
) -> Result<Buyer, String> {
    let mut moment = app.moment();
    let shopper = ShopperId::new(&mut moment.ids);
    let card = CardId::new(&mut moment.ids);
    let limit = price.times(times).map_err(|e| e.to_string())?;
    let mut batch = Batch::new(&shopper.to_string());
    ready(
        app,
        &mut batch,
        (shopper, card),
        &format!("tok_{shopper}"),
        limit,
        &mut moment,
    )?;
    app.store.commit(batch).await.map_err(|e| e.to_string())?;
    let mut signed = Vec::with_capacity(quotes);
    for _ in 0..quotes {
        signed.push(signed_quote(app, shopper, sku, price).await?);
    }
    Ok(Buyer {
        shopper,
        card,
        quotes: signed,
    })
}

/// A quote for one article, signed; with its digest.
pub async fn signed_quote(
    app: &App,
    shopper: ShopperId,
    sku: &str,
    price: Amount,
) -> Result<(QuoteId, String), String> {
    let moment = app.moment();
    let actor = Actor::Shopper { id: shopper };
    let ask = Ask {
        shopper: Some(shopper),
        region: REGION.into(),
        lines: vec![CartLine {
            sku: sku.into(),
            quantity: 1,
            price,
            is_wanted: true,
        }],
        count: None,
        down_payment: None,
    };
    let quoted = quote::quote(app, &actor, shopper, PLAN, &ask)
        .await
        .map_err(|e| e.to_string())?;
    let opened_at = moment
        .now
        .checked_sub(SignedDuration::from_secs(600))
        .map_err(|e| e.to_string())?;
    let reads = quoted.quote.documents.iter().map(|document| DocumentRead {
        code: document.code.clone(),
        version: document.version,
        hash: document.hash.clone(),
        opened_at,
        agreed_at: moment.now,
    });
    let command = sign::Sign {
        shopper,
        quote: quoted.quote.id,
        digest: quoted.quote.digest.clone(),
        reads: reads.collect(),
    };
    let key = Key::parse(&format!("sign-{}", quoted.quote.id)).map_err(|e| e.to_string())?;
    sign::sign(app, &actor, &key, command)
        .await
        .map_err(|e| e.to_string())?;
    Ok((quoted.quote.id, quoted.quote.digest))
}

/// Writes who a shopper is (sealed), their card under a token of the bank's, an approval and its line.
pub fn ready(
    app: &App,
    batch: &mut Batch,
    (shopper, card): (ShopperId, CardId),
    token: &str,
    limit: Amount,
    moment: &mut Moment,
) -> Result<(), String> {
    let told = |e: fenqi_store::Fault| e.to_string();
    let owner = shopper.to_string();
    let (key, wrapped) = app.store.vault().new_key(&owner).map_err(told)?;
    shoppers::opened(batch, shopper, wrapped, &Standing::default(), moment.now);
    let passed = |reference: &str| Passed {
        at: moment.now,
        reference: reference.into(),
    };
    let evidence = IdentityEvidence::default()
        .name_matched(passed("bench"), 30)
        .face_matched(passed("bench"));
    let person = Person {
        name: Some(Pii::new("测试顾客".into())),
        id_number: Some(Pii::new(format!("{:018}", shopper.bits() % 1_000_000_007))),
        phone: Some(Pii::new("+8613800000000".into())),
    };
    app.store
        .identified(batch, shopper, &key, &person, &evidence)
        .map_err(told)?;
    approved(batch, shopper, limit, moment)?;
    let bound = Card {
        id: card,
        token: token.into(),
        bank: "示例银行".into(),
        last4: "0000".into(),
        state: "bound".into(),
        bound_at: moment.now,
        version: 1,
    };
    payments::bound(batch, shopper, &bound);
    let (subject, told_of) = (card.to_string(), serde_json::json!({ "card": card }));
    agreements::happened(batch, &owner, &subject, 1, "card.bound", &told_of, moment.now);
    Ok(())
}

/// Writes an approval and its credit line.
fn approved(batch: &mut Batch, shopper: ShopperId, limit: Amount, moment: &mut Moment) -> Result<(), String> {
    let id = ApplicationId::new(&mut moment.ids);
    let expires_on = moment
        .today
        .checked_add(jiff::Span::new().days(365))
        .map_err(|e| e.to_string())?;
    let mut application = Application::asked(id, shopper, INSTITUTION, moment.now);
    application.state = State::Approved {
        limit,
        price_factor: Rate::ONE,
        expires_on,
    };
    let kept = fenqi_app::checkout::apply::Kept {
        application,
        income: limit,
        enquired: false,
    };
    credit::asked(batch, shopper, id, INSTITUTION, "approved", &kept, moment.now);
    let (owner, subject, event) = (shopper.to_string(), id.to_string(), "application.approved");
    agreements::happened(
        batch,
        &owner,
        &subject,
        1,
        event,
        &kept.application.state,
        moment.now,
    );
    let line = Line {
        institution: INSTITUTION.into(),
        limit,
        own_limit: None,
        held: Amount::ZERO,
        used: Amount::ZERO,
        expires_on,
    };
    credit::line_opened(batch, shopper, &line);
    let granted = StoredChange {
        institution: INSTITUTION.into(),
        event: LimitEvent::Granted,
        amount: limit,
        reason: "assessment".into(),
        at: moment.now,
    };
    credit::limit_changed(batch, shopper, EntryId::new(&mut moment.ids), &granted);
    Ok(())
}
