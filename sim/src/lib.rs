//! The whole system under a seed: a shop for tests and workloads, built by the use cases alone.
//!
//! [`shop`] gives a platform with one institution, one plan, and the sandbox's parties; [`Shop::ann`] a shopper who has
//! proved who she is, was granted credit and bound a card; [`Shop::buys`] an agreement. What happened outside is told and
//! read back by [`Shop::sandbox`].

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fenqi_app::checkout::bind_card::{self, BindCard};
use fenqi_app::checkout::capture::{self, Capture};
use fenqi_app::checkout::confirm::{self, Confirm};
use fenqi_app::checkout::offer::Ask;
use fenqi_app::checkout::sign::{self, Sign};
use fenqi_app::checkout::verify_identity::{self, Proof};
use fenqi_app::checkout::{agree, apply, open_account, quote};
use fenqi_app::operations::approve::{self, Decide, Decided, Outcome};
use fenqi_app::operations::configure::{self, Configure, Item};
use fenqi_app::repayment::bounce;
use fenqi_app::{App, Change, Clock, Denied, Key};
use fenqi_connect::bank::Card;
use fenqi_connect::people::Person;
use fenqi_connect::{Sandbox, SandboxControl};
use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::consent::{Document, DocumentRead};
use fenqi_domain::id::{AgreementId, CardId, ProposalId, ShopperId};
use fenqi_domain::market::CartLine;
use fenqi_domain::money::Amount;
use fenqi_domain::pii::Pii;
use fenqi_store::vault::Vault;
use fenqi_store::{Driver, Fault, Sqlite, SqliteOptions, Store};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub mod crash;
pub mod market;

/// A shop with its platform and the world outside.
pub struct Shop {
    /// The platform.
    pub app: App,
    /// The handle of the sandbox's parties.
    pub sandbox: SandboxControl,
    keys: AtomicU64,
}

/// A shopper who may buy.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// Who.
    pub id: ShopperId,
    /// Their card.
    pub card: CardId,
    /// Their identity number, by which the sandbox knows them.
    pub id_number: &'static str,
    /// Their phone, by which messages find them.
    pub phone: &'static str,
    /// The token of their card.
    pub token: &'static str,
}

impl Buyer {
    /// The shopper as the one who asks.
    pub fn actor(&self) -> Actor {
        Actor::Shopper { id: self.id }
    }
}

/// The day on which a shop opens.
pub const OPENING: Date = Date::constant(2025, 1, 5);

/// A shop on a store of its own that is gone with it, open since ten in the morning of [`OPENING`].
///
/// # Errors
/// What the store or a use case answers; none is expected.
pub async fn shop() -> Result<Shop, Denied> {
    shop_on(Arc::new(migrated(Sqlite::temporary()?)?), 1).await
}

/// A shop on a store in a file, so that a test may look into it, or spoil it, beside the platform.
///
/// # Errors
/// As [`shop`].
pub async fn shop_in(file: &Path) -> Result<Shop, Denied> {
    shop_on(
        Arc::new(migrated(Sqlite::open(file, SqliteOptions::default())?)?),
        1,
    )
    .await
}

/// A shop on any store that is migrated and empty, under a seed.
///
/// # Errors
/// As [`shop`].
pub async fn shop_on(driver: Arc<dyn Driver>, seed: u64) -> Result<Shop, Denied> {
    let (app, sandbox) = platform(driver, seed)?;
    let shop = Shop {
        app,
        sandbox,
        keys: AtomicU64::new(1),
    };
    let command = Configure {
        items: market::items(),
        reason: "the shop opens".to_owned(),
    };
    configure::configure(&shop.app, &staff("sim"), &shop.key()?, command).await?;
    Ok(shop)
}

fn migrated(sqlite: Sqlite) -> Result<Sqlite, Fault> {
    sqlite.migrate(Timestamp::UNIX_EPOCH)?;
    Ok(sqlite)
}

/// A platform over a driver with the sandbox's parties; its keys are those of tests.
fn platform(driver: Arc<dyn Driver>, seed: u64) -> Result<(App, SandboxControl), Denied> {
    let (parties, sandbox) = Sandbox::new(seed);
    let vault = Vault::new(&[7; 32], 1, &[9; 32])?;
    let zone = TimeZone::get("Asia/Shanghai").map_err(|e| Fault::Unavailable(e.to_string()))?;
    let store = Store::new(driver, Arc::new(vault));
    let app = App::new(store, parties, Clock::standing(Timestamp::UNIX_EPOCH), zone, seed);
    app.clock.forward(app.instant_of(OPENING, 10));
    sandbox.time_is(app.clock.now());
    Ok((app, sandbox))
}

