//! The stage of a scenario (剧本的舞台): its cues, carried to the sandbox's parties.

use fenqi_app::ports::BureauRecord;
use fenqi_connect::SandboxControl;
use fenqi_connect::bank::Card;
use fenqi_connect::people::Person;
use fenqi_connect::script::{Lasting, Misbehaviour, Operation};
use fenqi_domain::money::Amount;
use fenqi_story::language::{self, Wrong};
use fenqi_story::{Arrived, Control, Cue};

/// The strings by which a scenario moves a sandbox.
pub fn control(sandbox: &SandboxControl) -> Control {
    let moved = sandbox.clone();
    let read = sandbox.clone();
    let heard = sandbox.clone();
    Control {
        cue: Box::new(move |cue| carry(&moved, cue)),
        messages: Box::new(move |phone| {
            let arrived = read.messages_to(phone).into_iter();
            arrived
                .map(|m| Arrived {
                    channel: m.channel,
                    text: m.text,
                    at: m.at.unwrap_or_default(),
                })
                .collect()
        }),
        notices: Box::new(move || {
            let told = heard.take_notices().into_iter();
            told.filter_map(crate::story::notice).collect()
        }),
    }
}

fn carry(sandbox: &SandboxControl, cue: &Cue) -> Result<(), String> {
    match cue {
        Cue::Person {
            name,
            id_number,
            income,
        } => sandbox.put_person(Person::new(name, id_number, *income)),
        Cue::Income { id_number, income } => {
            sandbox.set_income(id_number, *income).map_err(unknown)?;
        }
        Cue::Record { id_number, record } => {
            let history = BureauRecord {
                months: record.months,
                worst_days_past_due: i64::from(record.worst_days),
                days_past_due: i64::from(record.days_now),
                enquiries: record.enquiries,
            };
            sandbox.set_history(id_number, history).map_err(unknown)?;
        }
        Cue::Face {
            id_number,
            is_recognised,
        } => {
            let changed = sandbox.change_person(id_number, |person| person.face_matches = *is_recognised);
            changed.map_err(unknown)?;
        }
        Cue::Balance {
            token,
            holder,
            balance,
        } => put_on_card(sandbox, token, holder, *balance),
        Cue::Condition { token, refuses_with } => {
            let changed = sandbox.change_card(token, |card| card.refuses_with.clone_from(refuses_with));
            changed.map_err(unknown)?;
        }
        Cue::Down { party } | Cue::Up { party } if !sandbox.parties().contains(party) => {
            let parties = sandbox.parties().join(", ");
            return Err(format!("{party} is no outside party; there are {parties}"));
        }
        Cue::Down { party } => sandbox.take_down(party),
        Cue::Up { party } => sandbox.mend(party),
        Cue::Wrong {
            party,
            operation,
            times,
            how,
        } => {
            let operation: Operation = operation
                .parse()
                .map_err(|e: fenqi_connect::script::UnknownOperation| e.to_string())?;
            if !sandbox.takes(party, operation) {
                return Err(format!("{party} is never asked for that"));
            }
            sandbox.next_times(party, operation, misbehaviour(how), *times);
        }
        Cue::Bounce { number, at } => {
            if !sandbox.take_back(number, *at) {
                return Err(format!("the bank has no success of {number} to take back"));
            }
        }
        Cue::Time(now) => sandbox.time_is(*now),
    }
    Ok(())
}

fn put_on_card(sandbox: &SandboxControl, token: &str, holder: &str, balance: Amount) {
    if sandbox.set_balance(token, balance).is_err() {
        let mut card = Card::new(balance);
        card.holder = Some(holder.to_owned());
        sandbox.put_card(token, card);
    }
}

fn misbehaviour(how: &Wrong) -> Misbehaviour {
    match how {
        Wrong::LostRequest => Misbehaviour::LostRequest,
        Wrong::LostReply => Misbehaviour::LostReply,
        Wrong::Repeated => Misbehaviour::Repeated,
        Wrong::Pending(how_long) => Misbehaviour::Pending(lasting(*how_long)),
        Wrong::Refused(code) => Misbehaviour::Refused { code: code.clone() },
        Wrong::NotFound(how_long) => Misbehaviour::NotFoundFirst(lasting(*how_long)),
        Wrong::CalledFailed(code, how_long) => Misbehaviour::SuccessAfterFailure {
            code: code.clone(),
            lasting: lasting(*how_long),
        },
        Wrong::NotifiedTwice => Misbehaviour::DuplicateNotice,
        Wrong::LeftOut => Misbehaviour::LineMissing,
        Wrong::Differs(by) => Misbehaviour::LineDiffers { by: *by },
    }
}

fn lasting(how_long: language::Lasting) -> Lasting {
    match how_long {
        language::Lasting::Asks(asks) => Lasting::Asks(asks),
        language::Lasting::Until(at) => Lasting::Until(at),
    }
}

fn unknown(unknown: fenqi_connect::Unknown) -> String {
    format!("the sandbox knows no such {}", unknown.what)
}
