//! The ledger (总账): entries that move one amount from a debit account to a credit account.
//!
//! An entry has two sides and one amount, so the books balance by construction: there is no way to write half of one.
//! Each kind of entry is made by a function of its own. A correction is a compensating entry, the same with its sides
//! swapped, dated by the day on which the corrected one counted; nothing is ever changed or taken out.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::AgreementId;
use crate::loan::{Posting, PostingKind};
use crate::money::{Amount, Currency, OutOfRange};

macro_rules! accounts {
    ($($(#[$doc:meta])* $name:ident $(($party:ident))? = $code:literal,)*) => {
        /// An account (科目). What it is kept for, an institution or a seller, is part of it.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Account {
            $($(#[$doc])* $name $((accounts!(@type $party)))?,)*
        }

        impl fmt::Display for Account {
            /// Its code, such as `cash` or `receivable_fee/xiaofu`.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Account::$name $(($party))? => {
                        f.write_str($code)?;
                        $(f.write_str("/")?; f.write_str($party)?;)?
                        Ok(())
                    })*
                }
            }
        }

        impl FromStr for Account {
            type Err = UnknownAccount;

            fn from_str(text: &str) -> Result<Account, UnknownAccount> {
                let (code, party) = match text.split_once('/') {
                    Some((code, party)) => (code, Some(party).filter(|p| !p.is_empty())),
                    None => (text, None),
                };
                match (code, party) {
                    $(accounts!(@pattern $code $($party)?) => Ok(Account::$name $(($party.into()))?),)*
                    _ => Err(UnknownAccount),
                }
            }
        }
    };
    (@type $party:ident) => { String };
    (@pattern $code:literal) => { ($code, None) };
    (@pattern $code:literal $party:ident) => { ($code, Some($party)) };
}

accounts! {
    /// Money at the bank channel (资金).
    Cash = "cash",
    /// Principal that shoppers owe an institution (应收本金).
    ReceivablePrincipal(institution) = "receivable_principal",
    /// Interest that shoppers owe an institution (应收利息).
    ReceivableInterest(institution) = "receivable_interest",
    /// Fees that shoppers owe an institution (应收手续费).
    ReceivableFee(institution) = "receivable_fee",
    /// Late fees and penalty interest that shoppers owe an institution (应收罚息).
    ReceivablePenalty(institution) = "receivable_penalty",
    /// Interest that an institution earned (利息收入).
    IncomeInterest(institution) = "income_interest",
    /// Fees that an institution earned (手续费收入).
    IncomeFee(institution) = "income_fee",
    /// Penalties that an institution earned (罚息收入).
    IncomePenalty(institution) = "income_penalty",
    /// What an institution earned from sellers (贴息收入).
    IncomeSubsidy(institution) = "income_subsidy",
    /// What an institution let go (减免).
    Waived(institution) = "waived",
    /// Money that an institution provided for sellers (放款资金).
    Funding(institution) = "funding",
    /// What is owed to a seller for captured goods (应付商户).
    PayableSeller(seller) = "payable_seller",
    /// What a seller owes for fee and interest that it bears (应收贴息).
    SubsidyReceivable(seller) = "subsidy_receivable",
    /// What is owed to payers (溢缴款).
    CreditBalances = "credit_balances",
    /// Limits held for purchases that are not captured, off the balance (授信承诺).
    Commitments(institution) = "commitments",
    /// The other side of [`Account::Commitments`].
    CommitmentsContra(institution) = "commitments_contra",
}

/// A text that names no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAccount;

impl fmt::Display for UnknownAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not an account; cash or receivable_fee/INSTITUTION is one")
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Account, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "entry", content = "of")]
pub enum EntryKind {
    /// A limit was held for a purchase.
    Committed,
    /// A hold ended: by capture, cancellation or expiry.
    CommitmentReleased,
    /// The institution paid the seller.
    Funded,
    /// A movement of a loan.
    Posted(PostingKind),
    /// A movement of a loan that was booked and did not happen after all.
    Compensated(PostingKind),
}

