//! The records of the small world by number, and what each command makes of them: decided once, remembered ever after.

use std::{collections::HashMap, sync::Arc};

use memchr::memmem;
use sas_dispatch::{
    domain::{
        actor::{Actor, Role},
        case::{
            Action, ActionKind, Case, Claim, Command, OfferState, Records, apply,
            command::{OfferAnswer, SignAnswer, Timer},
            decide,
            decide::Context,
            invariants,
        },
        directory::Directory,
        ids::CommandId,
        regulation::{need::CareType, qualification::Priority, queue},
        routing::Means,
        slots::Slot,
        territory::Territory,
        time::{Instant, Span},
    },
    engine::codec::{self, Entity},
    store::{Key, due_command},
};
use sha2::{Digest, Sha256};

use crate::domain::stage::{SAS, Stage, bas_rhin, coordinator, plan_at, sign, someone, upkeep};

/// The number of a record's content.
pub type Id = u32;

/// Who takes the part of each regulator.
pub type Places = [u8; 3];

/// The regulators, by names of one length.
const REGULATORS: [&str; 3] = ["dr-reg-ada", "dr-reg-bea", "dr-reg-cyd"];
/// How their names begin, and nobody else's.
const ONE_OF_THEM: &str = "dr-reg-";

/// What a client or the service does to one case, and perhaps one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    Claim,
    Release,
    Need,
    Answer,
    /// Puts the decision to this slot, or to nobody when none is free.
    Advance,
    Book,
    Decline,
    LeaseEnds,
    SuspectEnds,
    HoldEnds,
}

impl Deed {
    pub const ALL: [Deed; 10] = [
        Self::Claim,
        Self::Release,
        Self::Need,
        Self::Answer,
        Self::Advance,
        Self::Book,
        Self::Decline,
        Self::LeaseEnds,
        Self::SuspectEnds,
        Self::HoldEnds,
    ];
}

/// A deed that was accepted: the contents after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    pub case: Id,
    pub slot: Option<Id>,
}

/// How a deed came out: what it made, or nothing when it was refused; the error is a rule that it broke.
pub type Outcome = Result<Option<Made>, String>;

/// A deed, who does it, and on which contents.
pub type Question = (Deed, u8, Id, Option<Id>);

/// What a case may be.
struct Content {
    case: Arc<Case>,
    /// The regulators of whom it speaks, in order.
    speaks_of: Vec<u8>,
    /// The digest of what it is whoever they are.
    nameless: [u8; 32],
}

pub struct World {
    ground: Arc<(Territory, Directory)>,
    now: Instant,
    cases: Vec<Content>,
    slots: Vec<Slot>,
    known: HashMap<[u8; 32], Id>,
    renamed: HashMap<(Id, Places), Id>,
    outcomes: HashMap<Question, Outcome>,
    judged: HashMap<[Id; 4], Option<String>>,
}

impl World {
    /// Two cases that wait, a P2 and then a P1, and two slots of one doctor.
    pub fn new() -> (Self, [Id; 2], [Id; 2]) {
        let mut stage = Stage::new();
        let waiting = [stage.qualified(Priority::P2), stage.qualified(Priority::P1)];
        let free = [stage.slot(Span::from_hours(1)).0, stage.slot(Span::from_hours(2)).0];
        let (cases, slots, known) = (Vec::new(), Vec::new(), HashMap::new());
        let (renamed, outcomes, judged) = Default::default();
        let mut world = Self { ground: bas_rhin(), now: stage.now, cases, slots, known, renamed, outcomes, judged };
        let cases = waiting.map(|id| world.number_case(Arc::new(stage.case(id).clone())));
        let slots = free.map(|id| world.number_slot(stage.records.slots[&id].clone()));
        (world, cases, slots)
    }

    pub fn case(&self, id: Id) -> &Arc<Case> {
        &self.cases[id as usize].case
    }

    pub fn slot(&self, id: Id) -> &Slot {
        &self.slots[id as usize]
    }

    pub fn contents(&self) -> usize {
        self.known.len()
    }

    pub fn judged(&self) -> usize {
        self.judged.len()
    }

    fn number_case(&mut self, case: Arc<Case>) -> Id {
        let stored = stored(&case);
        let next = Id::try_from(self.cases.len()).expect("a small world");
        let id = *self.known.entry(digest(&stored)).or_insert(next);
        if id == next {
            let nameless = digest(&with_names(&stored, ["dr-nobody-"; 3]));
            self.cases.push(Content { case, speaks_of: speaks_of(&stored), nameless });
        }
        id
    }

    fn number_slot(&mut self, slot: Slot) -> Id {
        let digest = digest(&codec::encode(&Entity::Slot(slot.clone())));
        let next = Id::try_from(self.slots.len()).expect("a small world");
        let id = *self.known.entry(digest).or_insert(next);
        if id == next {
            self.slots.push(slot);
        }
        id
    }

