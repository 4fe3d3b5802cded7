//! Servers and the network between them and the instances: every call of an instance waits here until the player lets it
//! arrive, be answered, be lost, or come a second time. Nothing happens by itself, so that a program is one run.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use sas_dispatch::{
    domain::{
        ids::{CommandId, TerritoryId},
        time::{Instant, Span},
    },
    store::{Committed, Index, Key, LogEntry, Member, Page, Score, Snapshot, StoreError, Txn},
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
enum Stage {
    /// On its way to the server.
    Sent,
    /// Answered by this server; the answer is on its way back.
    Answered(Answer, usize),
    /// The caller has, or is being given, the answer.
    Back(Option<Answer>),
    /// Nobody waits for it any more.
    Ghost,
}

struct Call {
    id: u64,
    /// The request that it is made for; none when nobody waits, or a loop of the instance does.
    op: Option<u64>,
    instance: usize,
    server: usize,
    request: Request,
    stage: Stage,
    waker: Option<Waker>,
}

/// One server and its clock's distance from the true time.
#[derive(Default)]
struct Server {
    ledger: Ledger,
    skew: i64,
}

/// Everything outside the instances.
pub struct World {
    level: Level,
    now: i64,
    servers: Vec<Server>,
    /// Commits that the primary has and the replica has not, with the primary's clock at that moment.
    tail: VecDeque<(Txn, Instant)>,
    replica: Ledger,
    primary: usize,
    calls: Vec<Call>,
    made: u64,
    /// The request that is being carried out at this moment.
    pub asking: Option<u64>,
    /// Which server each instance talks to, and how often it has been started.
    doors: Vec<(usize, u32, u64)>,
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
        let servers = vec![Server { ledger, skew: 0 }];
        Self(Arc::new(Mutex::new(World {
            level,
            now: start.unix_ms(),
            servers,
            tail: VecDeque::new(),
            replica: Ledger::default(),
            primary: 0,
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

    /// A way that no fault touches and that is answered at once, for whoever judges.
    pub fn window(&self) -> Port {
        Port::of_judge(self.clone())
    }
}

impl World {
    pub fn now(&self) -> Instant {
        Instant::from_unix_ms(self.now)
    }

    /// Time passes; whoever waits for news is told after a second that there may be some.
    pub fn pass(&mut self, span: Span) {
        self.now += span.ms();
        if span < Span::from_secs(1) {
            return;
        }
        for place in 0..self.calls.len() {
            if matches!((&self.calls[place].stage, &self.calls[place].request), (Stage::Sent, Request::Wait(..))) {
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
                let _ = self.serve(call.server, &call.request);
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
        // The loops of an instance, whose calls belong to no request, wait in real time after a fault: they meet none here.
        let fault = if self.calls[place].op.is_none() { Fault::Fine } else { fault };
        match fault {
            Fault::Fine | Fault::Twice => {
                let answer = self.serve(server, &request);
                let answer = self.safe(place, answer, server);
                self.back(place, answer);
            }
            Fault::Slow => {
                let answer = self.serve(server, &request);
                self.calls[place].stage = Stage::Answered(answer, server);
            }
            Fault::Mute => {
                let _ = self.serve(server, &request);
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
            let (id, instance) = (self.made, self.calls[place].instance);
            self.made += 1;
            let ghost = Call { id, op: None, instance, server, request, stage: Stage::Ghost, waker: None };
            self.calls.push(ghost);
        }
    }

    /// Gives a call its answer.
    fn back(&mut self, place: usize, answer: Answer) {
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
    fn silence(&mut self, place: usize) -> Answer {
        let instance = self.calls[place].instance;
        self.connect(instance);
        match self.calls[place].request {
            Request::Commit(_) => Err(StoreError::Unknown("played".to_owned())),
            _ => Err(StoreError::Unavailable("played".to_owned())),
        }
    }

    fn connect(&mut self, instance: usize) {
        let primary = self.primary;
        let door = &mut self.doors[instance];
        if door.0 != primary {
            (door.0, door.2) = (primary, door.2 + 1);
        }
    }

    /// What may be told of an answer: at D2 a commit's only once the replica has all that came before it.
    fn safe(&mut self, place: usize, answer: Answer, server: usize) -> Answer {
        if self.level == Level::D1 || !matches!(answer, Ok(Reply::Commit(Committed::Done(_)))) {
            return answer;
        }
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

    fn serve(&mut self, server: usize, request: &Request) -> Answer {
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
        let (id, op) = (self.made, self.asking);
        self.calls.push(Call { id, op, instance, server, request, stage: Stage::Sent, waker: None });
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
        self.doors[instance].2
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
    fn seen(&self, server: usize, territory: &TerritoryId) -> u64 {
        let seq = |ledger: &Ledger| ledger.lands.get(territory).map_or(0, |land| land.seq);
        let here = seq(&self.servers[server].ledger);
        if self.level == Level::D2 { here.min(seq(&self.replica)) } else { here }
    }

    /// The instance is gone, with all it waited for; what was on its way still arrives, if `late`.
    pub fn forget(&mut self, instance: usize, late: bool) {
        self.doors[instance].1 += 1;
        self.connect(instance);
        for call in self.calls.iter_mut().filter(|call| call.instance == instance) {
            let commit = matches!((&call.request, &call.stage), (Request::Commit(_), Stage::Sent | Stage::Ghost));
            call.stage = if commit && late { Stage::Ghost } else { Stage::Back(None) };
            call.waker.take().into_iter().for_each(Waker::wake);
        }
        self.calls.retain(|call| !matches!(call.stage, Stage::Back(None)));
    }

    /// Every connection is cut: nobody hears an answer, whether or not the server had one.
    pub fn cut(&mut self) {
        for place in 0..self.calls.len() {
            let asked = self.calls[place].op.is_some();
            if asked && matches!(self.calls[place].stage, Stage::Sent | Stage::Answered(..)) {
                let answer = self.silence(place);
                self.back(place, answer);
            }
        }
        for door in &mut self.doors {
            door.2 += 1;
        }
    }

    /// The replica takes the primary's place with so many of the commits that it lacked; the rest is lost. Instances go on
    /// talking to the old primary until it fails them.
    pub fn fail_over(&mut self, saved: usize) {
        if self.level == Level::D1 {
            return self.cut();
        }
        self.replicate(saved);
        self.tail.clear();
        let skew = self.servers[self.primary].skew;
        let plant = self.servers[self.primary].ledger.plant.clone();
        let ledger = Ledger { plant, ..self.replica.clone() };
        self.servers.push(Server { ledger, skew });
        self.primary = self.servers.len() - 1;
    }
}
