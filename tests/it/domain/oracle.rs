//! An oracle that reads only events: it keeps its own books of actions, claims, slots, visits and signatures, and says
//! which rule of design.md §3 an event breaks. It shares no code with `decide`, `evolve` or the invariants.

use std::collections::{BTreeMap, BTreeSet};

use sas_dispatch::domain::{
    actor::Role,
    case::{ActionKind, End, Event, Fact, Records, sealed::Words, transfer::TransferEnd},
    ids::{ActionId, CaseId, DecisionId, OfferId, PersonId, SlotId, VisitId},
    regulation::{need::CareType, qualification::Priority},
    territory::Territory,
    time::{Instant, Span},
    visits::VisitStatus,
};

/// What the oracle has noted of one case.
#[derive(Default, Clone)]
struct Book {
    /// The last qualification or place in the queue is a P0's.
    p0: bool,
    patients: BTreeSet<u32>,
    decided_for: BTreeSet<u32>,
    open: BTreeMap<ActionId, ActionKind>,
    ended: BTreeSet<ActionId>,
    holder: Option<(u64, PersonId)>,
    last_no: u64,
    needs: BTreeMap<DecisionId, CareType>,
    answered: BTreeSet<DecisionId>,
    by_protocol: BTreeSet<DecisionId>,
    /// A flag was noted, once and for all.
    flagged: bool,
    /// The last qualification is P0 or P1.
    vital: bool,
    symptom: bool,
    dismissed: bool,
    regulated_by: BTreeSet<PersonId>,
    waived: BTreeSet<PersonId>,
    visits: BTreeMap<VisitId, VisitStatus>,
    /// By when the doctor of each visit must be there.
    due: BTreeMap<VisitId, Instant>,
    /// Who drove to the patient, accepted to see him or saw him, as far as he said so himself.
    gave_care: BTreeSet<PersonId>,
    /// Who said yes in person and was not let go since.
    promised: BTreeMap<OfferId, PersonId>,
    /// The hour agreed in each accepted offer, and that of each appointment to come.
    agreed: BTreeMap<OfferId, Instant>,
    appointments: BTreeMap<ActionId, Instant>,
    offers_over: BTreeSet<OfferId>,
    notes: usize,
    /// A doctor of another territory has it.
    handed_on: bool,
    /// It came from another territory, and is there again.
    given_back: bool,
}

/// What the oracle has noted of one slot.
#[derive(Clone)]
enum Binding {
    Free,
    Held(CaseId, OfferId, Instant),
    Booked(CaseId),
    Gone,
}

#[derive(Default, Clone)]
pub struct Oracle {
    books: BTreeMap<CaseId, Book>,
    slots: BTreeMap<SlotId, Binding>,
    at: Option<Instant>,
    /// By how much the clocks of those who act may differ.
    apart: Span,
}

impl Oracle {
    /// For events of several instances, whose clocks may differ by so much.
    pub fn of_clocks_apart(apart: Span) -> Self {
        Self { apart, ..Self::default() }
    }

    /// Reads one event, with the records it led to, and panics with the rule it breaks.
    pub fn see(&mut self, territory: &Territory, event: &Event, after: &Records) {
        assert!(self.at.is_none_or(|at| at <= event.at + self.apart), "time went back");
        self.at = self.at.max(Some(event.at));
        for fact in &event.facts {
            self.slot(event, fact);
            let Some(case) = event.case else { continue };
            let book = self.books.entry(case).or_default();
            book.claim(event, fact);
            book.signature(event, fact);
            book.front(event, fact);
            book.action(event, fact);
            book.visit(event, fact, territory);
            book.care(event, fact, territory);
            book.elsewhere(fact);
        }
        let Some((case, book)) = event.case.and_then(|id| Some((id, self.books.get_mut(&id)?))) else { return };
        book.notes += event.words.iter().filter(|words| matches!(words, Words::Note(_))).count();
        assert_eq!(book.notes, after.cases[&case].sealed.notes.len(), "13: a note was lost");
        book.settled(event);
        let open: BTreeSet<ActionId> = after.cases[&case].open_actions().map(|action| action.id).collect();
        assert_eq!(open, book.open.keys().copied().collect(), "2: the record's open actions are not the log's");
    }

