//! Every figure can be asked why, and its explanation comes to it.

use fenqi_domain::calendar::DayCount;
use fenqi_domain::explain::{Cause, Explanation, Factor, How, Name, Question, explain};
use fenqi_domain::loan::{Amendment, Broken, Event, Reamortising, Transaction, life};
use fenqi_domain::money::Rate;
use fenqi_domain::plan::{Component, Terms};
use fenqi_domain::servicing::Method;
use jiff::civil::Date;
use proptest::prelude::*;

use crate::lives::any_case;
use crate::serviced::any_serviced_case;
use crate::terms::*;

/// Asks why of everything that can be asked of a loan; each must come to the figure of the fold.
pub fn ask_everything(terms: &Terms, told: &Life, as_of: Date) -> Result<Vec<Explanation>, TestCaseError> {
    let loan = match life(terms, &told.0, as_of) {
        Ok(life) => life.loan,
        Err(Broken::Inconsistent { .. }) => return Ok(Vec::new()),
        Err(broken) => return Err(TestCaseError::fail(format!("{broken:?}"))),
    };
    let mut whys = Vec::new();
    for row in &loan.rows {
        let open = row.open().unwrap();
        for component in Component::ALL {
            let of = Question::Row {
                row: row.number,
                component: Some(component),
            };
            let why = explain(terms, &told.0, as_of, of).unwrap().unwrap();
            prop_assert_eq!(why.value, open.of(component));
            prop_assert_eq!(why.recompute().unwrap(), open.of(component));
            whys.push(why);
        }
        let of = Question::Row {
            row: row.number,
            component: None,
        };
        let why = explain(terms, &told.0, as_of, of).unwrap().unwrap();
        prop_assert_eq!(why.recompute().unwrap(), open.total().unwrap());
    }
    whys.push(explain(terms, &told.0, as_of, Question::Payoff).unwrap().unwrap());
    for (of, figure) in [
        (Question::Payable, loan.payable().unwrap().total().unwrap()),
        (
            Question::Outstanding,
            loan.outstanding().unwrap().total().unwrap(),
        ),
        (Question::LeftOver, loan.credit_balance),
    ] {
        let why = explain(terms, &told.0, as_of, of).unwrap().unwrap();
        prop_assert_eq!(why.recompute().unwrap(), figure);
        whys.push(why);
    }
    Ok(whys)
}

/// Whether a figure goes back to "it was lent" and no further.
fn is_bare(why: &Explanation) -> bool {
    let mut is_bare = false;
    why.walk(&mut |e| {
        is_bare |= matches!(
            e.name,
            Name::Moved {
                cause: Cause::Lent,
                ..
            }
        );
    });
    is_bare
}

/// Whether a figure goes back to a level instalment and no further.
fn stops_at_level(why: &Explanation) -> bool {
    let mut stops = false;
    why.walk(&mut |e| stops |= e.name == Name::Level && e.how == How::Given);
    stops
}

/// Whether the schedule was made anew, so that the one of the lending explains no row any more.
fn is_restructured(life: &Life) -> bool {
    let is_new = |t: &Transaction| {
        matches!(
            t.event,
            Event::Amended {
                by: Amendment::Reamortised { .. }
                    | Amendment::Reaged { .. }
                    | Amendment::Rescheduled { .. }
                    | Amendment::ChargedOff
                    | Amendment::WrittenOff
                    | Amendment::Terminated
            }
        )
    };
    life.0.iter().any(is_new)
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn every_figure_of_a_plan_is_explained((terms, life, as_of) in any_case()) {
        for why in ask_everything(&terms, &life, as_of)? {
            prop_assert!(!is_bare(&why), "{:?}", why);
        }
    }

    #[test]
    fn every_figure_of_a_serviced_loan_is_explained((terms, life, as_of) in any_serviced_case()) {
        // Rows that are built anew with every payment are not those that the lending made.
        let servicing = terms.conventions.servicing.as_ref().unwrap();
        let is_anew = servicing.excess.is_some();
        let is_on_balance = servicing.method == Method::Balance && terms.pricing.rate() > Rate::ZERO;
        // What was paid of a row before its principal went elsewhere, and was handed back, is all that the row asks for.
        let is_handed_back = |t: &Transaction| matches!(t.event, Event::Amended { by: Amendment::HandedBack { .. } });
        let is_left_alone = is_restructured(&life) && life.0.iter().any(is_handed_back);
        for why in ask_everything(&terms, &life, as_of)? {
            prop_assert!(is_anew || is_restructured(&life) || !is_bare(&why), "{:?}", why);
            prop_assert!(!is_on_balance || is_left_alone || !stops_at_level(&why), "{:?}", why);
        }
    }
}