impl EntryKind {
    /// Its code, such as `funded`, `fee_charged` or `not_fee_charged`.
    pub const fn code(self) -> &'static str {
        match self {
            EntryKind::Committed => "committed",
            EntryKind::CommitmentReleased => "commitment_released",
            EntryKind::Funded => "funded",
            EntryKind::Posted(kind) => kind.code(),
            EntryKind::Compensated(kind) => kind.compensation_code(),
        }
    }
}

impl fmt::Display for EntryKind {
    /// Its code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

macro_rules! posting_codes {
    ($($name:ident = $code:literal,)*) => {
        impl PostingKind {
            /// Every kind.
            pub const ALL: &[PostingKind] = &[$(PostingKind::$name,)*];

            /// Its code.
            pub const fn code(self) -> &'static str {
                match self { $(PostingKind::$name => $code,)* }
            }

            /// The code of the entry that compensates one of it.
            pub const fn compensation_code(self) -> &'static str {
                match self { $(PostingKind::$name => concat!("not_", $code),)* }
            }
        }

        impl FromStr for EntryKind {
            type Err = UnknownKind;

            fn from_str(text: &str) -> Result<EntryKind, UnknownKind> {
                match text {
                    "committed" => Ok(EntryKind::Committed),
                    "commitment_released" => Ok(EntryKind::CommitmentReleased),
                    "funded" => Ok(EntryKind::Funded),
                    $($code => Ok(EntryKind::Posted(PostingKind::$name)),)*
                    $(concat!("not_", $code) => Ok(EntryKind::Compensated(PostingKind::$name)),)*
                    _ => Err(UnknownKind),
                }
            }
        }
    };
}

posting_codes! {
    Disbursed = "disbursed",
    InterestCharged = "interest_charged",
    FeeCharged = "fee_charged",
    SubsidyCharged = "subsidy_charged",
    PenaltyCharged = "penalty_charged",
    PrincipalRepaid = "principal_repaid",
    InterestRepaid = "interest_repaid",
    FeeRepaid = "fee_repaid",
    PenaltyRepaid = "penalty_repaid",
    Overpaid = "overpaid",
    PrincipalRefunded = "principal_refunded",
    RefundedToCredit = "refunded_to_credit",
    WaivedRecovered = "waived_recovered",
    InterestReturned = "interest_returned",
    FeeReturned = "fee_returned",
    InterestCancelled = "interest_cancelled",
    FeeCancelled = "fee_cancelled",
    SubsidyReturned = "subsidy_returned",
    PrincipalWaived = "principal_waived",
    InterestWaived = "interest_waived",
    FeeWaived = "fee_waived",
    PenaltyWaived = "penalty_waived",
    CreditApplied = "credit_applied",
    PaidOut = "paid_out",
    PrincipalOwedAgain = "principal_owed_again",
    InterestOwedAgain = "interest_owed_again",
    FeeOwedAgain = "fee_owed_again",
    PenaltyOwedAgain = "penalty_owed_again",
    PenaltyCancelled = "penalty_cancelled",
    RefundReceived = "refund_received",
    Credited = "credited",
}

/// A text that names no kind of entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownKind;

/// For whom an agreement's entries are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// The agreement.
    pub agreement: AgreementId,
    /// Who lends.
    pub institution: String,
    /// Who sells.
    pub seller: String,
    /// In which currency.
    pub currency: Currency,
}

/// One entry (分录): an amount from a debit account to a credit account. Only the functions of this module make one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Entry {
    effective_on: Date,
    agreement: AgreementId,
    kind: EntryKind,
    debit: Account,
    credit: Account,
    amount: Amount,
    currency: Currency,
}

impl Entry {
    /// The day on which it counts.
    pub fn effective_on(&self) -> Date {
        self.effective_on
    }

    /// The agreement that it belongs to.
    pub fn agreement(&self) -> AgreementId {
        self.agreement
    }

    /// What it is for.
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// The account that is debited (借方).
    pub fn debit(&self) -> &Account {
        &self.debit
    }

    /// The account that is credited (贷方).
    pub fn credit(&self) -> &Account {
        &self.credit
    }

    /// How much, more than zero.
    pub fn amount(&self) -> Amount {
        self.amount
    }

