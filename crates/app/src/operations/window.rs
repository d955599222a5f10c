//! Opens and closes maintenance windows (维护窗口, R5). One that kept people from paying excuses the days it touched, so
//! that no late fee comes of our own outage (`excuse`).

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::market::{MALL, PLATFORM as PLATFORM_PARTY, Window};
use fenqi_domain::refusal::Capability;
use fenqi_store::Batch;
use fenqi_store::tables::settings::{self, Setting};
use fenqi_store::tables::staff::PLATFORM;
use fenqi_store::tables::work;
use jiff::Timestamp;
use serde::Serialize;

use crate::configuration::kinds;
use crate::mistake::{Mistake, Thing};
use crate::operations::{audit, because, excuse};
use crate::outcome::{Change, Denied, Key};
use crate::repayment::payments::CHANNEL;
use crate::unit::{Decision, request};
use crate::{App, Moment};

/// The command that takes a part of a service down.
#[derive(Debug, Clone, Serialize)]
pub struct Open {
    /// The window's code, by which it is closed.
    pub code: String,
    /// Who is down: `mall`, `platform`, `bank`, or an institution's code.
    pub party: String,
    /// What is down.
    pub capabilities: Vec<Capability>,
    /// From when; none for now.
    pub from: Option<Timestamp>,
    /// Until when it is expected to last, where that is known.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// The command that brings it back.
#[derive(Debug, Clone, Serialize)]
pub struct Close {
    /// Which window.
    pub code: String,
    /// Why.
    pub reason: String,
}

/// Opens a window.
///
/// Errors: [`Denied::Invalid`] for an unknown party, no capability, or an end before the beginning.
pub async fn open(app: &App, actor: &Actor, key: &Key, command: Open) -> Result<Change<Window>, Denied> {
    actor.require(Scope::Configure)?;
    because(&command.reason)?;
    Denied::of("/code", Mistake::of_code(&command.code))?;
    if command.capabilities.is_empty() {
        return Err(Denied::invalid("/capabilities", Mistake::Missing));
    }
    let asked = request(PLATFORM, actor, key, "open_window", &command);
    let change = app
        .once(&asked, || async {
            let mut moment = app.moment();
            let (generation, stored) = app.store.settings().await?;
            check(&command, &stored, &moment)?;
            let window = Window {
                code: command.code.clone(),
                party: command.party.clone(),
                capabilities: command.capabilities.clone(),
                from: command.from.unwrap_or(moment.now),
                until: command.until,
            };
            let mut batch = Batch::new(PLATFORM);
            settings::raise_generation(&mut batch, generation);
            settings::put_setting(&mut batch, kinds::WINDOW, &window.code, 1, &window);
            if let Some(until) = window.until.filter(|_| excuse::bars_payment(&window)) {
                let day = app.day_of(until);
                work::planned(&mut batch, PLATFORM, excuse::KIND, &window.code, day);
            }
            audit(
                &mut batch,
                actor,
                ("window.open", &window.code),
                &command.reason,
                &command,
                &mut moment,
            );
            Ok(Decision { batch, reply: window })
        })
        .await?;
    app.reload().await?;
    Ok(change)
}

/// Closes a window now, and excuses the days on which it kept people from paying.
///
/// Errors: [`Mistake::NotKnown`] unless it is open or still to come.
pub async fn close(app: &App, actor: &Actor, key: &Key, command: Close) -> Result<Change<Window>, Denied> {
    actor.require(Scope::Configure)?;
    because(&command.reason)?;
    let asked = request(PLATFORM, actor, key, "close_window", &command);
    let change = app
        .once(&asked, || async {
            let mut moment = app.moment();
            let (generation, stored) = app.store.settings().await?;
            let found = stored
                .iter()
                .find(|s| s.kind == kinds::WINDOW && s.code == command.code);
            let unknown = || Denied::unknown(actor, "/code", Thing::Window, &command.code);
            let mut window: Window = found.ok_or_else(unknown)?.detail()?;
            if window.until.is_some_and(|until| until <= moment.now) {
                return Err(unknown());
            }
            window.until = Some(moment.now.max(window.from));
            let mut batch = Batch::new(PLATFORM);
            settings::raise_generation(&mut batch, generation);
            settings::put_setting(&mut batch, kinds::WINDOW, &window.code, 1, &window);
            // The work stands until it is done, so that a crash between here and there only delays it.
            if excuse::bars_payment(&window) && window.from < moment.now {
                work::planned(&mut batch, PLATFORM, excuse::KIND, &window.code, moment.today);
            } else {
                work::done(&mut batch, PLATFORM, excuse::KIND, &window.code);
            }
            audit(
                &mut batch,
                actor,
                ("window.close", &window.code),
                &command.reason,
                &command,
                &mut moment,
            );
            Ok(Decision { batch, reply: window })
        })
        .await?;
    app.reload().await?;
    excuse::run(app, app.moment().today).await?;
    Ok(change)
}

fn check(command: &Open, stored: &[Setting], moment: &Moment) -> Result<(), Denied> {
    let is_institution = stored
        .iter()
        .any(|s| s.kind == kinds::INSTITUTION && s.code == command.party);
    let others = [MALL, PLATFORM_PARTY, CHANNEL];
    if !is_institution && !others.contains(&command.party.as_str()) {
        let institutions = stored.iter().filter(|s| s.kind == kinds::INSTITUTION);
        let among = others.map(String::from).into_iter();
        let mistake = Mistake::NotKnown {
            thing: Thing::Party,
            given: command.party.clone(),
            among: among.chain(institutions.map(|s| s.code.clone())).collect(),
        };
        return Err(Denied::invalid("/party", mistake));
    }
    let after = command.from.unwrap_or(moment.now);
    if let Some(given) = command.until.filter(|until| *until <= after) {
        return Err(Denied::invalid("/until", Mistake::NotAfter { given, after }));
    }
    if stored
        .iter()
        .any(|s| s.kind == kinds::WINDOW && s.code == command.code)
    {
        let given = command.code.clone();
        return Err(Denied::invalid("/code", Mistake::AlreadyUsed { given }));
    }
    Ok(())
}
