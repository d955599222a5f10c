//! Publishes a notice to the public, or takes it down (公告, R6).

use fenqi_domain::actor::{Actor, Scope};
use fenqi_domain::id::NoticeId;
use fenqi_domain::market::Notice;
use fenqi_domain::refusal::Capability;
use fenqi_store::Batch;
use fenqi_store::tables::settings;
use fenqi_store::tables::staff::PLATFORM;
use jiff::Timestamp;
use serde::Serialize;

use crate::App;
use crate::configuration::kinds;
use crate::mistake::{Mistake, Thing};
use crate::operations::{audit, because};
use crate::outcome::{Change, Denied, Key};
use crate::unit::{Decision, request};

/// The longest title or text of a notice, in characters.
const TEXT_MAX: usize = 2_000;

/// The command that publishes one.
#[derive(Debug, Clone, Serialize)]
pub struct Publish {
    /// Whom it is about: `mall`, `platform`, or an institution's code.
    pub party: String,
    /// The region, with those below it; none for everywhere.
    pub region: Option<String>,
    /// What is affected.
    pub capabilities: Vec<Capability>,
    /// The title in Chinese and in English.
    pub title: (String, String),
    /// The text in Chinese and in English.
    pub text: (String, String),
    /// From when it is shown; none for now.
    pub from: Option<Timestamp>,
    /// When things are expected to be well again, where that is known.
    pub expected_recovery_at: Option<Timestamp>,
    /// Why it is published, for the audit trail.
    pub reason: String,
}

/// The command that takes one down.
#[derive(Debug, Clone, Serialize)]
pub struct End {
    /// Which.
    pub notice: NoticeId,
    /// Why, for the audit trail.
    pub reason: String,
}

// H12: what is unavailable, since when and until when
/// Publishes a notice.
pub async fn publish(
    app: &App,
    actor: &Actor,
    key: &Key,
    command: Publish,
) -> Result<Change<Notice>, Denied> {
    actor.require(Scope::Configure)?;
    because(&command.reason)?;
    let texts = [
        ("/title/0", &command.title.0),
        ("/title/1", &command.title.1),
        ("/text/0", &command.text.0),
        ("/text/1", &command.text.1),
    ];
    for (field, text) in texts {
        Denied::of(field, Mistake::of_text(text, TEXT_MAX))?;
    }
    let asked = request(PLATFORM, actor, key, "publish_notice", &command);
    let change = app
        .once(&asked, || async {
            let mut moment = app.moment();
            let generation = app.store.generation().await?;
            let notice = Notice {
                id: NoticeId::new(&mut moment.ids),
                party: command.party.clone(),
                region: command.region.clone(),
                capabilities: command.capabilities.clone(),
                title_zh: command.title.0.clone(),
                title_en: command.title.1.clone(),
                text_zh: command.text.0.clone(),
                text_en: command.text.1.clone(),
                from: command.from.unwrap_or(moment.now),
                expected_recovery_at: command.expected_recovery_at,
                ended_at: None,
            };
            let mut batch = Batch::new(PLATFORM);
            settings::raise_generation(&mut batch, generation);
            let code = notice.id.to_string();
            settings::put_setting(&mut batch, kinds::NOTICE, &code, 1, &notice);
            audit(
                &mut batch,
                actor,
                ("notice.publish", &code),
                &command.reason,
                &command,
                &mut moment,
            );
            Ok(Decision { batch, reply: notice })
        })
        .await?;
    app.reload().await?;
    Ok(change)
}

/// Takes a notice down.
///
/// Errors: [`Mistake::NotKnown`] unless it is up.
pub async fn end(app: &App, actor: &Actor, key: &Key, command: End) -> Result<Change<Notice>, Denied> {
    actor.require(Scope::Configure)?;
    because(&command.reason)?;
    let asked = request(PLATFORM, actor, key, "end_notice", &command);
    let change = app
        .once(&asked, || async {
            let mut moment = app.moment();
            let (generation, stored) = app.store.settings().await?;
            let code = command.notice.to_string();
            let found = stored.iter().find(|s| s.kind == kinds::NOTICE && s.code == code);
            let unknown = || Denied::unknown(actor, "/notice", Thing::Notice, &code);
            let mut notice: Notice = found.ok_or_else(unknown)?.detail()?;
            if notice.ended_at.is_some() {
                return Err(unknown());
            }
            notice.ended_at = Some(moment.now);
            let mut batch = Batch::new(PLATFORM);
            settings::raise_generation(&mut batch, generation);
            settings::put_setting(&mut batch, kinds::NOTICE, &code, 1, &notice);
            audit(
                &mut batch,
                actor,
                ("notice.end", &code),
                &command.reason,
                &command,
                &mut moment,
            );
            Ok(Decision { batch, reply: notice })
        })
        .await?;
    app.reload().await?;
    Ok(change)
}

/// The notices that a region sees now, the newest first. They are for everybody, so that nobody is asked who they are.
pub async fn notices(app: &App, region: &str) -> Result<Vec<Notice>, Denied> {
    let configuration = app.configuration().await?;
    let now = app.clock.now();
    let shown = configuration.notices.iter().filter(|n| n.is_shown(region, now));
    let mut shown: Vec<Notice> = shown.cloned().collect();
    shown.sort_by(|a, b| b.from.cmp(&a.from).then(b.id.cmp(&a.id)));
    Ok(shown)
}
