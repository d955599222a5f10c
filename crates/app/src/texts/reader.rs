//! What a refusal and its alternatives say to a person, in the names of those whom it speaks of.

use std::sync::LazyLock;

use fenqi_domain::money::{Rate, point};
use fenqi_domain::payment::FailureCode;
use fenqi_domain::refusal::{Alternative, Refusal, WhoCanChange};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Catalogue, FAILURES, Language, plain};
use crate::Configuration;

static REFUSALS: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(include_str!("refusals.toml")));
static DECLINES: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(include_str!("declines.toml")));
static ALTERNATIVES: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::read(include_str!("alternatives.toml")));
static WORDS: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::read(include_str!("words.toml")));

/// Who reads: in which language, and by which names lenders, sellers, regions and documents go.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Where the names stand.
    pub names: &'a Configuration,
    /// The language.
    pub language: Language,
}

impl Reader<'_> {
    /// What a refusal says.
    pub fn refusal(self, refusal: &Refusal) -> String {
        let evidence = serde_json::to_value(refusal).unwrap_or_default();
        let fields = evidence.as_object().cloned().unwrap_or_default();
        REFUSALS.say(refusal.code(), self.language, &|name| {
            self.field(refusal.code(), name, &fields)
        })
    }

    /// What would help, in a few words.
    pub fn alternative(self, alternative: &Alternative) -> String {
        let value = serde_json::to_value(alternative).unwrap_or_default();
        let fields = value.as_object().cloned().unwrap_or_default();
        let kind = fields.get("kind").map(plain).unwrap_or_default();
        ALTERNATIVES.say(&kind, self.language, &|name| self.field(&kind, name, &fields))
    }

    /// Who else than the shopper can make a refusal go away.
    pub fn who(self, who: WhoCanChange) -> Option<String> {
        let code = match who {
            WhoCanChange::Shopper => return None,
            WhoCanChange::Store => "store",
            WhoCanChange::Institution => "institution",
            WhoCanChange::Platform => "platform",
            WhoCanChange::Law => "law",
            WhoCanChange::Time => "time",
        };
        Some(self.word("who", code))
    }

    /// A figure of a refusal's evidence, as a person reads it.
    fn field(self, code: &str, name: &str, fields: &Map<String, Value>) -> String {
        let zh = self.language == Language::Zh;
        let sentences = if zh { "；" } else { "; " };
        match (name, fields.get(name)) {
            (_, None | Some(Value::Null)) => String::new(),
            ("until", Some(at)) if zh => format!("，预计 {} 恢复", minute(at)),
            ("until", Some(at)) => format!(", expected back at {}", minute(at)),
            ("at" | "retry_after", Some(at)) => minute(at),
            ("since", Some(at)) if code == "payment_under_way" => minute(at),
            ("region", Some(region)) if code == "institution_suspended" => {
                let region = self.named(name, &plain(region));
                if zh {
                    format!("{region}的")
                } else {
                    format!(" in {region}")
                }
            }
            ("what", Some(what)) if code == "agree" => self.agreed_to(&plain(what)),
            ("what", Some(what)) => {
                let section = format!("what.{}", plain(what));
                let which = |part: &str| fields.get(part).map(plain).unwrap_or_default();
                WORDS.say(&section, self.language, &which)
            }
            ("annual" | "cap", Some(rate)) => Rate::from_ppb(rate.as_i64().unwrap_or_default()).to_string(),
            ("reasons", Some(Value::Array(reasons))) => {
                let said = reasons
                    .iter()
                    .map(|r| DECLINES.say(&plain(r), self.language, &|_| String::new()));
                said.collect::<Vec<_>>().join(sentences)
            }
            ("counts", Some(Value::Array(counts))) => {
                let said = counts.iter().map(Value::to_string).collect::<Vec<_>>();
                said.join(if zh { "、" } else { " or " })
            }
            ("days" | "tries_left" | "seconds_left" | "agreements", Some(number)) => number.to_string(),
            ("minimum", Some(number)) if code == "underage" => number.to_string(),
            (_, Some(Value::Number(number))) => point(number.as_i64().unwrap_or_default(), 2),
            (_, Some(other)) => self.named(name, &plain(other)),
        }
    }

    /// The name of what a code stands for; the code itself where nothing has a name.
    pub(super) fn named(self, field: &str, code: &str) -> String {
        let names = self.names;
        let known = match field {
            "institution" | "party" => names.institutions.get(code).map(|i| (&i.name_zh, &i.name_en)),
            "seller" => names.sellers.get(code).map(|s| (&s.name_zh, &s.name_en)),
            "sku" => names.products.get(code).map(|p| (&p.name_zh, &p.name_en)),
            "region" => names.regions.get(code).map(|r| (&r.name_zh, &r.name_en)),
            "document" => names.documents.get(code).map(|d| (&d.title_zh, &d.title_en)),
            _ => None,
        };
        if let Some((zh, en)) = known {
            return if self.language == Language::Zh { zh } else { en }.clone();
        }
        match field {
            "needed" | "state" => self.word("stage", code),
            "reason" if !WORDS.has(&format!("card.{code}")) => {
                let known = FailureCode::of_channel(code);
                FAILURES.say(known.code(), self.language, &|_| String::new())
            }
            "reason" => self.word("card", code),
            _ => self.word(field, code),
        }
    }

    /// What is read and agreed to: a document, or a purpose that has several.
    fn agreed_to(self, code: &str) -> String {
        if self.names.documents.contains_key(code) {
            self.named("document", code)
        } else {
            self.word("purpose", code)
        }
    }

    /// What a code of a kind is called.
    fn word(self, kind: &str, code: &str) -> String {
        word(kind, code, self.language)
    }
}

