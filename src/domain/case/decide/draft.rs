//! A decision in the making: each fact is applied as it is written, so that the next rule sees its effect.

use std::sync::Arc;

use crate::domain::{
    actor::Role,
    case::{
        action::{About, Action, ActionKind, ActionState, End, Owner},
        evolve,
        fact::{Event, Fact, Records},
        refusal::Refusal,
        sealed::{Note, NoteKind, Words},
        state::{Case, Claim, Offer, OfferState, SCHEMA},
    },
    ids::{ActionId, DecisionId, NoteId, OfferId, PersonId, ShiftId, VisitId, derive},
    person::Private,
    regulation::{
        decision::{Decision, Signature},
        qualification::{DueSpans, Priority, Stream, due},
        room::Affiliation,
    },
    routing::WhyNot,
    time::Instant,
    visits::{Visit, VisitStatus},
};

use super::{Context, Outcome, Reply, elsewhere, qualify};

/// What is said of a case that keeps no more words.
const FULL: &str = "the case holds as many words as it can take: open a case for what is new and link it (LinkRepeat)";

/// The work sheet of one command.
pub(super) struct Draft<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) now: Instant,
    pub(super) event: Event,
    pub(super) records: Records,
    pub(super) reply: Reply,
    made: u32,
}

impl<'a> Draft<'a> {
    pub(super) fn new(context: &'a Context<'a>, command: &str) -> Self {
        let event = Event {
            schema: SCHEMA,
            command: command.to_owned(),
            command_id: context.command_id,
            actor: context.actor.clone(),
            at: context.now,
            case: context.case,
            facts: Vec::new(),
            words: Vec::new(),
        };
        let reply = Reply { case: context.case, ..Reply::default() };
        Self { context, now: context.now, event, records: context.records.clone(), reply, made: 0 }
    }

    pub(super) fn finish(self) -> Outcome {
        Outcome { event: self.event, after: self.records, reply: self.reply }
    }

    /// Writes a fact and applies it.
    pub(super) fn push(&mut self, fact: Fact) {
        evolve::apply_fact(&mut self.records, &self.event, &fact);
        self.event.facts.push(fact);
    }

    /// Writes personal words and applies them.
    pub(super) fn say(&mut self, words: Words) {
        evolve::apply_words(&mut self.records, &self.event, &words);
        self.event.words.push(words);
    }

    /// A new id, derived from the command.
    pub(super) fn id(&mut self, what: &str) -> uuid::Uuid {
        self.made += 1;
        derive(self.context.command_id, what, self.made)
    }

    pub(super) fn case(&self) -> Result<&Case, Refusal> {
        let case = self.event.case.and_then(|id| self.records.cases.get(&id)).map(Arc::as_ref);
        case.ok_or_else(|| Refusal::NotFound("case".to_owned()))
    }

    pub(super) fn decision(&self, id: DecisionId) -> Result<&Decision, Refusal> {
        self.case()?.decision(id).ok_or_else(|| Refusal::NotFound("decision".to_owned()))
    }

    /// An offer that still waits for its answer.
    pub(super) fn open_offer(&self, id: OfferId) -> Result<Offer, Refusal> {
        let offer = self.case()?.offer(id).ok_or_else(|| Refusal::NotFound("offer".to_owned()))?;
        match offer.state {
            OfferState::Open => Ok(offer.clone()),
            _ => Err(Refusal::state("offer", "it was answered, withdrawn or has expired: look at the case again")),
        }
    }

    /// The claim of the acting regulator. When it is not (any longer) his, his words are kept and he is told.
    pub(super) fn held(&mut self, claim_no: u64, words: Option<&Private<String>>) -> Result<Option<Claim>, Refusal> {
        let person = self.context.actor.person.clone();
        match &self.case()?.claim {
            Some(claim) if claim.no == claim_no && claim.by == person => Ok(Some(claim.clone())),
            _ => match words {
                Some(words) => {
                    if !self.case()?.sealed.has_room_for(NoteKind::Late, words.reveal()) {
                        let problem = "it is not yours, or its lease has ended, and the case takes no more late words: claim \
                                       it again";
                        return Err(Refusal::state("claim", problem));
                    }
                    self.note(NoteKind::Late, words);
                    self.reply.refused = Some(Refusal::NotHolder);
                    Ok(None)
                }
                None => Err(Refusal::NotHolderWordless),
            },
        }
    }

    /// Opens an action unless one of this kind about the same thing is open.
    pub(super) fn open(&mut self, kind: ActionKind, owner: Owner, deadline: Instant, about: About) {
        let known =
            self.case().is_ok_and(|case| case.open_actions().any(|open| open.kind == kind && open.about == about));
        if known {
            return;
        }
        let id = ActionId(self.id("action"));
        let state = ActionState::Open { alarmed: None };
        self.push(Fact::ActionOpened(Action { id, kind, owner, opened: self.now, deadline, about, state }));
    }