    fn slot(&mut self, event: &Event, fact: &Fact) {
        match (fact, event.case) {
            (Fact::SlotPublished(slot), _) => {
                let known = self.slots.insert(slot.id, Binding::Free);
                assert!(matches!(known, None | Some(Binding::Free)), "4: a bound slot was published again");
            }
            (Fact::SlotHeld { slot, offer, until }, Some(case)) => {
                let free = match &self.slots[slot] {
                    Binding::Free => true,
                    Binding::Held(_, held, end) => held == offer || *end <= event.at,
                    Binding::Booked(..) | Binding::Gone => false,
                };
                assert!(free, "4: a slot was held that another case has");
                self.slots.insert(*slot, Binding::Held(case, *offer, *until));
            }
            (Fact::SlotBooked { slot, offer, .. }, Some(case)) => {
                let mine =
                    matches!(&self.slots[slot], Binding::Held(holder, held, _) if *holder == case && held == offer);
                assert!(mine, "4: a slot was booked without its hold");
                self.slots.insert(*slot, Binding::Booked(case));
            }
            (Fact::SlotFreed { slot }, Some(case)) => {
                let mine = match &self.slots[slot] {
                    Binding::Held(holder, ..) | Binding::Booked(holder) => *holder == case,
                    Binding::Free | Binding::Gone => false,
                };
                assert!(mine, "4: a slot was freed that another case has");
                self.slots.insert(*slot, Binding::Free);
            }
            (Fact::SlotWithdrawn { slot }, _) => {
                let bound = matches!(&self.slots[slot], Binding::Booked(..))
                    || matches!(&self.slots[slot], Binding::Held(.., end) if *end > event.at);
                assert!(!bound, "4: a slot was withdrawn under a patient");
                self.slots.insert(*slot, Binding::Gone);
            }
            _ => {}
        }
    }

    /// Slots taken, for the sum over all cases.
    pub fn booked(&self) -> usize {
        self.slots.values().filter(|binding| matches!(binding, Binding::Booked(..))).count()
    }
}

impl Book {
    fn compulsory(&self) -> bool {
        self.flagged || self.vital
    }

    fn claim(&mut self, event: &Event, fact: &Fact) {
        match fact {
            Fact::Claimed { no, by, .. } => {
                assert!(self.holder.is_none(), "3: a case was claimed that somebody held");
                assert!(*no > self.last_no, "3: a fencing number came again");
                assert_eq!(*by, event.actor.person, "3: claimed for somebody else");
                (self.last_no, self.holder) = (*no, Some((*no, by.clone())));
                let bound = self.gave_care.contains(by) || self.promised.values().any(|person| person == by);
                assert!(!bound, "6: who gives or gave the care regulates the case");
                self.regulated_by.insert(by.clone());
            }
            Fact::ClaimEnded { no } | Fact::ClaimSuspect { no } | Fact::ClaimResumed { no } => {
                assert_eq!(self.holder.as_ref().map(|(held, _)| *held), Some(*no), "3: another claim was changed");
                if matches!(fact, Fact::ClaimEnded { .. }) {
                    self.holder = None;
                }
            }
            _ => {}
        }
    }

    fn signature(&mut self, event: &Event, fact: &Fact) {
        let holder = self.holder.as_ref().map(|(_, by)| by.clone());
        match fact {
            Fact::NeedSigned(decision) => {
                self.decided_for.insert(decision.need.patient);
                assert!(self.needs.insert(decision.id, decision.need.care).is_none(), "13: a need was overwritten");
                assert_eq!(decision.signed.by, event.actor.person);
                if decision.protocol.is_some() {
                    assert!(!self.compulsory() && holder.is_none(), "5: a protocol stood in for a compulsory doctor");
                    self.by_protocol.insert(decision.id);
                } else {
                    assert_eq!(holder, Some(event.actor.person.clone()), "3: a need signed by a non-holder");
                }
                if decision.answer.is_some() {
                    self.answered.insert(decision.id);
                }
            }
            Fact::AnswerSigned { decision, answer } => {
                assert!(self.answered.insert(*decision), "13: an answer was overwritten");
                assert_eq!(holder, Some(event.actor.person.clone()), "3: an answer signed by a non-holder");
                let refused = answer.care == CareType::RefusedByPatient;
                let same = self.needs[decision] == answer.care || refused;
                assert_eq!(same, answer.supply.is_none(), "13: an answer differs without a reason of supply");
                assert_eq!(refused, answer.refusal.is_some(), "13: a refusal without its evidence");
            }
            Fact::Excepted { person, .. } => {
                self.waived.insert(person.clone());
            }
            _ => {}
        }
    }

