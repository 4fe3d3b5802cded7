//! What a fact means for the records. Total: an event that was committed always applies.

mod handed;

use std::sync::Arc;

use crate::domain::{
    ids::{CaseId, SlotId},
    regulation::{qualification::Priority, room::Room},
    slots::SlotState,
    time::Instant,
    visits::ShiftState,
};

use super::{
    action::{self, ActionState},
    command::Particulars,
    fact::{Event, Fact, Opened, Records},
    sealed::{Sealed, Words},
    state::{Case, Claim, OfferState, Route, SCHEMA},
};

/// Applies an event to the records, in order, facts before words.
pub fn apply(records: &mut Records, event: &Event) {
    event.facts.iter().for_each(|fact| apply_fact(records, event, fact));
    event.words.iter().for_each(|words| apply_words(records, event, words));
}

/// Applies one fact; `event` says of which case, by whom and when.
pub(super) fn apply_fact(records: &mut Records, event: &Event, fact: &Fact) {
    match fact {
        Fact::SlotPublished(slot) => {
            records.slots.insert(slot.id, slot.clone());
        }
        Fact::ShiftOpened(shift) => {
            records.shifts.insert(shift.id, shift.clone());
        }
        Fact::Opened(opened) => {
            if let Some(id) = event.case {
                records.cases.insert(id, Arc::new(new_case(id, opened, event)));
            }
        }
        Fact::DutyStarted(_) | Fact::DutyEnded { .. } | Fact::SurgeStarted(_) | Fact::SurgeEnded => {
            apply_to_room(records.room.get_or_insert_default(), event, fact);
        }
        Fact::SheetPut(sheet) => {
            records.sheets.insert(sheet.id, sheet.clone());
        }
        Fact::SheetEnded { sheet } => {
            if let Some(sheet) = records.sheets.get_mut(sheet) {
                sheet.ended = Some(event.at);
            }
        }
        Fact::SheetArchived { sheet } => {
            records.sheets.remove(sheet);
        }
        Fact::CaseArchived => {
            event.case.and_then(|id| records.cases.remove(&id));
        }
        Fact::SlotArchived { slot } => {
            records.slots.remove(slot);
        }
        Fact::ShiftArchived { shift } => {
            records.shifts.remove(shift);
        }
        fact => {
            apply_to_slot(records, event, fact);
            apply_to_shift(records, event, fact);
            if let Some(case) = event.case.and_then(|id| records.case_mut(id)) {
                apply_to_case(case, event, fact);
                handed::apply(case, event, fact);
                settle(case, event);
            }
        }
    }
}

fn apply_to_room(room: &mut Room, event: &Event, fact: &Fact) {
    match fact {
        Fact::DutyStarted(duty) => room.enter(duty.clone(), event.at),
        Fact::DutyEnded { duty } => {
            room.duties.iter_mut().filter(|known| known.id == *duty).for_each(|known| known.ended = Some(event.at));
        }
        Fact::SurgeStarted(surge) => room.surge = Some(surge.clone()),
        Fact::SurgeEnded => {
            if let Some(surge) = &mut room.surge {
                surge.ended = Some((event.at, event.actor.person.clone()));
            }
        }
        _ => {}
    }
}

/// Notes since when nothing is left to be done for the case.
fn settle(case: &mut Case, event: &Event) {
    let open = case.actions.iter().any(super::action::Action::open);
    case.idle_since = if open { None } else { case.idle_since.or(Some(event.at)) };
}

fn new_case(id: CaseId, opened: &Opened, event: &Event) -> Case {
    Case {
        schema: SCHEMA,
        id,
        territory: event.actor.territory.clone(),
        channel: opened.channel,
        origin: opened.origin.clone(),
        opened: opened.arrived,
        entered: event.at,
        call: opened.call.clone(),
        number_form: opened.number_form.clone(),
        line: opened.line,
        line_heard: None,
        safety: Default::default(),
        place: Default::default(),
        patients: Vec::new(),
        repeat_of: None,
        qualification: None,
        dismissed: None,
        may_wait: None,
        activates: None,
        last_claim: 0,
        claim: None,
        regulators: Default::default(),
        excepted: Default::default(),
        responders: Default::default(),
        transfers: Vec::new(),
        received: None,
        decisions: Vec::new(),
        answered_before: 0,
        routes: Vec::new(),
        offers: Vec::new(),
        visits: Vec::new(),
        actions: Vec::new(),
        idle_since: None,
        unknown: Default::default(),
        sealed: Sealed::default(),
    }
}

