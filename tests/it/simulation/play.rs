//! The player: three instances of the real engine over the simulated store, moved step by step.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use sas_dispatch::{
    clock::Clock,
    domain::{
        actor::{Actor, Role},
        case::{Command, Refusal},
        ids::{CaseId, DecisionId, ShiftId},
        place::Position,
        regulation::qualification::{Priority, Stream},
        time::Span,
    },
    engine::{Done, Engine, Failure, LookupKey, Mutation, Options, Place, Target},
    store::{Digest, due_command},
    telemetry::Metrics,
};

use super::{
    judge::{Judge, Verdict},
    net::{Fault, Net},
    plant::Planted,
    port::Port,
    step::{INSTANCES, Move, Program},
};
use crate::domain::{
    simulation::{
        act::{Act, Step},
        scene::Scene,
    },
    stage::{self, SOS_DOCTOR, THURSDAY, bas_rhin, doctor, someone},
};

/// Requests under way at once; one more waits for the oldest.
const UNDER_WAY: usize = 6;
/// Cases of one run.
const CASES: usize = 8;
/// The whole state is compared with the log once in so many moves, and at the end.
const CHECK_EVERY: usize = 40;
const REGULATORS: [&str; 4] = ["dr-reg-anne", "dr-reg-bruno", SOS_DOCTOR, "dr-reg-anne"];

/// What was asked, so that it can be asked again.
#[derive(Debug, Clone)]
enum Asked {
    Act(Actor, Target, Box<Command>),
    Advance(Actor, CaseId, DecisionId),
    ClaimNext(Actor),
    Renew(Actor, CaseId, u64),
    Position(Actor, ShiftId),
    Tick,
}

impl Asked {
    /// Whether what is told of its success names a case.
    fn about_a_case(&self) -> bool {
        match self {
            Self::Act(_, target, command) => target.case.is_some() || matches!(**command, Command::Open(_)),
            Self::Advance(..) => true,
            _ => false,
        }
    }
}

#[derive(Debug)]
enum Told {
    Done(Result<Box<Done>, Failure>),
    /// Of what leaves no receipt: whether it succeeded.
    Touched(Result<(), Failure>),
}

type Running = Pin<Box<dyn Future<Output = Told>>>;

struct Op {
    id: u64,
    instance: usize,
    asked: Asked,
    mutation: Mutation,
    running: Running,
}

struct Instance {
    engine: Engine,
    clock: Arc<AtomicI64>,
    skew: i64,
}

pub struct Player {
    net: Net,
    instances: Vec<Instance>,
    /// An engine of the judge's own, which looks and changes nothing.
    checker: Engine,
    ops: Vec<Op>,
    made: u64,
    history: Vec<(Asked, Mutation)>,
    judge: Judge,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Played {
    /// Every answer of the store and every command's result, in order.
    pub trace: Vec<String>,
    /// How often each command took effect.
    pub took_effect: BTreeMap<String, usize>,
    /// How often each kind of result was given.
    pub results: BTreeMap<String, usize>,
}

fn engine(port: Port, clock: Clock) -> Engine {
    let ground = bas_rhin();
    let (territory, directory) = (ground.0.clone(), ground.1.clone());
    let places = BTreeMap::from([(territory.id.clone(), Arc::new(Place { territory, directory }))]);
    let lookup = LookupKey::new(*b"a key for a simulation");
    // An engine that asks again pauses in real time, which a simulation has none of: here the callers ask again.
    let options = Options { patience: std::time::Duration::ZERO, ..Options::default() };
    Engine::new(Arc::new(port), clock, places, lookup, Metrics::silent(), options)
}

impl Player {
    pub fn new(program: &Program, plant: Planted) -> Self {
        let net = Net::new(program.level, THURSDAY, INSTANCES, plant);
        let start = |at| {
            let clock = Arc::new(AtomicI64::new(THURSDAY.unix_ms()));
            Instance { engine: engine(net.port(at), Clock::Manual(clock.clone())), clock, skew: 0 }
        };
        let instances = (0..INSTANCES).map(start).collect();
        let checker = engine(net.window(), Clock::manual(THURSDAY));
        let judge = Judge::new(bas_rhin());
        Self { net, instances, checker, ops: Vec::new(), made: 0, history: Vec::new(), judge }
    }

    /// Plays a program to its end; the error says which rule was broken at which move.
    pub async fn play(mut self, program: &Program) -> Result<Played, String> {
        let mut played = Played::default();
        for (n, step) in program.moves.iter().enumerate() {
            let moved = self.step(step, &mut played).await.and_then(|()| self.judge.look(&self.net.world()));
            let checked = moved.and_then(|()| if n % CHECK_EVERY == CHECK_EVERY - 1 { self.check() } else { Ok(()) });
            self.print(n, step, &mut played);
            checked.map_err(|wrong| format!("move {n} {step:?}: {wrong}"))?;
        }
        self.end(&mut played).await.map_err(|wrong| format!("at the end: {wrong}"))?;
        played.trace.append(&mut self.net.world().told);
        played.took_effect = self.judge.took_effect;
        Ok(played)
    }

