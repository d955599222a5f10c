//! What the tables of `demo/` mean to the platform (市场的初始配置): each row as an item of configuration, put into a fresh
//! store in one commit.

use fenqi_app::configuration::{Rules, kinds};
use fenqi_connect::institution::{Standards, published};
use fenqi_domain::consent::{Document, Purpose};
use fenqi_domain::market::{
    Flow, Institution, Partnership, PartnershipState, Product, Promotion, Region, Seller,
};
use fenqi_domain::money::{Amount, Currency, Rate};
use fenqi_domain::plan::Campaign;
use fenqi_store::tables::settings;
use fenqi_store::{Batch, CommitError, Fault, Store, vault};
use jiff::Timestamp;

use crate::data::{Data, goods, lending};

/// The largest number of slices of a campaign's budget, so that its buyers do not all lock one row.
const SLICES_MAX: i64 = 16;

/// Puts everything of the tables into a store whose configuration is empty.
pub async fn open(store: &Store, data: &Data) -> Result<(), Fault> {
    let mut batch = Batch::new("market");
    settings::raise_generation(&mut batch, store.generation().await?);
    for institution in &data.institutions {
        let item = lender(institution, data);
        settings::put_setting(&mut batch, kinds::INSTITUTION, &item.code, 1, &item);
    }
    for plan in &data.plans {
        settings::put_setting(&mut batch, kinds::PLAN, &plan.code, plan.version, plan);
    }
    for row in &data.products {
        settings::put_setting(&mut batch, kinds::PRODUCT, &row.sku, 1, &product(row));
    }
    for row in &data.sellers {
        settings::put_setting(&mut batch, kinds::SELLER, &row.code, 1, &seller(row, data));
    }
    for row in &data.regions {
        settings::put_setting(&mut batch, kinds::REGION, &row.code, 1, &region(row));
    }
    for named in &data.campaigns {
        let campaign = &named.campaign;
        settings::put_setting(&mut batch, kinds::CAMPAIGN, &campaign.code, 1, campaign);
        settings::open_budget(&mut batch, &campaign.code, &slices(campaign, data));
    }
    for document in documents() {
        settings::put_setting(
            &mut batch,
            kinds::DOCUMENT,
            &document.code,
            document.version,
            &document,
        );
    }
    settings::put_setting(&mut batch, kinds::HOLIDAYS, "cn", 1, &data.holidays);
    settings::put_setting(&mut batch, kinds::RULES, "rules", 1, &Rules::default());
    match store.commit(batch).await {
        Ok(()) => Ok(()),
        Err(CommitError::Refused(_)) => Err(Fault::Busy { retry_after_ms: 100 }),
        Err(CommitError::Fault(fault)) => Err(fault),
    }
}

/// How the sandbox's lenders judge: by the tables' minimum scores and limits, and for the rest as published.
pub fn standards(data: &Data) -> Vec<Standards> {
    let known = published();
    data.institutions
        .iter()
        .map(|row| {
            let named = known.iter().find(|s| s.code == row.code);
            let base = named
                .cloned()
                .unwrap_or_else(|| Standards::of(&row.code, 0, Amount::ZERO));
            Standards {
                score_min: i64::from(row.minimum_score),
                limit_max: row.limit_maximum,
                ..base
            }
        })
        .collect()
}

fn lender(row: &lending::Institution, data: &Data) -> Institution {
    let state = match row.partnership {
        lending::Partnership::Pilot => PartnershipState::Pilot,
        lending::Partnership::Active => PartnershipState::Active,
        lending::Partnership::Suspended => PartnershipState::Suspended,
        lending::Partnership::RunOff => PartnershipState::RunOff,
        lending::Partnership::Ended => PartnershipState::Ended,
    };
    let served = data
        .regions
        .iter()
        .filter(|r| !row.excluded_regions.contains(&r.code));
    Institution {
        code: row.code.clone(),
        name_zh: row.name_zh.clone(),
        name_en: row.name_en.clone(),
        contact: "400-000-0000".to_owned(),
        flow: if row.redirects {
            Flow::Redirect
        } else {
            Flow::Embedded
        },
        partnerships: vec![Partnership {
            region: None,
            category: None,
            state,
            from: Timestamp::UNIX_EPOCH,
            until: None,
        }],
        served_regions: served.map(|r| r.code.clone()).collect(),
        excluded_categories: Vec::new(),
    }
}

fn product(row: &goods::Product) -> Product {
    let promotion = match row.promotion {
        goods::Promotion::None => None,
        goods::Promotion::SpecialPrice => Some("special_price"),
        goods::Promotion::Clearance => Some("clearance"),
        goods::Promotion::FlashSale => Some("flash_sale"),
    };
    Product {
        sku: row.sku.clone(),
        name_zh: row.name_zh.clone(),
        name_en: row.name_en.clone(),
        category: row.category.clone(),
        seller: row.seller.clone(),
        price: row.price,
        // With a promotion a no is the promotion's, so that the reason names it.
        is_financeable: row.is_financeable || promotion.is_some(),
        promotion: promotion.map(|code| Promotion {
            code: code.to_owned(),
            is_financeable: row.is_financeable,
        }),
        margin_for_plans: row.margin,
    }
}

