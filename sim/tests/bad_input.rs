//! Bad input: each wrong command is refused with the field and what is allowed, or with the refusal it stands for, and
//! leaves nothing behind: no row of any table is added, taken away, or booked.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

use std::path::{Path, PathBuf};

use fenqi_app::checkout::bind_card::{self, BindCard};
use fenqi_app::checkout::capture::{self, Capture};
use fenqi_app::checkout::confirm::{self, Confirm};
use fenqi_app::checkout::offer::{self, Ask};
use fenqi_app::checkout::sign::{self, Sign};
use fenqi_app::checkout::verify_identity::{self, Proof};
use fenqi_app::checkout::{apply, open_account, quote};
use fenqi_app::operations::arrange::{self, Arrange, Whom};
use fenqi_app::repayment::pay::{self, Pay};
use fenqi_app::repayment::preview;
use fenqi_app::texts::{self, Language};
use fenqi_app::{Denied, Invalid, Key};
use fenqi_connect::people::Person;
use fenqi_domain::actor::Actor;
use fenqi_domain::id::{AgreementId, ShopperId};
use fenqi_domain::money::{AMOUNT_MAX, Amount, Currency};
use fenqi_domain::pii::Pii;
use fenqi_domain::quote::Quote;
use fenqi_sim::{Buyer, Shop, market, shop_in, staff, store, yuan};
use jiff::SignedDuration;

/// A shop with Ann, who owes, and whose store can be looked into.
struct Room {
    shop: Shop,
    ann: Buyer,
    agreement: AgreementId,
    file: PathBuf,
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.file.parent().unwrap());
    }
}

