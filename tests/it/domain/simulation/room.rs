//! The room: who sits in it, and what time it is.

use std::collections::BTreeMap;

use sas_dispatch::domain::{
    actor::{Actor, Role},
    case::{Command, Refusal, command::Timer, transfer::TransferAct},
    ids::CaseId,
    territory::NationalRecord,
    time::{Instant, Span},
};

use super::{
    super::stage::{Stage, upkeep},
    act::{Act, Step},
    scene::{Given, Scene},
};

const CASES: usize = 3;
const LEASE: Span = Span::from_secs(30);

pub struct Room {
    pub stage: Stage,
    cases: Vec<CaseId>,
    /// Lease ends, which live in the store's index and not in the record.
    leases: BTreeMap<CaseId, (u64, Instant)>,
    last: Option<(Actor, Option<CaseId>, Command)>,
}

impl Room {
    pub fn new() -> Self {
        let mut stage = Stage::new();
        // A territory that has documents laid into the national record: one thing more that is to be done beside the care.
        let record = NationalRecord { owner: Role::Coordinator, deadline: Span::from_hours(48) };
        stage.territory.regulation.referral.national_record = Some(record);
        Self { stage, cases: Vec::new(), leases: BTreeMap::new(), last: None }
    }

    /// A room served by instances whose clocks may each be off by half of this.
    pub fn of_clocks_apart(apart: Span) -> Self {
        Self { stage: Stage::of_clocks_apart(apart), ..Self::new() }
    }

    pub fn cases(&self) -> Vec<CaseId> {
        self.stage.records.cases.keys().copied().collect()
    }

    pub fn play(&mut self, step: &Step) {
        match &step.act {
            Act::Pass { seconds } => self.pass(Span::from_secs(*seconds)),
            Act::Renew => self.renew(step),
            Act::Again => {
                if let Some(last) = self.last.clone() {
                    self.give(last);
                }
            }
            _ => {
                if let Some(given) = self.scene().meaning(step) {
                    self.last = Some(given.clone());
                    self.give(given);
                }
            }
        }
    }

    /// Gives a command; a refusal is an answer like any other, a rule caught by the last line of defence is not.
    pub fn give(&mut self, (actor, case, command): Given) -> bool {
        let given = self.stage.give(&actor, case, &command);
        if let Err(Refusal::Broken(rule)) = &given {
            panic!("{} would have broken {rule}", command.name());
        }
        let Ok(reply) = given else { return false };
        let opens = match &command {
            Command::Open(_) => true,
            Command::Transfer(act) => matches!(**act, TransferAct::Receive(_)),
            _ => false,
        };
        self.cases.extend(reply.case.filter(|_| opens));
        self.note_leases();
        true
    }

    /// A lease begins with a claim and when a suspect one is resumed.
    fn note_leases(&mut self) {
        for case in self.stage.records.cases.values() {
            match case.claim.as_ref().filter(|claim| claim.suspect.is_none()) {
                Some(claim) if self.leases.get(&case.id).is_none_or(|(no, _)| *no != claim.no) => {
                    self.leases.insert(case.id, (claim.no, self.stage.now + LEASE));
                }
                Some(_) => {}
                None => {
                    self.leases.remove(&case.id);
                }
            }
        }
    }

    fn renew(&mut self, step: &Step) {
        let Some(case) = self.scene().case(step) else { return };
        if let Some((_, end)) = self.leases.get_mut(&case) {
            *end = self.stage.now + LEASE;
        }
    }

    /// Time passes; whatever falls due on the way is fired at its instant.
    pub fn pass(&mut self, span: Span) {
        let target = self.stage.now + span;
        // Nobody fires what is not due by his own clock.
        self.stage.off = self.stage.off.max(0);
        while let Some((due, case, timer)) = self.next_due().filter(|(due, ..)| *due <= target) {
            self.stage.now = self.stage.now.max(due);
            let fired = self.give((upkeep(), Some(case), Command::Fire(timer)));
            assert!(fired, "{timer:?} was due at {due} and did nothing");
        }
        self.stage.now = target;
    }

    fn next_due(&self) -> Option<(Instant, CaseId, Timer)> {
        let suspect = self.stage.territory.regulation.lease.suspect;
        let cases = self.stage.records.cases.values();
        let due = cases.flat_map(|case| {
            let waits = case.open_actions().filter_map(|action| Some((case.due(action)?, action.id)));
            let actions = waits.map(|(due, action)| (due, case.id, Timer::Action(action)));
            let lease = self.leases.get(&case.id).map(|(_, end)| (*end, case.id, Timer::Lease));
            let since = case.claim.as_ref().and_then(|claim| claim.suspect);
            let back = since.map(|since| (since + suspect, case.id, Timer::Suspect));
            actions.chain(lease).chain(back).collect::<Vec<_>>()
        });
        due.min_by_key(|(due, case, _)| (*due, *case))
    }

    fn scene(&self) -> Scene<'_> {
        let Stage { territory, directory, records, now, .. } = &self.stage;
        Scene { territory, directory, records, now: *now, cases: &self.cases, most: CASES }
    }
}