/// An explanation as a formula in fen: what one figure alone stands for is passed over.
fn formula(why: &Explanation) -> String {
    let all = |of: &[Explanation]| of.iter().map(formula).collect::<Vec<_>>().join(", ");
    match &why.how {
        How::Given => why.value.minor().to_string(),
        How::Sum { terms } if terms.len() == 1 && !terms[0].minus => formula(&terms[0].of),
        How::Sum { terms } => {
            let terms = terms
                .iter()
                .map(|t| format!("{}{}", if t.minus { " - " } else { " + " }, formula(&t.of)));
            format!("({})", terms.collect::<String>().trim_start_matches(" + "))
        }
        How::Rounded { products, .. } => {
            let each = products.iter().map(|p| {
                let factors = p.factors.iter().map(|f| match f {
                    Factor::Rate { rate } => format!("*{rate}"),
                    Factor::Days { days, of } => format!("*{days}/{of}"),
                    Factor::Share { part, whole } => format!("*{part}/{whole}"),
                    Factor::Decimal { rate, part, whole } => format!("*{rate}*{part}/{whole}"),
                });
                format!("{}{}", formula(&p.of), factors.collect::<String>())
            });
            format!("[{}]", each.collect::<Vec<_>>().join(" + "))
        }
        How::Part {
            of, count, number, ..
        } => format!("part {number}/{count} of {}", formula(of)),
        How::Weighted { of, weights, number } => {
            format!("part {number}/{} by cost of {}", weights.len(), formula(of))
        }
        How::Level { of, annual, days, .. } => {
            format!("level {} at {annual} over {}", formula(of), days.len())
        }
        How::Stepped {
            of,
            left,
            growth,
            every,
            ..
        } => format!(
            "first of {} leaving {} growing {growth}/{every}",
            formula(of),
            formula(left)
        ),
        How::Multiple { of, multiple } => format!("{} to {}", formula(of), multiple.minor()),
        How::Least { of } => format!("least({})", all(of)),
        How::Greatest { of } => format!("greatest({})", all(of)),
    }
}

/// What is asked of a component of a row.
fn of(row: u16, component: Component) -> Question {
    Question::Row {
        row,
        component: Some(component),
    }
}

/// The formula of what is asked.
fn asked(terms: &Terms, life: &Life, as_of: Date, question: Question) -> String {
    formula(&explain(terms, &life.0, as_of, question).unwrap().unwrap())
}

#[test]
fn a_schedule_is_explained_by_what_was_lent() {
    let (principal, fee) = (Component::Principal, Component::Fee);
    let phone = phone();
    let shared = Terms {
        borne_by_seller: percent("50"),
        ..phone.clone()
    };
    let lent = Life::captured(&phone);
    let row = |terms, component| asked(terms, &lent, signed(), of(2, component));
    assert_eq!(row(&phone, principal), "part 2/12 of 120000");
    assert_eq!(row(&phone, fee), "part 2/12 of [120000*7.2%]");
    assert_eq!(
        row(&shared, fee),
        "(part 2/12 of [120000*7.2%] - part 2/12 by cost of [8640*50%])"
    );
}

