//! Answers a return (处理退货): the seller accepts or rejects it; one who stays silent is passed over to the platform.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::change::Change as Step;
use fenqi_domain::id::{AgreementId, MessageId, RefundId, ReturnId, ShopperId};
use fenqi_domain::loan::Event;
use fenqi_domain::refusal::Refusal;
use fenqi_domain::returns::Return;
use fenqi_store::Batch;
use fenqi_store::tables::agreements::AgreementFile;
use serde::{Deserialize, Serialize};

use crate::audit::{self, By};
use crate::operations::approve::{self, Outcome, Proposed, Weighed};
use crate::outcome::{Change, Denied, Key};
use crate::repayment::refund;
use crate::repayment::request_return::{self, ReturnView, view};
use crate::unit::{Decision, request};
use crate::{App, Moment, servicing, texts};

/// The command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerReturn {
    /// Whose.
    pub shopper: ShopperId,
    /// Which agreement.
    pub agreement: AgreementId,
    /// The answer.
    pub answer: Answer,
}

/// The seller's or the platform's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes: the goods are back, and the money follows.
    Accept {
        /// Whether fees already paid go back as well; they do when everything is returned.
        with_paid_fees: bool,
    },
    /// No.
    Reject {
        /// Why, for the shopper.
        why: String,
    },
}

/// Answers a return. Accepting it refunds in the same commit; what staff accept in a seller's place needs another person
/// if it is more than one may refund.
pub async fn answer_return(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: AnswerReturn,
) -> Result<Change<Outcome<ReturnView>>, Denied> {
    actor
        .require(Scope::Orders)
        .or_else(|_| actor.require(Scope::Care))?;
    let asked = request(
        &command.shopper.to_string(),
        actor,
        key,
        "answer_return",
        &command,
    );
    app.once(&asked, || async {
        let mut moment = app.moment();
        if actor.may(Scope::Orders) {
            let file = agreement(app, &command).await?;
            actor.require_seller(&file.agreement.seller, Scope::Orders)?;
        }
        let mut batch = Batch::new(&command.shopper.to_string());
        let weighed = carry_out(app, &mut batch, actor.into(), &command, &mut moment).await?;
        let proposed = Proposed::AnswerReturn(command.clone());
        approve::alone_or_proposed(app, actor, (batch, weighed), proposed, &mut moment).await
    })
    .await
}

/// Answers the return, with a record of it if staff do.
pub(crate) async fn carry_out(
    app: &App,
    batch: &mut Batch,
    by: By<'_>,
    command: &AnswerReturn,
    moment: &mut Moment,
) -> Result<Weighed<ReturnView>, Denied> {
    let file = agreement(app, command).await?;
    let found = request_return::open_return(app, command.shopper, command.agreement).await?;
    let (version, case) = found.ok_or(Refusal::ReturnNotOpen)?;
    let mut needs_two = false;
    let next = match &command.answer {
        Answer::Accept { with_paid_fees } => {
            let all = *with_paid_fees
                || request_return::is_all(&servicing::fold(&file, moment.today)?, case.amount)?;
            let accepted = request_return::made(case.accept(all, moment.now)?)?;
            let id = RefundId::new(&mut moment.ids);
            let refunded = request_return::made(accepted.refunded(id, moment.now)?)?;
            let made = refund::Made {
                id,
                amount: refunded.amount,
                with_paid_fees: all,
                resumes: true,
            };
            needs_two = refund::needs_two(app, batch, by, (&file, made.amount), moment).await?;
            refund::write(app, batch, &file, &made, moment).await?;
            refunded
        }
        Answer::Reject { why } => {
            let rejected = request_return::made(case.reject(why.clone(), moment.now)?)?;
            let name = "agreement.return_rejected";
            request_return::pause(batch, &file, Event::Resumed, name, &rejected, moment)?;
            let id = MessageId::new(&mut moment.ids);
            let filled = serde_json::json!({ "why": why });
            let about = "return_rejected";
            texts::queue(app, batch, command.shopper, id, about, &filled, moment).await?;
            rejected
        }
    };
    request_return::changed(batch, &next, version);
    let about = ("answer_return", command.shopper.to_string());
    audit::by_staff(batch, by, (about.0, &about.1), command, moment);
    Ok(Weighed {
        reply: view(&next),
        needs_two,
        replaces: serde_json::Value::Null,
    })
}

async fn agreement(app: &App, command: &AnswerReturn) -> Result<AgreementFile, Denied> {
    let file = app.store.agreement(command.shopper, command.agreement).await?;
    file.ok_or(Denied::NotFound)
}

/// Passes a return over to the platform when its seller stayed silent past the date. Used by the job.
pub(crate) async fn escalate(app: &App, shopper: ShopperId, id: ReturnId) -> Result<bool, Denied> {
    app.step(|| async {
        let moment = app.moment();
        let mut batch = Batch::new(&shopper.to_string());
        for stored in app.store.returns(shopper).await? {
            if stored.id == id
                && let Step::Made(next) = stored.detail::<Return>()?.escalate(moment.now)
            {
                request_return::changed(&mut batch, &next, stored.version);
                return Ok(Decision { batch, reply: true });
            }
        }
        Ok(Decision { batch, reply: false })
    })
    .await
}