/// A member of staff who may do everything that one person may.
pub fn staff(name: &str) -> Actor {
    Actor::Staff {
        name: name.to_owned(),
        scopes: vec![
            Scope::Offer,
            Scope::Buy,
            Scope::Repay,
            Scope::Orders,
            Scope::Configure,
            Scope::Accounts,
            Scope::Care,
            Scope::Approve,
            Scope::Work,
        ],
    }
}

/// A store's server.
pub fn store(seller: &str) -> Actor {
    Actor::Store {
        seller: seller.to_owned(),
    }
}

/// So many yuan.
pub fn yuan(yuan: i64) -> Amount {
    Amount::from_minor(yuan.saturating_mul(100))
}

impl Shop {
    /// A key that was not used before. Its command comes a second after the one before.
    ///
    /// # Errors
    /// None that can happen.
    pub fn key(&self) -> Result<Key, Denied> {
        let now = self.app.clock.now();
        let later = now.checked_add(jiff::SignedDuration::from_secs(1));
        self.app.clock.forward(later.unwrap_or(now));
        Key::parse(&format!("sim-{}", self.keys.fetch_add(1, Ordering::Relaxed)))
    }

    /// Another member of staff approves a proposal.
    ///
    /// # Errors
    /// The refusals of an approval, and of what was proposed.
    pub async fn approves(&self, proposal: ProposalId) -> Result<Change<Decided>, Denied> {
        let command = Decide {
            proposal,
            reason: "checked".to_owned(),
        };
        approve::approve(&self.app, &staff("checker"), &self.key()?, command).await
    }

    /// Staff put items of configuration; where that needs two people, another approves it.
    ///
    /// # Errors
    /// What the command or its approval answers.
    pub async fn configures(&self, items: Vec<Item>) -> Result<(), Denied> {
        let command = Configure {
            items,
            reason: "the market changes".to_owned(),
        };
        let put = configure::configure(&self.app, &staff("boss"), &self.key()?, command).await?;
        match put.reply() {
            Outcome::Done(_) => Ok(()),
            Outcome::NeedsSecondPerson(proposal) => self.approves(proposal).await.map(drop),
        }
    }

    /// Moves the clock to an hour of a day, for the platform and for the world outside.
    pub fn moves_to(&self, day: Date, hour: i8) {
        self.app.clock.forward(self.app.instant_of(day, hour));
        self.sandbox.time_is(self.app.clock.now());
    }

    /// Lets the days pass up to a day, and does the work of each at nine in the morning.
    ///
    /// # Errors
    /// What a job answers; a job that failed for one piece of work is an error here.
    pub async fn passes_until(&self, until: Date) -> Result<(), Denied> {
        while self.app.moment().today < until {
            let today = self.app.moment().today;
            self.moves_to(today.tomorrow().unwrap_or(until), 9);
            self.works().await?;
        }
        Ok(())
    }

    /// Does the work that is due today.
    ///
    /// # Errors
    /// As [`Shop::passes_until`].
    pub async fn works(&self) -> Result<(), Denied> {
        let report = fenqi_app::jobs::day::run(&self.app, self.app.moment().today).await?;
        let failed = report.jobs.iter().flat_map(|(_, done)| done.failed.iter());
        let failed: Vec<String> = failed.cloned().collect();
        if failed.is_empty() {
            Ok(())
        } else {
            Err(Denied::Fault(Fault::Unavailable(failed.join("; "))))
        }
    }

    /// Imports the bank's statement of every day from the opening to a day.
    ///
    /// # Errors
    /// What the import answers.
    pub async fn imports_statements(&self, until: Date) -> Result<(), Denied> {
        let job = Actor::Job {
            name: "statement".to_owned(),
        };
        let mut day = OPENING;
        while day <= until {
            bounce::import_statement(&self.app, &job, day).await?;
            day = day.tomorrow().unwrap_or(Date::MAX);
        }
        Ok(())
    }

    /// Ann: she earns 12,000 a month, has a clean record, 12,000 of credit at `xiaofu`, and a card with 50,000 on it.
    ///
    /// # Errors
    /// What a use case answers; none is expected.
    pub async fn ann(&self) -> Result<Buyer, Denied> {
        self.person("张安", "110105199112310024", "13800000001", "tok_ann")
            .await
    }

    /// Bo, whose means are the same as Ann's.
    ///
    /// # Errors
    /// As [`Shop::ann`].
    pub async fn bo(&self) -> Result<Buyer, Denied> {
        self.person("李波", "440524198801010011", "13800000002", "tok_bo")
            .await
    }

