//! What is sold and by whom: categories, sellers, the catalogue.

use fenqi_domain::market::{Product, Promotion, Seller};

use super::lending::Lender;
use super::table::{Problem, read, whole};

/// A category of goods (商品类目).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Its code.
    pub code: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
}

/// Reads `categories.csv`.
pub fn categories(file: &str, bytes: &[u8]) -> Result<Vec<Category>, Vec<Problem>> {
    read(file, bytes, &["code", "name_zh", "name_en"], |row| {
        let (code, name_zh, name_en) = (row.unique_code("code"), row.text("name_zh"), row.text("name_en"));
        Some(Category {
            code: code?,
            name_zh: name_zh?,
            name_en: name_en?,
        })
    })
}

/// Reads `sellers.csv`.
pub fn sellers(file: &str, bytes: &[u8], lenders: &[Lender]) -> Result<Vec<Seller>, Vec<Problem>> {
    read(
        file,
        bytes,
        &["code", "name_zh", "name_en", "kind", "institutions"],
        |row| {
            let (code, name_zh, name_en) =
                (row.unique_code("code"), row.text("name_zh"), row.text("name_en"));
            let is_third_party = row.choice("kind", &[("own", false), ("third_party", true)]);
            let known = lenders.iter().map(|lender| lender.institution.code.as_str());
            let institutions = row.known_list("institutions", known);
            Some(Seller {
                code: code?,
                name_zh: name_zh?,
                name_en: name_en?,
                is_third_party: is_third_party?,
                institutions: institutions?,
            })
        },
    )
}

/// Reads a catalogue: `catalogue.csv`, or the file that a shop gives with `--catalogue`.
pub fn products(
    file: &str,
    bytes: &[u8],
    categories: &[Category],
    sellers: &[Seller],
) -> Result<Vec<Product>, Vec<Problem>> {
    let columns = [
        "sku",
        "name_zh",
        "name_en",
        "category",
        "seller",
        "price",
        "promotion",
        "financeable",
        "margin",
    ];
    let promotions = [
        ("none", None),
        ("special_price", Some("special_price")),
        ("clearance", Some("clearance")),
        ("flash_sale", Some("flash_sale")),
    ];
    let products = read(file, bytes, &columns, |row| {
        let (sku, name_zh, name_en) = (row.unique_code("sku"), row.text("name_zh"), row.text("name_en"));
        let category = row.known(
            "category",
            categories.iter().map(|category| category.code.as_str()),
        );
        let seller = row.known("seller", sellers.iter().map(|seller| seller.code.as_str()));
        let price = row.amount("price");
        let promotion = row.choice("promotion", &promotions);
        let is_financeable = row.yes_no("financeable");
        let margin_for_plans = row.percent("margin");
        let (promotion, is_financeable) = (promotion?, is_financeable?);
        Some(Product {
            sku: sku?,
            name_zh: name_zh?,
            name_en: name_en?,
            category: category?,
            seller: seller?,
            price: price?,
            // While a promotion runs, a no is the promotion's; afterwards the article is like any other.
            is_financeable: is_financeable || promotion.is_some(),
            promotion: promotion.map(|code| Promotion {
                code: code.to_owned(),
                is_financeable,
            }),
            margin_for_plans: margin_for_plans?,
        })
    })?;
    if products.is_empty() {
        return Err(vec![whole(
            file,
            "no article",
            "one line for each article below the header",
        )]);
    }
    Ok(products)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "sku,name_zh,name_en,category,seller,price,promotion,financeable,margin\n";
    const GOOD: &str = "P1,手机,Phone,phone,own,3999.00,none,yes,8\n";

    fn problems(rows: &str) -> Vec<(u64, String, String)> {
        let categories = categories("c.csv", "code,name_zh,name_en\nphone,手机,Phones\n".as_bytes()).unwrap();
        let sellers = sellers(
            "s.csv",
            "code,name_zh,name_en,kind,institutions\nown,自营,Own,own,\n".as_bytes(),
            &[],
        )
        .unwrap();
        let read = products(
            "goods.csv",
            format!("{HEADER}{rows}").as_bytes(),
            &categories,
            &sellers,
        );
        let problems = read.err().unwrap_or_default();
        problems
            .into_iter()
            .map(|problem| (problem.line, problem.column, problem.allowed))
            .collect()
    }

    #[test]
    fn a_promotion_is_the_reason_while_it_runs_and_the_article_is_the_reason_without_one() {
        let read = |row: &str| {
            let mut files = super::super::Files::embedded();
            let text = format!("{HEADER}{row}").replace(",own,", ",spruce,");
            files.replace("catalogue.csv", "goods.csv", text.into_bytes());
            super::super::load(&files).unwrap().products.remove(0)
        };
        let promoted = read(&GOOD.replace("none,yes", "clearance,no"));
        assert!(promoted.is_financeable && !promoted.promotion.unwrap().is_financeable);
        let never = read(&GOOD.replace("none,yes", "none,no"));
        assert!(!never.is_financeable && never.promotion.is_none());
    }

    #[test]
    fn a_good_row_has_no_problem() {
        assert_eq!(problems(GOOD), []);
    }

    #[test]
    fn each_kind_of_bad_row_is_refused() {
        for (good, bad, column, allowed) in [
            (",phone,", ",phones,", "category", "one of phone"),
            (",own,", ",other,", "seller", "one of own"),
            ("3999.00", "-3999.00", "price", "of zero or more"),
            ("3999.00", "0.00", "price", "more than zero"),
            ("3999.00", "3999.001", "price", "more than 2 digits"),
            ("3999.00", "9223372036854775808", "price", "no larger than"),
            (
                "none",
                "sale",
                "promotion",
                "none, special_price, clearance, flash_sale",
            ),
            (",yes,", ",maybe,", "financeable", "yes, no"),
            (",8\n", ",101\n", "margin", "from 0 to 100"),
            (",Phone,", ",,", "name_en", "1 to 200 characters"),
        ] {
            let problems = problems(&GOOD.replace(good, bad));
            assert_eq!(problems.len(), 1, "{bad}: {problems:?}");
            assert_eq!((problems[0].0, problems[0].1.as_str()), (2, column), "{bad}");
            assert!(problems[0].2.contains(allowed), "{bad}: {problems:?}");
        }
    }

    #[test]
    fn a_catalogue_without_an_article_is_none() {
        let told = problems("");
        assert_eq!(told.len(), 1);
        assert!(told[0].2.contains("one line for each article"), "{told:?}");
    }

    #[test]
    fn an_article_number_stands_once() {
        assert_eq!(problems(&format!("{GOOD}{GOOD}"))[0].1, "sku");
    }
}
