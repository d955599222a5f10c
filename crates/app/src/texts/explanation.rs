//! Why a figure is what it is, as people read it (算法说明): a line for each figure that follows from others.

use std::sync::LazyLock;

use fenqi_domain::calendar::days_between;
use fenqi_domain::explain::{Explanation, Factor, How, Name, Product};
use fenqi_domain::money::{Amount, Currency, Rate, point};
use serde::Serialize;
use serde_json::Value;

use super::{Catalogue, Language, plain};

static EXPLANATIONS: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::read(include_str!("explanations.toml")));

/// An explanation in lines, the figure that was asked for first, and below each figure those it comes from, set in by
/// two spaces. What was agreed or happened needs no line of its own.
pub fn explanation(why: &Explanation, currency: Currency, language: Language) -> String {
    explanations(std::slice::from_ref(why), currency, language)
}

/// Several explanations, an empty line before each but the first. What was explained once is only named after that.
pub fn explanations(whys: &[Explanation], currency: Currency, language: Language) -> String {
    let teller = Teller { currency, language };
    let mut told = Told::default();
    for why in whys {
        if !told.lines.is_empty() {
            told.lines.push('\n');
        }
        teller.tell(why, 0, &mut told);
    }
    told.lines
}

/// How a loan stands with its lender and a bureau, in a line; `field` says its `on`, `days`, `bucket`, `class` and `codes`.
pub fn standing(language: Language, field: &dyn Fn(&str) -> String) -> String {
    EXPLANATIONS.say("standing", language, field)
}

/// What was told so far.
#[derive(Default)]
struct Told<'a> {
    lines: String,
    /// Each figure that has a line of its own, and what is said of it there.
    figures: Vec<(&'a Explanation, &'a Explanation)>,
}

/// Who tells, and how.
struct Teller {
    currency: Currency,
    language: Language,
}

