//! What a shopper does.

use super::{code, goods, label};
use crate::language::{Cart, CartLine, Figure, Payment, Proof, Shopping, View};
use crate::words::{Read, Words, is_code, is_region};
use fenqi_domain::money::Amount;

const VERBS: &str = "what the person does: asks, proves, applies, binds, takes, reads, signs, confirms, pays, settles, \
                     returns, withdraws, disputes, sets, lifts, sees, is or earns";

pub(super) fn shopping(words: &mut Words<'_>) -> Read<Shopping> {
    let at_verb = words.clone();
    match words.word(VERBS)? {
        "asks" => asks(words),
        "proves" => proves(words),
        "applies" => {
            words.need("to")?;
            let institution = code(words, "a lender's code such as xiaofu")?;
            Ok(Shopping::Applies { institution })
        }
        "binds" => Ok(Shopping::Binds {
            token: code(words, "a card's token such as tok_ann")?,
        }),
        "takes" => Ok(Shopping::Takes {
            plan: code(words, "a plan's code such as xiaofu-flat-12")?,
        }),
        "reads" => {
            words.need("the cost sheet")?;
            let in_chinese = words.take("in");
            if in_chinese {
                words.need("Chinese")?;
            }
            Ok(Shopping::ReadsCostSheet { in_chinese })
        }
        "signs" => {
            words.need("and confirms as")?;
            let label = label(words)?;
            Ok(Shopping::Confirms { signs: true, label })
        }
        "confirms" => {
            words.need("as")?;
            let label = label(words)?;
            Ok(Shopping::Confirms { signs: false, label })
        }
        "pays" => Ok(Shopping::Pays(payment(words)?)),
        "settles" => {
            let label = label(words)?;
            let from = from(words)?;
            Ok(Shopping::Settles { label, from })
        }
        "returns" => Ok(Shopping::Returns(goods(words)?)),
        "withdraws" => {
            words.need("the return of")?;
            Ok(Shopping::Withdraws { label: label(words)? })
        }
        "disputes" => {
            let label = label(words)?;
            let reason = words.because()?;
            Ok(Shopping::Disputes { label, reason })
        }
        "sets" => own_limit(words, true),
        "lifts" => own_limit(words, false),
        "sees" => Ok(Shopping::Sees(view(words)?)),
        _ => Err(at_verb.unexpected(VERBS)),
    }
}

fn asks(words: &mut Words<'_>) -> Read<Shopping> {
    if words.take("for") {
        words.need("offers on")?;
        return Ok(Shopping::AsksOffers(cart(words)?));
    }
    if words.take("why") {
        return Ok(Shopping::AsksWhy(figure(words)?));
    }
    words.need("what")?;
    if words.take("settling") {
        let label = label(words)?;
        words.need("costs")?;
        Ok(Shopping::AsksPayoff { label })
    } else if words.take("returning") {
        let goods = goods(words)?;
        words.need("does")?;
        Ok(Shopping::AsksReturn(goods))
    } else if words.take("paying") {
        let payment = payment(words)?;
        words.need("does")?;
        Ok(Shopping::Previews(payment))
    } else {
        Err(words.unexpected("“settling A1 costs”, “returning … of A1 does” or “paying … does”"))
    }
}

/// `no. 2 of A1 comes to that`
fn figure(words: &mut Words<'_>) -> Read<Figure> {
    let figure = if words.take("settling") {
        Figure::Payoff { label: label(words)? }
    } else if words.take("the") {
        words.need("bill of")?;
        Figure::Bill {
            due_on: words.date()?,
        }
    } else if words.take("what") {
        words.need("is")?;
        if words.take("due") {
            words.need("for")?;
            Figure::Due { label: label(words)? }
        } else if words.take("owed") {
            words.need("for")?;
            Figure::Owed { label: label(words)? }
        } else {
            words.need("left over of")?;
            Figure::LeftOver { label: label(words)? }
        }
    } else {
        words.need("no.")?;
        let number = words.count("the number of an instalment such as 2")?;
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        words.need("of")?;
        let label = label(words)?;
        Figure::Instalment { label, number }
    };
    words.need("comes to that")?;
    Ok(figure)
}

