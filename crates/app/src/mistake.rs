//! What is wrong in a command (填写错误): which field, what was given, what is allowed. Like a refusal it has a stable code,
//! its evidence, a text in Chinese and in English, and what would help; the sentences stand in `texts/mistakes.toml`.

use fenqi_domain::actor::Actor;
use fenqi_domain::allowed::Allowed;
use fenqi_domain::money::{AMOUNT_MAX, Amount};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::outcome::Denied;

/// One field that was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalid {
    /// Which field, as a JSON pointer into the command.
    pub field: String,
    /// What is wrong with it.
    #[serde(flatten)]
    pub mistake: Mistake,
}

/// A figure that was given, or one of the bounds between which it must lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// An amount of money.
    Amount(Amount),
    /// A number of something.
    Count(i64),
    /// A day of the calendar.
    Day(Date),
}

/// A kind of thing that a command names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// An institution that lends.
    Institution,
    /// A region.
    Region,
    /// An article of the catalogue.
    Product,
    /// A seller.
    Seller,
    /// A plan.
    Plan,
    /// A campaign.
    Campaign,
    /// Whoever can be down: the mall, the platform, the bank channel, an institution.
    Party,
    /// A maintenance window that is open or to come.
    Window,
    /// A notice that is up.
    Notice,
    /// A shopper.
    Shopper,
    /// A credit line of a shopper with an institution.
    Line,
    /// An agreement of a shopper.
    Agreement,
    /// A dispute that is open.
    Dispute,
    /// A payment or a waiver that staff entered into a loan.
    Entry,
    /// A proposal.
    Proposal,
}

impl Thing {
    /// Every kind.
    pub const ALL: [Thing; 15] = [
        Thing::Institution,
        Thing::Region,
        Thing::Product,
        Thing::Seller,
        Thing::Plan,
        Thing::Campaign,
        Thing::Party,
        Thing::Window,
        Thing::Notice,
        Thing::Shopper,
        Thing::Line,
        Thing::Agreement,
        Thing::Dispute,
        Thing::Entry,
        Thing::Proposal,
    ];

    /// The word in answers and texts.
    pub const fn code(self) -> &'static str {
        match self {
            Thing::Institution => "institution",
            Thing::Region => "region",
            Thing::Product => "product",
            Thing::Seller => "seller",
            Thing::Plan => "plan",
            Thing::Campaign => "campaign",
            Thing::Party => "party",
            Thing::Window => "window",
            Thing::Notice => "notice",
            Thing::Shopper => "shopper",
            Thing::Line => "line",
            Thing::Agreement => "agreement",
            Thing::Dispute => "dispute",
            Thing::Entry => "entry",
            Thing::Proposal => "proposal",
        }
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Mistake {
    /// It must be given, and was not.
    Missing,
    /// One of several fields must ask for something, and none does.
    NothingAsked {
        /// The fields, each as a JSON pointer.
        fields: Vec<String>,
    },
    /// A figure outside its bounds.
    OutOfRange {
        /// What was given.
        given: Figure,
        /// The least that is allowed.
        minimum: Figure,
        /// The most that is allowed; none where nothing is too much.
        maximum: Option<Figure>,
    },
    /// A text that is too short or too long.
    WrongLength {
        /// How many characters it has.
        given: usize,
        /// The least that is allowed.
        minimum: usize,
        /// The most that is allowed.
        maximum: usize,
    },
    /// A text or figure that is not written as it must be, or not what can be chosen.
    NotAllowed {
        /// What was given; none where it is personal and is not repeated.
        given: Option<String>,
        /// What is allowed.
        allowed: Allowed,
    },
    /// A time that is not after another.
    NotAfter {
        /// What was given.
        given: Timestamp,
        /// After which it must be.
        after: Timestamp,
    },
    /// There is no such thing.
    NotKnown {
        /// What kind of thing.
        thing: Thing,
        /// What was given.
        given: String,
        /// Some of those that there are; none where they are not told.
        among: Vec<String>,
    },
    /// The article is not in this order.
    NotInOrder {
        /// The article number that was given.
        sku: String,
        /// Those that are in it.
        among: Vec<String>,
    },
    /// All of the article went back before.
    WentBack {
        /// The article number that was given.
        sku: String,
    },
    /// It is named more than once, so that it can be read in more than one way.
    NamedTwice {
        /// What was given.
        given: String,
    },
    /// It stands for something else already.
    AlreadyUsed {
        /// What was given.
        given: String,
    },
    /// The plan was withdrawn and does not come back.
    Withdrawn {
        /// The plan's code.
        plan: String,
    },
    /// What is to be paid at once is owed in several currencies.
    SeveralCurrencies,
}

impl Mistake {
    /// The stable code, in lower case with underscores.
    pub fn code(&self) -> &'static str {
        match self {
            Mistake::Missing => "missing",
            Mistake::NothingAsked { .. } => "nothing_asked",
            Mistake::OutOfRange { .. } => "out_of_range",
            Mistake::WrongLength { .. } => "wrong_length",
            Mistake::NotAllowed { .. } => "not_allowed",
            Mistake::NotAfter { .. } => "not_after",
            Mistake::NotKnown { .. } => "not_known",
            Mistake::NotInOrder { .. } => "not_in_order",
            Mistake::WentBack { .. } => "went_back",
            Mistake::NamedTwice { .. } => "named_twice",
            Mistake::AlreadyUsed { .. } => "already_used",
            Mistake::Withdrawn { .. } => "withdrawn",
            Mistake::SeveralCurrencies => "several_currencies",
        }
    }

