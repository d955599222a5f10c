//! What decisions about running loans rest on, read in one snapshot: for many agreements at once, as the day run asks,
//! or for one shopper's payment.

use fenqi_domain::id::{AgreementId, PaymentId, ShopperId};

use super::agreements::{self, AgreementFile};
use super::bills::{self, StoredBill};
use super::channel;
use super::payments::{self, Card, Mandate, StoredPayment};
use super::quotes::{self, StoredQuote};
use super::{Store, parsed};
use crate::fault::Fault;
use crate::statement::{Query, Statement};
use crate::value::{Row, Value};

/// One agreement with what is known of the ways in which it is paid.
#[derive(Debug)]
pub struct ServicingCase {
    /// The agreement.
    pub file: AgreementFile,
    /// Which agreements of the shopper have a payment under way, and which.
    pub claims: Vec<(AgreementId, PaymentId)>,
    /// The shopper's mandates.
    pub mandates: Vec<Mandate>,
    /// The shopper's cards, oldest first.
    pub cards: Vec<Card>,
    /// The shopper's debits that failed, oldest first.
    pub failed_debits: Vec<StoredPayment>,
}

impl ServicingCase {
    /// Whether a payment for the agreement is under way.
    pub fn is_claimed(&self) -> bool {
        let id = self.file.agreement.id;
        self.claims.iter().any(|(claimed, _)| *claimed == id)
    }
}

/// What a payment by hand rests on.
#[derive(Debug)]
pub struct PaymentCase {
    /// The shopper's agreements, oldest first.
    pub files: Vec<AgreementFile>,
    /// The shopper's bills, by due date.
    pub bills: Vec<StoredBill>,
    /// Which agreements have a payment under way, and which.
    pub claims: Vec<(AgreementId, PaymentId)>,
    /// The payer's cards, oldest first.
    pub cards: Vec<Card>,
}

/// What a payment rests on that reached us another way.
#[derive(Debug)]
pub struct TransferCase {
    /// The agreement.
    pub file: AgreementFile,
    /// Which agreements of the shopper have a payment under way, and which.
    pub claims: Vec<(AgreementId, PaymentId)>,
    /// Whether its proof was entered before.
    pub is_entered: bool,
}

/// What letting go of a hold rests on.
#[derive(Debug)]
pub struct HoldCase {
    /// The agreement.
    pub file: AgreementFile,
    /// The quote that it was, which names the campaign whose budget it took from.
    pub quote: Option<StoredQuote>,
}

/// What paying a credit balance back rests on.
#[derive(Debug)]
pub struct PayOutCase {
    /// The agreement.
    pub file: AgreementFile,
    /// Which agreements of the shopper have a payment under way, and which.
    pub claims: Vec<(AgreementId, PaymentId)>,
    /// All payments of the shopper, oldest first.
    pub payments: Vec<StoredPayment>,
}

/// What a shopper's bills rest on.
#[derive(Debug)]
pub struct BillingCase {
    /// The shopper's agreements, oldest first.
    pub files: Vec<AgreementFile>,
    /// The shopper's bills, by due date.
    pub bills: Vec<StoredBill>,
}

/// Answers of one snapshot, taken one after the other in the order of their questions.
struct Answers(std::vec::IntoIter<Vec<Row>>);

impl Answers {
    fn next(&mut self) -> Vec<Row> {
        self.0.next().unwrap_or_default()
    }
}

impl Store {
    /// The agreements with these keys, each with its transactions; none for a key that does not exist. A row that
    /// cannot be read fails its own agreement and no other.
    pub async fn agreement_files(
        &self,
        keys: &[(ShopperId, AgreementId)],
    ) -> Result<Vec<Result<Option<AgreementFile>, Fault>>, Fault> {
        let mut queries = Vec::with_capacity(keys.len().saturating_mul(2));
        for (shopper, id) in keys {
            about_agreement(&mut queries, *shopper, *id);
        }
        let mut answers = self.answers(queries).await?;
        Ok(keys.iter().map(|_| answers.file()).collect())
    }