fn seller(row: &goods::Seller, data: &Data) -> Seller {
    let institutions = data.institutions.iter().filter(|_| row.offers_instalments);
    Seller {
        code: row.code.clone(),
        name_zh: row.name_zh.clone(),
        name_en: row.name_en.clone(),
        is_third_party: row.is_third_party,
        institutions: institutions.map(|i| i.code.clone()).collect(),
    }
}

fn region(row: &crate::data::places::Region) -> Region {
    Region {
        code: row.code.clone(),
        name_zh: row.name_zh.clone(),
        name_en: row.name_en.clone(),
        is_allowed: row.has_pack,
        // 24 % a year for all costs together: what lenders hold themselves to; have it confirmed before it is used.
        annual_cap: Rate::from_bps(2_400),
        majority: 18,
        currency: Currency::Cny,
        time_zone: "Asia/Shanghai".to_owned(),
        source: "GB/T 2260; sample data".to_owned(),
    }
}

/// A budget in equal slices, none so small that one purchase of the campaign's plans would not fit into it.
fn slices(campaign: &Campaign, data: &Data) -> Vec<i64> {
    let plans = data.plans.iter();
    let subsidies = plans
        .filter(|p| p.campaign.as_ref() == Some(&campaign.code))
        .filter_map(largest_subsidy);
    let largest = subsidies.max().unwrap_or(1).max(1);
    let budget = campaign.budget.minor();
    let count = (budget / largest).clamp(1, SLICES_MAX);
    let (part, rest) = (budget / count, budget % count);
    (0..count).map(|slice| part + i64::from(slice < rest)).collect()
}

/// The most that one purchase on a plan costs its seller.
fn largest_subsidy(plan: &fenqi_domain::plan::Plan) -> Option<i64> {
    let rate = match plan.pricing {
        fenqi_domain::plan::Pricing::FlatFee { total_rate, .. } => total_rate,
        _ => return None,
    };
    let rounding = fenqi_domain::money::Rounding::Up;
    let cost = plan.maximum.at(rate, rounding).ok()?;
    Some(cost.at(plan.borne_by_seller, rounding).ok()?.minor())
}

macro_rules! documents {
    ($($code:literal, $purpose:expr, $zh:literal, $en:literal, $seconds:literal;)*) => {
        vec![$(Document {
            code: $code.to_owned(),
            version: 1,
            purpose: $purpose,
            title_zh: $zh.to_owned(),
            title_en: $en.to_owned(),
            hash: vault::fingerprint(include_bytes!(concat!("../../../demo/documents/", $code, ".txt"))),
            minimum_read_seconds: $seconds,
        }),*]
    };
}

/// The documents that shoppers agree to.
pub fn documents() -> Vec<Document> {
    documents![
        "service-agreement", Purpose::ServiceAgreement, "分期服务协议", "Instalment service agreement", 10;
        "credit-enquiry", Purpose::CreditEnquiry, "征信查询授权书", "Consent to a credit enquiry", 5;
        "bureau-report", Purpose::BureauReport, "征信报送授权书", "Consent to credit reporting", 5;
        "debit-mandate", Purpose::DebitMandate, "代扣授权书", "Debit mandate", 5;
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Files, load};

    fn tables() -> Data {
        load(&Files::embedded()).unwrap()
    }

    #[test]
    fn a_special_price_is_refused_because_of_the_promotion() {
        let data = tables();
        let row = data.products.iter().find(|p| p.sku == "PH-1005").unwrap();
        let product = product(row);
        assert!(product.is_financeable);
        assert!(product.promotion.is_some_and(|p| !p.is_financeable));
        let gift_card = data.products.iter().find(|p| p.sku == "VI-0002").unwrap();
        assert!(!super::product(gift_card).is_financeable, "it is never financed");
    }

    #[test]
    fn the_slices_of_a_budget_sum_to_it_and_take_one_purchase_each() {
        let data = tables();
        for named in &data.campaigns {
            let slices = slices(&named.campaign, &data);
            assert_eq!(slices.iter().sum::<i64>(), named.campaign.budget.minor());
            let plans = data.plans.iter();
            let own = plans.filter(|p| p.campaign.as_ref() == Some(&named.campaign.code));
            for most in own.filter_map(largest_subsidy) {
                assert!(slices.len() == 1 || slices.iter().all(|slice| *slice >= most));
            }
        }
    }

    #[test]
    fn every_lender_of_the_tables_has_its_standards() {
        let data = tables();
        let standards = standards(&data);
        assert_eq!(standards.len(), data.institutions.len());
        for (row, standards) in data.institutions.iter().zip(&standards) {
            assert_eq!(standards.score_min, i64::from(row.minimum_score));
            assert!(standards.income_min.is_positive());
        }
    }
}