#[test]
fn what_happened_is_part_of_the_reason() {
    let phone = phone();
    let lent = Life::captured(&phone);
    let late = asked(&phone, &lent, after(due(1), 10), of(1, Component::Penalty));
    assert_eq!(late, "[10720*0.05%*10/1]");
    let half = lent.clone().refunded(&phone, signed(), yuan(50));
    assert_eq!(
        asked(&phone, &half, signed(), of(12, Component::Fee)),
        "(part 12/12 of [120000*7.2%] - (720 - [720*5000/10000]))",
        "principal that went back takes its fee along"
    );
    let whole = lent.clone().refunded(&phone, signed(), yuan(100));
    assert_eq!(
        asked(&phone, &whole, signed(), of(12, Component::Principal)),
        "(part 12/12 of 120000 - 10000)",
        "what came to nothing has a reason too"
    );
    let paid = lent.clone().paid(due(1), fen(7_20));
    assert_eq!(
        asked(&phone, &paid, due(1), of(1, Component::Fee)),
        "(part 1/12 of [120000*7.2%] - 720)"
    );
    let settled = asked(&phone, &lent, signed(), Question::Payoff);
    assert_eq!(
        settled,
        format!("({})", ["10000"; 12].join(" + ")),
        "principal alone"
    );
}

#[test]
fn what_was_paid_and_what_was_left_over_have_their_reasons() {
    let phone = phone();
    let lent = Life::captured(&phone);
    // No. 1 is 100.00 and 7.20.
    let paid = lent.clone().paid(due(1), fen(107_20));
    let row = |told: &Life, row| {
        let component = None;
        asked(&phone, told, due(1), Question::Row { row, component })
    };
    assert_eq!(
        row(&paid, 1),
        "((part 1/12 of 120000 - 10000) + (part 1/12 of [120000*7.2%] - 720))",
        "a row that was paid is nothing because each of its parts was paid"
    );
    let left_over = |told: &Life, on| asked(&phone, told, on, Question::LeftOver);
    assert_eq!(left_over(&paid, due(1)), "()", "nothing, for no reason");
    // Of all that the plan asks for, the fees of eleven rows, 7.20 each, fall away because they were not due yet.
    let all = lent.paid(due(1), fen(1_286_40));
    assert_eq!(left_over(&all, due(1)), "7920");
    let back = Event::PaidOut { amount: fen(20_00) };
    let refunded = all.refunded(&phone, after(due(1), 1), yuan(50));
    let some = refunded.then(after(due(1), 3), back);
    assert_eq!(
        left_over(&some, after(due(1), 3)),
        "(7920 + 5000 - 2000)",
        "goods for 50.00 went back, and 20.00 was paid back"
    );
}

#[test]
fn interest_is_explained_by_balance_rate_and_days() {
    let mut level = terms(annuity("8.6", DayCount::Actual365), fen(8_602_11), 6);
    level.conventions.rounding = fenqi_domain::money::Rounding::HalfEven;
    let lent = Life::captured(&level);
    let why = |row, component| asked(&level, &lent, signed(), of(row, component));
    // 5 January to 5 February has 31 days, and 5 February to 5 March 28.
    assert_eq!(why(1, Component::Interest), "[860211*8.6%*31/365]");
    assert_eq!(
        why(1, Component::Principal),
        "(level 860211 at 8.6% over 6 - [860211*8.6%*31/365])"
    );
    assert!(why(2, Component::Interest).ends_with("*8.6%*28/365]"));
    let missing = explain(&level, &lent.0, signed(), of(7, Component::Interest));
    assert_eq!(missing, Ok(None), "there is no seventh row");
}

#[test]
fn a_payoff_is_explained_by_what_is_owed_and_by_nothing_that_falls_away() {
    use crate::servicing::{SEVEN, daily, first};
    let mut servicing = daily(fenqi_domain::servicing::Until::PaymentDay);
    servicing.chargeback = Component::ALL.to_vec();
    let terms = crate::servicing::signed(SEVEN, 6, servicing);
    let back = Amendment::ChargedBack {
        amount: fen(10_58),
        of: 2,
    };
    let amount = fen(100_00);
    let life = Life::default()
        .then(first(1), Event::Disbursed { amount })
        .paid(first(2), fen(17_01))
        .then(first(2), Event::Amended { by: back })
        .paid(first(3), fen(70));
    // 83.57 and the 10.00 that are owed again. They earned 0.55 in February, and 0.25 in 14 of 31 days of March. Of 0.70
    // that were paid, 0.55 met February's interest, and 0.15 the 0.58 that was charged back.
    // 26.46 of principal and the 0.43 are 14 days late, at 0.05 % a day.
    let why = explain(&terms, &life.0, after(first(3), 14), Question::Payoff);
    let why = why.unwrap().unwrap();
    let How::Sum { terms } = &why.how else {
        panic!("{why:?}");
    };
    let named: Vec<(&Name, i64)> = terms.iter().map(|t| (&t.of.name, t.of.value.minor())).collect();
    assert_eq!(
        named,
        [
            (&Name::PrincipalToCome, 93_57),
            (&Name::InterestNotPaid, 25),
            (&Name::OtherOpen, 19),
            (&Name::Beside, 43)
        ]
    );
}