fn apply_to_case(case: &mut Case, event: &Event, fact: &Fact) {
    let at = event.at;
    match fact {
        Fact::PlaceSet(place) => case.place = place.clone(),
        Fact::PatientSet(patient) => {
            case.patients.retain(|known| known.number != patient.number);
            case.patients.push(patient.clone());
            case.patients.sort_by_key(|known| known.number);
        }
        Fact::SafetySet(safety) => case.safety = *safety,
        Fact::LineSet(line) => case.line = *line,
        Fact::LineHeard(at) => case.line_heard = Some(*at),
        Fact::RepeatOf(earlier) => case.repeat_of = Some(*earlier),
        Fact::Qualified(qualification) => {
            case.qualification = Some(qualification.clone());
            case.dismissed = None;
            case.may_wait = None;
        }
        Fact::TriagedAgain(proposed) => {
            case.qualification.iter_mut().for_each(|known| known.proposal = Some(proposed.clone()));
        }
        Fact::Flagged(flag) => {
            if let Some(qualification) = &mut case.qualification {
                qualification.flags.push(*flag);
            }
            // What is heard anew ends a doctor's word that it may wait.
            case.may_wait = None;
        }
        Fact::Dismissed(attribution) => case.dismissed = Some(*attribution),
        Fact::Requeued { stream, priority, due } => {
            if let Some(qualification) = &mut case.qualification {
                qualification.stream = *stream;
                qualification.priority = *priority;
                qualification.due = *due;
            }
        }
        Fact::NeedSigned(decision) => {
            if decision.protocol.is_none() {
                case.regulators.insert(decision.signed.by.clone());
            }
            case.decisions.push((**decision).clone());
        }
        Fact::AnswerSigned { decision, answer } => {
            if let Some(decision) = case.decisions.iter_mut().find(|known| known.id == *decision) {
                if decision.protocol.is_none() {
                    case.regulators.insert(answer.signed.by.clone());
                }
                decision.answer = Some(answer.clone());
            }
        }
        Fact::Excepted { person, .. } => {
            case.excepted.insert(person.clone());
        }
        Fact::Responded { offer, person } => {
            case.responders.insert((*offer, person.clone()));
        }
        Fact::Planned { decision, plan } => {
            case.routes.retain(|route| route.decision != *decision);
            case.routes.push(Route { decision: *decision, plan: (**plan).clone() });
        }
        fact => {
            apply_word(case, fact);
            apply_claim(case, at, fact);
            apply_offer(case, at, fact);
            apply_visit(case, fact);
            apply_action(case, at, fact);
        }
    }
}

/// What somebody said of the file or of a decision, beside signing.
fn apply_word(case: &mut Case, fact: &Fact) {
    match fact {
        Fact::MayWait(said) => {
            case.may_wait = Some(said.clone());
            let Some(known) = &mut case.qualification else { return };
            let after = known.priority.max(Priority::P2);
            // A doctor says it, and he may go below a red flag.
            if let Some(proposal) = &mut known.proposal {
                proposal.lowered |= proposal.red_flags.iter().any(|flag| flag.priority < after);
            }
        }
        Fact::CounterRegulated { decision, counter } => {
            if let Some(decision) = case.decisions.iter_mut().find(|known| known.id == *decision) {
                decision.counter = Some(counter.clone());
            }
        }
        Fact::MotiveSet(motive) => {
            if let Some(qualification) = &mut case.qualification {
                qualification.motive = Some(motive.clone());
            }
        }
        Fact::ActivatesAt(at) => case.activates = Some(*at),
        _ => {}
    }
}

