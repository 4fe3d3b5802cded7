//! Every interleaving in a small world: one case on its way, everything either side may do, and steps of the saga that are
//! read now and taken later, as by an instance that stood still between. After each move somebody is responsible; at each end
//! both sides agree, or each has been told.

use std::collections::HashSet;

use sas_dispatch::domain::{
    case::{ActionKind, Case, Command, Event, Records, transfer::TransferEnd},
    ids::CaseId,
    regulation::{need::CareType, qualification::Priority},
    time::Instant,
};

use super::{
    super::{
        oracle::Oracle,
        stage::{Stage, arm, qualify, regulator, sign, text},
    },
    border::{Border, Read, accept, receiver, refuse, take_back, yonne_of},
    crossing,
};

/// How many moves deep: enough for an acceptance, an end that crosses it, a stale step of each, and what people do after.
const DEEP: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Move {
    /// The step that the records ask for now.
    Step,
    /// Somebody reads it and stands still.
    Read,
    /// And wakes.
    Late,
    Expire,
    TakeBack,
    Requalify,
    VitalHere,
    NoteHere,
    ClaimHere,
    Accept,
    Refuse,
    VitalThere,
    AmuThere,
    SignThere,
}

const MOVES: [Move; 14] = [
    Move::Step,
    Move::Read,
    Move::Late,
    Move::Expire,
    Move::TakeBack,
    Move::Requalify,
    Move::VitalHere,
    Move::NoteHere,
    Move::ClaimHere,
    Move::Accept,
    Move::Refuse,
    Move::VitalThere,
    Move::AmuThere,
    Move::SignThere,
];

/// What a move changes of one side: the ground under it stays.
struct Side {
    now: Instant,
    records: Records,
    log: Vec<Event>,
    oracle: Oracle,
}

impl Side {
    fn of(stage: &Stage) -> Self {
        let Stage { now, records, log, oracle, .. } = stage;
        Self { now: *now, records: records.clone(), log: log.clone(), oracle: oracle.clone() }
    }

    fn onto(&self, stage: &mut Stage) {
        (stage.now, stage.records) = (self.now, self.records.clone());
        (stage.log, stage.oracle) = (self.log.clone(), self.oracle.clone());
    }
}

struct World {
    here: Side,
    there: Side,
    case: CaseId,
    asleep: Option<Read>,
    signed_unheld: bool,
}

impl World {
    fn of(border: &Border, case: CaseId, asleep: Option<Read>, signed_unheld: bool) -> Self {
        Self { here: Side::of(&border.here), there: Side::of(&border.there), case, asleep, signed_unheld }
    }

    fn onto(&self, border: &mut Border) {
        self.here.onto(&mut border.here);
        self.there.onto(&mut border.there);
    }

    /// The world after a move, which `border` then shows; none when it is refused or has no meaning.
    fn after(&self, border: &mut Border, play: Move) -> Option<Self> {
        self.onto(border);
        let (case, mut asleep, mut signed_unheld) = (self.case, self.asleep.clone(), self.signed_unheld);
        let recorded = border.transfer(case).accepted();
        let copy = border.copy_id(case);
        let there = border.there.records.cases.contains_key(&copy);
        let here = |border: &mut Border, actor, command| border.here.give(&actor, Some(case), &command).ok();
        let yonder = |border: &mut Border, actor, command| {
            if there { border.there.give(&actor, Some(copy), &command).ok() } else { None }
        };
        let p0 = || Command::Qualify(Box::new(qualify(Priority::P0)));
        match play {
            Move::Step => {
                let read = border.read(case)?;
                border.take(case, &read).unwrap_or_else(|refusal| panic!("{:?}: {refusal}", read.step));
            }
            Move::Read => {
                let read = border.read(case).filter(|_| asleep.is_none())?;
                asleep = Some(read);
            }
            Move::Late => {
                let read = asleep.take()?;
                // Refused or not: whoever wakes has to live with it.
                let _ = border.take(case, &read);
            }
            Move::Expire => {
                border.here.case(case).open_action(ActionKind::Transfer)?;
                border.expire(case);
            }
            Move::TakeBack => drop(here(border, regulator(), take_back())?),
            Move::Requalify => {
                let p1 = Command::Qualify(Box::new(qualify(Priority::P1)));
                let once = border.here.case(case).qualification.as_ref().unwrap().priority == Priority::P2;
                drop(once.then(|| here(border, arm(), p1))??);
            }
            Move::VitalHere => {
                let once = border.here.case(case).qualification.as_ref().unwrap().priority != Priority::P0;
                once.then_some(())?;
                here(border, arm(), p0()).expect("a P0 is never refused");
            }
            Move::NoteHere => {
                let once = border.here.case(case).sealed.notes.len() < 2;
                drop(once.then(|| here(border, arm(), Command::AddNote(text("la porte est ouverte"))))??);
            }
            Move::ClaimHere => drop(here(border, regulator(), Command::Claim)?),
            Move::Accept => drop(yonder(border, receiver(), accept())?),
            Move::Refuse => drop(yonder(border, receiver(), refuse())?),
            Move::VitalThere => {
                let known = border.there.records.cases.get(&copy)?;
                (known.qualification.as_ref().unwrap().priority != Priority::P0).then_some(())?;
                yonder(border, yonne_of(arm()), p0()).expect("a P0 is never refused");
            }
            Move::AmuThere => drop(yonder(border, receiver(), Command::AcceptHandOver)?),
            Move::SignThere => {
                let known = border.there.records.cases.get(&copy)?;
                let vital = known.qualification.as_ref().unwrap().priority == Priority::P0;
                let claim_no = known.claim.as_ref()?.no;
                drop(yonder(border, receiver(), Command::SignNeed(Box::new(sign(claim_no, CareType::Advice))))?);
                signed_unheld |= !vital && !recorded;
            }
        }
        Some(Self::of(border, case, asleep, signed_unheld))
    }

