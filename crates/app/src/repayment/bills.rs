//! What a shopper owes (我的账单): bills, agreements with their schedules, payments, and the repayment record.

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::agreement::{OrderLine, Stage};
use fenqi_domain::bill::{Bill, Standing};
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::loan::{Loan, Parts};
use fenqi_domain::money::{Amount, Currency};
use fenqi_store::tables::agreements::AgreementFile;
use jiff::civil::Date;
use serde::Serialize;

use crate::App;
use crate::outcome::Denied;
use crate::repayment::payments::{self, Kept, PaymentView};
use crate::servicing;

/// One bill with how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BillView {
    /// What it said when it was issued.
    pub bill: Bill,
    /// How it stands today.
    pub standing: Standing,
}

/// One agreement with how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgreementView {
    /// Its identifier.
    pub id: AgreementId,
    /// Who lends.
    pub institution: String,
    /// Who sells.
    pub seller: String,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// The currency.
    pub currency: Currency,
    /// Where it stands.
    pub stage: Stage,
    /// The loan today.
    pub loan: Loan,
    /// What is to be paid now, what is overdue included.
    pub payable: Parts,
    /// When the next instalment is due.
    pub next_due: Option<Date>,
    /// All that is still owed.
    pub outstanding: Parts,
}

/// Everything that a shopper owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owed {
    /// The day.
    pub today: Date,
    /// What is to be paid now over all agreements.
    pub payable: Amount,
    /// The bills, by due date.
    pub bills: Vec<BillView>,
    /// The agreements, oldest first.
    pub agreements: Vec<AgreementView>,
    /// The payments, oldest first.
    pub payments: Vec<PaymentView>,
}

// R33: what is owed, by bill, order, instalment and component
/// Shows what a shopper owes.
pub async fn bills(app: &App, actor: &Actor, shopper: ShopperId) -> Result<Owed, Denied> {
    actor.require_for(shopper, Scope::Repay)?;
    let today = app.moment().today;
    let agreements = app
        .store
        .agreements(shopper)
        .await?
        .iter()
        .map(|file| agreement_view(file, today))
        .collect::<Result<Vec<_>, Denied>>()?;
    let loan = |id: AgreementId| {
        agreements
            .iter()
            .find(|view| view.id == id)
            .map(|view| &view.loan)
    };
    let mut bills = Vec::new();
    for stored in app.store.bills(shopper).await? {
        let bill: Bill = stored.detail()?;
        bills.push(BillView {
            standing: bill.standing(loan)?,
            bill,
        });
    }
    let mut attempts = Vec::new();
    for stored in app.store.payments(shopper).await? {
        attempts.push(payments::view(&stored.detail::<Kept>()?.payment));
    }
    let mut payable = Amount::ZERO;
    for view in &agreements {
        payable = payable.plus(view.payable.total()?)?;
    }
    Ok(Owed {
        today,
        payable,
        bills,
        agreements,
        payments: attempts,
    })
}

/// Shows one agreement.
pub async fn agreement(
    app: &App,
    actor: &Actor,
    shopper: ShopperId,
    id: AgreementId,
) -> Result<AgreementView, Denied> {
    actor.require_for(shopper, Scope::Repay)?;
    let file = app.agreement(actor, shopper, id).await?;
    agreement_view(&file, app.moment().today)
}

fn agreement_view(file: &AgreementFile, today: Date) -> Result<AgreementView, Denied> {
    let loan = servicing::fold(file, today)?;
    let next_due = loan.next_due()?.map(|row| row.due_on);
    Ok(AgreementView {
        id: file.agreement.id,
        institution: file.agreement.institution.clone(),
        seller: file.agreement.seller.clone(),
        lines: file.agreement.lines.clone(),
        currency: file.agreement.terms.currency,
        stage: file.agreement.stage.clone(),
        payable: loan.payable()?,
        outstanding: loan.outstanding()?,
        next_due,
        loan,
    })
}
