//! The player: three instances of the real engine over the simulated store, moved step by step.

use std::{
    collections::BTreeMap,
    task::{Context, Poll, Waker},
};

use sas_dispatch::{
    clock::Clock,
    domain::{
        actor::Role,
        case::{ActionKind, Command, Refusal},
        ids::CommandId,
        regulation::qualification::Priority,
        time::Span,
    },
    engine::{Engine, Failure, Mutation, Options, Target},
    store::{Digest, due_command},
};

use super::{
    asked::{Asked, Running, Told, kind, running, vital},
    console::Console,
    instance::{Instance, engine},
    judge::{Judge, Verdict},
    net::{Fault, Level, Net},
    plant::Planted,
    step::{CASES, INSTANCES, Move, Program},
};
use crate::domain::{
    simulation::{
        act::{Act, Step},
        scene::Scene,
    },
    stage::{self, SOS_DOCTOR, THURSDAY, bas_rhin, doctor, someone, yonne},
};

/// Requests under way at once; one more waits for the oldest.
const UNDER_WAY: usize = 6;
/// No request pauses longer than this between all its attempts: it may wait until another one gives up to hear of the roster,
/// 10 s for the log to be read and 10 s for what it tells, and then as long itself.
const LONGEST_PAUSE: Span = Span::from_secs(60);
/// The whole state is compared with the log once in so many moves, after whatever breaks something, and at the end.
const CHECK_EVERY: usize = 10;
const REGULATORS: [&str; 4] = ["dr-reg-anne", "dr-reg-bruno", SOS_DOCTOR, "dr-reg-anne"];

pub(super) struct Op {
    pub(super) id: u64,
    instance: usize,
    asked: Asked,
    mutation: Mutation,
    running: Running,
}

pub struct Player {
    pub(super) net: Net,
    pub(super) level: Level,
    pub(super) instances: Vec<Instance>,
    /// An engine of the judge's own, which looks and changes nothing.
    pub(super) checker: Engine,
    pub(super) ops: Vec<Op>,
    pub(super) consoles: Vec<Console>,
    made: u64,
    /// How many requests had been made when a client was first told that a command was done.
    told: BTreeMap<CommandId, u64>,
    history: Vec<(Asked, Mutation)>,
    pub(super) judge: Judge,
    /// Of the territory to which cases are handed over.
    pub(super) beyond: Judge,
    /// Where the instances keep across their lives what they acknowledged, where that is played.
    pub(super) kept: Option<tempfile::TempDir>,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Played {
    /// Every answer of the store and every command's result, in order.
    pub trace: Vec<String>,
    /// How often each command took effect.
    pub took_effect: BTreeMap<String, usize>,
    /// How often each kind of result was given, and each kind of message of a watch.
    pub results: BTreeMap<String, usize>,
}

impl Player {
    pub fn new(program: &Program, plant: Planted) -> Self {
        let net = Net::new(program.level, THURSDAY, INSTANCES, plant);
        let goes_back = program.moves.iter().any(|step| matches!(step, Move::PutBack));
        let kept = goes_back.then(|| tempfile::tempdir().expect("a folder for what was acknowledged"));
        let folder = kept.as_ref().map(tempfile::TempDir::path);
        let instances = (0..INSTANCES).map(|at| Instance::new(&net, at, program.level, folder)).collect();
        let checker = engine(std::sync::Arc::new(net.window()), Clock::manual(THURSDAY), Options::default());
        let (judge, beyond, level) = (Judge::new(bas_rhin()), Judge::new(yonne()), program.level);
        let (ops, consoles, history) = Default::default();
        Self {
            net,
            level,
            instances,
            checker,
            ops,
            consoles,
            made: 0,
            told: BTreeMap::new(),
            history,
            judge,
            beyond,
            kept,
        }
    }

    /// Plays a program to its end; the error says which rule was broken at which move.
    pub async fn play(mut self, program: &Program) -> Result<Played, String> {
        let mut played = Played::default();
        for (n, step) in program.moves.iter().enumerate() {
            let moved = self.step(step, &mut played).await.and_then(|()| self.look());
            let due = n % CHECK_EVERY == CHECK_EVERY - 1 || step.breaks();
            let checked = moved.and_then(|()| if due { self.check() } else { Ok(()) });
            self.print(&format!("move {n} {step:?}"), &mut played);
            checked.map_err(|wrong| format!("move {n} {step:?}: {wrong}"))?;
        }
        let ended = self.end(&mut played).await;
        self.print("the end", &mut played);
        ended.map_err(|wrong| format!("at the end: {wrong}"))?;
        played.trace.append(&mut self.net.world().told);
        played.took_effect = self.judge.took_effect;
        for (name, n) in self.beyond.took_effect {
            *played.took_effect.entry(name).or_default() += n;
        }
        played.results.insert("epoch raised".to_owned(), self.judge.raised);
        for (kind, n) in self.consoles.iter().flat_map(|console| &console.heard) {
            *played.results.entry(format!("watch: {kind}")).or_default() += n;
        }
        Ok(played)
    }