    /// The currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// An entry as it was stored; nothing where the parts can be no entry: no amount, or the same account twice.
    pub fn stored(
        book: &Book,
        effective_on: Date,
        kind: EntryKind,
        debit: Account,
        credit: Account,
        amount: Amount,
    ) -> Option<Entry> {
        (amount.is_positive() && debit != credit).then_some(Entry {
            effective_on,
            agreement: book.agreement,
            kind,
            debit,
            credit,
            amount,
            currency: book.currency,
        })
    }

    /// The same with its sides swapped.
    fn compensation(self) -> Entry {
        Entry {
            kind: match self.kind {
                EntryKind::Posted(kind) => EntryKind::Compensated(kind),
                kind => kind,
            },
            debit: self.credit,
            credit: self.debit,
            ..self
        }
    }
}

impl Book {
    /// A limit is held for a purchase (off the balance); nothing for nothing.
    pub fn committed(&self, amount: Amount, on: Date) -> Option<Entry> {
        let account = Account::Commitments(self.institution.clone());
        let contra = Account::CommitmentsContra(self.institution.clone());
        Entry::stored(self, on, EntryKind::Committed, account, contra, amount)
    }

    /// A hold ended, by capture, cancellation or expiry; nothing for nothing.
    pub fn commitment_released(&self, amount: Amount, on: Date) -> Option<Entry> {
        let account = Account::Commitments(self.institution.clone());
        let contra = Account::CommitmentsContra(self.institution.clone());
        Entry::stored(self, on, EntryKind::CommitmentReleased, contra, account, amount)
    }

    /// The institution paid the seller; nothing for nothing.
    pub fn funded(&self, amount: Amount, on: Date) -> Option<Entry> {
        let seller = Account::PayableSeller(self.seller.clone());
        let funding = Account::Funding(self.institution.clone());
        Entry::stored(self, on, EntryKind::Funded, seller, funding, amount)
    }

    /// The entry of a movement of a loan.
    pub fn posted(&self, posting: &Posting) -> Entry {
        let (debit, credit) = self.sides(posting.kind);
        Entry {
            effective_on: posting.effective_on,
            agreement: self.agreement,
            kind: EntryKind::Posted(posting.kind),
            debit,
            credit,
            amount: posting.amount,
            currency: self.currency,
        }
    }

    /// The two accounts of a kind of movement: debit, credit.
    ///
    /// A credit balance that meets what is owed goes through cash and back, so that everything repaid is debited to cash;
    /// the two are of one day and one amount, and leave cash as it is. So does what a seller or the lender gives where it
    /// is spread as a payment is, and what was paid of one figure and comes to pay another.
    fn sides(&self, kind: PostingKind) -> (Account, Account) {
        use Account as A;
        let institution = || self.institution.clone();
        let seller = || self.seller.clone();
        match kind {
            PostingKind::Disbursed => (A::ReceivablePrincipal(institution()), A::PayableSeller(seller())),
            PostingKind::InterestCharged => (
                A::ReceivableInterest(institution()),
                A::IncomeInterest(institution()),
            ),
            PostingKind::FeeCharged => (A::ReceivableFee(institution()), A::IncomeFee(institution())),
            PostingKind::SubsidyCharged => (A::SubsidyReceivable(seller()), A::IncomeSubsidy(institution())),
            PostingKind::PenaltyCharged => (
                A::ReceivablePenalty(institution()),
                A::IncomePenalty(institution()),
            ),
            PostingKind::PrincipalRepaid => (A::Cash, A::ReceivablePrincipal(institution())),
            PostingKind::InterestRepaid => (A::Cash, A::ReceivableInterest(institution())),
            PostingKind::FeeRepaid => (A::Cash, A::ReceivableFee(institution())),
            PostingKind::PenaltyRepaid => (A::Cash, A::ReceivablePenalty(institution())),
            PostingKind::Overpaid => (A::Cash, A::CreditBalances),
            PostingKind::PrincipalRefunded => {
                (A::PayableSeller(seller()), A::ReceivablePrincipal(institution()))
            }
            PostingKind::RefundedToCredit => (A::PayableSeller(seller()), A::CreditBalances),
            PostingKind::WaivedRecovered => (A::PayableSeller(seller()), A::Waived(institution())),
            PostingKind::InterestReturned => (A::IncomeInterest(institution()), A::CreditBalances),
            PostingKind::FeeReturned => (A::IncomeFee(institution()), A::CreditBalances),
            PostingKind::InterestCancelled => (
                A::IncomeInterest(institution()),
                A::ReceivableInterest(institution()),
            ),
            PostingKind::FeeCancelled => (A::IncomeFee(institution()), A::ReceivableFee(institution())),
            PostingKind::SubsidyReturned => (A::IncomeSubsidy(institution()), A::SubsidyReceivable(seller())),
            PostingKind::PrincipalWaived => (A::Waived(institution()), A::ReceivablePrincipal(institution())),
            PostingKind::InterestWaived => (A::Waived(institution()), A::ReceivableInterest(institution())),
            PostingKind::FeeWaived => (A::Waived(institution()), A::ReceivableFee(institution())),
            PostingKind::PenaltyWaived => (A::Waived(institution()), A::ReceivablePenalty(institution())),
            PostingKind::CreditApplied => (A::CreditBalances, A::Cash),
            PostingKind::PaidOut => (A::CreditBalances, A::Cash),
            PostingKind::PrincipalOwedAgain => (A::ReceivablePrincipal(institution()), A::Cash),
            PostingKind::InterestOwedAgain => (A::ReceivableInterest(institution()), A::Cash),
            PostingKind::FeeOwedAgain => (A::ReceivableFee(institution()), A::Cash),
            PostingKind::PenaltyOwedAgain => (A::ReceivablePenalty(institution()), A::Cash),
            PostingKind::PenaltyCancelled => (
                A::IncomePenalty(institution()),
                A::ReceivablePenalty(institution()),
            ),
            PostingKind::RefundReceived => (A::PayableSeller(seller()), A::Cash),
            PostingKind::Credited => (A::Waived(institution()), A::Cash),
        }
    }