    /// The content that a case has where each regulator's part is taken by another.
    pub fn renamed(&mut self, id: Id, places: Places) -> Id {
        if places == [0, 1, 2] {
            return id;
        }
        if let Some(known) = self.renamed.get(&(id, places)) {
            return *known;
        }
        let case = self.case(id);
        let (key, stored) = (Key::case(case.id), with_names(&stored(case), places.map(|n| REGULATORS[usize::from(n)])));
        let other = match self.known.get(&digest(&stored)) {
            Some(known) => *known,
            None => {
                let Ok(Entity::Case(other)) = codec::decode(key.as_str(), &stored) else {
                    unreachable!("names of one length leave a case a case")
                };
                self.number_case(other)
            }
        };
        self.renamed.insert((id, places), other);
        other
    }

    /// Every set of contents that was judged.
    pub fn sets(&self) -> impl Iterator<Item = [Id; 4]> {
        self.judged.keys().copied()
    }

    /// Judges everything again from now on.
    pub fn forget_sets(&mut self) {
        self.judged.clear();
    }

    /// The questions that were decided, and what came of them.
    pub fn decided(&self) -> Vec<(Question, Outcome)> {
        let mut all: Vec<_> = self.outcomes.iter().map(|(question, outcome)| (*question, outcome.clone())).collect();
        all.sort_unstable_by_key(|(question, _)| *question);
        all
    }

    /// Whether it is this regulator who holds a case.
    pub fn holds(&self, who: u8, case: Id) -> bool {
        let by = |claim: &Claim| claim.by.as_str() == REGULATORS[usize::from(who)];
        self.case(case).claim.as_ref().is_some_and(by)
    }

    /// The regulators of whom a case speaks, in order.
    pub fn speaks_of(&self, id: Id) -> &[u8] {
        &self.cases[id as usize].speaks_of
    }

    /// Which of the cases stands first in the queue.
    pub fn head(&self, cases: [Id; 2]) -> Option<usize> {
        let place = |at: &usize| {
            let case = self.case(cases[*at]);
            let known = case.qualification.as_ref().expect("both are qualified");
            (queue::class(known.priority), known.due, case.id)
        };
        (0..2).filter(|at| waits(self.case(cases[*at]))).min_by_key(place)
    }

    /// The first slot that may be held, as whoever plans sees it.
    pub fn free(&self, slots: [Id; 2]) -> Option<usize> {
        (0..2).find(|at| self.slot(slots[*at]).open_to_hold(self.now).is_ok())
    }

    /// Every slot that may be held.
    pub fn all_free(&self, slots: [Id; 2]) -> Vec<usize> {
        (0..2).filter(|at| self.slot(slots[*at]).open_to_hold(self.now).is_ok()).collect()
    }

    /// The slot of the offer that a deed would answer or let expire.
    pub fn held(&self, deed: Deed, case: Id, slots: [Id; 2]) -> Option<usize> {
        let case = self.case(case);
        let offer = match deed {
            Deed::HoldEnds => case.offer(case.open_action(ActionKind::ConfirmSlot)?.about.offer?)?,
            _ => case.offers.iter().rev().find(|offer| offer.state == OfferState::Open)?,
        };
        let Means::Slot { slot, .. } = offer.means else { return None };
        (0..2).find(|at| self.slot(slots[*at]).id == slot)
    }

    /// What a deed makes of these contents, whoever else did what meanwhile.
    pub fn does(&mut self, deed: Deed, who: u8, case: Id, slot: Option<Id>) -> Outcome {
        // It is one coordinator, whoever decided.
        let who = if matches!(deed, Deed::Advance | Deed::Book | Deed::Decline) { 0 } else { who };
        let question = (deed, who, case, slot);
        if let Some(known) = self.outcomes.get(&question) {
            return known.clone();
        }
        let outcome = self.decide(question);
        self.outcomes.insert(question, outcome.clone());
        outcome
    }

    /// What is asked for a deed, when, and under which id; none when there is nothing to ask. The id, and so every id that
    /// comes of it, is the same whoever of the regulators asks: where they change places nothing else is another.
    pub fn asked(&self, question: Question) -> Option<(Actor, Command, Instant, CommandId)> {
        let (deed, who, id, slot) = question;
        let (actor, command, now) = self.command(deed, who, self.case(id), slot)?;
        let cause = format!("{deed:?}/{slot:?}/{:?}", self.cases[id as usize].nameless);
        Some((actor, command, now, due_command(&cause, self.now)))
    }

    /// Goes on at this instant; what was decided before it is decided anew.
    pub fn at(&mut self, now: Instant) {
        self.outcomes.clear();
        self.now = now;
    }

