//! Servers and the network between them and the instances: every call of an instance waits here until the player lets it
//! arrive, be answered, be lost, or come a second time. Nothing happens by itself, so that a program is one run.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use sas_dispatch::{
    domain::{
        ids::{CommandId, TerritoryId},
        time::{Instant, Span},
    },
    store::{Committed, Durability, Index, Key, LogEntry, Member, Page, Score, Snapshot, StoreError, Txn, Version},
};

use super::{
    ledger::Ledger,
    plant::{Plant, Planted},
    port::Port,
};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It arrives and is answered.
    Fine,
    /// It arrives; the answer is under way.
    Slow,
    /// It never arrives; the caller is told that nobody answered.
    Lost,
    /// It is refused before anything is written.
    Refused,
    /// It arrives; the answer is lost.
    Mute,
    /// The caller is told that nobody answered, and it arrives later.
    Late,
    /// It is answered, and arrives once more later.
    Twice,
}

/// Which safety the store promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// One server that keeps what it answered.
    D1,
    /// A primary that answers a commit once the replica has it, and may be lost.
    D2,
}

impl Level {
    /// What a receipt says of a commit that may be told of.
    pub fn promise(self) -> Durability {
        match self {
            Self::D1 => Durability::D1,
            Self::D2 => Durability::D2,
        }
    }
}

/// What an instance asks of a server.
#[derive(Debug, Clone)]
pub enum Request {
    Read(TerritoryId, Vec<Key>, Option<CommandId>),
    Range(TerritoryId, Index, Option<(Score, Member)>, usize),
    Commit(Box<Txn>),
    Log(TerritoryId, u64, usize),
    Wait(TerritoryId, u64),
    Territories,
}

/// What a server says.
#[derive(Debug, Clone)]
pub enum Reply {
    Read(Snapshot),
    Range(Page),
    Commit(Committed),
    Log(Vec<LogEntry>),
    Wait,
    Territories(Vec<TerritoryId>),
}

/// What a caller is told.
pub type Answer = Result<Reply, StoreError>;

#[derive(Debug)]
pub(super) enum Stage {
    /// On its way to the server.
    Sent,
    /// Answered by this server; the answer is on its way back.
    Answered(Answer, usize),
    /// The caller has, or is being given, the answer.
    Back(Option<Answer>),
    /// Nobody waits for it any more.
    Ghost,
}

pub(super) struct Call {
    id: u64,
    /// The request that it is made for; none when nobody waits, or a loop of the instance does.
    op: Option<u64>,
    /// When it set out.
    since: i64,
    pub(super) instance: usize,
    pub(super) server: usize,
    pub(super) request: Request,
    pub(super) stage: Stage,
    pub(super) waker: Option<Waker>,
}

/// One server and its clock's distance from the true time.
#[derive(Default)]
pub(super) struct Server {
    pub(super) ledger: Ledger,
    pub(super) skew: i64,
    /// How far its log may be read since it is the primary no longer.
    pub(super) ended: Option<BTreeMap<TerritoryId, u64>>,
}

/// Everything outside the instances.
pub struct World {
    pub(super) level: Level,
    now: i64,
    pub(super) servers: Vec<Server>,
    /// Commits that the primary has and the replica has not, with the primary's clock at that moment.
    pub(super) tail: VecDeque<(Txn, Instant)>,
    pub(super) replica: Ledger,
    pub(super) primary: usize,
    /// A copy made earlier, to be put back.
    pub(super) backup: Option<Ledger>,
    /// What each instance acknowledged and does not find since an old copy was put back: it may not go on writing.
    pub(super) missing: Vec<Vec<(TerritoryId, CommandId)>>,
    /// Since then nobody has settled it.
    pub(super) went_back: bool,
    /// A write of an instance that should have refused it.
    pub wrong: Option<String>,
    /// The version of everything that was ever safe to be shown.
    pub(super) durable: BTreeSet<Version>,
    pub(super) calls: Vec<Call>,
    made: u64,
    /// The request that is being carried out at this moment.
    pub asking: Option<u64>,
    /// Which server each instance talks to, and how often it has been started.
    pub(super) doors: Vec<(usize, u32, u64)>,
    /// Requests that were told something by a server that is the primary no longer.
    misled: BTreeSet<u64>,
    /// Everything that was answered, for the comparison of two runs.
    pub told: Vec<String>,
}

