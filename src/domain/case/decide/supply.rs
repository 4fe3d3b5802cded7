//! Supply as its owners publish it: slots and shifts. Only the owner, or the back office for him, says what is free.

use crate::domain::{
    actor::{Actor, Role},
    calendar::wall_time,
    case::{
        fact::Fact,
        refusal::{FieldFault, Refusal},
    },
    directory::{Responder, ResponderKind},
    ids::{PersonId, ResponderId, SectorId, ShiftId, SlotId},
    place::Position,
    slots::{Slot, SlotKind, SlotState, hours},
    time::{Instant, Span},
    visits::{Shift, ShiftState},
};

use super::{draft::Draft, room};

/// The longest slot and the longest shift.
const LONGEST_SLOT: Span = Span::from_hours(4);
const LONGEST_SHIFT: Span = Span::from_hours(36);

pub(super) fn publish_slot(
    draft: &mut Draft<'_>,
    slot: Option<SlotId>,
    responder: &ResponderId,
    kind: SlotKind,
    (start, end): (Instant, Instant),
) -> Result<(), Refusal> {
    owner(draft, responder)?;
    period(start, end, LONGEST_SLOT, draft.now, "start_unix_ms", "end_unix_ms")?;
    let republished = slot.map(|id| draft.records.slots.get(&id).ok_or_else(|| Refusal::NotFound("slot".to_owned())));
    if republished.transpose()?.is_some_and(|known| known.responder != *responder || known.state != SlotState::Free) {
        return Err(Refusal::state("slot", "only a free slot of the same responder is published again"));
    }
    let turn = one_patient_at_a_time(draft, slot, responder, (start, end))?;
    if draft.context.directory.get(responder).is_some_and(|known| known.absent_at(start).is_some()) {
        let told = "RESPONDER_ABSENT: the directory says that he is away that day: it is not proposed while he is";
        draft.reply.warnings.push(told.to_owned());
    }
    let id = slot.unwrap_or_else(|| SlotId(draft.id("slot")));
    let (responder, state, unknown) = (responder.clone(), SlotState::Free, Default::default());
    draft.push(Fact::SlotPublished(Slot { id, responder, kind, start, end, state, turn, unknown }));
    draft.reply.slot = Some(id);
    Ok(())
}

/// A doctor of his own sees one patient at a time, whatever his agenda says twice. Answers the turn of this publication, by which
/// what was published last stands first among those of its hours; a structure has none.
fn one_patient_at_a_time(
    draft: &Draft<'_>,
    slot: Option<SlotId>,
    responder: &ResponderId,
    period: (Instant, Instant),
) -> Result<Option<u32>, Refusal> {
    if !draft.context.directory.get(responder).is_some_and(Responder::is_one_doctor) {
        return Ok(None);
    }
    let own = || draft.records.slots.values().filter(|known| known.responder == *responder);
    if let Some(other) = own().find(|known| Some(known.id) != slot && known.shares(period)) {
        return Err(twice(draft, other));
    }
    let beside = own().filter(|known| Some(known.id) == slot || known.hours().any(|hour| lies_in(period, hour)));
    Ok(Some(beside.filter_map(|known| known.turn).max().unwrap_or(0).saturating_add(1)))
}

fn lies_in((start, end): (Instant, Instant), hour: i64) -> bool {
    hours(start, end).any(|known| known == hour)
}

fn twice(draft: &Draft<'_>, other: &Slot) -> Refusal {
    let zone = draft.context.territory.calendar.zone();
    let clock = |at| wall_time(zone, at, "%H:%M");
    let instead = match other.bound_to(draft.now) {
        Some(_) => {
            "a patient has it: publish other hours, or have a coordinator or a regulator cancel that appointment and withdraw \
             the slot first"
        }
        None => "publish it again under its slot_id, or withdraw it first",
    };
    let (id, start, end) = (other.id, clock(other.start), clock(other.end));
    let problem =
        format!("this doctor sees one patient at a time, and his slot {id} lies from {start} to {end}: {instead}");
    Refusal::state("slot", problem)
}

pub(super) fn withdraw_slot(draft: &mut Draft<'_>, id: SlotId) -> Result<(), Refusal> {
    let slot = draft.records.slots.get(&id).cloned().ok_or_else(|| Refusal::NotFound("slot".to_owned()))?;
    owner(draft, &slot.responder)?;
    if slot.bound_to(draft.now).is_some() {
        let problem = "a patient has it: have a coordinator or a regulator cancel his appointment first";
        return Err(Refusal::state("slot", problem));
    }
    draft.push(Fact::SlotWithdrawn { slot: id });
    draft.reply.slot = Some(id);
    Ok(())
}

