//! What a command that was not taken is told: what is wrong in which field, or why nothing came of it, and what would help.

use std::sync::LazyLock;

use fenqi_domain::money::point;

use super::{Catalogue, Language, reader};
use crate::mistake::{Figure, Invalid, Mistake};
use crate::outcome::Denied;

static MISTAKES: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(include_str!("mistakes.toml")));

/// How much of what was given is repeated, in characters.
const REPEATED_MAX: usize = 60;

/// What is said of one mistake, or of a command that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The stable code.
    pub code: &'static str,
    /// What was wrong.
    pub says: String,
    /// What would help.
    pub helps: String,
}

/// What is said of a field that was wrong.
pub fn mistake(wrong: &Invalid, language: Language) -> Told {
    let say = |part: &str| part_of(part, wrong, language);
    told(wrong.mistake.code(), language, &say)
}

/// What is said of a command that was not carried out, but for its refusal, which a [`Reader`](super::Reader) tells, and its
/// wrong fields, which [`mistake`] tells one by one.
pub fn denied(denied: &Denied, language: Language) -> Told {
    told(denied.code(), language, &|_| String::new())
}

fn told(code: &'static str, language: Language, part: &dyn Fn(&str) -> String) -> Told {
    let says = MISTAKES.say(code, language, part);
    Told {
        code,
        says: begun(&says),
        helps: MISTAKES.say(&format!("{code}.helps"), language, part),
    }
}

