//! The workload `repay`: one payment by hand each, of the first instalment, from a card, through the sandbox's bank.

use std::sync::Arc;

use fenqi_app::checkout::capture::{self, Capture};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::{App, Key};
use fenqi_connect::SandboxControl;
use fenqi_connect::bank::Card;
use fenqi_domain::actor::Actor;
use fenqi_domain::id::AgreementId;
use fenqi_domain::money::Amount;

use super::confirm::{Size, buyers, purchase};
use super::people::Buyer;
use super::{Figures, timed};
use crate::data::Data;

/// Runs it: every buyer's goods are captured beforehand.
pub async fn run(
    app: &Arc<App>,
    control: &SandboxControl,
    data: &Data,
    size: Size,
) -> Result<Figures, String> {
    let buyers = buyers(
        app,
        data,
        Size {
            refused_percent: 0,
            ..size
        },
    )
    .await?;
    let mut owing: Vec<(Buyer, AgreementId)> = Vec::with_capacity(buyers.len());
    for buyer in buyers {
        let token = format!("tok_{}", buyer.shopper);
        control.put_card(&token, Card::new(Amount::from_minor(100_000_000)));
        let Some(confirmed) = purchase(app, &buyer, 0).await? else {
            continue;
        };
        let agreement = confirmed.reply().agreement;
        let seller = app
            .store
            .agreement(buyer.shopper, agreement)
            .await
            .map_err(|e| e.to_string())?;
        let seller = seller.map(|file| file.agreement.seller).unwrap_or_default();
        let command = Capture {
            shopper: buyer.shopper,
            agreement,
            amount: None,
            is_final: true,
        };
        let key = Key::parse("capture").map_err(|e| e.to_string())?;
        capture::capture(app, &Actor::Store { seller }, &key, command)
            .await
            .map_err(|e| e.to_string())?;
        owing.push((buyer, agreement));
    }
    let (app, owing) = (app.clone(), Arc::new(owing));
    timed(owing.len(), size.outstanding, move |index| {
        let (app, owing) = (app.clone(), owing.clone());
        async move {
            let Some((buyer, agreement)) = owing.get(index) else {
                return Ok(false);
            };
            let command = Pay {
                shopper: buyer.shopper,
                payer: buyer.shopper,
                agreements: vec![*agreement],
                amount: Amount::from_minor(10_000),
                card: buyer.card,
            };
            let key = Key::parse("pay").map_err(|e| e.to_string())?;
            let actor = Actor::Shopper { id: buyer.shopper };
            pay::pay(&app, &actor, &key, command)
                .await
                .map_err(|e| e.to_string())?;
            Ok(true)
        }
    })
    .await
}