/// `PH-1001 + 2 AC-6001, financing PH-1001, in 310000, 500.00 down, from xiaofu`
fn cart(words: &mut Words<'_>) -> Read<Cart> {
    let mut lines = vec![cart_line(words)?];
    while words.take("+") {
        lines.push(cart_line(words)?);
    }
    words.need(",")?;
    if words.take("financing") {
        finance(words, &mut lines)?;
        words.need(",")?;
    }
    words.need("in")?;
    let region = words.word_if("a region's code of six digits such as 310000", is_region)?;
    let (mut down_payment, mut lender) = (Amount::ZERO, None);
    while words.take(",") {
        if words.take("from") {
            lender = Some(code(words, "a lender's code such as xiaofu")?);
        } else {
            down_payment = words.amount()?;
            words.need("down")?;
        }
    }
    Ok(Cart {
        lines,
        region,
        down_payment,
        lender,
    })
}

fn cart_line(words: &mut Words<'_>) -> Read<CartLine> {
    // An article number may be one of digits; then none follows it.
    let is_many = words
        .peek()
        .is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit()))
        && words.peek_second().is_some_and(is_code);
    let count = match is_many {
        true => words.count(&format!("a number of articles up to {}", u32::MAX))?,
        false => 1,
    };
    let sku = code(words, "an article number such as PH-1001")?;
    Ok(CartLine {
        count,
        sku,
        is_financed: true,
    })
}

/// Only the named lines are financed.
fn finance(words: &mut Words<'_>, lines: &mut [CartLine]) -> Read<()> {
    for line in lines.iter_mut() {
        line.is_financed = false;
    }
    loop {
        let wanted = words.peek().unwrap_or("");
        match lines.iter_mut().find(|line| line.sku == wanted) {
            Some(line) => line.is_financed = true,
            None => return Err(words.unexpected("an article number of the cart")),
        }
        words.word("an article number")?;
        if !words.take("+") {
            return Ok(());
        }
    }
}

/// `her name and face`
fn proves(words: &mut Words<'_>) -> Read<Shopping> {
    whose(words)?;
    let mut proofs = Vec::new();
    loop {
        let expected = "“name”, “face” or “document”";
        let proof = match words.peek() {
            Some("name") => Proof::Name,
            Some("face") => Proof::Face,
            Some("document") => Proof::Document,
            _ => return Err(words.unexpected(expected)),
        };
        words.word(expected)?;
        proofs.push(proof);
        if !words.take("and") {
            return Ok(Shopping::Proves(proofs));
        }
    }
}

/// `350.00 for A1 and A2 from tok_ann`, `what is due`, `100.00 for ann's A1`
fn payment(words: &mut Words<'_>) -> Read<Payment> {
    let amount = if words.take("what") {
        words.need("is due")?;
        None
    } else {
        Some(words.amount()?)
    };
    let mut payment = Payment {
        amount,
        labels: Vec::new(),
        of: None,
        from: None,
    };
    if words.take("for") {
        if words.peek().is_some_and(|w| w.ends_with("'s")) {
            payment.of = Some(words.owner()?);
        }
        payment.labels.push(label(words)?);
        while words.take("and") {
            payment.labels.push(label(words)?);
        }
    }
    payment.from = from(words)?;
    Ok(payment)
}

/// `from tok_ann`
fn from(words: &mut Words<'_>) -> Read<Option<String>> {
    if words.take("from") {
        code(words, "a card's token such as tok_ann").map(Some)
    } else {
        Ok(None)
    }
}

/// `her own limit at xiaofu to 1000.00`, `her own limit at xiaofu`
fn own_limit(words: &mut Words<'_>, is_set: bool) -> Read<Shopping> {
    whose(words)?;
    words.need("own limit at")?;
    let institution = code(words, "a lender's code such as xiaofu")?;
    let limit = if is_set {
        words.need("to")?;
        Some(words.amount_or_zero()?)
    } else {
        None
    };
    Ok(Shopping::OwnLimit { institution, limit })
}

fn view(words: &mut Words<'_>) -> Read<View> {
    if words.take("the") {
        words.need("notices")?;
        return Ok(View::Notices);
    }
    whose(words)?;
    let expected = "“bills”, “limit”, “account”, “messages”, “schedule of A1” or “certificate of A1”";
    let at_noun = words.clone();
    match words.word(expected)? {
        "bills" => Ok(View::Bills),
        "limit" => Ok(View::Limit),
        "account" => Ok(View::Account),
        "messages" => Ok(View::Messages),
        "schedule" => {
            words.need("of")?;
            label(words).map(View::Schedule)
        }
        "certificate" => {
            words.need("of")?;
            label(words).map(View::Certificate)
        }
        _ => Err(at_noun.unexpected(expected)),
    }
}

/// `her`, `his` or `their`: the scenario's author knows.
fn whose(words: &mut Words<'_>) -> Read<()> {
    if words.take("her") || words.take("his") || words.take("their") {
        Ok(())
    } else {
        Err(words.unexpected("“her”, “his” or “their”"))
    }
}