#[test]
fn a_level_instalment_is_explained_down_to_what_was_lent() {
    use crate::servicing::{SEVEN, daily, first, signed};
    let on = first(1);
    let terms = signed(SEVEN, 6, daily(fenqi_domain::servicing::Until::PaymentDay));
    let amount = fen(100_00);
    let lent = Life::default().then(on, Event::Disbursed { amount });
    // The months' factors of 1 + 7 %/12, with twelve decimals: their product, and the sum of the last 0 to 5 of them.
    let why = asked(&terms, &lent, on, of(1, Component::Principal));
    assert_eq!(
        why,
        "([10000*1035514403980926/6088183539935125] - [10000*7%*30/360])"
    );
    // At another rate what is outstanding is made level anew.
    let by = Amendment::RateChanged { annual: percent("9") };
    let changed = lent
        .clone()
        .then(jiff::civil::date(2024, 1, 16), Event::Amended { by });
    let why = explain(&terms, &changed.0, first(2), of(3, Component::Principal));
    let mut names = Vec::new();
    why.unwrap().unwrap().walk(&mut |e| names.push(e.name.clone()));
    assert!(
        names.contains(&Name::Level) && names.contains(&Name::LevelExact),
        "{names:?}"
    );
}

#[test]
fn what_is_spread_anew_is_explained_by_how_much_went_over_how_many_rows() {
    use crate::servicing::{SEVEN, first, servicing, signed};
    let free = signed(
        fenqi_domain::plan::Pricing::InterestFree,
        3,
        servicing(fenqi_domain::servicing::Ahead::Next),
    );
    let amount = fen(300_00);
    let lent = Life::default().then(first(1), Event::Disbursed { amount });
    let reaged = |interest| Amendment::Reaged {
        start_on: first(4),
        period: fenqi_domain::servicing::Period {
            every: 1,
            unit: fenqi_domain::servicing::Unit::Months,
        },
        count: 2,
        interest,
    };
    let anew = |terms: &Terms, life: &Life, by, row, component| {
        let life = life.clone().then(first(3), Event::Amended { by });
        asked(terms, &life, first(3), of(row, component))
    };
    let principal = Component::Principal;
    let all = fenqi_domain::loan::Reaging::All;
    // What was due by 1 March, 200.00, goes into the one row that is to come; or 300.00 into two new ones.
    assert_eq!(
        anew(
            &free,
            &lent,
            Amendment::Reamortised {
                interest: Reamortising::NextRow
            },
            3,
            principal
        ),
        "((30000 - 20000) + 20000)"
    );
    assert_eq!(anew(&free, &lent, reaged(all), 3, principal), "[30000*1/2]");
    assert_eq!(anew(&free, &lent, reaged(all), 4, principal), "(30000 - 15000)");
    // Interest is spread by itself, in no multiples: 1.75 + 1.17 + 0.59 of 300.00 at 7 %, and the second row the rest.
    let mut agreed = servicing(fenqi_domain::servicing::Ahead::Next);
    agreed.multiple = fen(1_00);
    let level = signed(SEVEN, 3, agreed);
    for (row, why) in [(4, "[351*1/2]"), (5, "(351 - 176)")] {
        assert_eq!(anew(&level, &lent, reaged(all), row, Component::Interest), why);
    }
    // New rows that earn are level: 300.00 over two months, and 16.50 is not theirs.
    let level = signed(SEVEN, 3, servicing(fenqi_domain::servicing::Ahead::Next));
    let why = anew(
        &level,
        &lent,
        reaged(fenqi_domain::loan::Reaging::Anew),
        4,
        principal,
    );
    assert!(why.starts_with("([30000*"), "{why}");
}