    /// By when what carries a decision out is to be done: no later than the signed delay, so that this never passes without an
    /// alarm; at once where it has passed.
    pub(super) fn within_delay(&self, decision: DecisionId, until: Instant) -> Instant {
        let signed = self.decision(decision).map_or(until, Decision::deadline);
        until.min(signed).max(self.now)
    }

    /// Has an open action ring now, whatever time was left for it.
    pub(super) fn ring_at_once(&mut self, action: ActionId) {
        self.push(Fact::ActionMoved { action, deadline: self.now });
        self.push(Fact::ActionAlarmed { action });
    }

    /// Ends every open action that `which` picks.
    pub(super) fn end(&mut self, end: End, which: impl Fn(&Action) -> bool) {
        let Ok(case) = self.case() else { return };
        let ids: Vec<_> = case.open_actions().filter(|action| which(action)).map(|action| action.id).collect();
        for action in ids {
            self.push(Fact::ActionEnded { action, end });
        }
    }

    /// Ends open actions of a kind.
    pub(super) fn end_kind(&mut self, kind: ActionKind, end: End) {
        self.end(end, |action| action.kind == kind);
    }

    pub(super) fn note(&mut self, kind: NoteKind, text: &Private<String>) {
        self.write(kind, text, None, None);
    }

    /// A note on a visit.
    pub(super) fn note_on(&mut self, kind: NoteKind, text: &Private<String>, visit: VisitId) {
        self.write(kind, text, Some(visit), None);
    }

    /// A note that goes with a decision.
    pub(super) fn note_of(&mut self, kind: NoteKind, text: &Private<String>, decision: DecisionId) {
        self.write(kind, text, None, Some(decision));
    }

    /// Refuses words that the case has no room for, where nothing else is asked.
    pub(super) fn room_for(&self, kind: NoteKind, text: &Private<String>) -> Result<(), Refusal> {
        match self.case()?.sealed.has_room_for(kind, text.reveal()) {
            true => Ok(()),
            false => Err(Refusal::state("notes", FULL)),
        }
    }

    fn write(&mut self, kind: NoteKind, text: &Private<String>, visit: Option<VisitId>, decision: Option<DecisionId>) {
        let id = NoteId(self.id("note"));
        let by = self.context.actor.person.clone();
        if self.case().is_ok_and(|case| !case.sealed.has_room_for(kind, text.reveal())) {
            return self.reply.warnings.push(format!("NOTES_FULL: these words were left out: {FULL}"));
        }
        self.say(Words::Note(Note { id, kind, by, at: self.now, visit, decision, text: text.clone() }));
    }

    pub(super) fn signature(&self) -> Signature {
        self.signature_of(self.now)
    }

    /// The same for what was signed on paper.
    pub(super) fn signature_of(&self, at: Instant) -> Signature {
        let rules = self.rules();
        let fallback = self.case().ok().and_then(|case| case.claim.as_ref()?.fallback);
        Signature { by: self.context.actor.person.clone(), at, rules, fallback, source: self.source(at) }
    }

    /// On whose account the acting doctor regulated at an instant: the roster's word of then, or of when he took the case, else
    /// that of his association's convention.
    fn source(&self, at: Instant) -> Option<Affiliation> {
        let actor = self.context.actor;
        if actor.role != Role::Regulator {
            return None;
        }
        let on_duty = |at| self.records.room.as_ref().and_then(|room| room.duty_of(&actor.person, at));
        let claim = self.case().ok().and_then(|case| case.claim.as_ref()).filter(|claim| claim.by == actor.person);
        let duty = on_duty(at).or_else(|| on_duty(claim?.at));
        let mut own = self.context.directory.of_person(&actor.person);
        let convention = || own.any(|known| known.conventions.own_regulation).then_some(Affiliation::Association);
        duty.map(|duty| duty.affiliation).or_else(convention)
    }

    /// The version of the rules that a decision, refusal or choice is stored with.
    pub(super) fn rules(&self) -> String {
        self.context.territory.version.text()
    }

    /// The waits of this case: a health professional's P2 has a lane of its own, due earlier among the P2.
    pub(super) fn due_spans(&self) -> DueSpans {
        let rules = &self.context.territory.regulation;
        let professional = self.case().is_ok_and(|case| case.sealed.caller.professional());
        let p2 = if professional { rules.due.p2.min(rules.professional_p2) } else { rules.due.p2 };
        DueSpans { p2, ..rules.due }
    }

    /// Opens the action by which a regulator of the case's stream must decide (again), in the queue from now.
    pub(super) fn call_for_regulator(&mut self) {
        self.call(Priority::P2);
    }

    /// The same, not behind those of `least` priority, though one had been called for before.
    pub(super) fn call_for_regulator_as(&mut self, least: Priority) {
        self.call(least);
        let due = due(least, self.now, self.due_spans());
        qualify::raise(self, least, due);
    }

