//! The other territory of a room played by chance: it sends, accepts, refuses and says what became of what was sent.

use sas_dispatch::domain::{
    actor::{Actor, Role},
    case::{
        Case, Command,
        transfer::{Packet, Received, Transfer, TransferAct, TransferAnswer, TransferEnd, TransferWord, packet},
    },
    ids::{CaseId, case_id},
    regulation::qualification::Priority,
    time::Instant,
};
use sas_dispatch::store::due_command;

use super::{
    super::stage::{arm, someone, text, upkeep},
    act::{Act, Step},
};

pub fn transfer(act: TransferAct) -> Command {
    Command::Transfer(Box::new(act))
}

/// What travels of a case of another territory that is like `model`, if it is one that may be sent.
pub fn packet_of(model: &Case, now: Instant) -> Option<Packet> {
    let command = due_command(&format!("abroad/{}", model.id), now);
    let mut case = model.clone();
    // A place that this territory does not know is no obstacle.
    case.place.commune = None;
    (case.territory, case.received) = ("fr-89".parse().unwrap(), None);
    case.transfers = vec![Transfer {
        to: model.territory.clone(),
        there: case_id(command, now),
        command,
        by: "arm-sens".parse().unwrap(),
        at: now,
        changed: 0,
        ended: None,
        goes_on: None,
        again: None,
        unknown: Default::default(),
    }];
    let there = case.transfers[0].there;
    let vital = case.qualification.as_ref()?.priority == Priority::P0;
    packet(&case, there, None).filter(|_| !vital)
}

/// Who gives which command about a hand-over of `case`.
pub fn about(step: &Step, case: &Case, now: Instant) -> Option<(Actor, Command)> {
    let act = match &step.act {
        Act::Transfer { by_arm } => {
            let holder = case.claim.as_ref().map(|claim| claim.by.to_string()).filter(|_| !by_arm);
            let claim_no = holder.as_ref().map(|_| case.last_claim);
            let actor = holder.map_or_else(arm, |holder| someone(&holder, Role::Regulator));
            let (to, reason) = ("fr-89".parse().unwrap(), text("antenne"));
            return Some((actor, transfer(TransferAct::Send { claim_no, to, reason })));
        }
        Act::WithdrawTransfer => {
            return Some((arm(), transfer(TransferAct::TakeBack { reason: text("retrouvé ici") })));
        }
        Act::AnswerTransfer { refused } => {
            let newcomer = someone(["dr-reg-anne", "dr-reg-bruno"][step.who % 2], Role::Regulator);
            let refused = refused.then(|| text("pas chez nous"));
            return Some((newcomer, transfer(TransferAct::Answer { refused })));
        }
        Act::Carry { accepted } => match (case.sent(), &case.received) {
            (Some(sent), _) => settled(sent.there, *accepted),
            (None, Some(received)) => said(step, case, received, *accepted, now)?,
            (None, None) => {
                let last = case.transfers.last()?;
                TransferAct::Settle { there: last.there, answer: TransferAnswer::GoesOn { number: "D7".to_owned() } }
            }
        },
        _ => return None,
    };
    Some((upkeep(), transfer(act)))
}

fn settled(there: CaseId, accepted: bool) -> TransferAct {
    let by = "dr-reg-sens".parse().unwrap();
    let answer = if accepted {
        TransferAnswer::Accepted { by, number: "D7".to_owned() }
    } else {
        TransferAnswer::Returned { how: TransferEnd::Refused, by: Some(by), reason: None }
    };
    TransferAct::Settle { there, answer }
}

/// What the sender says of a copy: that it added something, whose the case is, that it has taken its own up again.
fn said(step: &Step, case: &Case, received: &Received, accepted: bool, now: Instant) -> Option<TransferAct> {
    let word = match (received.open(), step.pick) {
        (true, 3) => {
            let mut packet = packet_of(case, now)?;
            packet.received.as_of = received.as_of + 1;
            return Some(TransferAct::Bring(Box::new(packet)));
        }
        (true, _) if accepted => TransferWord::Confirmed,
        (true, _) => TransferWord::Ended(TransferEnd::Expired),
        (false, _) => TransferWord::SenderAgain(now),
    };
    Some(TransferAct::Tell(word))
}