fn apply_claim(case: &mut Case, at: Instant, fact: &Fact) {
    match fact {
        Fact::Claimed { no, by, connection } => {
            case.last_claim = *no;
            case.regulators.insert(by.clone());
            if let Some(known) = &mut case.qualification {
                known.out_of_amu.take_if(|holder| holder != by);
            }
            let (connection, suspect, fallback) = (connection.clone(), None, None);
            case.claim = Some(Claim { no: *no, by: by.clone(), connection, at, suspect, fallback });
        }
        Fact::ClaimSuspect { .. } => {
            if let Some(claim) = &mut case.claim {
                claim.suspect = Some(at);
            }
        }
        Fact::ClaimResumed { .. } => {
            if let Some(claim) = &mut case.claim {
                claim.suspect = None;
            }
        }
        Fact::FellBack { code } => {
            if let Some(claim) = &mut case.claim {
                claim.fallback = Some(*code);
            }
        }
        Fact::ClaimEnded { .. } => case.claim = None,
        _ => {}
    }
}

fn apply_offer(case: &mut Case, at: Instant, fact: &Fact) {
    let (id, state) = match fact {
        Fact::Offered(offer) => {
            case.offers.push(offer.clone());
            return;
        }
        Fact::OfferAccepted { offer, appointment } => (offer, OfferState::Accepted { at, appointment: *appointment }),
        Fact::OfferClosed { offer, why, doctor } => {
            (offer, OfferState::Closed { at, why: *why, doctor: doctor.clone() })
        }
        Fact::OfferWithdrawn { offer } => (offer, OfferState::Withdrawn { at }),
        Fact::SlotHeld { offer, until, .. } => {
            case.offers.iter_mut().filter(|known| known.id == *offer).for_each(|known| known.until = *until);
            return;
        }
        _ => return,
    };
    if let Some(offer) = case.offers.iter_mut().find(|offer| offer.id == *id) {
        offer.state = state;
    }
}

fn apply_visit(case: &mut Case, fact: &Fact) {
    match fact {
        Fact::VisitDecided(visit) => case.visits.push(visit.clone()),
        Fact::VisitTaken { visit, doctor, shift } => {
            if let Some(visit) = case.visits.iter_mut().find(|known| known.id == *visit) {
                visit.doctor = Some((doctor.clone(), *shift));
            }
        }
        Fact::VisitMoved { visit, status, happened } => {
            if let Some(visit) = case.visits.iter_mut().find(|known| known.id == *visit) {
                visit.status = *status;
                visit.history.push((*status, *happened));
            }
        }
        _ => {}
    }
}

fn apply_action(case: &mut Case, at: Instant, fact: &Fact) {
    if let Fact::ActionOpened(action) = fact {
        // What is to be done again was not ended after all.
        case.dismissed = None;
        if action.kind == super::ActionKind::Regulate {
            case.answered_before = case.answered();
            case.may_wait = None;
        }
        case.actions.push(action.clone());
        action::forget_old(&mut case.actions, action);
        return;
    }
    let (Fact::ActionMoved { action: id, .. }
    | Fact::ActionAlarmed { action: id }
    | Fact::ActionEnded { action: id, .. }) = fact
    else {
        return;
    };
    let Some(action) = case.actions.iter_mut().find(|known| known.id == *id) else { return };
    match fact {
        Fact::ActionMoved { deadline, .. } => {
            action.deadline = *deadline;
            action.state = ActionState::Open { alarmed: None };
        }
        Fact::ActionAlarmed { .. } => action.state = ActionState::Open { alarmed: Some(at) },
        Fact::ActionEnded { end, .. } => {
            action.state = ActionState::Ended { at, end: *end };
            if action.kind == super::ActionKind::Regulate {
                case.may_wait = None;
            }
        }
        _ => {}
    }
}

