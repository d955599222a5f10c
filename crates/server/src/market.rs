//! What the tables of `demo/` mean to the platform (市场的初始配置): each row as an item of configuration, put into a fresh
//! store in one commit.

use fenqi_app::configuration::{Rules, kinds};
use fenqi_connect::institution::{Standards, published};
use fenqi_domain::consent::{Document, Purpose};
use fenqi_domain::money::{Amount, Rounding};
use fenqi_domain::plan::{Campaign, Plan, Pricing};
use fenqi_store::tables::settings;
use fenqi_store::{Batch, CommitError, Fault, Store, vault};

use crate::data::Data;

/// The largest number of slices of a campaign's budget, so that its buyers do not all lock one row.
const SLICES_MAX: i64 = 16;

/// Puts everything of the tables into a store whose configuration is empty.
pub async fn open(store: &Store, data: &Data) -> Result<(), Fault> {
    let mut batch = Batch::new("market");
    settings::raise_generation(&mut batch, store.generation().await?);
    for lender in &data.lenders {
        let institution = &lender.institution;
        settings::put_setting(&mut batch, kinds::INSTITUTION, &institution.code, 1, institution);
    }
    for plan in &data.plans {
        settings::put_setting(&mut batch, kinds::PLAN, &plan.code, plan.version, plan);
    }
    for product in &data.products {
        settings::put_setting(&mut batch, kinds::PRODUCT, &product.sku, 1, product);
    }
    for seller in &data.sellers {
        settings::put_setting(&mut batch, kinds::SELLER, &seller.code, 1, seller);
    }
    for region in &data.regions {
        settings::put_setting(&mut batch, kinds::REGION, &region.code, 1, region);
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
    data.lenders
        .iter()
        .map(|row| {
            let code = &row.institution.code;
            let named = known.iter().find(|s| s.code == *code);
            let base = named
                .cloned()
                .unwrap_or_else(|| Standards::of(code, 0, Amount::ZERO));
            Standards {
                score_min: i64::from(row.minimum_score),
                limit_max: row.limit_maximum,
                ..base
            }
        })
        .collect()
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
fn largest_subsidy(plan: &Plan) -> Option<i64> {
    let rate = match plan.pricing {
        Pricing::FlatFee { total_rate, .. } => total_rate,
        _ => return None,
    };
    let rounding = Rounding::Up;
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
        assert_eq!(standards.len(), data.lenders.len());
        for (row, standards) in data.lenders.iter().zip(&standards) {
            assert_eq!(standards.score_min, i64::from(row.minimum_score));
            assert!(standards.income_min.is_positive());
        }
    }
}
