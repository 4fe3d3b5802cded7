//! The driver: owns the clock and the order of everything.
//!
//! One act is one real gRPC call, awaited. Then timers that are due fire, and every screen is read up to where the log then
//! stands. Only then does the clock move. gRPC deadlines stay real time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    clock::Clock,
    domain::{
        actor::Role,
        time::{Instant, Span},
    },
    engine::Engine,
    grpc::pb,
};

use super::{
    acts::{Act, CaseId, person},
    agenda::{ActorId, Agenda, Post},
    callers::Caller,
    desk::Desk,
    dice::Dice,
    screens::Screens,
    staff::Staffing,
    tally::Tally,
    visitors::Visitors,
    wire::{Fault, Wire, call},
};

/// How often the service's timers are looked at when nobody acts. After every act they are looked at anyway.
const TICK: Span = Span::from_secs(5);

/// A caller's telephone line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    NotYet,
    Rings,
    Talks,
    Waits,
    HungUp,
}

/// What the driver keeps of one caller.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) caller: Caller,
    pub(super) line: Line,
    pub(super) case: CaseId,
    pub(super) version: Vec<u8>,
    /// Times nobody answered a call-back.
    pub(super) tries: u8,
    /// Needs that a doctor has signed.
    pub(super) decided: u32,
    pub(super) qualified: Option<Instant>,
    pub(super) dice: Dice,
}

/// The room, the doctors outside and the clock.
pub(super) struct Room {
    clock: Clock,
    engine: Engine,
    pub(super) now: Instant,
    /// When timers were last looked at.
    settled: Instant,
    pub(super) agenda: Agenda,
    pub(super) wire: Wire,
    pub(super) screens: Screens,
    pub(super) people: Vec<Known>,
    /// Which caller a case belongs to: the call is passed on with its case.
    pub(super) by_case: BTreeMap<CaseId, usize>,
    pub(super) ringing: VecDeque<usize>,
    pub(super) desks: BTreeMap<Post, Desk>,
    /// Which ARM stays on the line of a P0.
    pub(super) accompanied: BTreeMap<CaseId, usize>,
    /// Cases that regulators hold.
    pub(super) held: BTreeMap<ActorId, CaseId>,
    /// Regulators on their way to claim, by stream.
    pub(super) claiming: BTreeMap<i32, usize>,
    /// Cases a coordinator is busy with.
    pub(super) routing: BTreeSet<CaseId>,
    /// Actions that somebody has taken note of.
    pub(super) noticed: BTreeSet<String>,
    pub(super) visitors: Visitors,
    pub(super) dice: Dice,
    pub(super) tally: Tally,
}

/// What a room is furnished with.
pub(super) struct Furniture {
    pub(super) clock: Clock,
    pub(super) engine: Engine,
    pub(super) wire: Wire,
    pub(super) screens: Screens,
    pub(super) staffing: Staffing,
    pub(super) visitors: Visitors,
}

impl Room {
    pub(super) fn new(furniture: Furniture, callers: Vec<Caller>, midnight: Instant, seed: u64) -> Self {
        let Furniture { clock, engine, wire, screens, staffing, visitors } = furniture;
        let desk = |rota| Desk::new(rota, midnight, 0);
        let desks = BTreeMap::from([
            (Post::Arm, desk(staffing.arm)),
            // A P0 that finds every regulator busy is taken by the doctor of the SMUR at its base.
            (Post::Amu, Desk::new(staffing.amu, midnight, 1)),
            (Post::Snp, desk(staffing.snp)),
            (Post::Osnp, desk(staffing.osnp)),
        ]);
        let known = |(number, caller)| Known {
            caller,
            line: Line::NotYet,
            case: String::new(),
            version: Vec::new(),
            tries: 0,
            decided: 0,
            qualified: None,
            dice: Dice::new(seed, &format!("conduct/{number}")),
        };
        let mut agenda = Agenda::default();
        for (number, caller) in callers.iter().enumerate() {
            agenda.put(caller.arrives, ActorId(Post::Exchange, 0), Act::Ring(number));
        }
        Self {
            now: clock.now(),
            settled: clock.now(),
            clock,
            engine,
            agenda,
            wire,
            screens,
            people: callers.into_iter().enumerate().map(known).collect(),
            by_case: BTreeMap::new(),
            ringing: VecDeque::new(),
            desks,
            accompanied: BTreeMap::new(),
            held: BTreeMap::new(),
            claiming: BTreeMap::new(),
            routing: BTreeSet::new(),
            noticed: BTreeSet::new(),
            visitors,
            dice: Dice::new(seed, "room"),
            tally: Tally::default(),
        }
    }

    /// Plays until `until`; `told` hears of each step how far the clock has come.
    pub(super) async fn play(&mut self, until: Instant, mut told: impl FnMut(Instant)) -> Result<(), Fault> {
        loop {
            let tick = self.now + TICK;
            let due = self.agenda.next_due().map_or(tick, |due| due.max(self.now));
            if due.min(tick) >= until {
                return Ok(());
            }
            self.now = due.min(tick);
            self.clock.advance_to(self.now);
            let mut renewed = false;
            if due <= tick
                && let Some((actor, act)) = self.agenda.take()
            {
                renewed = matches!(act, Act::Renew(..));
                self.perform(actor, act).await?;
            }
            // A renewal only moves the end of a lease away: nothing falls due by it, and no screen shows it.
            if !renewed || self.settled + TICK <= self.now {
                self.settle().await?;
            }
            told(self.now);
        }
    }

