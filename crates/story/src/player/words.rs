//! How answers that are not figures are written down: refusals with what would help, offers, quotes, refunds.

use fenqi_app::Denied;
use fenqi_app::repayment::refund::RefundPreview;
use fenqi_app::texts::{self, Language};
use fenqi_domain::eligibility::{Answer, Offer, Outcome};
use fenqi_domain::money::OutOfRange;
use fenqi_domain::quote::Quote;
use fenqi_domain::refusal::{Alternative, Refusal, WhoCanChange};

use super::show::{self, moment, percent, yuan};

/// An answer that is not yes.
pub(super) fn denied(denied: &Denied) -> Vec<String> {
    match denied {
        Denied::Refused(refusal) => refused("refused", refusal),
        Denied::Invalid(fields) => fields
            .iter()
            .map(|field| format!("not taken: {} {}", field.field, field.problem))
            .collect(),
        other => vec![other.to_string()],
    }
}

/// A refusal: its code, what it says, what would help, and who could undo it if not the shopper.
pub(super) fn refused(word: &str, refusal: &Refusal) -> Vec<String> {
    let helps: Vec<String> = refusal.alternatives().iter().map(alternative).collect();
    vec![
        format!(
            "{word} {}: {}",
            refusal.code(),
            texts::refusal(refusal, Language::En)
        ),
        match who(refusal.who_can_change()) {
            Some(who) => format!("  what helps: {}; it is in the hands of {who}", helps.join("; ")),
            None => format!("  what helps: {}", helps.join("; ")),
        },
    ]
}

/// Who else than the shopper can make a refusal go away.
fn who(who: WhoCanChange) -> Option<&'static str> {
    match who {
        WhoCanChange::Shopper => None,
        WhoCanChange::Store => Some("the store"),
        WhoCanChange::Institution => Some("the lender"),
        WhoCanChange::Platform => Some("the people behind the service"),
        WhoCanChange::Law => Some("the law"),
        WhoCanChange::Time => Some("time"),
    }
}

/// What would help, in a few words.
fn alternative(alternative: &Alternative) -> String {
    match alternative {
        Alternative::OtherMethod => "pay by another method".to_owned(),
        Alternative::OtherPlan => "another plan or lender".to_owned(),
        Alternative::RemoveLine { sku } => format!("leave {sku} out"),
        Alternative::DownPayment { amount } => format!("pay {} now", yuan(*amount)),
        Alternative::PayDown { amount } => format!("repay {}", yuan(*amount)),
        Alternative::PayOverdue { amount } => format!("pay the {} that are overdue", yuan(*amount)),
        Alternative::ChooseCount { counts } => {
            let counts: Vec<String> = counts.iter().map(u16::to_string).collect();
            format!("choose {} instalments", counts.join(" or "))
        }
        Alternative::RaiseAmount { amount } => format!("add goods for {}", yuan(*amount)),
        Alternative::WaitUntil { at } => format!("wait until {}", moment(*at)),
        Alternative::WaitUntilDay { on } => format!("wait until {on}"),
        Alternative::FollowNotices => "follow the notices".to_owned(),
        Alternative::VerifyIdentity => "prove who you are".to_owned(),
        Alternative::Apply => "apply".to_owned(),
        Alternative::ImproveRecord { .. } => "improve what was looked at".to_owned(),
        Alternative::BindCard => "bind a card".to_owned(),
        Alternative::OtherCard => "use another card".to_owned(),
        Alternative::SettleDispute => "settle the dispute".to_owned(),
        Alternative::Contact => "ask the people behind the service".to_owned(),
        Alternative::NewQuote => "take a new quote".to_owned(),
        Alternative::Agree { what } => format!("read and agree to {what}"),
        Alternative::OtherRegion => "another region".to_owned(),
        Alternative::AmountWithin { minimum, maximum } => {
            format!("an amount from {} to {}", yuan(*minimum), yuan(*maximum))
        }
        Alternative::LookAgain => "look again".to_owned(),
        Alternative::AnotherPerson => "let another person decide".to_owned(),
    }
}

