//! Where and when: regions, holidays; and which cards the sandbox bank knows.

use fenqi_domain::calendar::Holidays;
use fenqi_domain::market::Region;
use fenqi_domain::money::Currency;
use jiff::civil::{Date, Weekday};

use super::table::{Problem, read};

/// A prefix of card numbers (卡BIN) and what is known of its cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bin {
    /// Six digits.
    pub prefix: String,
    /// The bank's name in Chinese.
    pub bank_zh: String,
    /// The bank's name in English.
    pub bank_en: String,
    /// Whether these are credit cards (信用卡), else debit cards (借记卡).
    pub is_credit: bool,
    /// How many digits a whole number has, 12 to 19.
    pub length: u16,
    /// Whether the bank takes automatic debits from them (支持代扣).
    pub takes_debits: bool,
}

/// Reads `regions.csv`: provinces by their code of GB/T 2260, such as 310000.
pub fn regions(file: &str, bytes: &[u8]) -> Result<Vec<Region>, Vec<Problem>> {
    let columns = [
        "code",
        "name_zh",
        "name_en",
        "allowed",
        "annual_cap",
        "majority",
        "currency",
        "time_zone",
    ];
    let currencies = Currency::ALL.map(|currency| (currency.code(), currency));
    read(file, bytes, &columns, |row| {
        let code = match row.unique_code("code") {
            Some(code) if code.len() == 6 && code.ends_with("0000") && is_digits(&code) => Some(code),
            Some(_) => row.refuse("code", "six digits of which the last four are 0"),
            None => None,
        };
        let (name_zh, name_en) = (row.text("name_zh"), row.text("name_en"));
        let is_allowed = row.yes_no("allowed");
        let annual_cap = row.percent("annual_cap");
        let majority = row.number("majority", 1, 30);
        let currency = row.choice("currency", &currencies);
        let time_zone = row.text("time_zone");
        Some(Region {
            code: code?,
            name_zh: name_zh?,
            name_en: name_en?,
            is_allowed: is_allowed?,
            annual_cap: annual_cap?,
            majority: u8::try_from(majority?).ok()?,
            currency: currency?,
            time_zone: time_zone?,
            source: format!("{file}: codes of GB/T 2260-2007, figures as its head says"),
        })
    })
}

/// Reads one year of holidays, such as `holidays-cn-2026.csv`.
pub fn holidays(file: &str, bytes: &[u8]) -> Result<Holidays, Vec<Problem>> {
    let mut last: Option<Date> = None;
    let days = read(file, bytes, &["date", "kind", "name_zh", "name_en"], |row| {
        let date = row.date("date");
        let is_off = row.choice("kind", &[("off", true), ("work", false)]);
        let (name_zh, name_en) = (row.text("name_zh"), row.text("name_en"));
        let (date, is_off) = (date?, is_off?);
        if last.is_some_and(|last| last >= date) {
            return row.refuse("date", "days in their order, each once");
        }
        last = Some(date);
        let is_weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        if !is_off && !is_weekend {
            return row.refuse("kind", "work on a Saturday or Sunday only");
        }
        name_zh.and(name_en).map(|_| (date, is_off))
    })?;
    let of_kind = |off: bool| {
        days.iter()
            .filter(|(_, is_off)| *is_off == off)
            .map(|(date, _)| *date)
            .collect()
    };
    Ok(Holidays::new(of_kind(true), of_kind(false)))
}

/// Reads `bins.csv`.
pub fn bins(file: &str, bytes: &[u8]) -> Result<Vec<Bin>, Vec<Problem>> {
    read(
        file,
        bytes,
        &["prefix", "bank_zh", "bank_en", "kind", "length", "debits"],
        |row| {
            let prefix = match row.unique_code("prefix") {
                Some(prefix) if prefix.len() == 6 && is_digits(&prefix) => Some(prefix),
                Some(_) => row.refuse("prefix", "six digits"),
                None => None,
            };
            let (bank_zh, bank_en) = (row.text("bank_zh"), row.text("bank_en"));
            let is_credit = row.choice("kind", &[("debit", false), ("credit", true)]);
            let length = row.number("length", 12, 19);
            let takes_debits = row.yes_no("debits");
            Some(Bin {
                prefix: prefix?,
                bank_zh: bank_zh?,
                bank_en: bank_en?,
                is_credit: is_credit?,
                length: length?,
                takes_debits: takes_debits?,
            })
        },
    )
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column_of(problems: Vec<Problem>) -> String {
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].column.clone()
    }

    #[test]
    fn each_wrong_figure_of_a_region_is_refused() {
        const GOOD: &str = "310000,上海市,Shanghai,yes,24,18,CNY,Asia/Shanghai";
        for (good, bad, column) in [
            ("310000", "31", "code"),
            ("310000", "310100", "code"),
            ("yes", "perhaps", "allowed"),
            (",24,", ",101,", "annual_cap"),
            (",18,", ",0,", "majority"),
            ("CNY", "RMB", "currency"),
        ] {
            let header = "code,name_zh,name_en,allowed,annual_cap,majority,currency,time_zone";
            let text = format!("{header}\n{}\n", GOOD.replace(good, bad));
            assert_eq!(
                column_of(regions("r.csv", text.as_bytes()).unwrap_err()),
                column,
                "{bad}"
            );
        }
    }

    #[test]
    fn holidays_stand_in_order_and_nobody_makes_up_on_a_weekday() {
        for (rows, column) in [
            ("2026-02-30,off,春节,Spring", "date"),
            ("2026-02-17,off,春节,Spring\n2026-02-16,off,春节,Spring", "date"),
            ("2026-02-17,off,春节,Spring\n2026-02-17,off,春节,Spring", "date"),
            ("2026-02-17,half,春节,Spring", "kind"),
            ("2026-02-16,work,春节,Spring", "kind"),
        ] {
            let text = format!("date,kind,name_zh,name_en\n{rows}\n");
            assert_eq!(
                column_of(holidays("h.csv", text.as_bytes()).unwrap_err()),
                column,
                "{rows}"
            );
        }
    }

    #[test]
    fn a_prefix_has_six_digits_and_a_card_twelve_to_nineteen() {
        for (row, column) in [
            ("62220,a,a,debit,19,yes", "prefix"),
            ("622202,a,a,debit,20,yes", "length"),
            ("622202,a,a,debt,19,yes", "kind"),
        ] {
            let text = format!("prefix,bank_zh,bank_en,kind,length,debits\n{row}\n");
            assert_eq!(
                column_of(bins("b.csv", text.as_bytes()).unwrap_err()),
                column,
                "{row}"
            );
        }
    }
}
