//! The demonstration's data (演示数据): tables that a shop can read, change and replace.
//!
//! They stand in `demo/` and within the program, so that it runs anywhere. A row that is wrong is reported with file,
//! line, column, what was found and what is allowed; nothing of a broken file is loaded.

pub mod goods;
pub mod lending;
pub mod places;
mod pricing;
pub mod table;

use fenqi_domain::calendar::Holidays;
use fenqi_domain::market::{Product, Region, Seller};
use fenqi_domain::plan::{Conventions, Plan};

use goods::Category;
use lending::{Lender, NamedCampaign};
use places::Bin;
use table::Problem;

/// Everything that the demonstration starts with.
#[derive(Debug, Clone)]
pub struct Data {
    /// Categories of goods.
    pub categories: Vec<Category>,
    /// Sellers.
    pub sellers: Vec<Seller>,
    /// The catalogue.
    pub products: Vec<Product>,
    /// Regions at province level.
    pub regions: Vec<Region>,
    /// Institutions, with what their sandboxes judge by.
    pub lenders: Vec<Lender>,
    /// Campaigns.
    pub campaigns: Vec<NamedCampaign>,
    /// Conventions, each with its code.
    pub conventions: Vec<(String, Conventions)>,
    /// Plans.
    pub plans: Vec<Plan>,
    /// The holidays of all years that are known, ascending.
    pub holidays: Holidays,
    /// Prefixes of card numbers.
    pub bins: Vec<Bin>,
}

/// The tables to read: those within the program, some of them replaced.
pub struct Files {
    files: Vec<(&'static str, String, Vec<u8>)>,
}

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        vec![$(($name, concat!("demo/", $name).to_owned(), include_bytes!(concat!("../../../../demo/", $name)).to_vec())),+]
    };
}

impl Files {
    /// The tables within the program.
    pub fn embedded() -> Files {
        let files = embedded![
            "categories.csv",
            "sellers.csv",
            "catalogue.csv",
            "regions.csv",
            "institutions.csv",
            "campaigns.csv",
            "conventions.csv",
            "plans.csv",
            "holidays-cn-2025.csv",
            "holidays-cn-2026.csv",
            "bins.csv",
        ];
        Files { files }
    }

    /// Reads `table` (such as `catalogue.csv`) from these bytes instead; `shown_as` is how problems name it.
    pub fn replace(&mut self, table: &str, shown_as: &str, bytes: Vec<u8>) {
        for (name, shown, content) in &mut self.files {
            if *name == table {
                shown_as.clone_into(shown);
                bytes.clone_into(content);
            }
        }
    }

    /// The bytes of a table; none for a name that is not one.
    pub fn bytes(&self, table: &str) -> &[u8] {
        self.get(table).1
    }

    fn get(&self, table: &str) -> (&str, &[u8]) {
        let found = self.files.iter().find(|(name, _, _)| *name == table);
        found.map_or(("", &[]), |(_, shown, bytes)| (shown.as_str(), bytes.as_slice()))
    }
}

/// Reads all tables. The problems of every table are reported, except that a table which names codes of a broken one
/// waits until that is mended.
pub fn load(files: &Files) -> Result<Data, Vec<Problem>> {
    let mut problems = Vec::new();
    let at = |table: &str| files.get(table);
    let categories = keep(
        goods::categories(at("categories.csv").0, at("categories.csv").1),
        &mut problems,
    );
    let regions = keep(
        places::regions(at("regions.csv").0, at("regions.csv").1),
        &mut problems,
    );
    let conventions = keep(
        lending::conventions(at("conventions.csv").0, at("conventions.csv").1),
        &mut problems,
    );
    let bins = keep(places::bins(at("bins.csv").0, at("bins.csv").1), &mut problems);
    let holidays = all_holidays(files, &mut problems);
    let lenders = categories
        .as_ref()
        .zip(regions.as_ref())
        .and_then(|(categories, regions)| {
            let (file, bytes) = at("institutions.csv");
            keep(lending::lenders(file, bytes, regions, categories), &mut problems)
        });
    let sellers = lenders.as_ref().and_then(|lenders| {
        let (file, bytes) = at("sellers.csv");
        keep(goods::sellers(file, bytes, lenders), &mut problems)
    });
    let products = categories
        .as_ref()
        .zip(sellers.as_ref())
        .and_then(|(categories, sellers)| {
            let (file, bytes) = at("catalogue.csv");
            keep(goods::products(file, bytes, categories, sellers), &mut problems)
        });
    let campaigns = sellers.as_ref().and_then(|sellers| {
        let (file, bytes) = at("campaigns.csv");
        keep(lending::campaigns(file, bytes, sellers), &mut problems)
    });
    let plans = match (&lenders, &campaigns, &conventions) {
        (Some(lenders), Some(campaigns), Some(conventions)) => {
            let (file, bytes) = at("plans.csv");
            keep(
                lending::plans(file, bytes, lenders, campaigns, conventions),
                &mut problems,
            )
        }
        _ => None,
    };
    let data = || {
        Some(Data {
            categories: categories?,
            sellers: sellers?,
            products: products?,
            regions: regions?,
            lenders: lenders?,
            campaigns: campaigns?,
            conventions: conventions?,
            plans: plans?,
            holidays: holidays?,
            bins: bins?,
        })
    };
    data().ok_or(problems)
}

