//! What the store and the staff do.

use super::{code, goods, label, name};
use crate::language::{Command, Desk, Selling, Tending};
use crate::words::{Read, Words, is_region};
use fenqi_domain::plan::Component;
use fenqi_domain::refusal::Capability;
use fenqi_domain::standing::FreezeReason;
use jiff::Timestamp;

/// `store captures A1` and its like.
pub(super) fn store(words: &mut Words<'_>) -> Read<Selling> {
    words.need("store")?;
    let expected = "what the store does: captures, cancels, accepts or rejects";
    let at_verb = words.clone();
    match words.word(expected)? {
        "captures" => Ok(Selling::Captures(goods(words)?)),
        "cancels" => Ok(Selling::Cancels { label: label(words)? }),
        "accepts" => {
            words.need("the return of")?;
            Ok(Selling::Answers {
                label: label(words)?,
                rejected: None,
            })
        }
        "rejects" => {
            words.need("the return of")?;
            let label = label(words)?;
            let rejected = Some(words.because()?);
            Ok(Selling::Answers { label, rejected })
        }
        _ => Err(at_verb.unexpected(expected)),
    }
}

const VERBS: &str = "what the staff do: suspends, resumes, ends, closes, opens, excludes, includes, bars, admits, \
                     freezes, unfreezes, resolves, sets, books, defers, waives, accepts, rejects or approves";

/// `staff …` and `supervisor …`.
pub(super) fn desk(words: &mut Words<'_>) -> Read<Command> {
    let who = if words.take("staff") {
        Desk::Staff
    } else {
        words.need("supervisor")?;
        Desk::Supervisor
    };
    let does = tending(words)?;
    Ok(Command::Staff { who, does })
}

fn tending(words: &mut Words<'_>) -> Read<Tending> {
    let at_verb = words.clone();
    match words.word(VERBS)? {
        "suspends" | "resumes" | "ends" | "closes" | "opens" | "excludes" | "includes" | "bars"
        | "admits" => {
            *words = at_verb;
            service(words)
        }
        "freezes" | "unfreezes" | "resolves" | "sets" => {
            *words = at_verb;
            account(words)
        }
        "books" | "defers" | "waives" => {
            *words = at_verb;
            agreement(words)
        }
        "rejects" if words.take("it") => {
            let reason = words.because()?;
            Ok(Tending::Rejects { reason })
        }
        verb @ ("accepts" | "rejects") => {
            words.need("the return of")?;
            let label = label(words)?;
            let rejected = if verb == "rejects" {
                Some(words.because()?)
            } else {
                None
            };
            Ok(Tending::Answers { label, rejected })
        }
        "approves" => {
            words.need("it")?;
            Ok(Tending::Approves)
        }
        _ => Err(at_verb.unexpected(VERBS)),
    }
}

/// Lenders, windows, regions and articles.
fn service(words: &mut Words<'_>) -> Read<Tending> {
    match words.word(VERBS)? {
        "suspends" => {
            let institution = lender(words)?;
            let region = in_region(words)?;
            let until = until(words)?;
            let reason = words.because()?;
            Ok(Tending::Suspends {
                institution,
                region,
                until,
                reason,
            })
        }
        "resumes" => {
            let institution = lender(words)?;
            let region = in_region(words)?;
            Ok(Tending::Resumes { institution, region })
        }
        "ends" => {
            let institution = lender(words)?;
            let reason = words.because()?;
            Ok(Tending::Ends { institution, reason })
        }
        "closes" => {
            let parts = capabilities(words)?;
            words.need("of")?;
            let party = code(words, "“mall”, “platform” or a lender's code")?;
            let until = until(words)?;
            let reason = words.because()?;
            Ok(Tending::Closes {
                parts,
                party,
                until,
                reason,
            })
        }
        "opens" => Ok(Tending::Opens {
            party: code(words, "“mall”, “platform” or a lender's code")?,
        }),
        "excludes" => {
            let (region, institution) = region_for(words)?;
            Ok(Tending::Excludes { region, institution })
        }
        "includes" => {
            let (region, institution) = region_for(words)?;
            Ok(Tending::Includes { region, institution })
        }
        verb => {
            let sku = code(words, "an article number such as PH-1001")?;
            Ok(Tending::Article {
                sku,
                is_financeable: verb == "admits",
            })
        }
    }
}

/// Standing, disputes, limits and budgets.
fn account(words: &mut Words<'_>) -> Read<Tending> {
    match words.word(VERBS)? {
        "freezes" => {
            let who = name(words)?;
            words.need("for")?;
            let why = freeze_reason(words)?;
            let reason = words.because()?;
            Ok(Tending::Freezes { who, why, reason })
        }
        "unfreezes" => Ok(Tending::Unfreezes { who: name(words)? }),
        "resolves" => {
            words.need("the dispute of")?;
            Ok(Tending::Resolves { label: label(words)? })
        }
        _ if words.take("the") => budget_or_price(words),
        _ => {
            let who = words.owner()?;
            words.need("limit at")?;
            let institution = lender(words)?;
            words.need("to")?;
            let limit = words.amount_or_zero()?;
            let reason = words.because()?;
            Ok(Tending::SetsLimit {
                who,
                institution,
                limit,
                reason,
            })
        }
    }
}