    /// What must hold at every instant.
    fn holds(&self, border: &Border, path: &[Move]) {
        let case = border.here.case(self.case);
        let copy = border.there.records.cases.get(&border.copy_id(self.case));
        let transfer = border.transfer(self.case);
        let taken = copy.is_some_and(|copy| cared_for(copy) && !copy.with_sender());
        assert!(cared_for(case) || transfer.accepted() && taken, "nobody is responsible: {path:?}");
        assert!(!self.signed_unheld, "signed before the sender had said whose it is: {path:?}");
        let vital = case.qualification.as_ref().unwrap().priority == Priority::P0;
        assert!(!(vital && transfer.waits()), "a P0 waits for another territory: {path:?}");
        if let Some(received) = copy.and_then(|copy| copy.received.as_ref()) {
            let confirmed = received.settled.is_some_and(|(_, how)| how == TransferEnd::Accepted);
            assert!(!confirmed || transfer.accepted(), "confirmed before the sender had recorded it: {path:?}");
        }
    }

    /// Once every step is taken: one side has it, or each knows of the other.
    fn settles(&self, border: &mut Border, path: &[Move]) {
        if let Some(read) = &self.asleep {
            let _ = border.take(self.case, read);
        }
        border.carry(self.case);
        self.holds(border, path);
        let case = border.here.case(self.case);
        let transfer = border.transfer(self.case);
        let Some(copy) = border.there.records.cases.get(&border.copy_id(self.case)) else {
            return assert!(!transfer.waits(), "sent and never opened: {path:?}");
        };
        let received = copy.received.as_ref().unwrap();
        assert!(transfer.waits() || !received.open(), "a copy waits for nothing: {path:?}");
        let here = case.open_actions().next().is_some() && !transfer.waits();
        let there = !copy.with_sender() && !received.open();
        if here && there {
            let told_here = transfer.accepted() || transfer.goes_on.is_some();
            let told_there = received.again.is_some() || received.goes_on;
            assert!(told_here && told_there, "both have it and one does not know: {path:?}");
        }
        let brought = |id| copy.sealed.notes.iter().any(|known| known.id == id);
        let behind = transfer.waits() && !case.sealed.notes.iter().all(|note| brought(note.id));
        assert!(!behind, "words stayed behind: {path:?}");
        crossing::fits(border, &path);
    }
}

/// A regulator is called for, holds it, or has decided.
fn cared_for(case: &Case) -> bool {
    let called = [ActionKind::Regulate, ActionKind::HandOver].into_iter().any(|kind| case.open_action(kind).is_some());
    called || case.decisions.iter().any(|decision| decision.answer.is_some())
}

/// Worlds that look alike go on alike.
fn looks(world: &World, border: &Border) -> String {
    let asleep = world.asleep.as_ref().map(|read| read.step);
    let shape = |case: &Case| {
        let open: Vec<_> = case.open_actions().map(|action| (action.kind, action.alarmed().is_some())).collect();
        let sent: Vec<_> = case
            .transfers
            .iter()
            .map(|t| (t.ended.as_ref().map(|e| e.how), t.goes_on.is_some(), t.again.is_some()))
            .collect();
        let received = case.received.as_ref();
        let received =
            received.map(|r| (r.answered.as_ref().map(|a| a.refused.is_some()), r.settled.map(|s| s.1), r.goes_on));
        let told = case.received.as_ref().map(|r| (r.as_of, r.again.is_some()));
        let known = case.qualification.as_ref().map(|known| known.priority);
        let written = (case.sealed.notes.len(), case.decisions.len());
        format!("{open:?} {sent:?} {received:?} {told:?} {known:?} {written:?} {:?}", case.claim.is_some())
    };
    let copy = border.there.records.cases.get(&border.copy_id(world.case));
    let (here, there) = (shape(border.here.case(world.case)), copy.map(|case| shape(case)));
    format!("{asleep:?} {here} {there:?}")
}

#[test]
fn no_order_of_acts_and_steps_leaves_a_patient_with_nobody_or_with_two_who_do_not_know() {
    let (mut border, case) = Border::sent(Priority::P2);
    let mut front = vec![(World::of(&border, case, None, false), Vec::<Move>::new())];
    let (mut seen, mut reached) = (HashSet::new(), HashSet::new());
    for _ in 0..DEEP {
        let mut next = Vec::new();
        for (world, path) in &front {
            for play in MOVES {
                let Some(after) = world.after(&mut border, play) else { continue };
                let path: Vec<Move> = path.iter().copied().chain([play]).collect();
                reached.insert(format!("{play:?}"));
                after.holds(&border, &path);
                if seen.insert(looks(&after, &border)) {
                    after.settles(&mut border, &path);
                    next.push((after, path));
                }
            }
        }
        front = next;
    }
    println!("info: {} worlds", seen.len());
    assert_eq!(reached.len(), MOVES.len(), "every move was possible somewhere: {reached:?}");
    assert!(seen.len() > 300, "a world that small shows nothing: {}", seen.len());
}
