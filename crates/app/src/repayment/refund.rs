//! Refunds the financed part of an order (退款), with a preview. A refund is its own kind of transaction: neither a
//! repayment nor a change of what was lent.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::{AgreementId, MessageId, RefundId, ShopperId};
use fenqi_domain::loan::{Event, Parts};
use fenqi_domain::money::Amount;
use fenqi_domain::refund as rule;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use fenqi_store::tables::returns as rows;
use fenqi_store::tables::settings;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::audit::{self, By};
use crate::operations::approve::{self, Outcome, Proposed, Weighed};
use crate::operations::lately_since;
use crate::outcome::{Change, Denied, Key};
use crate::repayment::request_return;
use crate::servicing::{self, Amendment};
use crate::unit::request;
use crate::{App, Moment, texts};

/// The command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Whose.
    pub shopper: ShopperId,
    /// Which agreement.
    pub agreement: AgreementId,
    /// The financed part of what goes back.
    pub amount: Amount,
    /// Whether fees already paid on it go back as well (the store's fault).
    pub with_paid_fees: bool,
}

/// The reply: what the refund did, which is what the preview showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundView {
    /// Its identifier.
    pub id: RefundId,
    /// The financed part.
    pub amount: Amount,
    /// What it changed.
    pub preview: RefundPreview,
}

/// What a refund would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundPreview {
    /// What would no longer have to be paid.
    pub cancelled: Parts,
    /// What goes back to the cards that paid.
    pub back: Amount,
    /// The changed instalments: number, due date, what was to be paid, what is to be paid.
    pub rows: Vec<(u16, Date, Amount, Amount)>,
    /// What is to be paid now, before and after: an issued bill gets smaller at once.
    pub due_now: (Amount, Amount),
}

/// What a refund would do, shown before anybody confirms it.
pub async fn preview(app: &App, actor: &Actor, command: &Refund) -> Result<RefundPreview, Denied> {
    let file = checked(app, actor, command).await?;
    shown(&file, command.amount, command.with_paid_fees, app.moment().today)
}

/// Refunds. What staff give back in a seller's place needs another person if it comes to more than one may waive.
pub async fn refund(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Refund,
) -> Result<Change<Outcome<RefundView>>, Denied> {
    checked(app, actor, &command).await?;
    let asked = request(&command.shopper.to_string(), actor, key, "refund", &command);
    app.once(&asked, || async {
        let mut moment = app.moment();
        let mut batch = Batch::new(&command.shopper.to_string());
        let weighed = carry_out(app, &mut batch, actor.into(), &command, &mut moment).await?;
        let proposed = Proposed::Refund(command.clone());
        approve::alone_or_proposed(app, actor, (batch, weighed), proposed, &mut moment).await
    })
    .await
}

/// Refunds, with a record of it if staff do.
pub(crate) async fn carry_out(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    command: &Refund,
    moment: &mut Moment,
) -> Result<Weighed<RefundView>, Denied> {
    let file = app
        .store
        .agreement(command.shopper, command.agreement)
        .await?
        .ok_or(Denied::NotFound)?;
    let loan = servicing::fold(&file, moment.today)?;
    rule::check(&loan, command.amount)?;
    let all = command.with_paid_fees || request_return::is_all(&loan, command.amount)?;
    let id = RefundId::new(&mut moment.ids);
    let preview = shown(&file, command.amount, all, moment.today)?;
    let needs_two = needs_two(app, batch, by, (&file, command.amount), moment).await?;
    let made = Made {
        id,
        amount: command.amount,
        with_paid_fees: all,
        resumes: false,
    };
    write(app, batch, &file, &made, moment).await?;
    let about = ("refund", command.shopper.to_string());
    audit::by_staff(batch, by, (about.0, &about.1), command, moment);
    Ok(Weighed {
        reply: RefundView {
            id,
            amount: command.amount,
            preview,
        },
        needs_two,
        replaces: serde_json::Value::Null,
    })
}