    async fn person(
        &self,
        name: &str,
        id_number: &'static str,
        phone: &'static str,
        token: &'static str,
    ) -> Result<Buyer, Denied> {
        self.sandbox
            .put_person(Person::new(name, id_number, yuan(12_000)));
        let mut card = Card::new(yuan(50_000));
        card.holder = Some(id_number.to_owned());
        self.sandbox.put_card(token, card);
        let (seller, key) = (store(market::SELLER), self.key()?);
        let opened = open_account::open_account(&self.app, &seller, &key, phone).await?;
        let id = opened.reply();
        let actor = Actor::Shopper { id };
        let proofs = [
            Proof::Name {
                name: Pii::new(name.to_owned()),
                id_number: Pii::new(id_number.to_owned()),
            },
            Proof::Face {
                session: format!("face-{token}"),
            },
        ];
        for proof in proofs {
            verify_identity::verify_identity(&self.app, &actor, &self.key()?, id, proof).await?;
        }
        agree::agree(&self.app, &actor, id, market::INSTITUTION, &self.reads().await?).await?;
        let wanted = apply::Apply {
            shopper: id,
            institution: market::INSTITUTION.to_owned(),
            income: yuan(12_000),
        };
        apply::apply(&self.app, &actor, &self.key()?, wanted).await?;
        let binding = BindCard {
            shopper: id,
            token: token.to_owned(),
            institutions: vec![market::INSTITUTION.to_owned()],
        };
        let bound = bind_card::bind_card(&self.app, &actor, &self.key()?, binding)
            .await?
            .reply();
        Ok(Buyer {
            id,
            card: bound.id,
            id_number,
            phone,
            token,
        })
    }

    /// Every document as somebody reads it who reads to the end and agrees now.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn reads(&self) -> Result<Vec<DocumentRead>, Denied> {
        let configuration = self.app.configuration().await?;
        let now = self.app.clock.now();
        let read = |document: &Document| {
            let long = jiff::SignedDuration::from_secs(i64::from(document.minimum_read_seconds));
            DocumentRead {
                code: document.code.clone(),
                version: document.version,
                hash: document.hash.clone(),
                opened_at: now.checked_sub(long).unwrap_or(now),
                agreed_at: now,
            }
        };
        Ok(configuration.documents.values().map(read).collect())
    }

    /// The question for a phone of this price, to be paid in twelve instalments.
    pub fn question(&self, buyer: &Buyer, price: Amount) -> Ask {
        Ask {
            shopper: Some(buyer.id),
            region: market::REGION.to_owned(),
            lines: vec![CartLine {
                sku: market::PHONE.to_owned(),
                quantity: 1,
                price,
                is_wanted: true,
            }],
            count: None,
            down_payment: None,
        }
    }

    /// Signs and confirms a purchase of this price on the plan of [`market::PLAN`]; nothing has shipped yet.
    ///
    /// # Errors
    /// What a use case answers: the refusals of a purchase.
    pub async fn confirms(&self, buyer: &Buyer, price: Amount) -> Result<AgreementId, Denied> {
        self.confirms_cart(buyer, &self.question(buyer, price)).await
    }

    /// As [`Shop::confirms`], for a cart.
    ///
    /// # Errors
    /// As [`Shop::confirms`].
    pub async fn confirms_cart(&self, buyer: &Buyer, ask: &Ask) -> Result<AgreementId, Denied> {
        let actor = buyer.actor();
        let quoted = quote::quote(&self.app, &actor, buyer.id, market::PLAN, ask)
            .await?
            .quote;
        let signed = Sign {
            shopper: buyer.id,
            quote: quoted.id,
            digest: quoted.digest.clone(),
            reads: self.reads().await?,
        };
        sign::sign(&self.app, &actor, &self.key()?, signed).await?;
        let key = self.key()?;
        let command = Confirm {
            shopper: buyer.id,
            quote: quoted.id,
            digest: quoted.digest,
            order: format!("order-{}", key.as_str()),
        };
        let confirmed = confirm::confirm(&self.app, &actor, &key, command).await?;
        Ok(confirmed.reply().agreement)
    }

    /// Buys for this price, and the goods ship at once.
    ///
    /// # Errors
    /// As [`Shop::confirms`].
    pub async fn buys(&self, buyer: &Buyer, price: Amount) -> Result<AgreementId, Denied> {
        let agreement = self.confirms(buyer, price).await?;
        self.captures(buyer, agreement, None).await?;
        Ok(agreement)
    }

    /// The store ships: all that is held, or a part of it.
    ///
    /// # Errors
    /// The refusals of a capture.
    pub async fn captures(
        &self,
        buyer: &Buyer,
        agreement: AgreementId,
        amount: Option<Amount>,
    ) -> Result<Change<capture::Captured>, Denied> {
        let command = Capture {
            shopper: buyer.id,
            agreement,
            amount,
            is_final: false,
        };
        capture::capture(&self.app, &store(market::SELLER), &self.key()?, command).await
    }
}
