//! What stands on the screen as next for a case, with the choices its owner has.

use sas_dispatch::domain::{
    case::{Action, ActionKind, Case, End, command::CallEvent},
    regulation::{need::CareType, qualification::Attribution},
    visits::VisitStatus,
};

use super::act::Act;

const CARE: [CareType; 8] = [
    CareType::Consultation,
    CareType::HomeVisit,
    CareType::HomeVisit,
    CareType::Consultation,
    CareType::Advice,
    CareType::PhonePrescription,
    CareType::HomeVisit,
    CareType::Ambulance,
];

/// One of the acts that go on with the case.
pub fn act(case: &Case, pick: usize) -> Act {
    let open: Vec<&Action> = case.open_actions().collect();
    let Some(action) = open.get(pick % open.len().max(1)) else { return Act::Note };
    match action.kind {
        ActionKind::AnswerCall => Act::Call(CallEvent::Answered),
        ActionKind::Qualify if pick == 7 => Act::Dismiss(Attribution::WrongNumber),
        ActionKind::Qualify => {
            Act::Qualify { priority: 1 + pick % 3, stream: 1, flag: None, symptoms: true, protocol: pick == 0 }
        }
        // A copy whose sender has not spoken yet.
        ActionKind::Regulate if unsettled(case) && [0, 2, 3, 6].contains(&pick) => Act::Carry { accepted: pick != 6 },
        ActionKind::Regulate if unsettled(case) => Act::AnswerTransfer { refused: pick == 5 },
        ActionKind::Regulate if case.claim.is_none() => Act::Claim,
        ActionKind::Regulate if case.decisions.iter().any(|decision| decision.answer.is_none()) => {
            Act::Answer { same: pick != 4, keep: false }
        }
        ActionKind::Regulate => Act::Need { care: CARE[pick], keep: false, follow_up: false },
        ActionKind::HandOver => Act::Accept,
        ActionKind::Unanswered => Act::Claim,
        ActionKind::Route if pick.is_multiple_of(2) => Act::Plan,
        ActionKind::Route => Act::Offer,
        ActionKind::RingGp | ActionKind::ConfirmSlot if pick == 6 => Act::No { declined: true },
        ActionKind::ConfirmSlot if pick == 3 => Act::RenewHold,
        ActionKind::RingGp | ActionKind::ConfirmSlot => Act::Yes,
        ActionKind::AcceptVisit if pick.is_multiple_of(3) => Act::OpenShift,
        ActionKind::AcceptVisit => Act::TakeVisit,
        ActionKind::Appointment => Act::Attend { seen: pick != 3 },
        ActionKind::Visit if pick == 5 => Act::End(End::Absent),
        ActionKind::Visit if pick == 6 => Act::Cancel,
        ActionKind::Visit => Act::MoveVisit(VisitStatus::ALL[2 + pick % 5]),
        ActionKind::AwaitReport => Act::Report,
        ActionKind::TelephoneAppointment if pick == 2 => Act::End(End::Unreachable),
        ActionKind::CompleteFile => Act::Complete,
        ActionKind::AskConsent | ActionKind::AskConsentCcas => Act::End(End::Refused),
        ActionKind::Transfer if pick == 5 => Act::WithdrawTransfer,
        ActionKind::Transfer => Act::Carry { accepted: pick.is_multiple_of(2) },
        ActionKind::Reorient => Act::AnswerReorientation { refused: pick.is_multiple_of(2) },
        ActionKind::CallBack
        | ActionKind::TelephoneAppointment
        | ActionKind::AnnouncePatient
        | ActionKind::SeeCounterRegulation
        | ActionKind::ReEvaluate
        | ActionKind::Interpreter
        | ActionKind::Refer
        | ActionKind::ReferCcas
        | ActionKind::DepositDocument
        | ActionKind::ArrangeTransport
        | ActionKind::DeliverPrescription
        | ActionKind::ReturnOfInformation
        | ActionKind::FollowUp => Act::End(End::Done),
    }
}

fn unsettled(case: &Case) -> bool {
    case.received.as_ref().is_some_and(|received| received.open())
}