impl Teller {
    /// The lines of a figure.
    fn tell<'a>(&self, why: &'a Explanation, depth: usize, told: &mut Told<'a>) {
        let reason = reason(why);
        let how = &reason.how;
        if matches!(how, How::Given) && depth > 0 {
            return;
        }
        let indent = "  ".repeat(depth);
        told.lines.push_str(&format!("{indent}{}", self.figure(why)));
        let before = told.figures.iter().find(|(_, known)| *known == reason);
        if let Some((named, _)) = before.filter(|_| depth > 0) {
            if named.name != why.name {
                told.lines.push_str(&format!(" = {}", self.figure(named)));
            }
            told.lines.push_str(&self.said("as_above"));
            told.lines.push('\n');
            return;
        }
        told.figures.push((why, reason));
        let formula = self.formula(how);
        if !formula.is_empty() {
            told.lines.push_str(&format!(" = {formula}"));
        }
        told.lines.push('\n');
        for below in how.below() {
            self.tell(below, depth + 1, told);
        }
    }

    /// Words that stand for themselves.
    fn said(&self, code: &str) -> String {
        EXPLANATIONS.say(code, self.language, &|_| String::new())
    }

    /// A figure with its name.
    fn figure(&self, why: &Explanation) -> String {
        format!("{} {}", self.name(&why.name), self.amount(why.value))
    }

    /// How a figure comes about.
    fn formula(&self, how: &How) -> String {
        match how {
            How::Given => String::new(),
            How::Sum { terms } => {
                let mut said = String::new();
                for (place, term) in terms.iter().enumerate() {
                    said.push_str(match (place, term.minus) {
                        (0, false) => "",
                        (0, true) => "− ",
                        (_, false) => " + ",
                        (_, true) => " − ",
                    });
                    said.push_str(&self.figure(&term.of));
                }
                said
            }
            How::Rounded { products, rounding } => self.product(how, products, *rounding),
            How::Part { of, remainder, .. } => self.rule("how_part", how, &[of], |name| {
                (name == "remainder").then(|| self.word("remainder", remainder))
            }),
            How::Weighted { of, .. } => self.rule("how_weighted", how, &[of], |_| None),
            How::Level {
                of,
                annual,
                days,
                rounding,
                ..
            } => self.rule("how_level", how, &[of], |name| match name {
                "rate" => Some(annual.to_string()),
                "count" => Some(days.len().to_string()),
                "rounding" => Some(self.word("rounding", rounding)),
                _ => None,
            }),
            How::Stepped {
                of,
                left,
                growth,
                every,
                annual,
                days,
                rounding,
                ..
            } => {
                let code = if *growth > Rate::ZERO {
                    "how_growing"
                } else {
                    "how_leaving"
                };
                self.rule(code, how, &[of], |name| match name {
                    "rate" => Some(annual.to_string()),
                    "count" => Some(days.len().to_string()),
                    "rounding" => Some(self.word("rounding", rounding)),
                    "left" => Some(self.figure(left)),
                    "growth" => Some(growth.to_string()),
                    "every" => Some(every.to_string()),
                    _ => None,
                })
            }
            How::Multiple { of, multiple } => self.rule("how_multiple", how, &[of], |name| {
                (name == "multiple").then(|| self.amount(*multiple))
            }),
            How::Least { of } => self.rule("how_least", how, &of.iter().collect::<Vec<_>>(), |_| None),
            How::Greatest { of } => self.rule("how_greatest", how, &of.iter().collect::<Vec<_>>(), |_| None),
        }
    }

    /// Products added up; where they lie between two units, what they come to exactly.
    fn product(&self, how: &How, products: &[Product], rounding: impl Serialize) -> String {
        let each = products.iter().map(|p| {
            let factors = p
                .factors
                .iter()
                .map(|f| format!(" × {}", self.factor(*f, &p.of.name)));
            let factors: String = factors.collect();
            format!("{}{factors}", self.figure(&p.of))
        });
        let mut said = each.collect::<Vec<_>>().join(" + ");
        if let Some(exact) = how.unrounded().and_then(|e| self.exact(e)) {
            said.push_str(&format!(" = {exact} ({})", self.word("rounding", rounding)));
        }
        said
    }

    /// A factor as it is written: of days overdue how many do not count, and of a fraction that nobody reads its digits.
    fn factor(&self, of: Factor, name: &Name) -> String {
        match (of, name) {
            (Factor::Days { days, of: 1 }, Name::Overdue { from, until }) => {
                let all = days_between(*from, *until);
                let spared = all.saturating_sub(days);
                let fields = |field: &str| match field {
                    "all" => all.to_string(),
                    _ => spared.to_string(),
                };
                let note = (spared > 0).then(|| EXPLANATIONS.say("days_spared", self.language, &fields));
                format!("{days}{}", note.unwrap_or_default())
            }
            (Factor::Share { part, whole }, _) if whole >= LONG => {
                format!("{}{}", digits(part, whole), self.said("annuity_factor"))
            }
            _ => factor(of),
        }
    }

    /// A figure between two units, cut after four more digits if it has more.
    fn exact(&self, (numerator, denominator): (i128, i128)) -> Option<String> {
        if denominator == 0 || numerator % denominator == 0 {
            return None;
        }
        let longer = numerator.checked_mul(10_000)?;
        let more = if longer % denominator == 0 { "" } else { "…" };
        let cut = i64::try_from(longer / denominator).ok()?;
        Some(format!("{}{more}", point(cut, self.currency.digits() + 4)))
    }

    /// A rule as its sentence.
    fn rule(
        &self,
        code: &str,
        how: &How,
        of: &[&Explanation],
        field: impl Fn(&str) -> Option<String>,
    ) -> String {
        let fields = serde_json::to_value(how).unwrap_or_default();
        EXPLANATIONS.say(code, self.language, &|name| match name {
            "of" => {
                let figures: Vec<String> = of.iter().map(|e| self.figure(e)).collect();
                figures.join(if self.language == Language::Zh {
                    "、"
                } else {
                    ", "
                })
            }
            _ => field(name).unwrap_or_else(|| fields.get(name).map(plain).unwrap_or_default()),
        })
    }

    /// What a figure is called.
    fn name(&self, name: &Name) -> String {
        let fields = serde_json::to_value(name).unwrap_or_default();
        let code = fields.get("name").map(plain).unwrap_or_default();
        EXPLANATIONS.say(&code, self.language, &|field| match (field, fields.get(field)) {
            ("component", Some(component)) => self.word("part", component),
            ("cause", Some(cause)) => self.word("by", cause),
            ("transaction", Some(Value::Number(number))) if self.language == Language::Zh => {
                format!("（第 {number} 笔）")
            }
            ("transaction", Some(Value::Number(number))) => format!(" (no. {number})"),
            (_, Some(Value::Null) | None) => String::new(),
            (_, Some(value)) => plain(value),
        })
    }

    /// A word of the trade by its stored form.
    fn word(&self, kind: &str, value: impl Serialize) -> String {
        let code = serde_json::to_value(value).unwrap_or_default();
        EXPLANATIONS.say(&format!("{kind}_{}", plain(&code)), self.language, &|_| {
            String::new()
        })
    }

    /// An amount with the digits of its currency.
    fn amount(&self, amount: Amount) -> String {
        point(amount.minor(), self.currency.digits())
    }
}