    /// A count outside its bounds.
    pub fn count(given: impl Into<i64>, minimum: i64, maximum: impl Into<Option<i64>>) -> Mistake {
        Mistake::OutOfRange {
            given: Figure::Count(given.into()),
            minimum: Figure::Count(minimum),
            maximum: maximum.into().map(Figure::Count),
        }
    }

    /// An amount outside its bounds.
    pub fn amount(given: Amount, minimum: Amount, maximum: Amount) -> Mistake {
        Mistake::OutOfRange {
            given: Figure::Amount(given),
            minimum: Figure::Amount(minimum),
            maximum: Some(Figure::Amount(maximum)),
        }
    }

    /// What is wrong with an amount that must be more than zero, and no more than can be reckoned with.
    pub fn of_positive(given: Amount) -> Option<Mistake> {
        let (least, most) = (Amount::from_minor(1), Amount::from_minor(AMOUNT_MAX));
        (!(least..=most).contains(&given)).then(|| Mistake::amount(given, least, most))
    }

    /// What is wrong with an amount that must be more than zero, of which the rest decides how much is too much.
    pub fn of_nothing(given: Amount) -> Option<Mistake> {
        (!given.is_positive()).then(|| Mistake::OutOfRange {
            given: Figure::Amount(given),
            minimum: Figure::Amount(Amount::from_minor(1)),
            maximum: None,
        })
    }

    /// What is wrong with an amount that must be zero or more, and no more than can be reckoned with.
    pub fn of_amount(given: Amount) -> Option<Mistake> {
        let (least, most) = (Amount::ZERO, Amount::from_minor(AMOUNT_MAX));
        (!(least..=most).contains(&given)).then(|| Mistake::amount(given, least, most))
    }

    /// What is wrong with a number or code that must be 1 to 64 visible ASCII characters.
    pub fn of_code(given: &str) -> Option<Mistake> {
        let fits = (1..=64).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_graphic());
        (!fits).then(|| Mistake::not(Allowed::Code, given))
    }

    /// What is wrong with a text of 1 to so many characters, of which not all are blank.
    pub fn of_text(given: &str, maximum: usize) -> Option<Mistake> {
        if given.trim().is_empty() {
            return Some(Mistake::Missing);
        }
        let characters = given.chars().count();
        (characters > maximum).then_some(Mistake::WrongLength {
            given: characters,
            minimum: 1,
            maximum,
        })
    }

    /// Something that is not what is allowed.
    pub fn not(allowed: Allowed, given: impl std::fmt::Display) -> Mistake {
        Mistake::NotAllowed {
            given: Some(given.to_string()),
            allowed,
        }
    }

    /// Something personal that is not what is allowed; it is not repeated.
    pub fn personal(allowed: impl Into<Allowed>) -> Mistake {
        Mistake::NotAllowed {
            given: None,
            allowed: allowed.into(),
        }
    }

    /// A thing that is not there.
    pub fn unknown(thing: Thing, given: impl std::fmt::Display) -> Mistake {
        Mistake::NotKnown {
            thing,
            given: given.to_string(),
            among: Vec::new(),
        }
    }
}

impl Denied {
    /// One wrong field.
    pub fn invalid(field: &str, mistake: Mistake) -> Denied {
        Denied::Invalid(vec![Invalid {
            field: field.into(),
            mistake,
        }])
    }

    /// Refuses a field if something is wrong with it.
    ///
    /// # Errors
    /// [`Denied::Invalid`] with the mistake, if there is one.
    pub fn of(field: &str, mistake: Option<Mistake>) -> Result<(), Denied> {
        mistake.map_or(Ok(()), |mistake| Err(Denied::invalid(field, mistake)))
    }

    /// There is no such thing. Staff are told of what kind; to everybody else it is "not found" and nothing more, so that
    /// nobody learns what there is that they may not see.
    pub fn unknown(actor: &Actor, field: &str, thing: Thing, given: impl std::fmt::Display) -> Denied {
        match actor {
            Actor::Staff { .. } => Denied::invalid(field, Mistake::unknown(thing, given)),
            _ => Denied::NotFound,
        }
    }
}