pub(super) fn open_shift(
    draft: &mut Draft<'_>,
    (responder, doctor): (&ResponderId, Option<&PersonId>),
    sectors: &[SectorId],
    (start, end): (Instant, Instant),
    position: Option<Position>,
) -> Result<(), Refusal> {
    let known = draft.context.directory.get(responder).ok_or_else(|| Refusal::NotFound("responder".to_owned()))?;
    if known.kind == ResponderKind::CollectivePractice {
        return Err(Refusal::Fields(vec![driven_for(known)]));
    }
    if let Some(wrong) = sectors.iter().position(|sector| !known.visits(sector)) {
        return Err(Refusal::field(format!("sectors[{wrong}]"), "the structure does not serve this sector"));
    }
    if sectors.is_empty() {
        return Err(Refusal::field("sectors", "name at least one sector"));
    }
    let doctor = on_duty(draft.context.actor, doctor, known)?;
    room::no_regulator(draft, &doctor, start, end)?;
    room::no_holder(draft, &doctor, start)?;
    period(start, end, LONGEST_SHIFT, draft.now, "start_unix_ms", "end_unix_ms")?;
    let mut own = draft.records.shifts.values().filter(|shift| shift.doctor == doctor && shift.working());
    if own.any(|shift| shift.overlaps(start, end)) {
        return Err(Refusal::state("shift", "this doctor is on duty already in that time: end that shift first"));
    }
    let id = ShiftId(draft.id("shift"));
    draft.push(Fact::ShiftOpened(Shift {
        id,
        doctor,
        responder: responder.clone(),
        sectors: sectors.to_vec(),
        start,
        end,
        opened: Some(draft.now),
        position: position.map(|position| (position, draft.now)),
        state: ShiftState::Free,
        unknown: Default::default(),
    }));
    draft.reply.shift = Some(id);
    Ok(())
}

/// A collective practice drives to nobody itself: its listed patients are visited by the association behind it.
fn driven_for(practice: &Responder) -> FieldFault {
    let served_by = practice.programme.as_ref().map(|programme| &programme.served_by);
    let who = served_by.or(practice.association.as_ref()).map_or("its association", ResponderId::as_str);
    let problem = format!("a collective practice has no shifts: its patients are visited by {who}, go on duty there");
    let french = format!("une structure traitante n'a pas de garde : prenez-la pour {who}");
    FieldFault { french, ..FieldFault::new("responder_id", problem) }
}

/// Who goes on duty: a doctor says it for himself, a desk for one of the structure's.
fn on_duty(actor: &Actor, named: Option<&PersonId>, structure: &Responder) -> Result<PersonId, Refusal> {
    let doctor = named.unwrap_or(&actor.person);
    let of_structure = structure.doctors.contains(doctor);
    let wrong = |problem: &str, french: &str| {
        let french = french.to_owned();
        Err(Refusal::Fields(vec![FieldFault { french, ..FieldFault::new("doctor", problem) }]))
    };
    match (actor.role, named) {
        (Role::Dispatcher, None) if !of_structure => wrong(
            "must be set: a DISPATCHER names the doctor of the structure who goes on duty",
            "nommez le médecin de la structure qui prend sa garde",
        ),
        (Role::Dispatcher, _) if !of_structure => wrong(
            "not a doctor of this structure: choose one of those the directory lists for it",
            "choisissez un médecin de cette structure",
        ),
        (Role::Dispatcher, _) => Ok(doctor.clone()),
        (_, Some(_)) if *doctor != actor.person => wrong(
            "a doctor goes on duty for himself: leave it out, or have a DISPATCHER open the shift",
            "laissez vide : chaque médecin ouvre sa propre garde, ou le standard l'ouvre",
        ),
        _ if of_structure => Ok(doctor.clone()),
        (role, _) => Err(Refusal::Role {
            role: role.code().to_owned(),
            needed: "a doctor of this structure, or DISPATCHER, who names one".to_owned(),
        }),
    }
}

pub(super) fn end_shift(draft: &mut Draft<'_>, id: ShiftId) -> Result<(), Refusal> {
    let shift = draft.records.shifts.get(&id).cloned().ok_or_else(|| Refusal::NotFound("shift".to_owned()))?;
    let actor = draft.context.actor;
    if shift.doctor != actor.person && actor.role != Role::Dispatcher {
        let (role, needed) = (actor.role.code().to_owned(), "the doctor of the shift, DISPATCHER".to_owned());
        return Err(Refusal::Role { role, needed });
    }
    if matches!(shift.state, ShiftState::OnVisit { .. }) {
        return Err(Refusal::state("shift", "a visit is under way: finish it or call it off first"));
    }
    draft.push(Fact::ShiftEnded { shift: id });
    draft.reply.shift = Some(id);
    Ok(())
}

/// A responder speaks for the structures he gives care for; the back office for all.
fn owner(draft: &Draft<'_>, responder: &ResponderId) -> Result<(), Refusal> {
    let actor = draft.context.actor;
    let known = draft.context.directory.get(responder).ok_or_else(|| Refusal::NotFound("responder".to_owned()))?;
    if actor.role == Role::BackOffice || known.doctors.contains(&actor.person) {
        return Ok(());
    }
    let (role, needed) = (actor.role.code().to_owned(), "a doctor of this structure, BACK_OFFICE".to_owned());
    Err(Refusal::Role { role, needed })
}

fn period(start: Instant, end: Instant, longest: Span, now: Instant, first: &str, second: &str) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    if end <= now {
        faults.push(FieldFault::new(second, "must be in the future"));
    }
    if end <= start {
        faults.push(FieldFault::new(first, "must be before the end"));
    } else if end.since(start) > longest {
        faults.push(FieldFault::new(second, format!("at most {} hours after the start", longest.secs() / 3_600)));
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Fields(faults)) }
}