/// What was read, or nothing after its problems are noted.
fn keep<T>(read: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    match read {
        Ok(rows) => Some(rows),
        Err(found) => {
            problems.extend(found);
            None
        }
    }
}

fn all_holidays(files: &Files, problems: &mut Vec<Problem>) -> Option<Holidays> {
    let (mut days_off, mut make_up_days) = (Vec::new(), Vec::new());
    for table in ["holidays-cn-2025.csv", "holidays-cn-2026.csv"] {
        let (file, bytes) = files.get(table);
        let year = keep(places::holidays(file, bytes), problems)?;
        days_off.extend_from_slice(year.days_off());
        make_up_days.extend_from_slice(year.make_up_days());
    }
    Some(Holidays::new(days_off, make_up_days))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use std::collections::BTreeSet;

    #[test]
    fn the_demonstration_is_read_whole() {
        let data = load(&Files::embedded()).unwrap();
        assert!(data.products.len() >= 60);
        let categories: BTreeSet<_> = data.products.iter().map(|product| &product.category).collect();
        let sellers: BTreeSet<_> = data.products.iter().map(|product| &product.seller).collect();
        assert!(categories.len() >= 8 && sellers.len() >= 5);
        assert!(data.products.iter().any(|product| !product.is_financeable));
        assert!(data.plans.iter().all(|plan| plan.mistakes().is_empty()));
        assert_eq!(data.regions.len(), 34);
        assert_eq!(data.lenders.len(), 3);
        assert_eq!(data.plans.len(), 11);
    }

    #[test]
    fn the_published_fee_tables_stand_in_the_plans() {
        let data = load(&Files::embedded()).unwrap();
        let rates = |institution: &str| -> Vec<String> {
            let plans = data
                .plans
                .iter()
                .filter(|plan| plan.institution == institution && plan.campaign.is_none());
            let rate = |plan: &Plan| match plan.pricing {
                fenqi_domain::plan::Pricing::FlatFee { total_rate, .. } => total_rate.to_string(),
                fenqi_domain::plan::Pricing::Annuity { annual, .. } => annual.to_string(),
                _ => String::new(),
            };
            plans
                .map(|plan| format!("{} {}", plan.count, rate(plan)))
                .collect()
        };
        assert_eq!(rates("xiaofu"), ["3 2.22%", "6 3.9%", "12 7.2%"]);
        assert_eq!(rates("lanhua"), ["3 2.3%", "6 4.5%", "12 7.5%"]);
        assert_eq!(rates("beian"), ["6 8.6%", "12 8.6%", "24 8.6%"]);
    }

    #[test]
    fn national_day_of_2026_is_off_and_the_saturday_after_is_worked() {
        let holidays = load(&Files::embedded()).unwrap().holidays;
        assert!(holidays.days_off().contains(&date(2026, 10, 1)));
        assert!(holidays.make_up_days().contains(&date(2026, 10, 10)));
        assert!(holidays.days_off().is_sorted() && holidays.make_up_days().is_sorted());
    }

    #[test]
    fn a_catalogue_of_ones_own_takes_the_place_of_the_sample() {
        let mut files = Files::embedded();
        let text = "sku,name_zh,name_en,category,seller,price,promotion,financeable,margin\n\
                    A1,手机,Phone,phone,spruce,1.00,none,yes,0\n";
        files.replace("catalogue.csv", "mine.csv", text.as_bytes().to_vec());
        assert_eq!(load(&files).unwrap().products.len(), 1);
        files.replace(
            "catalogue.csv",
            "mine.csv",
            text.replace("phone,", "plane,").into_bytes(),
        );
        let problems = load(&files).unwrap_err();
        assert_eq!((problems[0].file.as_str(), problems[0].line), ("mine.csv", 2));
    }

    #[test]
    fn a_table_that_needs_a_broken_one_waits_and_the_others_are_still_checked() {
        let mut files = Files::embedded();
        files.replace("sellers.csv", "sellers.csv", b"nothing\n".to_vec());
        files.replace("bins.csv", "bins.csv", b"nothing\n".to_vec());
        let problems = load(&files).unwrap_err();
        let broken: Vec<_> = problems.iter().map(|problem| problem.file.as_str()).collect();
        assert_eq!(broken, ["bins.csv", "sellers.csv"]);
    }
}
