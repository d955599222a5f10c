//! The workload `confirm`: whole purchases of shoppers with signed quotes.

use std::sync::Arc;

use fenqi_app::checkout::confirm::{self, Confirm};
use fenqi_app::{App, Change, Denied, Key};
use fenqi_domain::actor::Actor;
use fenqi_domain::money::Amount;

use super::people::{Buyer, buyer};
use super::{Figures, timed};
use crate::data::Data;

/// How it is run.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// How many purchases.
    pub purchases: usize,
    /// How many are outstanding at once.
    pub outstanding: usize,
    /// Of a hundred purchases, how many meet a limit that another purchase of the same moment used up.
    pub refused_percent: usize,
}

/// The article that everybody buys.
pub fn article(data: &Data) -> Result<(String, Amount), String> {
    let wanted = data
        .products
        .iter()
        .find(|p| p.is_financeable && p.promotion.is_none() && p.price.minor() >= 100_000);
    let product = wanted.ok_or("the catalogue has no article from 1000.00 that can be financed")?;
    Ok((product.sku.clone(), product.price))
}

/// Makes the buyers of a run: one purchase each, and for those to be refused two against a limit for one.
pub async fn buyers(app: &Arc<App>, data: &Data, size: Size) -> Result<Vec<Buyer>, String> {
    let (sku, price) = article(data)?;
    let pairs = size.purchases.saturating_mul(size.refused_percent) / 100;
    let singles = size.purchases.saturating_sub(pairs.saturating_mul(2));
    let made = Arc::new(std::sync::Mutex::new(Vec::with_capacity(size.purchases)));
    let (app, keep) = (app.clone(), made.clone());
    timed(pairs.saturating_add(singles), 128, move |index| {
        let (app, sku, keep) = (app.clone(), sku.clone(), keep.clone());
        async move {
            let quotes = if index < pairs { 2 } else { 1 };
            let one = buyer(&app, &sku, price, 1, quotes).await?;
            keep.lock().map_err(|e| e.to_string())?.push(one);
            Ok(true)
        }
    })
    .await?;
    let buyers = made.lock().map_err(|e| e.to_string())?.clone();
    Ok(buyers)
}

/// One purchase.
pub async fn purchase(
    app: &App,
    buyer: &Buyer,
    quote: usize,
) -> Result<Option<Change<confirm::Confirmed>>, String> {
    let Some((id, digest)) = buyer.quotes.get(quote) else {
        return Ok(None);
    };
    let actor = Actor::Shopper { id: buyer.shopper };
    let key = Key::parse(&format!("buy-{id}")).map_err(|e| e.to_string())?;
    let command = Confirm {
        shopper: buyer.shopper,
        quote: *id,
        digest: digest.clone(),
        order: format!("bench-{id}"),
    };
    match confirm::confirm(app, &actor, &key, command).await {
        Ok(done) => Ok(Some(done)),
        Err(Denied::Refused(_)) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs it. Both purchases of a pair are sent at the same moment, so that one of them is refused by its guard.
pub async fn run(app: &Arc<App>, data: &Data, size: Size) -> Result<Figures, String> {
    let buyers = buyers(app, data, size).await?;
    let mut pieces = Vec::with_capacity(size.purchases);
    for (index, buyer) in buyers.iter().enumerate() {
        pieces.extend((0..buyer.quotes.len()).map(|quote| (index, quote)));
    }
    let (app, buyers, pieces) = (app.clone(), Arc::new(buyers), Arc::new(pieces));
    timed(pieces.len(), size.outstanding, move |index| {
        let (app, buyers, pieces) = (app.clone(), buyers.clone(), pieces.clone());
        async move {
            let Some((buyer, quote)) = pieces.get(index).copied() else {
                return Ok(false);
            };
            let Some(buyer) = buyers.get(buyer) else {
                return Ok(false);
            };
            Ok(purchase(&app, buyer, quote).await?.is_some())
        }
    })
    .await
}