    fn front(&mut self, event: &Event, fact: &Fact) {
        match fact {
            Fact::PatientSet(patient) => {
                match patient.noted_in_error {
                    true => self.patients.remove(&patient.number),
                    false => self.patients.insert(patient.number),
                };
            }
            Fact::Requeued { priority, .. } => self.p0 = *priority == Priority::P0,
            Fact::Qualified(known) => {
                let accepted = self.p0 && self.open.values().any(|kind| *kind == ActionKind::Regulate);
                let doctor = known.priority == Priority::P0 || event.actor.role == Role::Regulator;
                assert!(!accepted || doctor, "7: a P0 that the AMU has was lowered without a doctor");
                self.p0 = known.priority == Priority::P0;
                self.dismissed = false;
                self.symptom |= known.symptoms;
                self.vital = matches!(known.priority, Priority::P0 | Priority::P1);
                assert!(!self.flagged || !known.flags.is_empty(), "5: a flag was taken back");
                self.flagged |= !known.flags.is_empty();
                assert_eq!(known.symptoms, self.symptom, "5: a symptom was taken back");
            }
            Fact::Flagged(_) => self.flagged = true,
            Fact::Dismissed(_) => {
                let doctor = self.compulsory() || self.symptom || !self.needs.is_empty();
                assert!(!doctor, "5: the ARM ended a medical request");
                self.dismissed = true;
            }
            _ => {}
        }
    }

    fn action(&mut self, event: &Event, fact: &Fact) {
        match fact {
            Fact::ActionOpened(action) => {
                assert!(!self.ended.contains(&action.id), "2: an action came again");
                assert!(self.open.insert(action.id, action.kind).is_none(), "2: an action was opened twice");
                assert!(action.deadline >= event.at, "2: an action was late when it was opened");
            }
            Fact::ActionEnded { action, .. } => {
                assert!(self.open.remove(action).is_some(), "2: an action ended that was not open");
                self.ended.insert(*action);
            }
            Fact::ActionMoved { action, .. } | Fact::ActionAlarmed { action } => {
                assert!(self.open.contains_key(action), "2: an ended action was changed");
            }
            _ => {}
        }
    }

    /// Who gives care regulated nothing of it, unless a convention says so.
    fn independent(&self, person: &PersonId, territory: &Territory, otherwise: &str) {
        let excepted = territory.regulation.independence_exceptions.iter().any(|known| known.person == *person);
        let waived = excepted && self.waived.contains(person);
        assert!(waived || !self.regulated_by.contains(person), "{otherwise}");
    }

    fn responds(&mut self, person: &PersonId, territory: &Territory, otherwise: &str) {
        self.independent(person, territory, otherwise);
        self.gave_care.insert(person.clone());
    }

    /// Appointments: accepted, kept, missed.
    fn care(&mut self, event: &Event, fact: &Fact, territory: &Territory) {
        let in_person = event.actor.role == Role::Responder;
        match fact {
            Fact::OfferAccepted { offer, appointment } => {
                self.agreed.insert(*offer, *appointment);
                if in_person {
                    self.independent(&event.actor.person, territory, "6: the regulator gives the care");
                    self.promised.insert(*offer, event.actor.person.clone());
                }
            }
            Fact::OfferWithdrawn { offer } => drop(self.promised.remove(offer)),
            Fact::ActionOpened(action) if action.kind == ActionKind::Appointment => {
                let hour = action.about.offer.and_then(|offer| self.agreed.get(&offer)).copied();
                self.appointments.insert(action.id, hour.expect("2: an appointment without its hour"));
            }
            Fact::ActionEnded { action, end } => {
                let Some(hour) = self.appointments.get(action).copied() else { return };
                let early = Span::from_hours(if *end == End::Done { 1 } else { 0 });
                let attended = matches!(end, End::Done | End::NoShow);
                assert!(!attended || event.at + early >= hour, "13: {end} was recorded before the appointment");
                if *end == End::Done && in_person {
                    self.responds(&event.actor.person, territory, "6: the regulator gives the care");
                }
            }
            _ => {}
        }
    }

