//! A decision is carried out: responders are rung, slots held, confirmed and given back.

use sas_dispatch::{domain::actor::Role, grpc::pb};

use super::{Act, by, change};
use crate::{load::Caller, pace::unix_ms};

pub(super) async fn offers(caller: &mut Caller, case: &str, act: Act) {
    let desk = format!("osnp-{}", caller.process);
    let draft = |kind| by(kind, &desk, Role::Coordinator, case, None);
    let (case_id, version) = (case.to_owned(), Vec::new());
    match act {
        Act::Advance(decision_id) => {
            change!(caller, draft("Advance"), routing.advance, |id| pb::AdvanceRequest {
                command_id: id,
                case_id,
                version,
                decision_id
            });
        }
        Act::Ring(offer_id) => {
            use pb::answer_offer_request::{Accepted, Answer, Declined, Unreachable};
            let answer = Some(match caller.dice.below(3) {
                0 => Answer::Accepted(Accepted { appointment_unix_ms: unix_ms() + 3_600_000 }),
                1 => Answer::Declined(Declined {}),
                _ => Answer::Unreachable(Unreachable {}),
            });
            change!(caller, draft("AnswerOffer"), routing.answer_offer, |id| pb::AnswerOfferRequest {
                command_id: id,
                case_id,
                version,
                offer_id,
                answer
            });
        }
        Act::Confirm(offer_id) => {
            change!(caller, draft("ConfirmSlot"), slots.confirm_slot, |id| pb::ConfirmSlotRequest {
                command_id: id,
                case_id,
                version,
                offer_id
            });
        }
        Act::RenewHold(offer_id) => {
            change!(caller, draft("RenewHold"), slots.renew_hold, |id| pb::RenewHoldRequest {
                command_id: id,
                case_id,
                version,
                offer_id
            });
        }
        Act::CancelOffer(offer_id) => {
            let reason = "le patient a rappelé".to_owned();
            change!(caller, draft("CancelOffer"), routing.cancel_offer, |id| pb::CancelOfferRequest {
                command_id: id,
                case_id,
                version,
                offer_id,
                reason
            });
        }
        later => appointments(caller, case, later).await,
    }
}

async fn appointments(caller: &mut Caller, case: &str, act: Act) {
    let desk = format!("osnp-{}", caller.process);
    let draft = |kind| by(kind, &desk, Role::Coordinator, case, None);
    let (case_id, version) = (case.to_owned(), Vec::new());
    match act {
        Act::CancelAppointment(offer_id) => {
            let reason = "le patient ne viendra pas".to_owned();
            change!(caller, draft("CancelAppointment"), slots.cancel_appointment, |id| pb::CancelAppointmentRequest {
                command_id: id,
                case_id,
                version,
                offer_id,
                reason
            });
        }
        Act::Attend(offer_id) => {
            let attendance = pb::Attendance::Seen.into();
            change!(caller, draft("RecordAttendance"), slots.record_attendance, |id| pb::RecordAttendanceRequest {
                counter_regulation: None,
                command_id: id,
                case_id,
                version,
                offer_id,
                attendance
            });
        }
        _ => {}
    }
}