    /// Fires what is due, brings every screen up to date, and lets whoever is free take what waits.
    async fn settle(&mut self) -> Result<(), Fault> {
        self.settled = self.now;
        let mut fired = 0;
        loop {
            match self.engine.upkeep_once().await.map_err(Fault::other)? {
                0 => break,
                count => fired += count,
            }
        }
        if fired > 0 {
            let asked = pb::GetStatusRequest::default();
            let status = call!(self.wire, "GetStatus", "cadre-01", Role::Supervisor, supervision.get_status(asked))?;
            self.wire.seq = self.wire.seq.max(status.map_or(0, |status| status.seq));
        }
        self.screens.reach(self.wire.seq).await?;
        self.notice();
        self.dispatch();
        Ok(())
    }

    /// Puts an act of `actor` on the agenda, `after` from now.
    pub(super) fn then(&mut self, after: Span, actor: ActorId, act: Act) {
        self.agenda.put(self.now + after, actor, act);
    }

    pub(super) fn desk(&mut self, post: Post) -> &mut Desk {
        self.desks.get_mut(&post).expect("every desk stands in the room from the beginning")
    }

    pub(super) fn name(&self, actor: ActorId) -> String {
        person(actor.0, actor.1)
    }

    /// The open case as the room's screen shows it.
    pub(super) fn view(&self, case: &str) -> Option<&pb::CaseView> {
        self.screens.room.cases.get(case)
    }

    /// A new act's id and the instant it is of.
    pub(super) fn command(&mut self) -> String {
        self.wire.command(self.now)
    }

    async fn perform(&mut self, actor: ActorId, act: Act) -> Result<(), Fault> {
        match act {
            Act::Ring(caller) => self.ring(caller).await,
            Act::GiveUp(caller) => self.give_up(caller).await,
            Act::PickUp(caller) => self.pick_up(actor, caller).await,
            Act::Look(caller) => self.look(actor, caller).await,
            Act::Qualify(caller) => self.qualify(actor, caller).await,
            Act::Link(caller, earlier) => self.link(actor, caller, earlier).await,
            Act::Dismiss(case, attribution) => self.dismiss(actor, case, attribution).await,
            Act::LeaveQueue(caller) => self.leave_queue(caller).await,
            Act::Reached(caller) => self.reached(actor, caller).await,
            Act::NotReached(case, action) => self.not_reached(actor, case, action).await,
            Act::Reassess(caller) => self.reassess(actor, caller).await,
            Act::Free => {
                self.free(actor);
                Ok(())
            }
            Act::ClaimNext(stream) => self.claim_next(actor, stream).await,
            Act::Accept(case) => self.accept(actor, case).await,
            Act::Renew(case, claim) => self.renew(actor, case, claim).await,
            Act::SignNeed(case, claim) => self.sign_need(actor, case, claim).await,
            Act::Explain(case, claim, decision) => self.explain(actor, case, claim, decision).await,
            Act::SignAnswer(case, claim, decision, other) => {
                self.sign_answer(actor, case, (claim, decision), other).await
            }
            Act::Advance(case, decision) => self.advance(actor, case, decision).await,
            Act::Rung(case, offer, open) => self.rung(actor, case, offer, open).await,
            Act::Told(case, offer) => self.told(actor, case, offer).await,
            Act::Done(case, action) => self.done(actor, case, action).await,
            Act::Complete(case) => self.complete(actor, case).await,
            Act::Attended(case, offer) => self.attended(actor, case, offer).await,
            act => self.perform_outside(actor, act).await,
        }
    }

    async fn perform_outside(&mut self, actor: ActorId, act: Act) -> Result<(), Fault> {
        match act {
            Act::Publish { responder, kind, start, end } => self.publish(actor, responder, kind, (start, end)).await,
            Act::OnDuty { responder, doctor, sectors, end } => self.on_duty(responder, doctor, sectors, end).await,
            Act::OffDuty { doctor } => self.off_duty(actor, doctor).await,
            Act::AcceptVisit { doctor, case, offer } => self.accept_visit(actor, doctor, case, offer).await,
            Act::Progress { doctor, case, visit, status } => self.progress(actor, doctor, (case, visit), status).await,
            Act::Position { doctor, lat, lon } => self.position(doctor, pb::Position { lat, lon }).await,
            Act::NobodyHome { doctor, case, visit } => self.nobody_home(actor, doctor, case, visit).await,
            Act::Absent { doctor, case, action } => self.absent(actor, doctor, case, action).await,
            Act::Report { doctor, case, visit } => self.report(doctor, case, visit).await,
            _ => Ok(()),
        }
    }

    /// The person at a desk is free for the next thing.
    pub(super) fn free(&mut self, actor: ActorId) {
        let now = self.now;
        if let Some(desk) = self.desks.get_mut(&actor.0) {
            desk.release(actor.1, now);
        }
    }
}
