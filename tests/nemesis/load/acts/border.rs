//! A case is handed over to another territory, taken back, and accepted or sent back there.

use sas_dispatch::{domain::actor::Role, grpc::pb};

use super::{Act, by, change};
use crate::{load::Caller, site::Ground};

/// What may be done about a hand-over now: on the side that has sent, on the side that was sent to, or to send.
pub(super) fn of_border(view: &pb::CaseView, ground: &Ground) -> Vec<Act> {
    let waits = view.transfers.last().is_some_and(|sent| sent.end() == pb::TransferEnd::Unspecified);
    let received = view.received.as_ref().filter(|known| known.end() == pb::TransferEnd::Unspecified);
    match received {
        _ if waits => vec![Act::TakeBack],
        Some(copy) if copy.answered_unix_ms == 0 => vec![Act::Answer(true), Act::Answer(true), Act::Answer(false)],
        Some(_) => Vec::new(),
        None if ground.beyond.is_empty() => Vec::new(),
        None => match &view.claim {
            Some(claim) => vec![Act::HandOver(Some((claim.by.clone(), claim.claim_no)))],
            None => vec![Act::HandOver(None)],
        },
    }
}

pub(super) async fn perform(caller: &mut Caller, ground: &Ground, case: &str, act: Act) {
    let (case_id, version) = (case.to_owned(), Vec::new());
    match act {
        Act::HandOver(held) => {
            let Some(territory) = caller.dice.any(&ground.beyond).cloned() else { return };
            let arm = format!("arm-{}", caller.process);
            let (person, role, claim) = match &held {
                Some((person, no)) => (person, Role::Regulator, Some(*no)),
                None => (&arm, Role::Arm, None),
            };
            let draft = by("TransferCase", person, role, case, claim);
            let (claim_no, reason) = (claim.unwrap_or(0), "habite de l'autre côté".to_owned());
            change!(caller, draft, regulation.transfer_case, |id| pb::TransferCaseRequest {
                command_id: id,
                case_id,
                version,
                claim_no,
                territory,
                reason
            });
        }
        Act::TakeBack => {
            let arm = format!("arm-{}", caller.process);
            let draft = by("WithdrawTransfer", &arm, Role::Arm, case, None);
            let reason = "il revient chez lui".to_owned();
            change!(caller, draft, regulation.withdraw_transfer, |id| pb::WithdrawTransferRequest {
                command_id: id,
                case_id,
                version,
                reason
            });
        }
        Act::Answer(accepted) => {
            let me = format!("dr-regul-{}", caller.process);
            let draft = by("AnswerTransfer", &me, Role::Regulator, case, None);
            let refused_reason = if accepted { String::new() } else { "hors de notre secteur".to_owned() };
            change!(caller, draft, regulation.answer_transfer, |id| pb::AnswerTransferRequest {
                command_id: id,
                case_id,
                version,
                refused_reason
            });
        }
        _ => {}
    }
}
