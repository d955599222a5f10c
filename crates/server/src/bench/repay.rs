//! The workload `repay`: one repayment each of the first instalment. From a card it goes through the sandbox's bank, and
//! is committed before the bank is called and after; a transfer that has arrived is entered in one commit.

use std::sync::Arc;

use clap::ValueEnum;
use fenqi_app::checkout::capture::{self, Capture};
use fenqi_app::configuration::Rules;
use fenqi_app::operations::approve::Outcome;
use fenqi_app::operations::backdate::{self, EnterPayment};
use fenqi_app::operations::configure::{self, Configure, Item};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::{App, Key};
use fenqi_connect::SandboxControl;
use fenqi_connect::bank::Card;
use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::AgreementId;
use fenqi_domain::money::{AMOUNT_MAX, Amount};

use super::confirm::{Size, buyers, purchase};
use super::people::Buyer;
use super::{Figures, timed};
use crate::data::Data;

/// The way in which the money comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// From a card: the intent is committed, the bank is called, and what it says is committed.
    Card,
    /// By a transfer that has arrived: it is entered under the bank's number, in one commit.
    Transfer,
}

/// How much is repaid.
const AMOUNT: Amount = Amount::from_minor(10_000);

/// Runs it: every buyer's goods are captured beforehand.
pub async fn run(
    app: &Arc<App>,
    control: &SandboxControl,
    data: &Data,
    size: Size,
    by: By,
) -> Result<Figures, String> {
    let buyers = Size {
        refused_percent: 0,
        ..size
    };
    if by == By::Transfer {
        entered_by_one(app).await?;
    }
    let buyers = Arc::new(self::buyers(app, data, buyers).await?);
    let owing = Arc::new(std::sync::Mutex::new(Vec::with_capacity(buyers.len())));
    let (lent, keep, bank) = (app.clone(), owing.clone(), control.clone());
    timed(buyers.len(), size.outstanding, move |index| {
        let (app, keep, bank, buyers) = (lent.clone(), keep.clone(), bank.clone(), buyers.clone());
        async move {
            let Some(buyer) = buyers.get(index) else {
                return Ok(false);
            };
            let card = Card::new(Amount::from_minor(100_000_000));
            bank.put_card(&format!("tok_{}", buyer.shopper), card);
            let Some(agreement) = captured(&app, buyer).await? else {
                return Ok(false);
            };
            let mut owing = keep.lock().map_err(|e| e.to_string())?;
            owing.push((buyer.clone(), agreement));
            Ok(true)
        }
    })
    .await?;
    let owing = Arc::new(owing.lock().map_err(|e| e.to_string())?.clone());
    let app = app.clone();
    timed(owing.len(), size.outstanding, move |index| {
        let (app, owing) = (app.clone(), owing.clone());
        async move {
            let Some((buyer, agreement)) = owing.get(index) else {
                return Ok(false);
            };
            match by {
                By::Card => from_card(&app, buyer, *agreement).await?,
                By::Transfer => by_transfer(&app, buyer, *agreement).await?,
            }
            Ok(true)
        }
    })
    .await
}

/// One person may enter transfers here: what is measured is the one commit of a transfer, and not its approval. It is said
/// before there are buyers, while a shop is still set up by one hand.
async fn entered_by_one(app: &App) -> Result<(), String> {
    let configuration = app.configuration().await.map_err(|e| e.to_string())?;
    let rules = Rules {
        entered_alone_up_to: AMOUNT_MAX,
        ..configuration.rules.clone()
    };
    let command = Configure {
        items: vec![Item::Rules(rules)],
        reason: "bench".into(),
    };
    let key = Key::parse("rules").map_err(|e| e.to_string())?;
    let put = configure::configure(app, &staff(), &key, command).await;
    put.map(drop).map_err(|e| e.to_string())
}

fn staff() -> Actor {
    Actor::Staff {
        name: "bench".into(),
        scopes: vec![Scope::Care, Scope::Configure],
    }
}

/// Buys by the first of a buyer's quotes, and captures.
pub async fn captured(app: &App, buyer: &Buyer) -> Result<Option<AgreementId>, String> {
    let Some(confirmed) = purchase(app, buyer, 0).await? else {
        return Ok(None);
    };
    let agreement = confirmed.reply().agreement;
    let file = app.store.agreement(buyer.shopper, agreement).await;
    let file = file.map_err(|e| e.to_string())?;
    let seller = file.map(|file| file.agreement.seller).unwrap_or_default();
    let command = Capture {
        shopper: buyer.shopper,
        agreement,
        amount: None,
        is_final: true,
    };
    let key = Key::parse(&format!("capture-{agreement}")).map_err(|e| e.to_string())?;
    capture::capture(app, &Actor::Store { seller }, &key, command)
        .await
        .map_err(|e| e.to_string())?;
    Ok(Some(agreement))
}

async fn from_card(app: &App, buyer: &Buyer, agreement: AgreementId) -> Result<(), String> {
    let command = Pay {
        shopper: buyer.shopper,
        payer: buyer.shopper,
        agreements: vec![agreement],
        amount: AMOUNT,
        card: buyer.card,
    };
    let key = Key::parse("pay").map_err(|e| e.to_string())?;
    let actor = Actor::Shopper { id: buyer.shopper };
    let paid = pay::pay(app, &actor, &key, command).await;
    paid.map(drop).map_err(|e| e.to_string())
}

async fn by_transfer(app: &App, buyer: &Buyer, agreement: AgreementId) -> Result<(), String> {
    let command = EnterPayment {
        shopper: buyer.shopper,
        agreement,
        amount: AMOUNT,
        on: app.moment().today,
        proof: format!("bench-{agreement}"),
        reason: "bench".into(),
    };
    let key = Key::parse("transfer").map_err(|e| e.to_string())?;
    let entered = backdate::enter_payment(app, &staff(), &key, command).await;
    match entered.map_err(|e| e.to_string())?.reply() {
        Outcome::Done(_) => Ok(()),
        Outcome::NeedsSecondPerson(_) => Err("a transfer was proposed and not entered".into()),
    }
}