/// `budget of spruce-free to 100.00 because …`, `price of PH-1001 to 3999.00 because …`
fn budget_or_price(words: &mut Words<'_>) -> Read<Tending> {
    if words.take("price") {
        words.need("of")?;
        let sku = code(words, "an article number such as PH-1001")?;
        words.need("to")?;
        let price = words.amount()?;
        let reason = words.because()?;
        return Ok(Tending::SetsPrice { sku, price, reason });
    }
    words.need("budget of")?;
    let campaign = code(words, "a campaign's code such as spruce-free")?;
    words.need("to")?;
    let budget = words.amount_or_zero()?;
    let reason = words.because()?;
    Ok(Tending::SetsBudget {
        campaign,
        budget,
        reason,
    })
}

/// Payments, deferrals and waivers.
fn agreement(words: &mut Words<'_>) -> Read<Tending> {
    match words.word(VERBS)? {
        "books" => {
            let amount = words.amount()?;
            words.need("for")?;
            let label = label(words)?;
            words.need("as of")?;
            let on = words.date()?;
            let reason = words.because()?;
            Ok(Tending::Books {
                amount,
                label,
                on,
                reason,
            })
        }
        "defers" => {
            let label = label(words)?;
            words.need("by")?;
            let days = words.count("a number of days")?;
            words.need("days")?;
            let reason = words.because()?;
            Ok(Tending::Defers { label, days, reason })
        }
        _ => {
            let amount = words.amount()?;
            words.need("of the")?;
            let component = component(words)?;
            words.need("of")?;
            let label = label(words)?;
            let reason = words.because()?;
            Ok(Tending::Waives {
                amount,
                component,
                label,
                reason,
            })
        }
    }
}

fn lender(words: &mut Words<'_>) -> Read<String> {
    code(words, "a lender's code such as xiaofu")
}

fn region(words: &mut Words<'_>) -> Read<String> {
    words.word_if("a region's code of six digits such as 440000", is_region)
}

/// `in 440000`
fn in_region(words: &mut Words<'_>) -> Read<Option<String>> {
    if words.take("in") {
        region(words).map(Some)
    } else {
        Ok(None)
    }
}

/// `region 540000 by law`, `region 540000 for xiaofu`
fn region_for(words: &mut Words<'_>) -> Read<(String, Option<String>)> {
    words.need("region")?;
    let region = region(words)?;
    if words.take("by") {
        words.need("law")?;
        Ok((region, None))
    } else if words.take("for") {
        Ok((region, Some(lender(words)?)))
    } else {
        Err(words.unexpected("“by law” or “for LENDER”"))
    }
}

/// `until 2025-03-01 10:00`
fn until(words: &mut Words<'_>) -> Read<Option<Timestamp>> {
    if words.take("until") {
        words.moment().map(Some)
    } else {
        Ok(None)
    }
}

/// `offer + apply + confirm`
fn capabilities(words: &mut Words<'_>) -> Read<Vec<Capability>> {
    let mut parts = Vec::new();
    loop {
        let expected = "a part of the service: offer, verify, apply, confirm, repay or bind";
        let part = Capability::ALL
            .into_iter()
            .find(|c| Some(c.code()) == words.peek())
            .ok_or_else(|| words.unexpected(expected))?;
        words.word(expected)?;
        parts.push(part);
        if !words.take("+") {
            return Ok(parts);
        }
    }
}

/// `misuse`, `security`, `request`, `overdue` or `authority`
fn freeze_reason(words: &mut Words<'_>) -> Read<FreezeReason> {
    let expected = "“misuse”, “security”, “request”, “overdue” or “authority”";
    let why = match words.peek() {
        Some("misuse") => FreezeReason::SuspectedMisuse,
        Some("security") => FreezeReason::Security,
        Some("request") => FreezeReason::OwnRequest,
        Some("overdue") => FreezeReason::Overdue,
        Some("authority") => FreezeReason::Authority,
        _ => return Err(words.unexpected(expected)),
    };
    words.word(expected)?;
    Ok(why)
}

/// `penalty`, `fee`, `interest` or `principal`
fn component(words: &mut Words<'_>) -> Read<Component> {
    let expected = "“penalty”, “fee”, “interest” or “principal”";
    let component = match words.peek() {
        Some("penalty") => Component::Penalty,
        Some("fee") => Component::Fee,
        Some("interest") => Component::Interest,
        Some("principal") => Component::Principal,
        _ => return Err(words.unexpected(expected)),
    };
    words.word(expected)?;
    Ok(component)
}
