//! How answers that are not figures are written down: refusals with what would help, offers, quotes, refunds.

use fenqi_app::repayment::refund::RefundPreview;
use fenqi_app::texts::{self, Language, Reader, Told};
use fenqi_app::{Configuration, Denied};
use fenqi_domain::eligibility::{Answer, Offer, Outcome};
use fenqi_domain::money::OutOfRange;
use fenqi_domain::quote::Quote;
use fenqi_domain::refusal::Refusal;

use super::show::{self, moment, yuan};

/// Refusals are read in English here, by the names that the configuration gives.
fn reader(names: &Configuration) -> Reader<'_> {
    Reader {
        names,
        language: Language::En,
    }
}

/// An answer that is not yes.
pub(super) fn denied(denied: &Denied, names: &Configuration) -> Vec<String> {
    match denied {
        Denied::Refused(refusal) => refused("refused", refusal, names),
        Denied::Invalid(fields) => fields
            .iter()
            .flat_map(|field| not_taken(&texts::mistake(field, Language::En)))
            .collect(),
        other => not_taken(&texts::denied(other, Language::En)).into(),
    }
}

/// A command that was not taken: the code of what is wrong, what it is, and what would help.
fn not_taken(told: &Told) -> [String; 2] {
    [
        format!("not taken, {}: {}", told.code, told.says),
        format!("  what helps: {}", told.helps),
    ]
}

/// A refusal: its code, what it says, what would help, and who could undo it if not the shopper.
pub(super) fn refused(word: &str, refusal: &Refusal, names: &Configuration) -> Vec<String> {
    let reader = reader(names);
    let helps: Vec<String> = refusal
        .alternatives()
        .iter()
        .map(|a| reader.alternative(a))
        .collect();
    vec![
        format!("{word} {}: {}", refusal.code(), reader.refusal(refusal)),
        match reader.who(refusal.who_can_change()) {
            Some(who) => format!("  what helps: {}; it is in the hands of {who}", helps.join("; ")),
            None => format!("  what helps: {}", helps.join("; ")),
        },
    ]
}

/// What can be had for a cart: each plan with its figures, and plans that cannot be had for the same reasons together.
pub(super) fn offers<'a>(
    outcomes: impl Iterator<Item = &'a Outcome>,
    names: &Configuration,
) -> Result<Vec<String>, OutOfRange> {
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
    lines.extend(
        left_out
            .iter()
            .flat_map(|refusal| refused("left out:", refusal, names)),
    );
    for (refusals, plans) in closed {
        lines.push(format!("not to be had: {}", plans.join(", ")));
        lines.extend(
            refusals
                .iter()
                .flat_map(|refusal| refused("  because", refusal, names)),
        );
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
        cost.annual.simple.to_hundredths(),
        cost.annual.compound.to_hundredths()
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
        quote.cost.annual.simple.to_hundredths(),
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