    /// Shows a run as it goes, for whoever looks for the cause of a failure.
    fn print(&self, n: usize, step: &Move, played: &mut Played) {
        if std::env::var_os("SAS_SIM_TRACE").is_none() {
            return;
        }
        println!("move {n} {step:?}");
        for line in self.net.world().told.drain(..).chain(played.trace.drain(..)) {
            println!("    {}", line.chars().take(400).collect::<String>());
        }
    }

    async fn step(&mut self, step: &Move, played: &mut Played) -> Verdict {
        match step {
            Move::Ask { at, hurry, what } => match self.meaning(what) {
                Some(asked) => self.ask(*at, asked, *hurry, played).await,
                None => self.timed(*at, what, *hurry, played).await,
            },
            Move::Arrival { at, priority } => self.arrival(*at, Priority::ALL[*priority], played).await,
            Move::ClaimNext { at, hurry, who } => {
                let actor = someone(REGULATORS[who % REGULATORS.len()], Role::Regulator);
                self.ask(*at, Asked::ClaimNext(actor), *hurry, played).await
            }
            Move::Position { at, who } => match self.judge.records.shifts.values().nth(*who) {
                Some(shift) => {
                    let (actor, id) = (doctor(shift.doctor.as_str()), shift.id);
                    self.ask(*at, Asked::Position(actor, id), false, played).await
                }
                None => Ok(()),
            },
            Move::AskAgain { at, hurry, back } => self.again(*at, *hurry, *back, played).await,
            Move::Tick { at, hurry } => self.ask(*at, Asked::Tick, *hurry, played).await,
            Move::Go { call, fault } => {
                self.go(*call, *fault);
                self.run(played).await
            }
            Move::Settle => self.settle(played).await,
            _ => {
                self.outside(step);
                self.run(played).await
            }
        }
    }

    /// What happens without anybody asking.
    fn outside(&mut self, step: &Move) {
        match step {
            Move::Wait { ms } => self.pass(Span::from_ms(*ms)),
            Move::StoreClock { ms } => self.net.world().skew_store(*ms),
            Move::Clock { at, ms } => {
                self.instances[*at].skew = *ms;
                self.set_clocks();
            }
            Move::Crash { at, late } => {
                self.ops.retain(|op| op.instance != *at);
                self.net.world().forget(*at, *late);
                let clock = Clock::Manual(self.instances[*at].clock.clone());
                self.instances[*at].engine = engine(self.net.port(*at), clock);
            }
            Move::Cut => self.net.world().cut(),
            Move::FailOver { saved } => self.net.world().fail_over(*saved),
            _ => unreachable!("{step:?} is asked of somebody"),
        }
    }

    fn pass(&mut self, span: Span) {
        self.net.world().pass(span);
        self.set_clocks();
    }

    fn set_clocks(&self) {
        let now = self.net.world().now().unix_ms();
        self.instances.iter().for_each(|known| known.clock.store(now + known.skew, Ordering::SeqCst));
    }

    /// Acts that are no command of the domain.
    async fn timed(&mut self, at: usize, what: &Step, hurry: bool, played: &mut Played) -> Verdict {
        match &what.act {
            Act::Pass { seconds } => {
                self.pass(Span::from_secs(*seconds));
                Ok(())
            }
            Act::Again => self.again(at, hurry, 0, played).await,
            _ => Ok(()),
        }
    }

    async fn arrival(&mut self, at: usize, priority: Priority, played: &mut Played) -> Verdict {
        if self.judge.cases.len() >= CASES {
            return Ok(());
        }
        let open = Command::Open(Box::new(stage::call(self.net.world().now())));
        self.ask(at, Asked::Act(stage::arm(), Target::default(), Box::new(open)), true, played).await?;
        self.judge.look(&self.net.world())?;
        let Some(case) = self.judge.cases.last().copied() else { return Ok(()) };
        let qualify = Command::Qualify(Box::new(stage::qualify(priority)));
        self.ask(at, Asked::Act(stage::arm(), Target::case(case), Box::new(qualify)), true, played).await
    }

    async fn again(&mut self, at: usize, hurry: bool, back: usize, played: &mut Played) -> Verdict {
        let Some((asked, mutation)) = self.history.iter().rev().nth(back).cloned() else { return Ok(()) };
        self.start(at, asked, mutation, hurry, played).await
    }