    fn decide(&mut self, question: Question) -> Outcome {
        let (_, _, id, slot) = question;
        let case = self.case(id).clone();
        let Some((actor, command, now, command_id)) = self.asked(question) else { return Ok(None) };
        let mut records = Records::default();
        records.cases.insert(case.id, case.clone());
        records.slots.extend(slot.map(|slot| (self.slot(slot).id, self.slot(slot).clone())));
        let (territory, directory) = (&self.ground.0, &self.ground.1);
        let context =
            Context { territory, directory, actor: &actor, command_id, now, records: &records, case: Some(case.id) };
        let Ok(outcome) = decide(&context, &command) else { return Ok(None) };
        let mut folded = records.clone();
        apply(&mut folded, &outcome.event);
        if folded != outcome.after {
            return Err(format!("{question:?}: the event does not say all that changed"));
        }
        let after = outcome.after.cases[&case.id].clone();
        if let Some(broken) = invariants::broken_history(&case, &after).first() {
            return Err(format!("{question:?}: {broken}"));
        }
        let slot = slot.map(|slot| self.slot(slot).id).map(|id| outcome.after.slots[&id].clone());
        Ok(Some(Made { case: self.number_case(after), slot: slot.map(|slot| self.number_slot(slot)) }))
    }

    fn command(&self, deed: Deed, who: u8, case: &Case, slot: Option<Id>) -> Option<(Actor, Command, Instant)> {
        let regulator = someone(REGULATORS[usize::from(who)], Role::Regulator);
        let (claim_no, now) = (case.last_claim, self.now);
        let mine = || case.claim.as_ref().is_some_and(|claim| claim.by == regulator.person);
        let open = |kind| case.open_action(kind);
        let offer = || case.offers.iter().rev().find(|offer| offer.state == OfferState::Open).map(|offer| offer.id);
        let command = match deed {
            Deed::Claim => Command::Claim,
            // Whoever has lost the case has lost its number too, and the fence refuses him.
            Deed::Release | Deed::Need | Deed::Answer if !mine() => return None,
            Deed::Release => Command::Release { claim_no, may_wait: None },
            Deed::Need => Command::SignNeed(Box::new(sign(claim_no, CareType::Consultation))),
            Deed::Answer => {
                let decision = case.decisions.iter().find(|known| known.answer.is_none())?.id;
                let (care, supply, note, keep) = (CareType::Consultation, None, None, false);
                Command::SignAnswer(Box::new(SignAnswer {
                    claim_no,
                    decision,
                    care,
                    supply,
                    note,
                    keep,
                    beside: Default::default(),
                }))
            }
            Deed::Advance => {
                let decision = open(ActionKind::Route)?.about.decision?;
                let means =
                    slot.map(|id| self.slot(id)).map(|s| Means::Slot { slot: s.id, start: s.start, end: s.end });
                let plan = Box::new(plan_at(now, means.map(|means| (SAS, means))));
                return Some((coordinator(), Command::Advance { decision, plan }, now));
            }
            Deed::Book | Deed::Decline => {
                let yes = OfferAnswer::Accepted { appointment: None };
                let answer = if deed == Deed::Book { yes } else { OfferAnswer::Declined };
                return Some((coordinator(), Command::AnswerOffer { offer: offer()?, answer }, now));
            }
            Deed::LeaseEnds => return Some((upkeep(), Command::Fire(Timer::Lease), now)),
            Deed::SuspectEnds => {
                let left = self.ground.0.regulation.lease.suspect;
                return Some((upkeep(), Command::Fire(Timer::Suspect), now + left));
            }
            Deed::HoldEnds => {
                let Action { id, deadline, .. } = *open(ActionKind::ConfirmSlot)?;
                return Some((upkeep(), Command::Fire(Timer::Action(id)), deadline.max(now)));
            }
        };
        Some((regulator, command, now))
    }

    /// The first rule that these contents break together.
    pub fn broken(&mut self, cases: [Id; 2], slots: [Id; 2]) -> Option<String> {
        let all = [cases[0], cases[1], slots[0], slots[1]];
        if let Some(known) = self.judged.get(&all) {
            return known.clone();
        }
        let mut records = Records::default();
        records.cases.extend(cases.map(|id| (self.case(id).id, self.case(id).clone())));
        records.slots.extend(slots.map(|id| (self.slot(id).id, self.slot(id).clone())));
        let broken = invariants::violations(&records).first().map(ToString::to_string);
        self.judged.insert(all, broken.clone());
        broken
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn stored(case: &Arc<Case>) -> Vec<u8> {
    codec::encode(&Entity::Case(case.clone()))
}

/// Where a stored form names a regulator, and which.
fn names(stored: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    memmem::find_iter(stored, ONE_OF_THEM).map(|at| {
        let named = |name: &&str| stored[at..].starts_with(name.as_bytes());
        (at, REGULATORS.iter().position(named).expect("there are three"))
    })
}

/// A stored form in which each regulator bears another name.
fn with_names(stored: &[u8], others: [&str; 3]) -> Vec<u8> {
    let mut other = stored.to_vec();
    names(stored).for_each(|(at, who)| other[at..at + others[who].len()].copy_from_slice(others[who].as_bytes()));
    other
}

/// The regulators of whom a stored form speaks, in order.
fn speaks_of(stored: &[u8]) -> Vec<u8> {
    let mut order = Vec::new();
    for who in names(stored).map(|(_, who)| u8::try_from(who).expect("there are three")) {
        if !order.contains(&who) {
            order.push(who);
        }
    }
    order
}

/// Whether a case stands in the queue.
pub fn waits(case: &Case) -> bool {
    case.open_action(ActionKind::Regulate).is_some() && case.claim.is_none()
}
