//! How a sandbox lender judges (授信规则): a score from history and ability, against each lender's own standards.
//!
//! The figures are sample data of the sandbox and no lender's own.

use fenqi_app::ports::{Assessment, BureauRecord, CreditRequest};
use fenqi_domain::money::{Amount, Rounding};
use fenqi_domain::refusal::DeclineReason;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::people::Person;

/// What one lender asks for, and how much it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standards {
    /// The lender's code.
    pub code: String,
    /// The lowest score, of 300 to 900.
    pub score_min: i64,
    /// The lowest monthly income.
    pub income_min: Amount,
    /// The shortest history in months.
    pub months_min: u32,
    /// The worst lateness of two years that it still takes, in days.
    pub worst_days_past_due_max: i64,
    /// The most enquiries of three months.
    pub enquiries_max: u32,
    /// The largest share of the income that may be owed each month, in hundredths of a percent.
    pub owed_share_max_bps: i64,
    /// The youngest and the oldest age.
    pub ages: (i16, i16),
    /// How many monthly incomes it lends, in tenths.
    pub incomes_tenths: i64,
    /// The highest limit.
    pub limit_max: Amount,
    /// Days after which asking again makes sense.
    pub reapply_days: i32,
}

// R13: each lender has standards of its own
/// The lenders of the sandbox, from the least to the most demanding.
pub fn published() -> Vec<Standards> {
    let yuan = |y: i64| Amount::from_minor(y * 100);
    let lenient = Standards {
        income_min: yuan(2_000),
        worst_days_past_due_max: 29,
        enquiries_max: 8,
        owed_share_max_bps: 6_000,
        ages: (18, 65),
        incomes_tenths: 10,
        reapply_days: 30,
        ..Standards::of("xiaofu", 560, yuan(30_000))
    };
    let middling = Standards::of("lanhua", 620, yuan(50_000));
    let strict = Standards {
        income_min: yuan(5_000),
        months_min: 12,
        worst_days_past_due_max: 0,
        enquiries_max: 4,
        owed_share_max_bps: 4_000,
        ages: (22, 60),
        incomes_tenths: 20,
        reapply_days: 90,
        ..Standards::of("beian", 680, yuan(200_000))
    };
    vec![lenient, middling, strict]
}

impl Standards {
    /// A lender of which only the lowest score and the highest limit are known; the rest is middling.
    pub fn of(code: &str, score_min: i64, limit_max: Amount) -> Standards {
        Standards {
            code: code.to_owned(),
            score_min,
            income_min: Amount::from_minor(300_000),
            months_min: 0,
            worst_days_past_due_max: 9,
            enquiries_max: 6,
            owed_share_max_bps: 5_000,
            ages: (18, 60),
            incomes_tenths: 15,
            limit_max,
            reapply_days: 60,
        }
    }

    /// Judges an application. An income that is declared counts up to what the person is known to earn.
    pub(crate) fn judge(&self, request: &CreditRequest, person: Option<&Person>) -> Assessment {
        let history = request
            .bureau
            .clone()
            .or_else(|| person.map(|p| p.history.clone()))
            .unwrap_or_default();
        let income = person.map_or(request.income, |p| p.income.min(request.income));
        let reasons = self.reasons(request, &history, income);
        if !reasons.is_empty() {
            return self.decline(reasons, request.on);
        }
        match self.limit(request, income) {
            Some(limit) if limit.is_positive() => Assessment::Approved {
                limit,
                expires_on: request.on.saturating_add(1.year()),
            },
            _ => self.decline(vec![DeclineReason::DebtTooHigh], request.on),
        }
    }

    /// A decline for one reason by its code, such as `debt_too_high`; an unknown code is the score.
    pub(crate) fn decline_for(&self, code: &str, on: Date) -> Assessment {
        let known = DeclineReason::ALL
            .into_iter()
            .find(|reason| reason.code() == code);
        let reason = known.unwrap_or(DeclineReason::ScoreBelowMinimum);
        self.decline(vec![reason], on)
    }

    fn decline(&self, reasons: Vec<DeclineReason>, on: Date) -> Assessment {
        Assessment::Declined {
            reasons,
            reapply_after: on.saturating_add(self.reapply_days.days()),
        }
    }

    /// The principal reasons against, the most telling first and no more than four.
    fn reasons(&self, request: &CreditRequest, history: &BureauRecord, income: Amount) -> Vec<DeclineReason> {
        let owed_bps = share_bps(request.owed_monthly, income);
        let tests = [
            (history.days_past_due > 0, DeclineReason::OverdueElsewhere),
            (
                history.worst_days_past_due > self.worst_days_past_due_max,
                DeclineReason::LateBefore,
            ),
            (income < self.income_min, DeclineReason::IncomeTooLow),
            (owed_bps > self.owed_share_max_bps, DeclineReason::DebtTooHigh),
            (history.months < self.months_min, DeclineReason::HistoryTooShort),
            (
                history.enquiries > self.enquiries_max,
                DeclineReason::TooManyEnquiries,
            ),
            (
                request.age < self.ages.0 || request.age > self.ages.1,
                DeclineReason::AgeOutsideRange,
            ),
            (
                score(history, income) < self.score_min,
                DeclineReason::ScoreBelowMinimum,
            ),
        ];
        tests
            .into_iter()
            .filter_map(|(fails, reason)| fails.then_some(reason))
            .take(4)
            .collect()
    }

    /// So many incomes less what is owed in a year, in whole hundreds of yuan, up to the highest.
    fn limit(&self, request: &CreditRequest, income: Amount) -> Option<Amount> {
        let by_income = income.share(self.incomes_tenths, 10, Rounding::Down).ok()?;
        let left = by_income.minus(request.owed_monthly.times(12).ok()?).ok()?;
        let limit = left.min(self.limit_max);
        Some(Amount::from_minor(
            limit.minor() - limit.minor().rem_euclid(10_000),
        ))
    }
}

// R12: history and ability become a score
/// A score of 300 to 900 from what the bureau knows and what the person earns.
pub fn score(history: &BureauRecord, income: Amount) -> i64 {
    let length = i64::from(history.months.min(60)) * 3;
    let ability = (income.minor() / 100_000).clamp(0, 20) * 5;
    let lateness = match history.worst_days_past_due {
        ..=0 => 0,
        1..=29 => 60,
        30..=89 => 150,
        _ => 300,
    };
    let now = if history.days_past_due > 0 { 200 } else { 0 };
    let enquiries = i64::from(history.enquiries.saturating_sub(3).min(6)) * 20;
    (500 + length + ability - lateness - now - enquiries).clamp(300, 900)
}

/// The part in the whole, in hundredths of a percent; everything if the whole is nothing and the part is not.
fn share_bps(part: Amount, whole: Amount) -> i64 {
    match (part.is_positive(), whole.is_positive()) {
        (false, _) => 0,
        (true, false) => i64::MAX,
        (true, true) => Amount::from_minor(10_000)
            .share(part.minor(), whole.minor(), Rounding::Up)
            .map_or(i64::MAX, Amount::minor),
    }
}
