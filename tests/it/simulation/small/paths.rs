//! Paths of the small world played on the real engine: three instances over one store, each with a memory of its own, mostly
//! an old one. After each act the stored records and the head of the queue are what the model says.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Arc,
};

use sas_dispatch::{
    clock::{Clock, Simulated},
    domain::{
        actor::Actor,
        case::Command,
        ids::{CaseId, CommandId},
        regulation::qualification::{Priority, Stream},
        slots::SlotKind,
        time::{Instant, Span},
    },
    engine::{
        Done, Engine, Failure, Mutation, Options, Target,
        codec::{self, Entity},
    },
    store::{Digest, Index, Key, due_command},
};

use super::{
    super::{
        alike::Lone,
        instance::engine,
        plant::{Plant, Planted},
    },
    world::{Deed, Id, World},
};
use crate::domain::stage::{SAS, SAS_DOCTOR, THURSDAY, arm, bas_rhin, call, doctor, qualify};

/// Acts of one path.
const ACTS: usize = 30;
/// How often an act that the model refuses is left for another one.
const PATIENCE: u32 = 12;

/// How often each deed was done, and how often it was refused.
#[derive(Debug, Default)]
pub struct Gone {
    pub done: BTreeMap<Deed, usize>,
    pub refused: BTreeMap<Deed, usize>,
}

/// Goes so many paths, each on a new store; the error is the first path on which engine and model part.
pub fn compare(paths: u64, plant: Option<Plant>) -> Result<Gone, String> {
    let mut gone = Gone::default();
    for path in 0..paths {
        let mut twin = Twin::new(path, plant);
        twin.begin()?;
        for _ in 0..ACTS {
            twin.step(&mut gone).map_err(|wrong| format!("path {path}: {wrong}\n{}", twin.path.join("\n")))?;
        }
    }
    Ok(gone)
}

/// The model and the engines, at the same place.
struct Twin {
    world: World,
    cases: [Id; 2],
    slots: [Id; 2],
    engines: Vec<Engine>,
    store: Arc<Lone>,
    clock: Arc<Simulated>,
    now: Instant,
    used: BTreeSet<CommandId>,
    chance: u64,
    path: Vec<String>,
}

impl Twin {
    fn new(path: u64, plant: Option<Plant>) -> Self {
        let (world, cases, slots) = World::new();
        let clock = Arc::new(Simulated::new(THURSDAY));
        let store = Arc::new(Lone::new(Clock::Simulated(clock.clone())));
        store.ledger().plant = plant.map(Planted::new).unwrap_or_default();
        let one = |_| engine(store.clone(), Clock::Simulated(clock.clone()), Options::default());
        let (engines, used, path_) = ((0..3).map(one).collect(), BTreeSet::new(), Vec::new());
        let chance = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(path + 1);
        Self { world, cases, slots, engines, store, clock, now: THURSDAY, used, chance, path: path_ }
    }

    /// The commands with which the model's world began, on the engine.
    fn begin(&mut self) -> Result<(), String> {
        let mut made = 0;
        let mut give = |actor: &Actor, case: Option<CaseId>, command: Command| {
            let id = due_command(&format!("story/{}/{made}/{}", actor.territory, command.name()), THURSDAY);
            made += 1;
            let target = Target { case, version: None };
            let done = at_once(self.engines[0].act(actor, mutation(id), target, command));
            done.map_err(|failure| format!("the world does not begin: {failure}"))
        };
        for priority in [Priority::P2, Priority::P1] {
            let opened = give(&arm(), None, Command::Open(Box::new(call(THURSDAY))))?;
            give(&arm(), opened.reply.case, Command::Qualify(Box::new(qualify(priority))))?;
        }
        for hours in [1, 2] {
            let start = THURSDAY + Span::from_hours(hours);
            let (responder, kind, end) = (SAS.parse().unwrap(), SlotKind::Snp, start + Span::from_mins(20));
            let publish = Command::PublishSlot { slot: None, responder, kind, start, end };
            give(&doctor(SAS_DOCTOR), None, publish)?;
        }
        self.alike()
    }

    fn chance(&mut self, of: u64) -> usize {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        usize::try_from((self.chance >> 11) % of).expect("a small number")
    }