    /// As [`Store::agreement_files`], each with what is known of the ways in which it is paid.
    pub async fn servicing_cases(
        &self,
        keys: &[(ShopperId, AgreementId)],
    ) -> Result<Vec<Result<Option<ServicingCase>, Fault>>, Fault> {
        const OWN: [&Statement; 4] = [
            &payments::CLAIMS,
            &payments::MANDATES,
            &payments::CARDS,
            &payments::FAILED_DEBITS,
        ];
        let mut queries = Vec::with_capacity(keys.len().saturating_mul(6));
        for (shopper, id) in keys {
            about_agreement(&mut queries, *shopper, *id);
            queries.extend(OWN.map(|statement| Query::new(statement, vec![shopper.to_string().into()])));
        }
        let mut answers = self.answers(queries).await?;
        Ok(keys.iter().map(|_| answers.servicing_case()).collect())
    }

    /// What the bills of each of these shoppers rest on. A row that cannot be read fails its own shopper and no other.
    pub async fn billing_cases(
        &self,
        shoppers: &[ShopperId],
    ) -> Result<Vec<Result<Option<BillingCase>, Fault>>, Fault> {
        const OWN: [&Statement; 3] = [
            &agreements::OF_SHOPPER,
            &agreements::TRANSACTIONS_OF_SHOPPER,
            &bills::OF_SHOPPER,
        ];
        let mut queries = Vec::with_capacity(shoppers.len().saturating_mul(OWN.len()));
        for shopper in shoppers {
            queries.extend(OWN.map(|statement| Query::new(statement, vec![shopper.to_string().into()])));
        }
        let mut answers = self.answers(queries).await?;
        let cases = shoppers.iter().map(|_| answers.billing_case().map(Some));
        Ok(cases.collect())
    }

    /// As [`Store::agreement_files`], each with the quote that it was.
    pub async fn hold_cases(
        &self,
        keys: &[(ShopperId, AgreementId)],
    ) -> Result<Vec<Result<Option<HoldCase>, Fault>>, Fault> {
        let mut queries = Vec::with_capacity(keys.len().saturating_mul(3));
        for (shopper, id) in keys {
            about_agreement(&mut queries, *shopper, *id);
            let quote = agreements::quote_of(*id).to_string();
            queries.push(Query::new(
                &quotes::FIND,
                vec![shopper.to_string().into(), quote.into()],
            ));
        }
        let mut answers = self.answers(queries).await?;
        Ok(keys.iter().map(|_| answers.hold_case()).collect())
    }

    /// As [`Store::agreement_files`], each with its shopper's payments.
    pub async fn pay_out_cases(
        &self,
        keys: &[(ShopperId, AgreementId)],
    ) -> Result<Vec<Result<Option<PayOutCase>, Fault>>, Fault> {
        const OWN: [&Statement; 2] = [&payments::CLAIMS, &payments::OF_SHOPPER];
        let mut queries = Vec::with_capacity(keys.len().saturating_mul(4));
        for (shopper, id) in keys {
            about_agreement(&mut queries, *shopper, *id);
            queries.extend(OWN.map(|statement| Query::new(statement, vec![shopper.to_string().into()])));
        }
        let mut answers = self.answers(queries).await?;
        Ok(keys.iter().map(|_| answers.pay_out_case()).collect())
    }

    /// The payments with these keys; none for a key that does not exist. A row that cannot be read fails its own payment
    /// and no other.
    pub async fn payments_with(
        &self,
        keys: &[(ShopperId, PaymentId)],
    ) -> Result<Vec<Result<Option<StoredPayment>, Fault>>, Fault> {
        let query = |(shopper, id): &(ShopperId, PaymentId)| {
            let key = vec![shopper.to_string().into(), id.to_string().into()];
            Query::new(&payments::FIND, key)
        };
        let found = self.read(keys.iter().map(query).collect()).await?.into_iter();
        let one = |rows: Vec<Row>| rows.into_iter().next().map(payments::payment).transpose();
        Ok(found.map(one).collect())
    }

    /// What a payment of a shopper's debts from a payer's card rests on.
    pub async fn payment_case(&self, shopper: ShopperId, payer: ShopperId) -> Result<PaymentCase, Fault> {
        let owner = || vec![Value::from(shopper.to_string())];
        let mut answers = self
            .answers(vec![
                Query::new(&agreements::OF_SHOPPER, owner()),
                Query::new(&agreements::TRANSACTIONS_OF_SHOPPER, owner()),
                Query::new(&bills::OF_SHOPPER, owner()),
                Query::new(&payments::CLAIMS, owner()),
                Query::new(&payments::CARDS, vec![payer.to_string().into()]),
            ])
            .await?;
        let (found, transactions) = (answers.next(), answers.next());
        Ok(PaymentCase {
            files: agreements::files(&found, &transactions)?,
            bills: answers
                .next()
                .into_iter()
                .map(bills::bill)
                .collect::<Result<_, _>>()?,
            claims: claims(&answers.next())?,
            cards: answers
                .next()
                .iter()
                .map(payments::card)
                .collect::<Result<_, _>>()?,
        })
    }