/// The world, shared by instances and player.
#[derive(Clone)]
pub struct Net(Arc<Mutex<World>>);

impl Net {
    pub fn new(level: Level, start: Instant, instances: usize, plant: Planted) -> Self {
        let ledger = Ledger { plant, ..Ledger::default() };
        let servers = vec![Server { ledger, skew: 0, ended: None }];
        Self(Arc::new(Mutex::new(World {
            level,
            now: start.unix_ms(),
            servers,
            tail: VecDeque::new(),
            replica: Ledger::default(),
            primary: 0,
            backup: None,
            missing: vec![Vec::new(); instances],
            went_back: false,
            wrong: None,
            durable: BTreeSet::new(),
            calls: Vec::new(),
            made: 0,
            asking: None,
            doors: vec![(0, 0, 1); instances],
            misled: BTreeSet::new(),
            told: Vec::new(),
        })))
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way of an instance to its server, for its present life.
    pub fn port(&self, instance: usize) -> Port {
        let life = self.world().doors[instance].1;
        Port::of_instance(self.clone(), instance, life)
    }

    /// The operator's way: answered at once.
    pub fn operator(&self) -> Port {
        Port::of_operator(self.clone())
    }

    /// A way that no fault touches and that is answered at once, for whoever judges.
    pub fn window(&self) -> Port {
        Port::of_judge(self.clone())
    }
}

impl World {
    pub fn now(&self) -> Instant {
        Instant::from_unix_ms(self.now)
    }

    /// Time passes; whoever has waited a second for news is told that there may be some.
    pub fn pass(&mut self, span: Span) {
        self.now += span.ms();
        for place in 0..self.calls.len() {
            let Call { stage, request, since, .. } = &self.calls[place];
            let long = self.now - since >= Span::from_secs(1).ms();
            if long && matches!((stage, request), (Stage::Sent, Request::Wait(..))) {
                self.back(place, Ok(Reply::Wait));
            }
        }
    }

    /// The primary's own clock.
    pub fn store_clock(&self) -> Instant {
        self.clock(self.primary)
    }

    pub fn skew_store(&mut self, ms: i64) {
        let primary = self.primary;
        self.servers[primary].skew = ms;
    }

    fn clock(&self, server: usize) -> Instant {
        Instant::from_unix_ms(self.now + self.servers[server].skew)
    }

    /// What the primary keeps.
    pub fn truth(&self) -> &Ledger {
        &self.servers[self.primary].ledger
    }

    /// Calls that can go on, by place; one that waits for news only when there are some.
    pub fn movable(&self) -> Vec<usize> {
        let can = |call: &&Call| match (&call.stage, &call.request) {
            (Stage::Back(_), _) => false,
            (Stage::Sent, Request::Wait(territory, after)) => self.seen(call.server, territory) > *after,
            _ => true,
        };
        let moving = self.calls.iter().enumerate().filter(|(_, call)| can(call));
        moving.map(|(place, _)| place).collect()
    }

    /// The first call of a request that can go on.
    pub fn movable_of(&self, op: u64) -> Option<usize> {
        self.movable().into_iter().find(|place| self.calls[*place].op == Some(op))
    }

    /// The first call that can go on and that somebody waits for.
    pub fn movable_of_somebody(&self) -> Option<usize> {
        self.movable().into_iter().find(|place| !matches!(self.calls[*place].stage, Stage::Ghost))
    }

    /// Lets the call at this place go one stage further.
    pub fn go(&mut self, place: usize, fault: Fault) {
        match std::mem::replace(&mut self.calls[place].stage, Stage::Ghost) {
            Stage::Ghost => {
                let call = self.calls.remove(place);
                let _ = self.serve(call.server, &call.request, Some(call.instance));
            }
            Stage::Answered(answer, server) => {
                let answer = if fault == Fault::Mute { self.silence(place) } else { self.safe(place, answer, server) };
                self.back(place, answer);
            }
            _ => self.arrive(place, fault),
        }
        self.calls.retain(|call| !matches!(call.stage, Stage::Back(None)));
    }

