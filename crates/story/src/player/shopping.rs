//! What a person does: from the first question to the agreement, and everything after it.

use fenqi_app::checkout::agree::agree;
use fenqi_app::checkout::apply::{self, Apply};
use fenqi_app::checkout::bind_card::{self, BindCard};
use fenqi_app::checkout::confirm::{self, Confirm};
use fenqi_app::checkout::cost_sheet::cost_sheet;
use fenqi_app::checkout::offer::{self, Ask};
use fenqi_app::checkout::sign::{self, Sign};
use fenqi_app::checkout::{quote, verify_identity};
use fenqi_app::{Denied, Key};
use fenqi_domain::actor::Actor;
use fenqi_domain::application::State;
use fenqi_domain::consent::{Document, DocumentRead, Purpose};
use fenqi_domain::id::ShopperId;
use fenqi_domain::market::CartLine;
use fenqi_domain::pii::Pii;
use fenqi_domain::refusal::Refusal;

use super::cast::{Deal, Taken};
use super::show::{moment, yuan};
use super::{Player, Seen, Stop, words};
use crate::language::{Cart, Proof, Shopping, View};
use crate::scenario::Step;

impl Player<'_> {
    pub(super) async fn shopping(&mut self, step: &Step, who: &str, does: &Shopping) -> Seen {
        match does {
            Shopping::AsksOffers(cart) => self.asks_offers(who, cart).await,
            Shopping::Proves(proofs) => self.proves(step, who, proofs).await,
            Shopping::Applies { institution } => self.applies(step, who, institution).await,
            Shopping::Binds { token } => self.binds(step, who, token).await,
            Shopping::Takes { plan } => self.takes(who, plan).await,
            Shopping::ReadsCostSheet { in_chinese } => self.reads_cost_sheet(who, *in_chinese).await,
            Shopping::Confirms { signs, label } => self.confirms(step, who, *signs, label).await,
            Shopping::Previews(payment) => self.previews(who, payment).await,
            Shopping::Pays(payment) => self.pays(step, who, payment).await,
            Shopping::AsksPayoff { label } => self.payoff(who, label).await,
            Shopping::AsksWhy(figure) => self.asks_why(who, figure).await,
            Shopping::Settles { label, from } => self.settles(step, who, label, from.as_deref()).await,
            Shopping::AsksReturn(goods) => self.asks_return(who, goods).await,
            Shopping::Returns(goods) => self.returns(step, who, goods).await,
            Shopping::Withdraws { label } => self.withdraws(step, who, label).await,
            Shopping::Disputes { label, reason } => self.disputes(step, who, label, reason).await,
            Shopping::OwnLimit { institution, limit } => self.own_limit(step, who, institution, *limit).await,
            Shopping::Sees(view) => self.sees(who, view).await,
        }
    }

    async fn sees(&mut self, who: &str, view: &View) -> Seen {
        match view {
            View::Bills => self.bills(who).await,
            View::Limit => self.limit(who).await,
            View::Account => self.account(who).await,
            View::Messages => self.messages(who).await,
            View::Notices => self.notices().await,
            View::Schedule(label) => self.schedule(who, label).await,
            View::Certificate(label) => self.certificate(who, label).await,
        }
    }

    async fn asks_offers(&mut self, who: &str, cart: &Cart) -> Seen {
        let shopper = self.shopper(who).await?;
        let ask = self.question(shopper, cart).await?;
        let outcomes = offer::offer(self.app, &Actor::Shopper { id: shopper }, &ask).await?;
        self.cast.person_mut(who)?.cart = Some(cart.clone());
        let looked_at = outcomes
            .iter()
            .filter(|o| cart.lender.as_ref().is_none_or(|lender| *lender == o.institution));
        let names = self.names().await;
        Ok(words::offers(looked_at, &names)?)
    }

    /// The question that a cart stands for; prices are those of the catalogue.
    async fn question(&self, shopper: ShopperId, cart: &Cart) -> Result<Ask, Stop> {
        let configuration = self.app.configuration().await.map_err(Denied::from)?;
        let mut lines = Vec::new();
        for line in &cart.lines {
            let product = configuration.products.get(&line.sku);
            let product = product.ok_or_else(|| format!("{} is not in the catalogue", line.sku))?;
            lines.push(CartLine {
                sku: line.sku.clone(),
                quantity: line.count,
                price: product.price.times(i64::from(line.count))?,
                is_wanted: line.is_financed,
            });
        }
        Ok(Ask {
            shopper: Some(shopper),
            region: cart.region.clone(),
            lines,
            count: None,
            down_payment: cart.down_payment.is_positive().then_some(cart.down_payment),
        })
    }

    async fn proves(&mut self, step: &Step, who: &str, proofs: &[Proof]) -> Seen {
        let shopper = self.shopper(who).await?;
        let actor = Actor::Shopper { id: shopper };
        let person = self.cast.person(who)?.clone();
        let mut lines = Vec::new();
        for proof in proofs {
            let session = format!("{who}-{}", step.line);
            let (word, proof) = match proof {
                Proof::Name => (
                    "name",
                    verify_identity::Proof::Name {
                        name: Pii::new(person.name.clone()),
                        id_number: Pii::new(person.id_number.clone()),
                    },
                ),
                Proof::Face => ("face", verify_identity::Proof::Face { session }),
                Proof::Document => ("document", verify_identity::Proof::Photograph { session }),
            };
            let key = self.key(step, word)?;
            match verify_identity::verify_identity(self.app, &actor, &key, shopper, proof).await {
                Ok(change) => {
                    let missing = change.reply().missing;
                    let rest = missing.map_or("that is all".to_owned(), |m| format!("next: {m}"));
                    lines.push(format!("{word} proved; {rest}"));
                }
                Err(fault @ Denied::Fault(_)) => return Err(fault.into()),
                Err(denied) => {
                    let names = self.names().await;
                    lines.extend(words::denied(&denied, &names));
                }
            }
        }
        Ok(lines)
    }

    /// Agrees to the lender's terms and to the enquiry at the bureau, and asks for credit.
    async fn applies(&mut self, step: &Step, who: &str, institution: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let actor = Actor::Shopper { id: shopper };
        let wanted = [Purpose::ServiceAgreement, Purpose::CreditEnquiry];
        let reads = self.reads(|document| wanted.contains(&document.purpose)).await?;
        agree(self.app, &actor, shopper, institution, &reads).await?;
        let command = Apply {
            shopper,
            institution: institution.to_owned(),
            income: self.cast.person(who)?.income,
        };
        let key = self.key(step, "apply")?;
        let applied = apply::apply(self.app, &actor, &key, command).await?.reply();
        Ok(match applied.state {
            State::Approved {
                limit, expires_on, ..
            } => {
                vec![format!(
                    "{institution} approves {} until {expires_on}",
                    yuan(limit)
                )]
            }
            State::Declined {
                reasons,
                reapply_after,
            } => {
                let refusal = Refusal::CreditDeclined {
                    institution: institution.to_owned(),
                    reasons,
                    reapply_after,
                };
                let names = self.names().await;
                words::refused(&format!("{institution} says"), &refusal, &names)
            }
            other => vec![format!("{institution}: {}", other.code())],
        })
    }

    /// Documents of the configuration as somebody reads them who reads to the end and agrees now.
    async fn reads(&self, wanted: impl Fn(&Document) -> bool) -> Result<Vec<DocumentRead>, Stop> {
        let configuration = self.app.configuration().await.map_err(Denied::from)?;
        let now = self.app.clock.now();
        let documents = configuration.documents.values().filter(|d| wanted(d));
        Ok(documents
            .map(|document| {
                let long = jiff::SignedDuration::from_secs(i64::from(document.minimum_read_seconds));
                DocumentRead {
                    code: document.code.clone(),
                    version: document.version,
                    hash: document.hash.clone(),
                    opened_at: now.checked_sub(long).unwrap_or(now),
                    agreed_at: now,
                }
            })
            .collect())
    }

    /// Binds a card and gives every lender the mandate to debit it.
    async fn binds(&mut self, step: &Step, who: &str, token: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let configuration = self.app.configuration().await.map_err(Denied::from)?;
        let command = BindCard {
            shopper,
            token: token.to_owned(),
            institutions: configuration.institutions.keys().cloned().collect(),
        };
        let actor = Actor::Shopper { id: shopper };
        let key = self.key(step, "bind")?;
        let bound = bind_card::bind_card(self.app, &actor, &key, command)
            .await?
            .reply();
        Ok(vec![format!("bound: {} …{}", bound.bank, bound.last4)])
    }

    async fn takes(&mut self, who: &str, plan: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let cart = self.cast.person(who)?.cart.clone();
        let cart = cart.ok_or_else(|| format!("{who} asked for no offers before"))?;
        let ask = self.question(shopper, &cart).await?;
        let actor = Actor::Shopper { id: shopper };
        let quoted = quote::quote(self.app, &actor, shopper, plan, &ask).await?;
        self.cast.person_mut(who)?.quote = Some(Taken {
            id: quoted.quote.id,
            digest: quoted.quote.digest.clone(),
            seller: quoted.quote.seller.clone(),
            documents: quoted.quote.documents.clone(),
        });
        Ok(words::quote(&quoted.quote, &quoted.steps)?)
    }

    async fn reads_cost_sheet(&mut self, who: &str, in_chinese: bool) -> Seen {
        let shopper = self.shopper(who).await?;
        let taken = self.cast.person(who)?.quote.as_ref();
        let taken = taken.ok_or_else(|| format!("{who} took no quote before"))?;
        let sheet = cost_sheet(self.app, &Actor::Shopper { id: shopper }, shopper, taken.id).await?;
        Ok(if in_chinese { sheet.zh } else { sheet.en })
    }

    async fn confirms(&mut self, step: &Step, who: &str, signs: bool, label: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        let taken = self.cast.person(who)?.quote.clone();
        let taken = taken.ok_or_else(|| format!("{who} took no quote before"))?;
        if signs {
            self.signs(self.key(step, "sign")?, shopper, &taken).await?;
        }
        let command = Confirm {
            shopper,
            quote: taken.id,
            digest: taken.digest.clone(),
            order: format!("{who}-{label}"),
        };
        let actor = Actor::Shopper { id: shopper };
        let key = self.key(step, "confirm")?;
        let confirmed = confirm::confirm(self.app, &actor, &key, command).await?.reply();
        let deal = Deal {
            id: confirmed.agreement,
            shopper,
            seller: taken.seller,
            who: who.to_owned(),
        };
        self.cast.name(label, deal);
        let first = confirmed
            .first_due
            .map_or(String::new(), |day| format!(", first due {day}"));
        Ok(vec![format!(
            "agreement {label}: {} held until {}{first}",
            yuan(confirmed.held),
            moment(confirmed.expires_at)
        )])
    }

    /// Reads the documents of a quote to their ends and signs it.
    async fn signs(&self, key: Key, shopper: ShopperId, taken: &Taken) -> Result<(), Stop> {
        let is_named = |document: &Document| taken.documents.iter().any(|d| d.code == document.code);
        let command = Sign {
            shopper,
            quote: taken.id,
            digest: taken.digest.clone(),
            reads: self.reads(is_named).await?,
        };
        let actor = Actor::Shopper { id: shopper };
        sign::sign(self.app, &actor, &key, command).await?;
        Ok(())
    }

    async fn messages(&mut self, who: &str) -> Seen {
        let person = self.cast.person_mut(who)?;
        // The platform writes phones with the country's code.
        let arrived = (self.control.messages)(&format!("+86{}", person.phone));
        let mut fresh: Vec<_> = arrived.iter().skip(person.messages_seen).collect();
        // Messages of one morning have no order among themselves.
        fresh.sort_by(|a, b| (a.at, &a.text).cmp(&(b.at, &b.text)));
        person.messages_seen = arrived.len();
        let lines = fresh
            .iter()
            .map(|m| format!("{} {}: {}", moment(m.at), m.channel, m.text));
        Ok(lines.collect())
    }

    async fn limit(&mut self, who: &str) -> Seen {
        let shopper = self.shopper(who).await?;
        self.limits(shopper).await
    }
}