    /// What a payment of an agreement rests on that a channel's own statement proves, by the proof's number; none if there
    /// is no such agreement.
    pub async fn transfer_case(
        &self,
        (shopper, id): (ShopperId, AgreementId),
        channel: &str,
        proof: &str,
    ) -> Result<Option<TransferCase>, Fault> {
        let mut queries = Vec::with_capacity(4);
        about_agreement(&mut queries, shopper, id);
        queries.push(Query::new(&payments::CLAIMS, vec![shopper.to_string().into()]));
        queries.push(Query::new(&channel::LINE, vec![channel.into(), proof.into()]));
        let mut answers = self.answers(queries).await?;
        let file = answers.file()?;
        let (claimed, entered) = (answers.next(), answers.next());
        let Some(file) = file else { return Ok(None) };
        Ok(Some(TransferCase {
            file,
            claims: claims(&claimed)?,
            is_entered: !entered.is_empty(),
        }))
    }

    async fn answers(&self, queries: Vec<Query>) -> Result<Answers, Fault> {
        Ok(Answers(self.read(queries).await?.into_iter()))
    }
}

fn about_agreement(queries: &mut Vec<Query>, shopper: ShopperId, id: AgreementId) {
    let key = vec![Value::from(shopper.to_string()), Value::from(id.to_string())];
    queries.push(Query::new(&agreements::FIND, key.clone()));
    queries.push(Query::new(&agreements::TRANSACTIONS, key));
}

impl Answers {
    fn file(&mut self) -> Result<Option<AgreementFile>, Fault> {
        let (found, transactions) = (self.next(), self.next());
        found
            .first()
            .map(|row| agreements::file(row, &transactions))
            .transpose()
    }

    fn hold_case(&mut self) -> Result<Option<HoldCase>, Fault> {
        let (file, quoted) = (self.file(), self.next());
        let Some(file) = file? else { return Ok(None) };
        let quote = quoted.into_iter().next().map(quotes::quote).transpose()?;
        Ok(Some(HoldCase { file, quote }))
    }

    fn pay_out_case(&mut self) -> Result<Option<PayOutCase>, Fault> {
        let (file, claimed, paid) = (self.file(), self.next(), self.next());
        let Some(file) = file? else { return Ok(None) };
        Ok(Some(PayOutCase {
            file,
            claims: claims(&claimed)?,
            payments: paid
                .into_iter()
                .map(payments::payment)
                .collect::<Result<_, _>>()?,
        }))
    }

    fn billing_case(&mut self) -> Result<BillingCase, Fault> {
        let (found, transactions, billed) = (self.next(), self.next(), self.next());
        let billed = billed.into_iter().map(bills::bill);
        Ok(BillingCase {
            files: agreements::files(&found, &transactions)?,
            bills: billed.collect::<Result<_, _>>()?,
        })
    }

    fn servicing_case(&mut self) -> Result<Option<ServicingCase>, Fault> {
        let file = self.file();
        // All answers of a case are taken, whatever becomes of it, so that the next one finds its own.
        let (claimed, mandates, cards, failed) = (self.next(), self.next(), self.next(), self.next());
        let Some(file) = file? else { return Ok(None) };
        Ok(Some(ServicingCase {
            file,
            claims: claims(&claimed)?,
            mandates: mandates.iter().map(payments::mandate).collect::<Result<_, _>>()?,
            cards: cards.iter().map(payments::card).collect::<Result<_, _>>()?,
            failed_debits: failed
                .into_iter()
                .map(payments::payment)
                .collect::<Result<_, _>>()?,
        }))
    }
}

fn claims(rows: &[Row]) -> Result<Vec<(AgreementId, PaymentId)>, Fault> {
    rows.iter()
        .map(|row| Ok((parsed(row, 0)?, parsed(row, 1)?)))
        .collect()
}