    fn arrive(&mut self, place: usize, fault: Fault) {
        let (server, request) = (self.calls[place].server, self.calls[place].request.clone());
        let from = Some(self.calls[place].instance);
        match fault {
            Fault::Fine | Fault::Twice => {
                let answer = self.serve(server, &request, from);
                let answer = self.safe(place, answer, server);
                self.back(place, answer);
            }
            Fault::Slow => {
                let answer = self.serve(server, &request, from);
                self.calls[place].stage = Stage::Answered(answer, server);
            }
            Fault::Mute => {
                let _ = self.serve(server, &request, from);
                let answer = self.silence(place);
                self.back(place, answer);
            }
            Fault::Lost | Fault::Late => {
                let answer = self.silence(place);
                self.back(place, answer);
            }
            Fault::Refused => self.back(place, Err(StoreError::Unavailable("played".to_owned()))),
        }
        if matches!((fault, &request), (Fault::Late | Fault::Twice, Request::Commit(_))) {
            let (id, instance, since) = (self.made, self.calls[place].instance, self.now);
            self.made += 1;
            let ghost = Call { id, op: None, since, instance, server, request, stage: Stage::Ghost, waker: None };
            self.calls.push(ghost);
        }
    }

    /// Gives a call its answer.
    pub(super) fn back(&mut self, place: usize, answer: Answer) {
        let call = &mut self.calls[place];
        if call.server != self.primary && answer.is_ok() {
            self.misled.extend(call.op);
        }
        self.told.push(format!("{} {:?}", call.id, answer));
        call.stage = Stage::Back(Some(answer));
        if let Some(waker) = call.waker.take() {
            waker.wake();
        }
    }

    /// Nobody answers in time: the caller connects anew, to whoever is the primary now.
    pub(super) fn silence(&mut self, place: usize) -> Answer {
        let instance = self.calls[place].instance;
        self.connect(instance);
        match self.calls[place].request {
            Request::Commit(_) => Err(StoreError::Unknown("played".to_owned())),
            _ => Err(StoreError::Unavailable("played".to_owned())),
        }
    }

    pub(super) fn connect(&mut self, instance: usize) {
        let primary = self.primary;
        let door = &mut self.doors[instance];
        if door.0 != primary {
            (door.0, door.2) = (primary, door.2 + 1);
        }
    }

    /// What may be told of an answer: at D2 a commit's only once the replica has all that came before it.
    fn safe(&mut self, place: usize, answer: Answer, server: usize) -> Answer {
        if self.level == Level::D1 {
            return answer;
        }
        let answer = match answer {
            Ok(Reply::Commit(Committed::Done(mut receipt))) => {
                receipt.durability = Durability::D2;
                Ok(Reply::Commit(Committed::Done(receipt)))
            }
            answer => return answer,
        };
        if self.servers[server].ledger.plant.is(Plant::AnswersBeforeReplica) {
            return answer;
        }
        if server != self.primary {
            return self.silence(place);
        }
        self.replicate(usize::MAX);
        answer
    }

    /// The replica takes over so many of the commits that it lacks.
    pub fn replicate(&mut self, commits: usize) {
        for (txn, clock) in self.tail.drain(..commits.min(self.tail.len())) {
            let _ = self.replica.commit(&txn, clock);
        }
    }

    /// What a server answers, to an instance or to the operator.
    pub(super) fn serve(&mut self, server: usize, request: &Request, from: Option<usize>) -> Answer {
        let clock = self.clock(server);
        let ledger = &mut self.servers[server].ledger;
        Ok(match request {
            Request::Read(territory, keys, receipt) => {
                let noted = ledger.note_clock(territory, clock);
                self.tail
                    .extend(noted.filter(|_| self.level == Level::D2 && server == self.primary).map(|t| (t, clock)));
                let ledger = &self.servers[server].ledger;
                Reply::Read(ledger.read(territory, keys, *receipt, clock))
            }
            Request::Range(territory, index, after, limit) => {
                Reply::Range(ledger.range(territory, index, after.as_ref(), *limit))
            }
            Request::Commit(txn) => {
                let answer = ledger.commit(txn, clock)?;
                let wrote = matches!(&answer, Committed::Done(receipt) if !receipt.replayed);
                if let Some(from) = from.filter(|_| wrote && server == self.primary) {
                    self.may_write(from, txn);
                }
                if wrote && self.level == Level::D2 && server == self.primary {
                    self.tail.push_back((*txn.clone(), clock));
                }
                Reply::Commit(answer)
            }
            Request::Log(territory, after, limit) => {
                let safe = self.seen(server, territory);
                let mut entries = self.servers[server].ledger.log(territory, *after, *limit);
                entries.retain(|entry| entry.seq <= safe);
                Reply::Log(entries)
            }
            Request::Wait(..) => Reply::Wait,
            Request::Territories => Reply::Territories(ledger.lands.keys().cloned().collect()),
        })
    }