    /// What an act means where the log stands now.
    fn meaning(&self, what: &Step) -> Option<Asked> {
        let ground = bas_rhin();
        let (records, cases, now) = (&self.judge.records, &self.judge.cases, self.net.world().now());
        let scene = Scene { territory: &ground.0, directory: &ground.1, records, now, cases, most: CASES };
        if matches!(what.act, Act::Renew) {
            let case = &records.cases[&scene.case(what)?];
            let claim = case.claim.as_ref()?;
            return Some(Asked::Renew(someone(claim.by.as_str(), Role::Regulator), case.id, claim.no));
        }
        if matches!(what.act, Act::Pass { .. } | Act::Again) {
            return None;
        }
        let (actor, case, command) = scene.meaning(what)?;
        if matches!(what.act, Act::Plan)
            && let Command::Advance { decision, .. } = &command
        {
            return Some(Asked::Advance(actor, case?, *decision));
        }
        Some(Asked::Act(actor, Target { case, version: None }, Box::new(command)))
    }

    async fn ask(&mut self, at: usize, asked: Asked, hurry: bool, played: &mut Played) -> Verdict {
        self.made += 1;
        let name = format!("command {}", self.made);
        let command_id = due_command(&name, self.net.world().store_clock());
        let mutation = Mutation { command_id, digest: Digest::of(name.as_bytes()) };
        if matches!(asked, Asked::ClaimNext(_)) {
            self.judge.expects_next(command_id);
        }
        if !matches!(asked, Asked::Renew(..) | Asked::Position(..) | Asked::Tick) {
            self.history.push((asked.clone(), mutation));
        }
        self.start(at, asked, mutation, hurry, played).await
    }

    async fn start(
        &mut self,
        at: usize,
        asked: Asked,
        mutation: Mutation,
        hurry: bool,
        played: &mut Played,
    ) -> Verdict {
        if self.ops.len() >= UNDER_WAY {
            let oldest = self.ops[0].id;
            self.finish(oldest, played).await?;
        }
        self.made += 1;
        let id = self.made;
        let running = running(self.instances[at].engine.clone(), asked.clone(), mutation);
        self.ops.push(Op { id, instance: at, asked, mutation, running });
        self.run(played).await?;
        if hurry { self.finish(id, played).await } else { Ok(()) }
    }

    fn go(&mut self, call: usize, fault: Fault) {
        let mut world = self.net.world();
        let movable = world.movable();
        if let Some(place) = movable.get(call % movable.len().max(1)) {
            world.go(*place, fault);
        }
    }

    /// Lets one request come to its end, and what stands in its way.
    async fn finish(&mut self, id: u64, played: &mut Played) -> Verdict {
        while self.ops.iter().any(|op| op.id == id) {
            let place = {
                let world = self.net.world();
                world.movable_of(id).or_else(|| world.movable_of_somebody())
            };
            let Some(place) = place else { return Err(format!("a request waits for nothing: {:?}", self.named(id))) };
            self.net.world().go(place, Fault::Fine);
            self.run(played).await?;
        }
        Ok(())
    }

    fn named(&self, id: u64) -> Option<&Asked> {
        self.ops.iter().find(|op| op.id == id).map(|op| &op.asked)
    }

    async fn settle(&mut self, played: &mut Played) -> Verdict {
        while let Some(id) = self.ops.first().map(|op| op.id) {
            self.finish(id, played).await?;
        }
        Ok(())
    }

    /// Lets every request and every loop of the instances go on as far as it can, and hears what was answered.
    async fn run(&mut self, played: &mut Played) -> Verdict {
        loop {
            let calls = self.net.world().made();
            let mut heard = self.poll(played)?;
            // The loops are tasks of the runtime: each yield lets all of them run once.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            heard |= self.poll(played)?;
            if !heard && self.net.world().made() == calls {
                return Ok(());
            }
        }
    }

    /// Polls each request once; whether one has ended.
    fn poll(&mut self, played: &mut Played) -> Result<bool, String> {
        let (mut place, mut heard) = (0, false);
        while place < self.ops.len() {
            let op = &mut self.ops[place];
            self.net.world().asking = Some(op.id);
            let polled = op.running.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            self.net.world().asking = None;
            match polled {
                Poll::Pending => place += 1,
                Poll::Ready(told) => {
                    let op = self.ops.remove(place);
                    heard = true;
                    self.hear(&op, told, played)?;
                }
            }
        }
        Ok(heard)
    }