/// The figure whose rule is worth a line: one that only stands for another is passed over.
fn reason(why: &Explanation) -> &Explanation {
    match &why.how {
        How::Sum { terms } => match terms.as_slice() {
            [only] if !only.minus => reason(&only.of),
            _ => why,
        },
        _ => why,
    }
}

/// From here on a fraction is written as a decimal: such are the factors of level payments, of which each period's
/// interest makes more digits.
const LONG: i64 = 1_000_000;

/// A fraction as a decimal, cut after ten digits.
fn digits(part: i64, whole: i64) -> String {
    let cut = i128::from(part)
        .checked_mul(10_000_000_000)
        .and_then(|longer| longer.checked_div(i128::from(whole)));
    let cut = cut.and_then(|cut| i64::try_from(cut).ok()).unwrap_or_default();
    format!("{}…", point(cut, 10))
}

/// A factor as it is written.
fn factor(factor: Factor) -> String {
    match factor {
        Factor::Rate { rate } => rate.to_string(),
        Factor::Days { days, of: 1 } => days.to_string(),
        Factor::Days { days, of } => format!("{days}/{of}"),
        Factor::Share { part, whole } => format!("{part}/{whole}"),
        Factor::Decimal { rate, part, whole } => match over_new_year(part, whole) {
            Some((common, leap)) => format!("{rate} × ({common}/365 + {leap}/366)"),
            None => format!("{rate} × {part}/{whole}"),
        },
    }
}

/// Days of a common and of a leap year, brought to one denominator, as the days of each.
fn over_new_year(part: i64, whole: i64) -> Option<(i64, i64)> {
    // 366 common + 365 leap = part: modulo 366 the leap days are what is missing.
    let leap = part.checked_neg()?.checked_rem_euclid(366)?;
    let common = part.checked_sub(leap.checked_mul(365)?)?.checked_div(366)?;
    (whole == 365 * 366 && common > 0 && leap > 0).then_some((common, leap))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fenqi_domain::explain::Cause;
    use fenqi_domain::plan::Component;
    use jiff::civil::date;

    #[test]
    fn a_name_is_said_in_both_languages() {
        let on = date(2026, 3, 6);
        let moved = Name::Moved {
            cause: Cause::Repaid,
            on,
            transaction: Some(3),
        };
        let open = Name::Open {
            row: 2,
            component: Component::Interest,
        };
        let table = [
            (
                moved,
                "2026-03-06 还款（第 3 笔）",
                "payment on 2026-03-06 (no. 3)",
            ),
            (open, "第 2 期待还利息", "open interest of instalment 2"),
            (Name::Nothing, "零", "nothing"),
        ];
        for (name, zh, en) in table {
            let say = |language| {
                Teller {
                    currency: Currency::Cny,
                    language,
                }
                .name(&name)
            };
            assert_eq!((say(Language::Zh).as_str(), say(Language::En).as_str()), (zh, en));
        }
    }

    #[test]
    fn a_span_over_new_year_is_said_in_days_of_both_years() {
        let rate = fenqi_domain::money::Rate::from_ppb(70_000_000);
        let said = |part, whole| factor(Factor::Decimal { rate, part, whole });
        assert_eq!(said(19 * 366 + 12 * 365, 133_590), "7% × (19/365 + 12/366)");
        assert_eq!(said(30, 365), "7% × 30/365");
    }

    #[test]
    fn a_factor_says_which_days_do_not_count_and_no_digits_that_nobody_reads() {
        let overdue = Name::Overdue {
            from: date(2025, 3, 5),
            until: date(2025, 4, 20),
        };
        let days = |days| Factor::Days { days, of: 1 };
        let (part, whole) = (1_043_411_404_624_619, 6_109_191_424_614_982);
        let table = [
            (
                days(43),
                &overdue,
                "43（共 46 天，其中 3 天不计）",
                "43 (46 days, 3 of which do not count)",
            ),
            (days(46), &overdue, "46", "46"),
            (
                Factor::Share { part, whole },
                &Name::Level,
                "0.1707936995…（年金系数：各期本息等额）",
                "0.1707936995… (annuity factor)",
            ),
            (
                Factor::Share { part: 16, whole: 31 },
                &Name::Level,
                "16/31",
                "16/31",
            ),
        ];
        for (factor, name, zh, en) in table {
            let say = |language| {
                let currency = Currency::Cny;
                Teller { currency, language }.factor(factor, name)
            };
            assert_eq!((say(Language::Zh).as_str(), say(Language::En).as_str()), (zh, en));
        }
    }

    #[test]
    fn every_word_of_the_file_is_said_in_both_languages() {
        for (code, [zh, en]) in &EXPLANATIONS.0 {
            assert!(!zh.is_empty() && !en.is_empty(), "{code}");
        }
    }
}