    fn visit(&mut self, event: &Event, fact: &Fact, territory: &Territory) {
        match fact {
            Fact::ActionOpened(action) if action.kind == ActionKind::Visit => {
                let due = self.due[&action.about.visit.expect("2: a visit's action without its visit")];
                let latest = due.max(event.at + territory.regulation.deadlines.visit_offer);
                assert!(action.deadline <= latest, "2: nobody hears that the doctor is not there in time");
            }
            Fact::VisitDecided(visit) => {
                self.due.insert(visit.id, visit.due);
                self.visits.insert(visit.id, visit.status);
            }
            Fact::VisitMoved { visit, status, .. } => {
                let from = self.visits.insert(*visit, *status).unwrap();
                assert!(legal(from, *status), "13: {from} became {status}");
            }
            Fact::VisitTaken { doctor, .. } => {
                self.responds(doctor, territory, "6: the regulator took the visit");
            }
            Fact::OfferAccepted { offer, .. } | Fact::OfferClosed { offer, .. } | Fact::OfferWithdrawn { offer } => {
                let over = matches!(fact, Fact::OfferClosed { .. } | Fact::OfferWithdrawn { .. });
                assert!(!self.offers_over.contains(offer), "13: an offer that was over was answered");
                if over {
                    self.offers_over.insert(*offer);
                }
            }
            _ => {}
        }
    }

    fn elsewhere(&mut self, fact: &Fact) {
        match fact {
            Fact::TransferSent(_) => {
                let waits = self.open.values().any(|kind| *kind == ActionKind::Regulate);
                assert!(waits && self.holder.is_none(), "2: sent away, and nobody stays responsible");
            }
            Fact::TransferEnded { ended, .. } => {
                let accepted = ended.how == TransferEnd::Accepted;
                assert_eq!(accepted, !ended.number.is_empty(), "13: accepted as which case?");
                assert!(!accepted || ended.by.is_some(), "5: a doctor accepts, and nobody else");
                self.handed_on = accepted;
            }
            Fact::TransferReceived(received) => self.regulated_by.extend(received.regulators.iter().cloned()),
            Fact::TransferAnswered(answered) => self.given_back |= answered.refused.is_some(),
            Fact::TransferSettled { how, goes_on } => {
                assert!(!self.given_back, "13: settled after it was refused");
                self.given_back = *how != TransferEnd::Accepted && !goes_on;
            }
            Fact::ActionOpened(action) => {
                let anew = matches!(action.kind, ActionKind::Regulate | ActionKind::HandOver | ActionKind::Qualify);
                self.handed_on &= !anew;
                self.given_back &= !anew;
            }
            _ => {}
        }
    }

    /// What must hold once all facts of an event are noted.
    fn settled(&self, event: &Event) {
        if !self.open.is_empty() {
            return;
        }
        assert!(self.holder.is_none(), "3: {} left a finished case in somebody's hands", event.command);
        let doctor = self.answered.iter().any(|id| !self.by_protocol.contains(id));
        let protocol = !self.by_protocol.is_empty() && !self.compulsory();
        let elsewhere = self.handed_on || self.given_back;
        assert!(
            self.dismissed || doctor || protocol || elsewhere,
            "5: {} ended a case without a doctor",
            event.command
        );
        let left = self.patients.difference(&self.decided_for).next();
        assert!(
            self.dismissed || elsewhere || left.is_none(),
            "5: {} ended a case without a decision for patient {left:?}",
            event.command
        );
        let unanswered = self.needs.keys().any(|id| !self.answered.contains(id));
        assert!(!unanswered, "2: {} ended a case with an unanswered need", event.command);
    }
}

/// HubSante.statutVecteur as far as visits use it, written down a second time: DECISION, DECLENCHE, DEPART, ARRIVEE, PEC,
/// FINPEC in this order, steps may be skipped; ANNULE before the arrival.
fn legal(from: VisitStatus, to: VisitStatus) -> bool {
    let place = |status| match status {
        VisitStatus::Decided => 0,
        VisitStatus::Dispatched => 1,
        VisitStatus::EnRoute => 2,
        VisitStatus::Arrived => 3,
        VisitStatus::WithPatient => 4,
        VisitStatus::Finished | VisitStatus::CalledOff => 5,
    };
    match (from, to) {
        (from, VisitStatus::CalledOff) => place(from) < 3,
        (VisitStatus::Decided, to) => place(to) == 1,
        (from, to) => place(from) < place(to),
    }
}
