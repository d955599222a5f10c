//! Answers a return (处理退货): the seller accepts or rejects it; one who stays silent is passed over to the platform.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::change::Change as Step;
use fenqi_domain::id::{AgreementId, MessageId, RefundId, ReturnId, ShopperId};
use fenqi_domain::loan::Event;
use fenqi_domain::refusal::Refusal;
use fenqi_domain::returns::Return;
use fenqi_store::Batch;
use serde::Serialize;

use crate::outcome::{Change, Denied, Key};
use crate::repayment::refund;
use crate::repayment::request_return::{self, ReturnView, view};
use crate::unit::{Decision, request};
use crate::{App, servicing, texts};

/// The command.
#[derive(Debug, Clone, Serialize)]
pub struct AnswerReturn {
    /// Whose.
    pub shopper: ShopperId,
    /// Which agreement.
    pub agreement: AgreementId,
    /// The answer.
    pub answer: Answer,
}

/// The seller's or the platform's answer.
#[derive(Debug, Clone, Serialize)]
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

/// Answers a return. Accepting it refunds in the same commit.
pub async fn answer_return(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: AnswerReturn,
) -> Result<Change<ReturnView>, Denied> {
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
    app.once(&asked, || decide(app, actor, &command)).await
}

async fn decide(app: &App, actor: &Actor, command: &AnswerReturn) -> Result<Decision<ReturnView>, Denied> {
    let mut moment = app.moment();
    let file = app
        .store
        .agreement(command.shopper, command.agreement)
        .await?
        .ok_or(Denied::NotFound)?;
    if actor.may(Scope::Orders) {
        actor.require_seller(&file.agreement.seller, Scope::Orders)?;
    }
    let found = request_return::open_return(app, command.shopper, command.agreement).await?;
    let (version, case) = found.ok_or(Refusal::ReturnNotOpen)?;
    let mut batch = Batch::new(&command.shopper.to_string());
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
            refund::write(app, &mut batch, &file, &made, &mut moment).await?;
            refunded
        }
        Answer::Reject { why } => {
            let rejected = request_return::made(case.reject(why.clone(), moment.now)?)?;
            let name = "agreement.return_rejected";
            request_return::pause(&mut batch, &file, Event::Resumed, name, &rejected, &mut moment)?;
            let id = MessageId::new(&mut moment.ids);
            let filled = serde_json::json!({ "why": why });
            texts::queue(
                app,
                &mut batch,
                command.shopper,
                id,
                "return_rejected",
                &filled,
                &moment,
            )
            .await?;
            rejected
        }
    };
    request_return::changed(&mut batch, &next, version);
    Ok(Decision {
        batch,
        reply: view(&next),
    })
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