fn apply_to_slot(records: &mut Records, event: &Event, fact: &Fact) {
    let at = event.at;
    let set = |records: &mut Records, id: &SlotId, state: SlotState| {
        if let Some(slot) = records.slots.get_mut(id) {
            slot.state = state;
        }
    };
    match (fact, event.case) {
        (Fact::SlotHeld { slot, offer, until }, Some(case)) => {
            set(records, slot, SlotState::Held { case, offer: *offer, until: *until });
        }
        (Fact::SlotBooked { slot, offer, own_patient }, Some(case)) => {
            let (offer, own_patient) = (*offer, *own_patient);
            set(records, slot, SlotState::Booked { case, offer, at, own_patient });
        }
        (Fact::SlotFreed { slot }, _) => set(records, slot, SlotState::Free),
        (Fact::SlotWithdrawn { slot }, _) => set(records, slot, SlotState::Withdrawn { at }),
        _ => {}
    }
}

fn apply_to_shift(records: &mut Records, event: &Event, fact: &Fact) {
    let (Fact::ShiftBusy { shift: id, .. } | Fact::ShiftEnded { shift: id }) = fact else {
        return;
    };
    let Some(shift) = records.shifts.get_mut(id) else { return };
    match (fact, event.case) {
        (Fact::ShiftBusy { visit: Some(visit), .. }, Some(case)) => {
            shift.state = ShiftState::OnVisit { case, visit: *visit };
        }
        (Fact::ShiftBusy { visit: None, .. }, _) => shift.state = ShiftState::Free,
        (Fact::ShiftEnded { .. }, _) => shift.state = ShiftState::Ended { at: event.at },
        _ => {}
    }
}

/// Applies personal words: to their sheet, or to the case of the event.
pub(super) fn apply_words(records: &mut Records, event: &Event, words: &Words) {
    if let Words::Sheet(id, said) = words {
        records.sheets.get_mut(id).into_iter().for_each(|sheet| sheet.words = (**said).clone());
    } else if let Some(case) = event.case.and_then(|id| records.case_mut(id)) {
        apply_to_sealed(case, words);
        handed::said_here(case, event, |here| match words {
            Words::Caller(_) => here.caller = true,
            Words::Address(_) => here.address = true,
            Words::Position(_) => here.place = true,
            Words::Identity(identity) => drop(here.patients.insert(identity.number)),
            _ => {}
        });
        if matches!(words, Words::Caller(_) | Words::Address(_) | Words::Identity(_) | Words::Position(_)) {
            handed::said(case, event);
        }
    }
}

impl Case {
    /// The case as it will be found when this is said of it: by caller, patients and place.
    #[must_use]
    pub fn with(&self, said: &Particulars) -> Self {
        let mut case = self.clone();
        said.place.iter().for_each(|place| case.place = place.clone());
        let caller = said.caller.iter().map(|caller| Words::Caller(caller.clone()));
        let address = said.address.iter().map(|address| Words::Address(address.clone()));
        let patients = said.patients.iter().map(|(_, identity)| Words::Identity(identity.clone()));
        caller.chain(address).chain(patients).for_each(|words| apply_to_sealed(&mut case, &words));
        case
    }
}

fn apply_to_sealed(case: &mut Case, words: &Words) {
    let sealed = &mut case.sealed;
    match words {
        Words::Sheet(..) => {}
        Words::Caller(caller) => sealed.caller = caller.clone(),
        Words::Address(address) => sealed.address = address.clone(),
        Words::Identity(identity) => {
            sealed.identities.retain(|known| known.number != identity.number);
            sealed.identities.push(identity.clone());
            sealed.identities.sort_by_key(|known| known.number);
        }
        Words::Note(note) => sealed.notes.push(note.clone()),
        Words::Position(position) => {
            case.place.position = *position.reveal();
            sealed.position = position.clone();
        }
        Words::Answers(answers) => sealed.answers = answers.clone(),
        Words::Call(call) => {
            case.call = call.reveal().clone();
            sealed.call = call.clone();
        }
        Words::Prescription(prescription) => sealed.prescriptions.push((**prescription).clone()),
    }
}