    /// A call sets out; none when this life of the instance is over.
    pub fn send(&mut self, instance: usize, life: u32, request: Request) -> Option<u64> {
        let (server, lives, _) = self.doors[instance];
        if lives != life {
            return None;
        }
        self.made += 1;
        let (id, op, since) = (self.made, self.asking, self.now);
        self.calls.push(Call { id, op, since, instance, server, request, stage: Stage::Sent, waker: None });
        Some(id)
    }

    /// Whether a call has its answer; none while it has not, an error when nobody will give one.
    pub fn hear(&mut self, id: u64, waker: &Waker) -> Option<Answer> {
        let stopped = || Some(Err(StoreError::Unavailable("this instance was stopped".to_owned())));
        let Some(place) = self.calls.iter().position(|call| call.id == id) else { return stopped() };
        let call = &mut self.calls[place];
        match &mut call.stage {
            Stage::Back(answer) => {
                let answer = answer.take();
                self.calls.remove(place);
                answer
            }
            Stage::Ghost => stopped(),
            _ => {
                call.waker = Some(waker.clone());
                None
            }
        }
    }

    /// How many calls were made so far.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Whether an old primary, which nobody has told that it is one, had a part in what a request was told.
    pub fn misled(&self, op: u64) -> bool {
        self.misled.contains(&op)
    }

    /// How often an instance may have come to another server.
    pub fn generation(&self, instance: usize) -> u64 {
        if self.truth().plant.is(Plant::HidesServers) { 1 } else { self.doors[instance].2 }
    }

    /// What the primary has, for whoever judges: nothing is noted, nothing held back.
    pub fn look(&self, request: &Request) -> Answer {
        let (ledger, clock) = (self.truth(), self.store_clock());
        Ok(match request {
            Request::Read(territory, keys, receipt) => Reply::Read(ledger.read(territory, keys, *receipt, clock)),
            Request::Range(territory, index, after, limit) => {
                Reply::Range(ledger.range(territory, index, after.as_ref(), *limit))
            }
            Request::Log(territory, after, limit) => Reply::Log(ledger.log(territory, *after, *limit)),
            Request::Commit(_) => return Err(StoreError::Unavailable("whoever judges writes nothing".to_owned())),
            Request::Wait(..) => Reply::Wait,
            Request::Territories => Reply::Territories(ledger.lands.keys().cloned().collect()),
        })
    }

    /// The last seq that a reader of the log may see: at D2 what the replica has.
    pub(super) fn seen(&self, server: usize, territory: &TerritoryId) -> u64 {
        let seq = |ledger: &Ledger| ledger.lands.get(territory).map_or(0, |land| land.seq);
        let here = seq(&self.servers[server].ledger);
        if self.servers[server].ledger.plant.is(Plant::ShowsUnsafe) {
            return here;
        }
        if let Some(ended) = &self.servers[server].ended {
            return ended.get(territory).copied().unwrap_or_default();
        }
        if server == self.primary { self.replicated(territory) } else { here }
    }

    /// The last seq that is as safe as the site promises.
    pub(super) fn replicated(&self, territory: &TerritoryId) -> u64 {
        let seq = |ledger: &Ledger| ledger.lands.get(territory).map_or(0, |land| land.seq);
        let here = seq(self.truth());
        if self.level == Level::D2 { here.min(seq(&self.replica)) } else { here }
    }
}