/// What a code of a kind is called; the code itself where it has no name.
pub(super) fn word(kind: &str, code: &str, language: Language) -> String {
    let section = format!("{kind}.{code}");
    if WORDS.has(&section) {
        WORDS.say(&section, language, &|_| String::new())
    } else {
        code.to_owned()
    }
}

/// Where something stands in a list that has a name.
pub(super) fn place(list: &str, number: &str, language: Language) -> String {
    WORDS.say(&format!("place.{list}"), language, &|_| number.to_owned())
}

fn minute(value: &Value) -> String {
    let parsed: Option<Timestamp> = value.as_str().and_then(|text| text.parse().ok());
    parsed.map_or_else(|| plain(value), to_the_minute)
}

/// An instant to the minute, in the time zone of the mainland, which is the contracts' default.
pub(super) fn to_the_minute(at: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fenqi_domain::consent::Purpose;
    use fenqi_domain::evidence::Step;
    use fenqi_domain::market::{Flow, Institution, Region};
    use fenqi_domain::money::{Amount, Currency};
    use fenqi_domain::refusal::{CODES, Capability};
    use jiff::civil::date;

    fn both(names: &Configuration, said: impl Fn(Reader<'_>) -> String) -> [String; 2] {
        [Language::Zh, Language::En].map(|language| said(Reader { names, language }))
    }

    #[test]
    fn every_refusal_has_a_sentence_in_both_languages() {
        for code in CODES {
            let [zh, en] = REFUSALS
                .0
                .get(code)
                .unwrap_or_else(|| panic!("{code} has no text"));
            assert!(!zh.is_empty() && !en.is_empty(), "{code}");
        }
    }

    #[test]
    fn every_section_is_said_in_both_languages() {
        for catalogue in [&*REFUSALS, &*DECLINES, &*ALTERNATIVES, &*WORDS] {
            for (section, [zh, en]) in &catalogue.0 {
                assert!(!zh.is_empty() && !en.is_empty(), "{section}");
            }
        }
        let words = Capability::ALL.map(|c| format!("capability.{}", c.code()));
        let words = words
            .into_iter()
            .chain(Purpose::ALL.map(|p| format!("purpose.{}", p.code())));
        let steps = [Step::Name, Step::Face, Step::Photograph].map(|s| format!("step.{}", s.code()));
        for section in words.chain(steps) {
            assert!(WORDS.has(&section), "{section}");
        }
    }

    #[test]
    fn a_refusal_names_its_evidence() {
        let names = Configuration::default();
        let gap = Refusal::LimitInsufficient {
            available: Amount::from_minor(100_000),
            gap: Amount::from_minor(32_000),
            pay_now: Amount::from_minor(32_000),
            used: Amount::ZERO,
        };
        let [zh, en] = both(&names, |reader| reader.refusal(&gap));
        assert!(zh.contains("还差 320.00"), "{zh}");
        assert!(en.contains("320.00 is missing"), "{en}");
        let minor = Refusal::Underage { minimum: 18 };
        let [_, en] = both(&names, |reader| reader.refusal(&minor));
        assert_eq!(en, "You must be at least 18 years old.");
    }

    #[test]
    fn those_whom_it_speaks_of_have_their_names() {
        let mut names = Configuration::default();
        let (code, region) = ("xiaofu".to_owned(), "310000".to_owned());
        names.institutions.insert(code.clone(), institution(&code));
        names.regions.insert(region.clone(), self::region(&region));
        let paused = Refusal::InstitutionSuspended {
            institution: code.clone(),
            region: Some(region),
            until: None,
        };
        assert_eq!(
            both(&names, |reader| reader.refusal(&paused)),
            [
                "小付暂停了上海的分期业务。",
                "Xiaofu has paused its instalments in Shanghai."
            ]
        );
        let everywhere = Refusal::InstitutionSuspended {
            institution: code,
            region: None,
            until: None,
        };
        let [zh, _] = both(&names, |reader| reader.refusal(&everywhere));
        assert_eq!(zh, "小付暂停了分期业务。");
        let rejected = |reason: &str| Refusal::CardRejected {
            reason: reason.to_owned(),
        };
        let [zh, en] = both(&names, |reader| reader.refusal(&rejected("card_expired")));
        assert!(
            zh.contains("银行卡已过期") && en.contains("the card has expired"),
            "{zh} {en}"
        );
        let [zh, _] = both(&names, |reader| reader.refusal(&rejected("wrong_holder")));
        assert!(zh.contains("不符"), "{zh}");
    }

    #[test]
    fn what_helps_is_said_in_both_languages() {
        let names = Configuration::default();
        let table = [
            (
                Alternative::ChooseCount { counts: vec![3, 6] },
                ["选择 3、6 期", "choose 3 or 6 instalments"],
            ),
            (
                Alternative::WaitUntilDay { on: date(2026, 4, 5) },
                ["2026-04-05 起再试", "wait until 2026-04-05"],
            ),
            (
                Alternative::Agree {
                    what: "service_agreement".to_owned(),
                },
                [
                    "阅读并同意分期服务协议",
                    "read and agree to the instalment service's agreement",
                ],
            ),
        ];
        for (alternative, said) in table {
            assert_eq!(both(&names, |reader| reader.alternative(&alternative)), said);
        }
        assert_eq!(
            both(&names, |reader| reader
                .who(WhoCanChange::Platform)
                .unwrap_or_default()),
            ["客服", "the people behind the service"]
        );
    }

    #[test]
    fn every_alternative_has_words() {
        use Alternative::*;
        let (amount, sku) = (Amount::from_minor(100), "PH-1".to_owned());
        let (at, on) = (Timestamp::UNIX_EPOCH, date(2026, 4, 5));
        let all = [
            vec![
                OtherMethod,
                OtherPlan,
                FollowNotices,
                VerifyIdentity,
                Apply,
                BindCard,
                OtherCard,
            ],
            vec![
                SettleDispute,
                Contact,
                NewQuote,
                OtherRegion,
                LookAgain,
                AnotherPerson,
                OwnLimit,
            ],
            vec![
                DownPayment { amount },
                PayDown { amount },
                PayOverdue { amount },
                RaiseAmount { amount },
            ],
            vec![RemoveLine { sku }, WaitUntil { at }, WaitUntilDay { on }],
            vec![
                ChooseCount { counts: Vec::new() },
                ImproveRecord { reasons: Vec::new() },
            ],
            vec![
                Agree { what: String::new() },
                AmountWithin {
                    minimum: amount,
                    maximum: amount,
                },
            ],
        ]
        .concat();
        let kinds: std::collections::BTreeSet<String> = all.iter().map(kind).collect();
        assert_eq!(kinds.len(), ALTERNATIVES.0.len());
        assert!(kinds.iter().all(|kind| ALTERNATIVES.has(kind)), "{kinds:?}");
    }

    /// The section of an alternative. A new one does not compile until it is among those of the test above.
    fn kind(alternative: &Alternative) -> String {
        use Alternative::*;
        match alternative {
            OtherMethod | OtherPlan | FollowNotices | VerifyIdentity | Apply | BindCard | OtherCard => {}
            SettleDispute | Contact | NewQuote | OtherRegion | LookAgain | AnotherPerson | OwnLimit => {}
            DownPayment { .. } | PayDown { .. } | PayOverdue { .. } | RaiseAmount { .. } => {}
            RemoveLine { .. } | WaitUntil { .. } | WaitUntilDay { .. } | ChooseCount { .. } => {}
            ImproveRecord { .. } | Agree { .. } | AmountWithin { .. } => {}
        }
        let value = serde_json::to_value(alternative).unwrap_or_default();
        value.get("kind").map(plain).unwrap_or_default()
    }

    fn institution(code: &str) -> Institution {
        Institution {
            code: code.to_owned(),
            name_zh: "小付".to_owned(),
            name_en: "Xiaofu".to_owned(),
            contact: String::new(),
            flow: Flow::Embedded,
            partnerships: Vec::new(),
            served_regions: Vec::new(),
            excluded_categories: Vec::new(),
        }
    }

    fn region(code: &str) -> Region {
        Region {
            code: code.to_owned(),
            name_zh: "上海".to_owned(),
            name_en: "Shanghai".to_owned(),
            is_allowed: true,
            annual_cap: Rate::ONE,
            majority: 18,
            currency: Currency::Cny,
            time_zone: "Asia/Shanghai".to_owned(),
            source: String::new(),
        }
    }
}