/// Whether a refund is more than one member of staff may make in a seller's place: sellers decide about their own money,
/// staff about somebody else's. It is added up with what was refunded of the agreement in the days before.
pub(crate) async fn needs_two(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    (file, amount): (&AgreementFile, Amount),
    moment: &Moment,
) -> Result<bool, Denied> {
    if !matches!(by.actor, Actor::Staff { .. }) {
        return Ok(false);
    }
    let configuration = app.configuration().await?;
    settings::require_generation(batch, configuration.generation);
    let since = app.day_of(lately_since(&configuration.rules, moment));
    let refunded = file.transactions.iter().filter_map(|t| match t.event {
        Event::Refunded { amount, .. } if t.effective_on >= since => Some(amount),
        _ => None,
    });
    let sum = Amount::sum(refunded)?.plus(amount)?;
    Ok(sum.minor() > configuration.rules.second_person_above)
}

/// A refund that was decided.
pub(crate) struct Made {
    pub id: RefundId,
    pub amount: Amount,
    pub with_paid_fees: bool,
    /// Whether it ends a return, so that what was paused goes on.
    pub resumes: bool,
}

/// Writes a refund and what follows from it.
pub(crate) async fn write(
    app: &App,
    batch: &mut Batch,
    file: &AgreementFile,
    made: &Made,
    moment: &mut Moment,
) -> Result<(), Denied> {
    let agreement = &file.agreement;
    let preview = shown(file, made.amount, made.with_paid_fees, moment.today)?;
    let event = Event::Refunded {
        amount: made.amount,
        strategy: agreement.terms.conventions.refund,
        with_paid_fees: made.with_paid_fees,
    };
    let mut added = Vec::new();
    if made.resumes {
        added.push((moment.today, Event::Resumed));
    }
    added.push((moment.today, event));
    let change = Amendment {
        added,
        stage: None,
        held: Amount::ZERO,
        entries: Vec::new(),
        event: "agreement.refunded",
        detail: serde_json::json!({ "refund": made.id, "amount": made.amount }),
    };
    servicing::amend(batch, file, change, moment)?;
    rows::refunded(
        batch,
        agreement.shopper,
        made.id,
        agreement.id,
        made.amount,
        &preview,
        moment.now,
    );
    let id = MessageId::new(&mut moment.ids);
    let filled = serde_json::json!({
        "amount": made.amount, "currency": agreement.terms.currency, "back": preview.back, "due_now": preview.due_now.1,
    });
    texts::queue(app, batch, agreement.shopper, id, "refunded", &filled, moment).await
}

/// What a refund would do to an agreement on a day.
pub(crate) fn shown(
    file: &AgreementFile,
    amount: Amount,
    with_paid_fees: bool,
    on: Date,
) -> Result<RefundPreview, Denied> {
    rule::check(&servicing::fold(file, on)?, amount)?;
    let shown = rule::preview(
        &file.agreement.terms,
        &file.transactions,
        amount,
        with_paid_fees,
        on,
    )?;
    let mut rows = Vec::new();
    for (before, after) in shown.changed_rows() {
        rows.push((
            before.number,
            before.due_on,
            before.open()?.total()?,
            after.open()?.total()?,
        ));
    }
    Ok(RefundPreview {
        cancelled: shown.cancelled,
        back: shown.credit.max(Amount::ZERO),
        rows,
        due_now: (shown.before.payable()?.total()?, shown.after.payable()?.total()?),
    })
}

/// The agreement, if the actor sells it or cares for it.
async fn checked(app: &App, actor: &Actor, command: &Refund) -> Result<AgreementFile, Denied> {
    actor.require(Scope::Orders)?;
    let file = app
        .store
        .agreement(command.shopper, command.agreement)
        .await?
        .ok_or(Denied::NotFound)?;
    actor.require_seller(&file.agreement.seller, Scope::Orders)?;
    Ok(file)
}