    fn hear(&mut self, op: &Op, told: Told, played: &mut Played) -> Verdict {
        played.trace.push(format!("{:?} {told:?}", op.mutation.command_id));
        *played.results.entry(kind(&told)).or_default() += 1;
        let broken = |failure: &Failure| matches!(failure, Failure::Refused(Refusal::Broken(_)));
        let world = self.net.world();
        self.judge.look(&world)?;
        let failure = match (&told, &op.asked) {
            (Told::Done(Ok(done)), Asked::ClaimNext(_)) if done.reply.case.is_none() => return Ok(()),
            (Told::Done(Ok(done)), Asked::Act(actor, ..) | Asked::Advance(actor, ..) | Asked::ClaimNext(actor)) => {
                if done.reply.case.is_none() && op.asked.about_a_case() {
                    return Err(format!("1: {:?} was acknowledged without a word of its case", op.asked));
                }
                return self.judge.told(op.mutation.command_id, &actor.person, done, &world);
            }
            (Told::Done(Err(failure)) | Told::Touched(Err(failure)), _) => failure,
            _ => return Ok(()),
        };
        if broken(failure) {
            return Err(format!("the last line of defence had to refuse {:?}: {failure}", op.asked));
        }
        // Whoever reads from an old primary, cut off from everybody else, may be refused what he was told was done: nothing
        // is lost by it, and no read of one server could know better.
        let refused = matches!(failure, Failure::Refused(_)) && !world.misled(op.id);
        if refused && self.judge.was_told(op.mutation.command_id) {
            return Err(format!("1: {:?} was done and then refused: {failure}", op.asked));
        }
        match &op.asked {
            Asked::Act(_, _, command) if refused && vital(command) => Err(format!("7: a P0 was refused: {failure}")),
            _ => Ok(()),
        }
    }

    /// The whole log against all records and indexes.
    fn check(&self) -> Verdict {
        let territory = bas_rhin().0.id.clone();
        let mut check = Box::pin(self.checker.check(&territory));
        let Poll::Ready(report) = check.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            unreachable!("the window answers at once");
        };
        let report = report.map_err(|failure| failure.to_string())?;
        let silence = |wrong: &&String| !wrong.contains("before anybody was told");
        match report.violations.iter().find(silence) {
            Some(wrong) => Err(wrong.clone()),
            None => Ok(()),
        }
    }

    /// Everything works again: what is under way ends, upkeep runs, and nothing may be left silent.
    async fn end(&mut self, played: &mut Played) -> Verdict {
        self.settle(played).await?;
        self.net.world().skew_store(0);
        self.instances.iter_mut().for_each(|known| known.skew = 0);
        self.pass(Span::from_mins(2));
        self.arrivals();
        self.judge.look(&self.net.world())?;
        // A lease that stood still while the store could not be reached runs on from the first contact.
        self.ask(0, Asked::Tick, true, played).await?;
        self.pass(Span::from_mins(2));
        for _ in 0..4 {
            self.ask(0, Asked::Tick, true, played).await?;
        }
        self.judge.look(&self.net.world())?;
        self.check()?;
        let world = self.net.world();
        let Some(land) = world.truth().lands.get(&bas_rhin().0.id) else { return Ok(()) };
        self.judge.all_acknowledged(land)?;
        self.judge.nothing_silent(world.now(), land)
    }

    /// Whatever is still on its way from nobody arrives.
    fn arrivals(&mut self) {
        let mut world = self.net.world();
        while let Some(place) = world.movable().first().copied() {
            world.go(place, Fault::Fine);
        }
    }
}

fn running(engine: Engine, asked: Asked, mutation: Mutation) -> Running {
    let boxed = |result: Result<Done, Failure>| Told::Done(result.map(Box::new));
    Box::pin(async move {
        match asked {
            Asked::Act(actor, target, command) => boxed(engine.act(&actor, mutation, target, *command).await),
            Asked::Advance(actor, case, decision) => {
                boxed(engine.advance(&actor, mutation, Target::case(case), decision).await)
            }
            Asked::ClaimNext(actor) => boxed(engine.claim_next(&actor, mutation, Stream::Snp).await),
            Asked::Renew(actor, case, no) => Told::Touched(engine.renew_claim(&actor, case, no).await.map(|_| ())),
            Asked::Position(actor, shift) => {
                let position = Position { lat: 48.58, lon: 7.75 };
                Told::Touched(engine.report_position(&actor, shift, position).await.map(|_| ()))
            }
            Asked::Tick => Told::Touched(engine.upkeep_once().await.map(|_| ())),
        }
    })
}

fn vital(command: &Command) -> bool {
    match command {
        Command::Open(open) => open.vital,
        _ => false,
    }
}

fn kind(told: &Told) -> String {
    match told {
        Told::Done(Ok(done)) if done.replayed => "replayed".to_owned(),
        Told::Done(Ok(_)) => "done".to_owned(),
        Told::Touched(Ok(())) => "touched".to_owned(),
        Told::Done(Err(failure)) | Told::Touched(Err(failure)) => match failure {
            Failure::Refused(refusal) => refusal.code().to_owned(),
            other => format!("{other:?}").split(['(', ' ']).take(2).collect::<Vec<_>>().join(" "),
        },
    }
}