    /// What must be booked when a loan's postings were `old` and are now `new`: the new ones, and a compensation for
    /// each that no longer stands. Both lists are as [`postings`](crate::loan::postings) gives them, ascending.
    pub fn difference(&self, old: &[Posting], new: &[Posting]) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(new.len().saturating_sub(old.len()));
        let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return entries,
                (Some(_), None) => core::cmp::Ordering::Less,
                (None, Some(_)) => core::cmp::Ordering::Greater,
                (Some(a), Some(b)) => a.cmp(b),
            };
            match order {
                core::cmp::Ordering::Equal => {
                    old.next();
                    new.next();
                }
                core::cmp::Ordering::Less => {
                    entries.extend(old.next().map(|p| self.posted(p).compensation()));
                }
                core::cmp::Ordering::Greater => entries.extend(new.next().map(|p| self.posted(p))),
            }
        }
    }
}

/// The balance of each account: debits less credits. Together they are nothing (试算平衡).
///
/// # Errors
/// [`OutOfRange`] if a balance does not fit.
pub fn trial_balance<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Result<BTreeMap<(Currency, Account), Amount>, OutOfRange> {
    let mut balances: BTreeMap<(Currency, Account), Amount> = BTreeMap::new();
    for entry in entries {
        let debit = balances.entry((entry.currency, entry.debit.clone())).or_default();
        *debit = debit.plus(entry.amount)?;
        let credit = balances
            .entry((entry.currency, entry.credit.clone()))
            .or_default();
        *credit = credit.minus(entry.amount)?;
    }
    Ok(balances)
}

/// Entries without those that a compensation took back, and without the compensations, in order: what two sets of books
/// are compared by, when one was booked at once and the other with corrections.
pub fn net(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    let mut counts: BTreeMap<Entry, i64> = BTreeMap::new();
    for entry in entries {
        let (key, step) = match entry.kind {
            EntryKind::Compensated(kind) => (
                Entry {
                    kind: EntryKind::Posted(kind),
                    debit: entry.credit,
                    credit: entry.debit,
                    ..entry
                },
                -1,
            ),
            _ => (entry, 1),
        };
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(step);
    }
    counts
        .into_iter()
        .flat_map(|(entry, count)| {
            let entry = if count < 0 { entry.compensation() } else { entry };
            let times = usize::try_from(count.unsigned_abs()).unwrap_or(0);
            core::iter::repeat_n(entry, times)
        })
        .collect()
}
