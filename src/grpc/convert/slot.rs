//! Slots, to and from the wire.

use crate::{
    domain::{
        actor::{Actor, Role},
        case::command::{Command, OfferAnswer},
        ids::{OfferId, ResponderId},
        slots::{Slot, SlotState},
        time::Instant,
    },
    engine::{CaseView, Failure, PageRequest, Place, Target},
    grpc::pb,
};

use super::{
    beside::counter,
    case,
    codes::Coded,
    fields::{Act, Fields, LONGEST_WORDS},
};

/// A slot as it stands at `now`: a hold that ran out is free.
pub fn slot(known: &Slot, now: Instant) -> pb::Slot {
    let mut wire = pb::Slot {
        slot_id: known.id.to_string(),
        responder_id: known.responder.to_string(),
        kind: known.kind.wire(),
        start_unix_ms: known.start.unix_ms(),
        end_unix_ms: known.end.unix_ms(),
        status: pb::SlotStatus::Free as i32,
        ..pb::Slot::default()
    };
    match &known.state {
        SlotState::Held { case, offer, until } if *until > now => {
            wire.status = pb::SlotStatus::Held as i32;
            (wire.case_id, wire.offer_id) = (case.to_string(), offer.to_string());
            wire.held_until_unix_ms = until.unix_ms();
        }
        SlotState::Free | SlotState::Held { .. } => {}
        SlotState::Booked { case, offer, .. } => {
            wire.status = pb::SlotStatus::Booked as i32;
            (wire.case_id, wire.offer_id) = (case.to_string(), offer.to_string());
        }
        SlotState::Withdrawn { .. } => wire.status = pb::SlotStatus::Withdrawn as i32,
    }
    wire
}

/// A slot of an agenda as `reader` may see it: whose it is is for the room and for the doctors of that agenda.
pub fn listed(reader: &Actor, place: &Place, known: &Slot, now: Instant) -> pb::Slot {
    let whole = slot(known, now);
    let his = || place.directory.get(&known.responder).is_some_and(|owner| owner.doctors.contains(&reader.person));
    if reader.role.of_the_room() || (reader.role == Role::Responder && his()) {
        return whole;
    }
    pb::Slot { case_id: String::new(), offer_id: String::new(), ..whole }
}

/// The hold as an act left it.
pub fn renewed(view: &CaseView, offer: Option<OfferId>, receipt: Option<pb::Receipt>) -> pb::RenewHoldResponse {
    let held = offer.and_then(|id| view.case.offer(id));
    pb::RenewHoldResponse {
        receipt,
        held_until_unix_ms: case::ms(held.map(|held| held.until)),
        version: view.version.to_bytes().to_vec(),
    }
}

/// The appointment as an act left it.
pub fn confirmed(
    place: &Place,
    view: &CaseView,
    offer: Option<OfferId>,
    receipt: Option<pb::Receipt>,
) -> pb::ConfirmSlotResponse {
    let known = offer.and_then(|id| view.case.offer(id));
    pb::ConfirmSlotResponse {
        receipt,
        offer: known.map(|known| case::offer(place, known)),
        version: view.version.to_bytes().to_vec(),
    }
}

/// A slot to publish.
///
/// # Errors
/// Every wrong field at once.
pub fn publish(request: &pb::PublishSlotRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("PublishSlot", &request.command_id, request);
    let slot = fields.optional("slot_id", &request.slot_id);
    let responder = fields.id("responder_id", &request.responder_id);
    let kind = fields.code("kind", request.kind);
    let start = fields.instant("start_unix_ms", request.start_unix_ms);
    let end = fields.instant("end_unix_ms", request.end_unix_ms);
    let command = responder.zip(kind).zip(start.zip(end));
    let command =
        command.map(|((responder, kind), (start, end))| Command::PublishSlot { slot, responder, kind, start, end });
    fields.act(mutation, Some(Target::default()), command)
}

/// A slot to take back.
///
/// # Errors
/// Every wrong field at once.
pub fn withdraw(request: &pb::WithdrawSlotRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("WithdrawSlot", &request.command_id, request);
    let slot = fields.id("slot_id", &request.slot_id);
    fields.act(mutation, Some(Target::default()), slot.map(Command::WithdrawSlot))
}

/// Whose slots, and which page.
///
/// # Errors
/// Every wrong field at once.
pub fn list(request: &pb::ListSlotsRequest) -> Result<(ResponderId, PageRequest), Failure> {
    let mut fields = Fields::default();
    let responder = fields.id("responder_id", &request.responder_id);
    let page = fields.page(request.page_size, &request.page_token, request.at_least_seq);
    fields.done(responder.zip(page))
}

/// A hold to keep longer.
///
/// # Errors
/// Every wrong field at once.
pub fn renew(request: &pb::RenewHoldRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("RenewHold", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let offer = fields.id("offer_id", &request.offer_id);
    fields.act(mutation, target, offer.map(|offer| Command::RenewHold { offer }))
}

/// A hold to book: the offer is accepted, and the slot says when.
///
/// # Errors
/// Every wrong field at once.
pub fn confirm(request: &pb::ConfirmSlotRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("ConfirmSlot", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let offer = fields.id("offer_id", &request.offer_id);
    let answer = OfferAnswer::Confirmed;
    fields.act(mutation, target, offer.map(|offer| Command::AnswerOffer { offer, answer }))
}

/// An appointment or a hold to take back.
///
/// # Errors
/// Every wrong field at once.
pub fn cancel(request: &pb::CancelAppointmentRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("CancelAppointment", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let offer = fields.id("offer_id", &request.offer_id);
    let reason = fields.words("reason", &request.reason, LONGEST_WORDS);
    let command = offer.zip(reason).map(|(offer, reason)| Command::Cancel { offer, reason });
    fields.act(mutation, target, command)
}

/// Whether the patient came.
///
/// # Errors
/// Every wrong field at once.
pub fn attend(request: &pb::RecordAttendanceRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("RecordAttendance", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let offer = fields.id("offer_id", &request.offer_id);
    let seen = match pb::Attendance::try_from(request.attendance) {
        Ok(pb::Attendance::Seen) => Some(true),
        Ok(pb::Attendance::NoShow) => Some(false),
        Ok(pb::Attendance::Unspecified) | Err(_) => fields.fault("attendance", "must be set: SEEN or NO_SHOW"),
    };
    let counter = counter(&mut fields, request.counter_regulation.as_ref());
    let command = offer.zip(seen).map(|(offer, seen)| Command::Attend { offer, seen, counter });
    fields.act(mutation, target, command)
}