    /// Shows a run as it goes, for whoever looks for the cause of a failure.
    fn print(&self, when: &str, played: &mut Played) {
        if std::env::var_os("SAS_SIM_TRACE").is_none() {
            return;
        }
        println!("{when}");
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
            Move::Onward { at, case, pick, acts } => self.onward((*at, *case, *pick), *acts, played).await,
            Move::ClaimNext { at, hurry, who } => {
                let actor = someone(REGULATORS[who % REGULATORS.len()], Role::Regulator);
                self.ask(*at, Asked::ClaimNext(actor), *hurry, played).await
            }
            Move::Room { at, surge } => match self.meaning(&self.of_room(*surge)) {
                Some(asked) => self.ask(*at, asked, false, played).await,
                None => Ok(()),
            },
            Move::Position { at, who } => match self.judge.records.shifts.values().nth(*who) {
                Some(shift) => {
                    let (actor, id) = (doctor(shift.doctor.as_str()), shift.id);
                    self.ask(*at, Asked::Position(actor, id), false, played).await
                }
                None => Ok(()),
            },
            Move::AskAgain { at, hurry, back } => self.again(*at, *hurry, *back, played).await,
            Move::OverThere { at, hurry, pick, refused } => {
                // What was sent arrives there with the round of some instance.
                self.ask(*at, Asked::Tick, *hurry, played).await?;
                self.look()?;
                match self.over_there(*pick, *refused) {
                    Some(asked) => self.ask(*at, asked, *hurry, played).await,
                    None => Ok(()),
                }
            }
            Move::Tick { at, hurry } => self.ask(*at, Asked::Tick, *hurry, played).await,
            Move::Go { call, fault } => {
                self.go(*call, *fault);
                self.run(played).await
            }
            Move::Settle if self.consoles.is_empty() => self.settle(played).await,
            Move::Settle => self.quiet(played).await,
            Move::Restore => self.restore(played).await,
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
                self.pass(Span::ZERO);
            }
            Move::Crash { at, late } => self.crash(*at, *late),
            Move::Cut => self.net.world().cut(),
            Move::FailOver { saved } => {
                self.net.world().fail_over(*saved);
                // It takes a moment. A command that was lost and is decided again in the very same millisecond, at the same
                // place of the log, would give its records the version that they had in the lost history.
                self.pass(Span::from_ms(1));
            }
            Move::BackUp => self.net.world().back_up(),
            Move::PutBack => {
                self.net.world().put_back();
                self.judge.went_back(&self.net.world());
                self.beyond.went_back(&self.net.world());
            }
            Move::Watch { at, queue } => self.watch(*at, *queue),
            Move::Resume { console, at } => {
                if let Some(console) = self.consoles.get_mut(*console) {
                    console.connect(*at, self.instances[*at].engine.clone());
                }
            }
            Move::Reads { console, reads } => {
                self.consoles.get_mut(*console).into_iter().for_each(|console| console.reads = *reads);
            }
            _ => unreachable!("{step:?} is asked of somebody"),
        }
    }

    fn crash(&mut self, at: usize, late: bool) {
        self.ops.retain(|op| op.instance != at);
        self.net.world().forget(at, late);
        let folder = self.kept.as_ref().map(tempfile::TempDir::path);
        self.instances[at] = self.instances[at].again(&self.net, at, self.level, folder);
        let (next, instances) = ((at + 1) % INSTANCES, &self.instances);
        for console in self.consoles.iter_mut().filter(|console| console.at == at) {
            console.connect(next, instances[next].engine.clone());
        }
    }

    pub(super) fn pass(&mut self, span: Span) {
        self.net.world().pass(span);
        let now = self.net.world().now();
        self.instances.iter().for_each(|known| known.pass(now, span));
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
        self.look()?;
        let Some(case) = self.judge.cases.last().copied() else { return Ok(()) };
        let qualify = Command::Qualify(Box::new(stage::qualify(priority)));
        self.ask(at, Asked::Act(stage::arm(), Target::case(case), Box::new(qualify)), true, played).await
    }

    async fn onward(&mut self, whose: (usize, usize, usize), acts: usize, played: &mut Played) -> Verdict {
        let (at, case, pick) = whose;
        for n in 0..acts {
            let next = Step { act: Act::Next, who: (pick + n) % 6, case, pick: (5 * pick + 3 * n) % 8 };
            let seldom = (n % 3 == 2).then(|| self.seldom(case, pick + n)).flatten();
            let what = seldom.map_or(next, |act| Step { act, who: pick % 6, case, pick: 0 });
            if let Some(asked) = self.meaning(&what) {
                self.ask(at, asked, true, played).await?;
                self.look()?;
            }
        }
        Ok(())
    }

    /// What people do now and then where a case stands so: chance alone rarely does it at that moment.
    fn seldom(&self, case: usize, pick: usize) -> Option<Act> {
        let id = self.judge.cases.get(case % self.judge.cases.len().max(1))?;
        let case = &self.judge.records.cases[id];
        let open = |kind| case.open_action(kind).is_some();
        match () {
            () if open(ActionKind::Reorient) => Some(Act::AnswerReorientation { refused: pick.is_multiple_of(2) }),
            () if case.claim.as_ref().is_some_and(|claim| claim.suspect.is_some()) => Some(Act::Resume),
            () if case.sent().is_some() && pick.is_multiple_of(5) => Some(Act::WithdrawTransfer),
            () if case.sent().is_some() && pick % 5 < 3 => Some(Act::Note),
            () if pick.is_multiple_of(3) => Some(Act::Transfer { by_arm: case.claim.is_none() }),
            () if case.claim.is_some() && pick % 3 == 1 => Some(Act::Reorient { stream: pick % 4 }),
            () if open(ActionKind::ConfirmSlot) && pick.is_multiple_of(2) => Some(Act::RenewHold),
            () if open(ActionKind::ConfirmSlot) || open(ActionKind::Appointment) => Some(Act::Cancel),
            () => None,
        }
    }

    /// What somebody would do about the roster, or about how requests are split, as it stands now.
    fn of_room(&self, surge: bool) -> Step {
        let (room, now) = (self.judge.records.room.as_ref(), self.net.world().now());
        let act = match surge {
            true => Act::Surge { on: room.and_then(|room| room.surge_at(now)).is_none() },
            false if room.is_some_and(|room| room.on_duty(now).next().is_some()) => Act::OffDuty,
            false => Act::OnDuty { stream: 1 },
        };
        Step { act, who: 0, case: 0, pick: 0 }
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
        // What another territory says is said by its own people here, and carried by the instances.
        if actor.role == Role::Upkeep && matches!(command, Command::Transfer(_)) {
            return None;
        }
        if matches!(what.act, Act::Plan)
            && let Command::Advance { decision, .. } = &command
        {
            return Some(Asked::Advance(actor, case?, *decision));
        }
        Some(Asked::Act(actor, Target { case, version: None }, Box::new(command)))
    }

    pub(super) async fn ask(&mut self, at: usize, asked: Asked, hurry: bool, played: &mut Played) -> Verdict {
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
        let most = self.net.world().now() + LONGEST_PAUSE;
        while self.ops.iter().any(|op| op.id == id) {
            let place = {
                let world = self.net.world();
                world.movable_of(id).or_else(|| world.movable_of_somebody())
            };
            match place {
                Some(place) => self.net.world().go(place, Fault::Fine),
                // It pauses before it asks again.
                None if self.net.world().now() < most => self.pass(Span::from_ms(20)),
                None => return Err(format!("a request waits for nothing: {:?}", self.named(id))),
            }
            self.run(played).await?;
        }
        Ok(())
    }

    fn named(&self, id: u64) -> Option<&Asked> {
        self.ops.iter().find(|op| op.id == id).map(|op| &op.asked)
    }

    pub(super) async fn settle(&mut self, played: &mut Played) -> Verdict {
        while let Some(id) = self.ops.first().map(|op| op.id) {
            self.finish(id, played).await?;
        }
        Ok(())
    }

    /// Lets every request and every loop of the instances go on as far as it can, and hears what was answered.
    pub(super) async fn run(&mut self, played: &mut Played) -> Verdict {
        loop {
            let calls = self.net.world().made();
            let mut heard = self.poll(played)?;
            // The loops are tasks of the runtime: each yield lets all of them run once.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            heard |= self.poll(played)?;
            heard |= self.hear_watches(played)?;
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
        self.look()?;
        let territory = op.asked.territory();
        let net = self.net.clone();
        let world = net.world();
        let failure = match (&told, &op.asked) {
            (Told::Done(Ok(done)), Asked::ClaimNext(_)) if done.reply.case.is_none() => return Ok(()),
            (Told::Done(Ok(done)), Asked::Act(actor, ..) | Asked::Advance(actor, ..) | Asked::ClaimNext(actor)) => {
                if done.reply.case.is_none() && op.asked.about_a_case() {
                    return Err(format!("1: {:?} was acknowledged without a word of its case", op.asked));
                }
                self.told.entry(op.mutation.command_id).or_insert(self.made);
                let judge = self.judge_of(&territory);
                judge.told(op.mutation.command_id, &actor.person, done, &world)?;
                if !done.replayed && judge.in_log(op.mutation.command_id) {
                    drop(world);
                    self.net.world().acknowledged(op.instance, &territory, op.mutation.command_id);
                }
                return Ok(());
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
        // A repetition that began before anybody was told may have been refused before it was done.
        let later = self.told.get(&op.mutation.command_id).is_some_and(|made| op.id > *made);
        if refused && later && self.judge_of(&territory).was_told(op.mutation.command_id) {
            return Err(format!("1: {:?} was done and then refused: {failure}", op.asked));
        }
        match &op.asked {
            Asked::Act(_, _, command) if refused && vital(command) => Err(format!("7: a P0 was refused: {failure}")),
            _ => Ok(()),
        }
    }
}