/// What can be had for a cart: each plan with its figures, and plans that cannot be had for the same reasons together.
pub(super) fn offers<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Result<Vec<String>, OutOfRange> {
    let (mut lines, mut left_out) = (Vec::new(), Vec::new());
    let mut closed: Vec<(&[Refusal], Vec<&str>)> = Vec::new();
    for outcome in outcomes {
        match &outcome.answer {
            Answer::Offered(offer) => {
                lines.push(offered(&outcome.plan, offer)?);
                left_out.extend(
                    offer
                        .left_out
                        .iter()
                        .filter(|refusal| !left_out.contains(refusal))
                        .collect::<Vec<_>>(),
                );
            }
            Answer::Unavailable { refusals } => match closed.iter_mut().find(|(same, _)| same == refusals) {
                Some((_, plans)) => plans.push(&outcome.plan),
                None => closed.push((refusals, vec![&outcome.plan])),
            },
        }
    }
    lines.extend(left_out.iter().flat_map(|refusal| refused("left out:", refusal)));
    for (refusals, plans) in closed {
        lines.push(format!("not to be had: {}", plans.join(", ")));
        lines.extend(refusals.iter().flat_map(|refusal| refused("  because", refusal)));
    }
    Ok(lines)
}

fn offered(plan: &str, offer: &Offer) -> Result<String, OutOfRange> {
    let priced = &offer.priced;
    let cost = &priced.cost;
    let mut line = format!(
        "{plan}: {}, {} in all, of which {} cost; {} a year, {} compounded",
        show::instalments(&priced.schedule)?,
        yuan(cost.total_payment),
        yuan(cost.total_cost),
        percent(cost.annual.simple),
        percent(cost.annual.compound)
    );
    if cost.subsidy.is_positive() {
        line.push_str(&format!("; the seller bears {}", yuan(cost.subsidy)));
    }
    if priced.down_payment.is_positive() {
        line.push_str(&format!("; {} now", yuan(priced.down_payment)));
    }
    if let Some(first) = priced.schedule.first() {
        line.push_str(&format!("; first due {}", first.due_on));
    }
    let steps: Vec<&str> = offer.steps.iter().map(Refusal::code).collect();
    if !steps.is_empty() {
        line.push_str(&format!("; still to do: {}", steps.join(", ")));
    }
    Ok(line)
}

/// A quote: what would be signed.
pub(super) fn quote(quote: &Quote, steps: &[Refusal]) -> Result<Vec<String>, OutOfRange> {
    let mut lines = vec![format!(
        "{} finances {} of {}: {}, {} in all; {} a year; good until {}",
        quote.plan,
        yuan(quote.principal),
        yuan(quote.price),
        show::instalments(&quote.schedule)?,
        yuan(quote.cost.total_payment),
        percent(quote.cost.annual.simple),
        moment(quote.expires_at)
    )];
    let documents: Vec<&str> = quote.documents.iter().map(|d| d.code.as_str()).collect();
    lines.push(format!("to sign: {}", documents.join(", ")));
    let steps: Vec<&str> = steps.iter().map(Refusal::code).collect();
    if !steps.is_empty() {
        lines.push(format!("still to do: {}", steps.join(", ")));
    }
    Ok(lines)
}

/// What a refund would do.
pub(super) fn refund(preview: &RefundPreview) -> Vec<String> {
    let (before, after) = preview.due_now;
    let mut lines = vec![
        format!(
            "cancels {}; {} comes back",
            show::parts(&preview.cancelled),
            yuan(preview.back)
        ),
        format!("payable now: {} before, {} after", yuan(before), yuan(after)),
    ];
    let changed = preview
        .rows
        .iter()
        .filter(|(_, _, before, after)| before != after);
    for (number, due_on, before, after) in changed {
        lines.push(format!(
            "no. {number} of {due_on}: {} instead of {}",
            yuan(*after),
            yuan(*before)
        ));
    }
    lines
}