/// A sentence with a capital letter at its beginning.
fn begun(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// A part of a sentence, by its name.
fn part_of(part: &str, wrong: &Invalid, language: Language) -> String {
    let zh = language == Language::Zh;
    let quoted = |text: &str| format!("“{}”", repeated(text));
    match (part, &wrong.mistake) {
        ("field", _) => field(&wrong.field, language),
        ("fields", Mistake::NothingAsked { fields }) => {
            let fields: Vec<String> = fields.iter().map(|f| field(f, language)).collect();
            fields.join(if zh { "、" } else { ", " })
        }
        ("given", Mistake::OutOfRange { given, .. }) => figure(*given),
        ("range", Mistake::OutOfRange { minimum, maximum, .. }) => range(*minimum, *maximum, language),
        ("given", Mistake::WrongLength { given, .. }) => given.to_string(),
        ("minimum", Mistake::WrongLength { minimum, .. }) => minimum.to_string(),
        ("maximum", Mistake::WrongLength { maximum, .. }) => maximum.to_string(),
        (
            "given",
            Mistake::NotAllowed {
                given: Some(given), ..
            },
        ) => quoted(given),
        ("given", Mistake::NotAllowed { given: None, .. }) if zh => String::new(),
        ("given", Mistake::NotAllowed { given: None, .. }) => "what was given".to_owned(),
        ("allowed", Mistake::NotAllowed { allowed, .. }) => reader::word("allowed", allowed.code(), language),
        ("given", Mistake::NotAfter { given, .. }) => reader::to_the_minute(*given),
        ("after", Mistake::NotAfter { after, .. }) => reader::to_the_minute(*after),
        ("thing", Mistake::NotKnown { thing, .. }) => reader::word("thing", thing.code(), language),
        ("among", Mistake::NotKnown { among, .. } | Mistake::NotInOrder { among, .. }) => {
            listed(among, language)
        }
        ("sku", Mistake::NotInOrder { sku, .. } | Mistake::WentBack { sku }) => repeated(sku),
        ("plan", Mistake::Withdrawn { plan }) => repeated(plan),
        (
            "given",
            Mistake::NotKnown { given, .. } | Mistake::NamedTwice { given } | Mistake::AlreadyUsed { given },
        ) => repeated(given),
        _ => String::new(),
    }
}

/// What a field is called: by the last name in its pointer, and the line or item in which it stands.
fn field(pointer: &str, language: Language) -> String {
    let parts: Vec<&str> = pointer.split('/').collect();
    let name = parts.iter().rev().find(|part| !is_index(part));
    let called = reader::word("field", name.copied().unwrap_or_default(), language);
    let place = parts.windows(2).find_map(|pair| match pair {
        [list, index] if is_index(index) => Some((*list, index.parse::<u64>().ok()?)),
        _ => None,
    });
    let Some((list, index)) = place else {
        return called;
    };
    let number = index.saturating_add(1).to_string();
    let place = reader::place(list, &number, language);
    match language {
        Language::Zh => format!("{called}（{place}）"),
        Language::En => format!("{called} ({place})"),
    }
}

fn is_index(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// What was given, as far as it is repeated: shortened, and without what would move a terminal's cursor.
fn repeated(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut shown: String = plain.take(REPEATED_MAX).collect();
    if text.chars().nth(REPEATED_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn figure(figure: Figure) -> String {
    match figure {
        Figure::Amount(amount) => point(amount.minor(), 2),
        Figure::Count(count) => count.to_string(),
        Figure::Day(day) => day.to_string(),
    }
}

/// Bounds: "1 to 60", "1 or more".
fn range(minimum: Figure, maximum: Option<Figure>, language: Language) -> String {
    let from = figure(minimum);
    if maximum == Some(minimum) {
        return from;
    }
    match (maximum.map(figure), language) {
        (Some(to), Language::Zh) => format!("{from} 到 {to}"),
        (Some(to), Language::En) => format!("{from} to {to}"),
        (None, Language::Zh) => format!("{from} 或以上"),
        (None, Language::En) => format!("{from} or more"),
    }
}

/// Some of those that there are, after a colon; nothing where they are not told.
fn listed(among: &[String], language: Language) -> String {
    match (among.is_empty(), language) {
        (true, _) => String::new(),
        (false, Language::Zh) => format!("：{}", among.join("、")),
        (false, Language::En) => format!(": {}", among.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mistake::Thing;
    use fenqi_domain::allowed::Allowed;
    use fenqi_domain::money::Amount;
    use fenqi_domain::refusal::What;
    use jiff::Timestamp;
    use jiff::civil::date;

    /// What is wrong in one field, in Chinese and in English: what is said and what would help.
    fn both(field: &str, mistake: Mistake) -> [String; 4] {
        let wrong = Invalid {
            field: field.to_owned(),
            mistake,
        };
        let [zh, en] = [Language::Zh, Language::En].map(|language| super::mistake(&wrong, language));
        [zh.says, zh.helps, en.says, en.helps]
    }

    #[test]
    fn a_mistake_names_the_thing_what_was_given_and_what_is_allowed_in_both_languages() {
        let given = "PH-9".to_owned();
        let among = vec!["PH-1".to_owned(), "CS-2".to_owned()];
        let table = [
            (
                both("/lines/1/quantity", Mistake::count(0, 1, None)),
                [
                    "数量（第 2 行）不能为 0：允许 1 或以上。",
                    "改为 1 或以上",
                    "The quantity (line 2) cannot be 0: 1 or more is allowed.",
                    "choose 1 or more",
                ],
            ),
            (
                both("/lines/0/sku", Mistake::NotInOrder { sku: given, among }),
                [
                    "该订单中没有“PH-9”。",
                    "改为该订单中的商品：PH-1、CS-2",
                    "“PH-9” is not in this order.",
                    "name an article of this order: PH-1, CS-2",
                ],
            ),
            (
                both(
                    "/on",
                    Mistake::OutOfRange {
                        given: Figure::Day(date(2025, 1, 1)),
                        minimum: Figure::Day(date(2025, 1, 7)),
                        maximum: Some(Figure::Day(date(2025, 3, 1))),
                    },
                ),
                [
                    "日期不能为 2025-01-01：允许 2025-01-07 到 2025-03-01。",
                    "改为 2025-01-07 到 2025-03-01",
                    "The day cannot be 2025-01-01: 2025-01-07 to 2025-03-01 is allowed.",
                    "choose 2025-01-07 to 2025-03-01",
                ],
            ),
            (
                both("/institution", Mistake::unknown(Thing::Institution, "nobody")),
                [
                    "没有分期机构“nobody”。",
                    "改为已有的分期机构",
                    "There is no lender “nobody”.",
                    "name one that there is",
                ],
            ),
            (
                both("/phone", Mistake::personal(Allowed::Mobile)),
                [
                    "手机号不符合要求：须为大陆手机号：以 13 到 19 开头的 11 位数字。",
                    "改为大陆手机号：以 13 到 19 开头的 11 位数字",
                    "The phone cannot be what was given: it must be a mobile number of the mainland: 11 digits that \
                     begin with 13 to 19.",
                    "give a mobile number of the mainland: 11 digits that begin with 13 to 19",
                ],
            ),
        ];
        for (told, expected) in table {
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn what_is_repeated_is_short_and_moves_no_cursor() {
        let [_, _, said, _] = both("/order", Mistake::not(Allowed::Code, "\u{1b}[31m".repeat(1_000)));
        assert!(said.chars().count() < 200 && !said.contains('\u{1b}'), "{said}");
    }

    /// One of each mistake. A new one does not compile until it is here.
    fn each() -> Vec<Mistake> {
        let given = || "x".to_owned();
        let at = Timestamp::UNIX_EPOCH;
        let all = vec![
            Mistake::Missing,
            Mistake::NothingAsked {
                fields: vec!["/defer_days".to_owned(), "/waive_penalties".to_owned()],
            },
            Mistake::amount(Amount::ZERO, Amount::from_minor(1), Amount::from_minor(100)),
            Mistake::WrongLength {
                given: 501,
                minimum: 1,
                maximum: 500,
            },
            Mistake::not(Allowed::Code, "a b"),
            Mistake::NotAfter { given: at, after: at },
            Mistake::unknown(Thing::Line, "xiaofu"),
            Mistake::NotInOrder {
                sku: given(),
                among: Vec::new(),
            },
            Mistake::WentBack { sku: given() },
            Mistake::NamedTwice { given: given() },
            Mistake::AlreadyUsed { given: given() },
            Mistake::Withdrawn { plan: given() },
            Mistake::SeveralCurrencies,
        ];
        for mistake in &all {
            match mistake {
                Mistake::Missing | Mistake::NothingAsked { .. } | Mistake::OutOfRange { .. } => {}
                Mistake::WrongLength { .. } | Mistake::NotAllowed { .. } | Mistake::NotAfter { .. } => {}
                Mistake::NotKnown { .. } | Mistake::NotInOrder { .. } | Mistake::WentBack { .. } => {}
                Mistake::NamedTwice { .. } | Mistake::AlreadyUsed { .. } | Mistake::Withdrawn { .. } => {}
                Mistake::SeveralCurrencies => {}
            }
        }
        all
    }

    #[test]
    fn every_mistake_is_said_whole_in_both_languages_with_what_helps() {
        for mistake in each() {
            let code = mistake.code();
            for said in both("/amount", mistake) {
                let whole = said.chars().count() > 2 && !said.contains('_') && !said.contains(['{', '}']);
                assert!(whole, "{code}: {said}");
            }
        }
    }

    #[test]
    fn whatever_a_mistake_or_a_refusal_speaks_of_has_words() {
        let things = Thing::ALL.map(|thing| ("thing", thing.code()));
        let allowed = Allowed::ALL.map(|allowed| ("allowed", allowed.code()));
        let whats = What::ALL.map(|what| ("what", what.code()));
        for (kind, code) in things.into_iter().chain(allowed).chain(whats) {
            // No code is Chinese; that no section has one language alone is tested beside the words.
            assert_ne!(reader::word(kind, code, Language::Zh), code, "{kind}.{code}");
        }
    }

    #[test]
    fn every_answer_that_is_no_says_what_happened_and_what_helps() {
        let busy = fenqi_store::Fault::Busy { retry_after_ms: 100 };
        for no in [
            Denied::NotFound,
            Denied::KeyReused,
            Denied::Fault(busy),
            Denied::Fault(fenqi_store::Fault::Lost),
        ] {
            for language in [Language::Zh, Language::En] {
                let told = denied(&no, language);
                assert!(!told.says.contains('_') && !told.helps.contains('_'), "{told:?}");
            }
        }
    }
}