    fn call(&mut self, least: Priority) {
        let Ok(case) = self.case() else { return };
        let Some(qualification) = case.qualification.clone() else {
            let deadline = self.now + self.context.territory.regulation.deadlines.qualify;
            return self.open(ActionKind::Qualify, Owner::Desk(Role::Arm, None), deadline, About::default());
        };
        if case.open_action(ActionKind::Regulate).is_some() {
            return;
        }
        // What comes back has waited once: never behind the deferred.
        let priority = qualification.priority.min(least);
        let due = due(priority, self.now, self.due_spans());
        self.push(Fact::Requeued { stream: qualification.stream, priority, due });
        self.open(ActionKind::Regulate, regulators(qualification.stream), due, About::default());
    }

    /// Closes an open offer with what hangs on it: its slot is free again, its visit is called off.
    pub(super) fn close_offer(&mut self, offer: &Offer, fact: Fact) {
        self.push(fact);
        if let crate::domain::routing::Means::Slot { slot, .. } = &offer.means {
            self.free_slot(*slot, offer.id);
        }
        let visit = self.case().ok().and_then(|case| case.visits.iter().find(|visit| visit.offer == offer.id).cloned());
        if let Some(visit) = visit.filter(|visit| !visit.status.ended()) {
            // Once the doctor is there, a visit can only finish.
            let off = visit.status.may_become(VisitStatus::CalledOff);
            let status = if off { VisitStatus::CalledOff } else { VisitStatus::Finished };
            self.push(Fact::VisitMoved { visit: visit.id, status, happened: self.now });
            if let Some((_, shift)) = visit.doctor {
                self.leave_visit(visit.id, shift);
            }
        }
    }

    /// A doctor has left a visit that is over: he is free, or at the same address for another patient of the case.
    pub(super) fn leave_visit(&mut self, left: VisitId, shift: ShiftId) {
        let on = |visit: &&Visit| {
            visit.id != left && !visit.status.ended() && visit.doctor.as_ref().is_some_and(|(_, on)| *on == shift)
        };
        let visit = self.case().ok().and_then(|case| case.visits.iter().find(on).map(|visit| visit.id));
        self.push(Fact::ShiftBusy { shift, visit });
    }

    fn free_slot(&mut self, slot: crate::domain::ids::SlotId, offer: OfferId) {
        use crate::domain::slots::SlotState;
        let mine = self.records.slots.get(&slot).is_some_and(|slot| match slot.state {
            SlotState::Held { offer: held, .. } | SlotState::Booked { offer: held, .. } => held == offer,
            SlotState::Free | SlotState::Withdrawn { .. } => false,
        });
        if mine {
            self.push(Fact::SlotFreed { slot });
        }
    }

    /// An offer led nowhere: its action ends badly and a coordinator goes on with the next option.
    pub(super) fn offer_failed(&mut self, offer: &Offer, why: WhyNot, end: End) {
        self.offer_failed_by(offer, (why, None), end);
    }

    /// A doctor said no to an offer, or called off what he had accepted. Where his structure has others, the no is his alone,
    /// and the next plan may ask them.
    pub(super) fn offer_refused_by(&mut self, offer: &Offer, doctor: &PersonId) {
        let known = self.context.directory.get(&offer.responder);
        let several = known.is_some_and(|known| known.doctors.iter().any(|other| other != doctor));
        self.offer_failed_by(offer, (WhyNot::Declined, several.then(|| doctor.clone())), End::Refused);
    }

    fn offer_failed_by(&mut self, offer: &Offer, (why, doctor): (WhyNot, Option<PersonId>), end: End) {
        self.close_offer(offer, Fact::OfferClosed { offer: offer.id, why, doctor });
        self.look_on(offer, end);
    }

    /// What was about an offer that is over ends so, and a coordinator looks on; for a patient who was sent elsewhere nobody does.
    pub(super) fn look_on(&mut self, offer: &Offer, end: End) {
        let (id, elsewhere) = (offer.id, self.case().is_ok_and(|case| elsewhere::sent(case, offer.decision)));
        self.end(if elsewhere { End::Replaced } else { end }, |action| action.about.offer == Some(id));
        if !elsewhere {
            self.call_for_coordinator(offer.decision);
        }
    }

    /// Opens the action by which a coordinator finds the responder of a signed answer.
    pub(super) fn call_for_coordinator(&mut self, decision: DecisionId) {
        // What a protocol sent on goes to a doctor once one is compulsory.
        let overruled = self.case().is_ok_and(|case| {
            let doctor = case.qualification.as_ref().is_some_and(|known| known.needs_doctor());
            doctor && case.decision(decision).is_some_and(|known| known.protocol.is_some())
        });
        if overruled {
            return self.call_for_regulator();
        }
        let deadline = self.within_delay(decision, self.now + self.context.territory.regulation.deadlines.route);
        let about = About { decision: Some(decision), ..About::default() };
        self.open(ActionKind::Route, coordinators(), deadline, about);
    }
}

pub(super) fn coordinators() -> Owner {
    Owner::Desk(Role::Coordinator, None)
}

pub(super) fn regulators(stream: Stream) -> Owner {
    Owner::Desk(Role::Regulator, Some(stream))
}