async fn room(name: &str) -> Room {
    let folder = std::env::temp_dir().join(format!("fenqi-bad-input-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("fenqi.db");
    let shop = shop_in(&file).await.unwrap();
    let ann = shop.ann().await.unwrap();
    let agreement = shop.buys(&ann, yuan(1_200)).await.unwrap();
    Room {
        shop,
        ann,
        agreement,
        file,
    }
}

/// How many rows each table has.
fn rows(file: &Path) -> Vec<(String, i64)> {
    let connection = rusqlite::Connection::open(file).unwrap();
    let mut listed = connection
        .prepare(
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name",
        )
        .unwrap();
    let names: Vec<String> = listed
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(names.len() > 20, "{names:?}");
    let count = |name: &String| {
        let question = format!("select count(*) from \"{name}\"");
        connection.query_row(&question, [], |row| row.get(0)).unwrap()
    };
    names.iter().map(|name| (name.clone(), count(name))).collect()
}

/// What a person is told of a wrong field, and what would help.
fn said(wrong: &Invalid) -> String {
    let told = texts::mistake(wrong, Language::En);
    format!("{} {}", told.says, told.helps)
}

impl Room {
    /// Runs a command that must not be taken, and looks whether it left anything.
    async fn denied<T: std::fmt::Debug>(
        &self,
        what: &str,
        command: impl Future<Output = Result<T, Denied>>,
    ) -> Denied {
        let before = (rows(&self.file), self.shop.app.store.books().await.unwrap());
        let answer = command.await;
        let after = (rows(&self.file), self.shop.app.store.books().await.unwrap());
        assert_eq!(before, after, "{what} left something behind");
        match answer {
            Ok(reply) => panic!("{what} was taken: {reply:?}"),
            Err(denied) => denied,
        }
    }

    /// The command is wrong in this field, and the answer says what is allowed.
    async fn invalid<T: std::fmt::Debug>(
        &self,
        what: &str,
        command: impl Future<Output = Result<T, Denied>>,
        field: &str,
        allowed: &str,
    ) {
        let denied = self.denied(what, command).await;
        let Denied::Invalid(fields) = &denied else {
            panic!("{what}: {denied:?}")
        };
        let is_named = fields
            .iter()
            .any(|f| f.field == format!("/{field}") && said(f).contains(allowed));
        assert!(is_named, "{what}: {fields:?}");
    }

    /// The command is refused with this code.
    async fn refused<T: std::fmt::Debug>(
        &self,
        what: &str,
        command: impl Future<Output = Result<T, Denied>>,
        code: &str,
    ) {
        let denied = self.denied(what, command).await;
        let Denied::Refused(refusal) = &denied else {
            panic!("{what}: {denied:?}")
        };
        assert_eq!(refusal.code(), code, "{what}");
    }

    fn key(&self) -> Key {
        self.shop.key().unwrap()
    }

    fn ask(&self, change: impl FnOnce(&mut Ask)) -> Ask {
        let mut ask = self.shop.question(&self.ann, yuan(1_200));
        change(&mut ask);
        ask
    }

    fn pay(&self, amount: Amount) -> Pay {
        Pay {
            shopper: self.ann.id,
            payer: self.ann.id,
            agreements: vec![self.agreement],
            amount,
            card: self.ann.card,
        }
    }

    /// A quote that Ann signed.
    async fn signed(&self) -> Quote {
        let (app, actor) = (&self.shop.app, self.ann.actor());
        let ask = self.ask(|_| ());
        let quoted = quote::quote(app, &actor, self.ann.id, market::PLAN, &ask)
            .await
            .unwrap();
        let quote = quoted.quote;
        sign::sign(app, &actor, &self.key(), self.sign(&quote, &quote.digest).await)
            .await
            .unwrap();
        quote
    }

    async fn sign(&self, quote: &Quote, digest: &str) -> Sign {
        Sign {
            shopper: self.ann.id,
            quote: quote.id,
            digest: digest.to_owned(),
            reads: self.shop.reads().await.unwrap(),
        }
    }

    fn confirm(&self, quote: &Quote, order: &str) -> Confirm {
        Confirm {
            shopper: self.ann.id,
            quote: quote.id,
            digest: quote.digest.clone(),
            order: order.to_owned(),
        }
    }
}

// Long because: one row for each way in which a question can be wrong.
#[tokio::test]
async fn a_wrong_question_names_its_field_and_what_is_allowed() {
    let room = room("question").await;
    let (app, actor) = (&room.shop.app, room.ann.actor());
    let ten_trillion = "0.01 to 10000000000000.00 is allowed";
    let price = |minor: i64| room.ask(|ask| ask.lines[0].price = Amount::from_minor(minor));
    let table = [
        ("a price of zero", price(0), "price", ten_trillion),
        ("a negative price", price(-1), "price", ten_trillion),
        ("a price above all", price(AMOUNT_MAX + 1), "price", ten_trillion),
        (
            "a price at the end of numbers",
            price(i64::MAX),
            "price",
            ten_trillion,
        ),
        (
            "no goods",
            room.ask(|ask| ask.lines[0].quantity = 0),
            "quantity",
            "1 or more",
        ),
        (
            "nothing wanted",
            room.ask(|ask| ask.lines[0].is_wanted = false),
            "/lines",
            "articles to be paid in instalments",
        ),
        (
            "an unknown sku",
            room.ask(|ask| ask.lines[0].sku = "PH ONE".into()),
            "sku",
            "no article “PH ONE”",
        ),
        (
            "an unknown region",
            room.ask(|ask| ask.region = "990000".into()),
            "region",
            "that there is: 110000",
        ),
        (
            "0 instalments",
            room.ask(|ask| ask.count = Some(0)),
            "/count",
            "1 to 60 is allowed",
        ),
        (
            "61 instalments",
            room.ask(|ask| ask.count = Some(61)),
            "/count",
            "1 to 60 is allowed",
        ),
        (
            "a negative down payment",
            room.ask(|ask| ask.down_payment = Some(Amount::from_minor(-1))),
            "/down_payment",
            "0.00 to 10000000000000.00",
        ),
    ];
    for (what, ask, field, allowed) in table {
        let denied = room.denied(what, offer::offer(app, &actor, &ask)).await;
        let Denied::Invalid(fields) = &denied else {
            panic!("{what}: {denied:?}")
        };
        let is_named = fields
            .iter()
            .any(|f| f.field.ends_with(field) && said(f).contains(allowed));
        assert!(is_named, "{what}: {fields:?}");
        let quoted = quote::quote(app, &actor, room.ann.id, market::PLAN, &ask);
        assert_eq!(room.denied(what, quoted).await, denied, "{what}, as a quote");
    }
}

#[tokio::test]
async fn two_lines_whose_prices_overflow_together_are_an_answer_and_no_panic() {
    let room = room("overflow").await;
    let ask = room.ask(|ask| {
        ask.lines[0].price = Amount::from_minor(AMOUNT_MAX);
        ask.lines[0].quantity = u32::MAX;
    });
    let (app, actor) = (&room.shop.app, room.ann.actor());
    let quoted = quote::quote(app, &actor, room.ann.id, market::PLAN, &ask);
    room.denied("an overflowing cart", quoted).await;
}

// R43: who somebody is, is proved with a number that can be one.
#[tokio::test]
async fn a_wrong_identity_number_names_what_is_wrong_with_it() {
    let room = room("identity").await;
    let app = &room.shop.app;
    let new = open_account::open_account(app, &store(market::SELLER), &room.key(), "13800000009")
        .await
        .unwrap()
        .reply();
    let prove = |number: &str, name: &str| {
        let proof = Proof::Name {
            name: Pii::new(name.to_owned()),
            id_number: Pii::new(number.to_owned()),
        };
        let key = room.key();
        async move { verify_identity::verify_identity(app, &Actor::Shopper { id: new }, &key, new, proof).await }
    };
    let table = [
        (
            "a wrong check digit",
            "110105199112310025",
            "look for a mistyped digit",
        ),
        ("30 February", "110105199102300025", "date of birth"),
        ("month 13", "110105199113010025", "date of birth"),
        ("15 digits", "110105911231002", "18 characters"),
        ("letters", "11010519911231002Z", "17 digits and a last digit or X"),
        ("nothing", "", "17 digits"),
        ("born tomorrow", "11010520300101001X", "future"),
    ];
    for (what, number, allowed) in table {
        room.invalid(what, prove(number, "张三"), "id_number", allowed)
            .await;
    }
    room.invalid("no name", prove("110105199112310024", ""), "name", "")
        .await;
}

#[tokio::test]
async fn a_minor_is_refused_as_one() {
    let room = room("minor").await;
    let app = &room.shop.app;
    let new = open_account::open_account(app, &store(market::SELLER), &room.key(), "13800000009")
        .await
        .unwrap()
        .reply();
    // Born on 2010-01-01, with the check digit that fits; the number is theirs, and so is the face.
    let number = with_check_digit("11010520100101001");
    room.shop
        .sandbox
        .put_person(Person::new("张小", &number, yuan(12_000)));
    let actor = Actor::Shopper { id: new };
    let proofs = [
        Proof::Name {
            name: Pii::new("张小".to_owned()),
            id_number: Pii::new(number),
        },
        Proof::Face {
            session: "face-minor".to_owned(),
        },
    ];
    for proof in proofs {
        verify_identity::verify_identity(app, &actor, &room.key(), new, proof)
            .await
            .unwrap();
    }
    let command = apply::Apply {
        shopper: new,
        institution: market::INSTITUTION.to_owned(),
        income: yuan(12_000),
    };
    let key = room.key();
    room.refused("a minor", apply::apply(app, &actor, &key, command), "underage")
        .await;
}

/// The number with its check character of GB 11643.
fn with_check_digit(first: &str) -> String {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = first
        .chars()
        .zip(weights)
        .map(|(c, w)| c.to_digit(10).unwrap() * w)
        .sum();
    let check = usize::try_from(sum % 11).unwrap();
    format!("{first}{}", &"10X98765432"[check..=check])
}

#[tokio::test]
async fn a_card_number_is_never_taken_for_a_token() {
    let room = room("token").await;
    let (app, actor) = (&room.shop.app, room.ann.actor());
    for (token, allowed) in [
        ("6222021234567890128", "card number"),
        ("4111111111111111", "card number"),
        ("4111 1111 1111 1111", "card number"),
        ("", "4 to 64"),
        ("tok ann", "letters, digits"),
    ] {
        let command = BindCard {
            shopper: room.ann.id,
            token: token.to_owned(),
            institutions: vec![market::INSTITUTION.to_owned()],
        };
        let key = room.key();
        let bound = bind_card::bind_card(app, &actor, &key, command);
        room.invalid(token, bound, "token", allowed).await;
    }
    let seller = store(market::SELLER);
    for phone in ["12345", "138000000001", "+1 800 555", ""] {
        let key = room.key();
        let opened = open_account::open_account(app, &seller, &key, phone);
        room.invalid(phone, opened, "phone", "").await;
    }
}

// R46: what is confirmed is what was shown and signed, while it stands.
#[tokio::test]
async fn a_quote_that_expired_or_differs_from_what_was_shown_is_refused() {
    let room = room("quote").await;
    let (app, actor) = (&room.shop.app, room.ann.actor());
    let quote = room.signed().await;
    let other = Confirm {
        digest: "0".repeat(quote.digest.len()),
        ..room.confirm(&quote, "order-1")
    };
    let key = room.key();
    room.refused(
        "another digest",
        confirm::confirm(app, &actor, &key, other),
        "quote_changed",
    )
    .await;
    let command = room.sign(&quote, "another").await;
    let key = room.key();
    room.refused(
        "another digest signed",
        sign::sign(app, &actor, &key, command),
        "quote_changed",
    )
    .await;
    for order in ["order 1", "", "订单", &"x".repeat(65)] {
        let key = room.key();
        let confirmed = confirm::confirm(app, &actor, &key, room.confirm(&quote, order));
        room.invalid(order, confirmed, "order", "1 to 64 visible ASCII characters")
            .await;
    }
    let past = quote
        .expires_at
        .checked_add(SignedDuration::from_secs(1))
        .unwrap();
    app.clock.forward(past);
    let key = room.key();
    let confirmed = confirm::confirm(app, &actor, &key, room.confirm(&quote, "order-1"));
    room.refused("an expired quote", confirmed, "quote_expired").await;
    let unknown = Confirm {
        quote: "00000000-0000-7000-8000-000000000000".parse().unwrap_or(quote.id),
        ..room.confirm(&quote, "order-1")
    };
    if unknown.quote != quote.id {
        let key = room.key();
        let denied = room
            .denied("no such quote", confirm::confirm(app, &actor, &key, unknown))
            .await;
        assert_eq!(denied, Denied::NotFound);
    }
}

#[tokio::test]
async fn a_used_key_with_another_body_is_neither_replayed_nor_done() {
    let room = room("key").await;
    let (app, actor) = (&room.shop.app, room.ann.actor());
    let key = room.key();
    pay::pay(app, &actor, &key, room.pay(Amount::from_minor(1_000)))
        .await
        .unwrap();
    let other = pay::pay(app, &actor, &key, room.pay(Amount::from_minor(1_001)));
    assert_eq!(room.denied("another amount", other).await, Denied::KeyReused);
    for key in ["", "a b", "钥"] {
        let parsed = async { Key::parse(key) };
        room.invalid(
            key,
            parsed,
            "idempotency_key",
            "1 to 255 visible ASCII characters",
        )
        .await;
    }
}

#[tokio::test]
async fn amounts_that_cannot_be_paid_are_refused() {
    let room = room("amounts").await;
    let (app, actor) = (&room.shop.app, room.ann.actor());
    for minor in [0, -1, i64::MIN] {
        let key = room.key();
        let amount = Amount::from_minor(minor);
        let paid = pay::pay(app, &actor, &key, room.pay(amount));
        room.invalid("pay", paid, "amount", "0.01 ").await;
        let seen = preview::preview(app, &actor, room.ann.id, &[], amount);
        room.invalid("preview", seen, "amount", "0.01 ").await;
        let command = apply::Apply {
            shopper: room.ann.id,
            institution: market::INSTITUTION.to_owned(),
            income: amount,
        };
        let key = room.key();
        room.invalid(
            "income",
            apply::apply(app, &actor, &key, command),
            "income",
            "0.01 ",
        )
        .await;
    }
    for minor in [AMOUNT_MAX, i64::MAX] {
        let key = room.key();
        let paid = pay::pay(app, &actor, &key, room.pay(Amount::from_minor(minor)));
        room.refused("more than is owed", paid, "payment_too_large").await;
    }
}

#[tokio::test]
async fn a_capture_of_nothing_or_of_too_much_is_refused() {
    let room = room("capture").await;
    let app = &room.shop.app;
    let agreement = room.shop.confirms(&room.ann, yuan(500)).await.unwrap();
    let seller = store(market::SELLER);
    for minor in [0, -1, 50_001, i64::MAX] {
        let command = Capture {
            shopper: room.ann.id,
            agreement,
            amount: Some(Amount::from_minor(minor)),
            is_final: false,
        };
        let key = room.key();
        let captured = capture::capture(app, &seller, &key, command);
        room.denied(&format!("a capture of {minor}"), captured).await;
    }
}

// What cannot be put off or let go is not called "nothing is due": the whole loan is open.
#[tokio::test]
async fn an_arrangement_that_would_change_nothing_says_so() {
    let room = room("arrange").await;
    let command = Arrange {
        whom: Whom::Agreement {
            shopper: room.ann.id,
            agreement: room.agreement,
        },
        defer_days: 0,
        waive_penalties: true,
        reason: "the flood".to_owned(),
    };
    let (app, kim, key) = (&room.shop.app, staff("kim"), room.key());
    let asked = arrange::arrange(app, &kim, &key, command);
    room.refused("no penalty is open", asked, "nothing_to_arrange")
        .await;
}

#[tokio::test]
async fn what_is_somebody_elses_does_not_exist() {
    let room = room("others").await;
    let app = &room.shop.app;
    let bo = room.shop.bo().await.unwrap().actor();
    let key = room.key();
    let paid = pay::pay(app, &bo, &key, room.pay(yuan(1)));
    assert_eq!(room.denied("with another's card", paid).await, Denied::NotFound);
    let ask = Ask {
        shopper: Some(room.ann.id),
        ..room.ask(|_| ())
    };
    let quoted = quote::quote(app, &bo, room.ann.id, market::PLAN, &ask);
    assert_eq!(room.denied("another's quote", quoted).await, Denied::NotFound);
    assert!("not an id".parse::<ShopperId>().is_err());
}

#[test]
fn an_unknown_currency_is_no_currency() {
    for text in ["ABC", "cny", "", "RMB", "CNY "] {
        assert!(text.parse::<Currency>().is_err(), "{text:?}");
    }
}