    /// One act of somebody, seldom one that is refused.
    fn step(&mut self, gone: &mut Gone) -> Result<(), String> {
        for tried in 0..PATIENCE {
            let (deed, who) = (Deed::ALL[self.chance(10)], u8::try_from(self.chance(3)).expect("a small number"));
            // It is one coordinator, whoever decided.
            let who = if matches!(deed, Deed::Advance | Deed::Book | Deed::Decline) { 0 } else { who };
            let next = deed == Deed::Claim && self.chance(4) > 0;
            let at = if next { self.world.head(self.cases) } else { Some(self.chance(2)) };
            let Some(at) = at else { continue };
            let slot = match deed {
                Deed::Advance => self.world.free(self.slots),
                Deed::Book | Deed::Decline | Deed::HoldEnds => self.world.held(deed, self.cases[at], self.slots),
                _ => None,
            };
            if matches!(deed, Deed::Book | Deed::Decline | Deed::HoldEnds) && slot.is_none() {
                continue;
            }
            let question = (deed, who, self.cases[at], slot.map(|place| self.slots[place]));
            let Some((actor, command, now, id)) = self.world.asked(question) else { continue };
            let made = self.world.does(question.0, question.1, question.2, question.3)?;
            if made.is_none() && tried + 1 < PATIENCE && self.chance(4) > 0 || !self.used.insert(id) {
                continue;
            }
            self.now = now;
            self.clock.set(now);
            let by = self.chance(3);
            self.path.push(format!("instance {by}: {deed:?} of case {at} by {who} at {now}, the next: {next}"));
            let case = self.world.case(self.cases[at]).id;
            let told = self.played(by, (actor, id), if next { None } else { Some(case) }, command);
            if told.is_ok() != made.is_some() {
                return Err(format!("the model says {made:?}, the engine {told:?}"));
            }
            if let Some(made) = made {
                self.cases[at] = made.case;
                slot.zip(made.slot).into_iter().for_each(|(place, id)| self.slots[place] = id);
            }
            let counts = if made.is_some() { &mut gone.done } else { &mut gone.refused };
            *counts.entry(deed).or_default() += 1;
            self.world.at(now);
            return self.alike();
        }
        Ok(())
    }

    fn played(
        &self,
        by: usize,
        (actor, id): (Actor, CommandId),
        case: Option<CaseId>,
        command: Command,
    ) -> Result<Done, Failure> {
        match case {
            Some(case) => at_once(self.engines[by].act(&actor, mutation(id), Target::case(case), command)),
            None => at_once(self.engines[by].claim_next(&actor, mutation(id), Stream::Snp)),
        }
    }

    /// Everything that is stored, and who is first.
    fn alike(&self) -> Result<(), String> {
        let ledger = self.store.ledger();
        let land = &ledger.lands[&bas_rhin().0.id];
        let cases = self.cases.map(|id| Entity::Case(self.world.case(id).clone()));
        let slots = self.slots.map(|id| Entity::Slot(self.world.slot(id).clone()));
        for entity in cases.iter().chain(&slots) {
            let key = match entity {
                Entity::Case(case) => Key::case(case.id),
                Entity::Slot(slot) => Key::slot(slot.id),
                Entity::Shift(_) | Entity::Room(_) | Entity::Sheet(_) => unreachable!("the small world has none"),
            };
            let stored = land.records.get(&key).ok_or_else(|| format!("{key} is not stored"))?;
            let stored = codec::decode(key.as_str(), &stored.value).map_err(|error| error.to_string())?;
            if stored != *entity {
                return Err(format!("{key} is not what the model has"));
            }
        }
        let queue = land.indexes.get(&Index::queue(Stream::Snp.code())).and_then(|entries| entries.first());
        let first = self.world.head(self.cases).map(|at| self.world.case(self.cases[at]).id.to_string());
        if queue.map(|(_, member)| member.0.clone()) != first {
            return Err(format!("the model has {first:?} at the head of the queue, the engine {queue:?}"));
        }
        Ok(())
    }
}

fn mutation(command_id: CommandId) -> Mutation {
    Mutation { command_id, digest: Digest::of(&[]) }
}

thread_local! {
    /// Where the tails of the engines run beside the work.
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a thread may have a runtime");
}

/// What comes of work on a store that answers at once.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(work))
}
