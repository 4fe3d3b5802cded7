//! The exchange and the front line: calls ring, are answered or lost, qualified, and rung back.

use crate::{
    domain::{actor::Role, time::Span},
    grpc::pb::{self, ActionEnd, ActionKind, Attribution, CallEventKind, Priority},
};

use super::{
    acts::{Act, CaseId},
    agenda::{ActorId, Post},
    room::{Line, Room},
    wire::{Fault, call},
};

/// The line of the exchange.
const EXCHANGE: &str = "autocom-01";
/// Mean time to qualify a request, and a P0.
const TALK: Span = Span::from_secs(150);
const TALK_VITAL: Span = Span::from_secs(45);
/// How often a caller who does not answer is tried.
const TRIES: u8 = 2;

impl Room {
    /// The exchange reports an event of a caller's call.
    async fn event(&mut self, caller: usize, event: CallEventKind) -> Result<bool, Fault> {
        let command_id = self.command();
        let known = &self.people[caller];
        let request = pb::ReportCallEventRequest {
            command_id: command_id.clone(),
            call_id: known.caller.call.clone(),
            event: event.into(),
            caller_number: known.caller.who.phone.clone(),
            called_line: if known.caller.want.stream == pb::Stream::Snp { "116117" } else { "15" }.to_owned(),
            happened_unix_ms: 0,
        };
        let role = Role::Telephony;
        let reply = call!(self.wire, "ReportCallEvent", EXCHANGE, role, telephony.report_call_event(request))?;
        let Some(reply) = reply else { return Ok(false) };
        self.wire.kept(command_id, reply.receipt.as_ref())?;
        self.by_case.insert(reply.case_id.clone(), caller);
        self.people[caller].case = reply.case_id;
        self.people[caller].version = reply.version;
        Ok(true)
    }

    pub(super) async fn ring(&mut self, caller: usize) -> Result<(), Fault> {
        self.event(caller, CallEventKind::Ringing).await?;
        self.tally.offered += 1;
        self.people[caller].line = Line::Rings;
        self.ringing.push_back(caller);
        let patience = self.people[caller].caller.patience;
        self.then(patience, ActorId(Post::Exchange, 1), Act::GiveUp(caller));
        Ok(())
    }

    pub(super) async fn give_up(&mut self, caller: usize) -> Result<(), Fault> {
        if self.people[caller].line != Line::Rings {
            return Ok(());
        }
        self.people[caller].line = Line::HungUp;
        self.ringing.retain(|waiting| *waiting != caller);
        self.tally.abandoned += 1;
        self.tally.lost.insert(self.people[caller].case.clone());
        self.event(caller, CallEventKind::HungUp).await.map(|_| ())
    }

    pub(super) async fn pick_up(&mut self, arm: ActorId, caller: usize) -> Result<(), Fault> {
        if self.people[caller].line != Line::Rings {
            self.free(arm);
            return Ok(());
        }
        self.event(caller, CallEventKind::Answered).await?;
        self.tally.answered.push(self.now.since(self.people[caller].caller.arrives));
        self.people[caller].line = Line::Talks;
        self.then(Span::from_secs(1), arm, Act::Look(caller));
        Ok(())
    }

    /// The screen opens the case, and shows earlier ones of the same number.
    pub(super) async fn look(&mut self, arm: ActorId, caller: usize) -> Result<(), Fault> {
        let request = pb::GetCaseRequest { case_id: self.people[caller].case.clone(), at_least_seq: 0 };
        let name = self.name(arm);
        let reply = call!(self.wire, "GetCase", &name, Role::Arm, intake.get_case(request))?;
        let known = &mut self.people[caller];
        let earlier = reply.and_then(|reply| Some(reply.possible_repeats.into_iter().next()?.case_id));
        let vital = known.caller.want.priority == Priority::P0;
        let talk = known.dice.work(if vital { TALK_VITAL } else { TALK }) + Span::from_secs(12);
        let again = known.caller.again;
        self.then(talk, arm, Act::Qualify(caller));
        if let Some(earlier) = earlier.filter(|_| again) {
            self.then(talk + Span::from_secs(1), ActorId(Post::Arm, arm.1), Act::Link(caller, earlier));
        }
        Ok(())
    }

    pub(super) async fn qualify(&mut self, arm: ActorId, caller: usize) -> Result<(), Fault> {
        let (command_id, name) = (self.command(), self.name(arm));
        let (priority, answers) = self.triaged(&name, caller).await?;
        self.people[caller].caller.want.priority = priority;
        let known = &self.people[caller];
        let want = &known.caller.want;
        let request = pb::QualifyRequest {
            command_id: command_id.clone(),
            case_id: known.case.clone(),
            priority: want.priority.into(),
            stream: want.stream.into(),
            motive: want.motive.to_owned(),
            flags: want.flags.iter().map(|flag| (*flag).into()).collect(),
            symptoms: want.symptoms,
            protocol: want.protocol.to_owned(),
            caller: Some(known.caller.who.clone()),
            place: Some(known.caller.place.clone()),
            patients: vec![known.caller.patient.clone()],
            answers,
            ..Default::default()
        };
        let reply = call!(self.wire, "Qualify", &name, Role::Arm, regulation.qualify(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
            // Who was to be rung later is regulated in his turn when few wait.
            if let Some(known) = reply.case.as_ref().and_then(|case| case.qualification.as_ref()) {
                self.people[caller].caller.want.priority = known.priority();
            }
            self.qualified(arm, caller);
        } else {
            self.free(arm);
        }
        Ok(())
    }

    fn qualified(&mut self, arm: ActorId, caller: usize) {
        let now = self.now;
        let known = &mut self.people[caller];
        known.qualified = Some(now);
        known.line = Line::Waits;
        let (hold, case, wrap) = (known.caller.hold, known.case.clone(), known.dice.seconds(10, 45));
        let (priority, attribution) = (known.caller.want.priority, known.caller.want.attribution);
        *self.tally.qualified.entry(priority.into()).or_default() += 1;
        match (priority, attribution) {
            // The line is kept until the AMU has accepted.
            (Priority::P0, _) => {
                self.accompanied.insert(case, arm.1);
            }
            (_, Some(attribution)) => self.then(wrap, arm, Act::Dismiss(case, attribution.into())),
            _ => {
                self.then(hold, ActorId(Post::Exchange, 2), Act::LeaveQueue(caller));
                self.then(wrap, arm, Act::Free);
            }
        }
    }

    pub(super) async fn link(&mut self, arm: ActorId, caller: usize, earlier: CaseId) -> Result<(), Fault> {
        let (command_id, name) = (self.command(), self.name(arm));
        let request = pb::LinkRepeatCallRequest {
            command_id: command_id.clone(),
            case_id: self.people[caller].case.clone(),
            version: Vec::new(),
            earlier_case_id: earlier,
        };
        let reply = call!(self.wire, "LinkRepeatCall", &name, Role::Arm, intake.link_repeat_call(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
            self.tally.repeats += 1;
        }
        Ok(())
    }

    pub(super) async fn dismiss(&mut self, arm: ActorId, case: CaseId, attribution: i32) -> Result<(), Fault> {
        let (command_id, name) = (self.command(), self.name(arm));
        let request = pb::DismissCaseRequest {
            command_id: command_id.clone(),
            case_id: case.clone(),
            version: Vec::new(),
            attribution,
        };
        let reply = call!(self.wire, "DismissCase", &name, Role::Arm, intake.dismiss_case(request))?;
        match reply {
            Some(reply) => {
                self.wire.kept(command_id, reply.receipt.as_ref())?;
                self.free(arm);
            }
            // An infant's file is never the ARM's to end: a doctor is asked.
            None => self.ask_a_doctor(arm, &case),
        }
        Ok(())
    }

    fn ask_a_doctor(&mut self, arm: ActorId, case: &str) {
        let Some(caller) = self.by_case.get(case).copied() else { return self.free(arm) };
        let want = &mut self.people[caller].caller.want;
        (want.priority, want.stream, want.motive) = (Priority::P3, pb::Stream::Snp, "M06.02");
        want.attribution = None;
        let writing = self.dice.seconds(8, 20);
        self.then(writing, arm, Act::Qualify(caller));
    }

    /// A caller who waits for a doctor hangs up, unless a doctor is on the line already.
    pub(super) async fn leave_queue(&mut self, caller: usize) -> Result<(), Fault> {
        let known = &self.people[caller];
        let view = self.view(&known.case);
        let regulated = |view: &pb::CaseView| view.claim.is_some() || !view.decisions.is_empty();
        if known.line != Line::Waits || view.is_none_or(regulated) {
            return Ok(());
        }
        self.people[caller].line = Line::HungUp;
        self.tally.left_queue += 1;
        self.event(caller, CallEventKind::HungUp).await.map(|_| ())
    }

    /// Whether no ARM is talking to the caller of a case.
    pub(super) fn nobody_talks(&self, case: &str) -> bool {
        let known = self.by_case.get(case).map(|caller| &self.people[*caller]);
        known.is_none_or(|known| known.line != Line::Talks && known.qualified.is_none())
    }

    /// An ARM dials; what happens is not known before somebody answers, or nobody does.
    pub(super) fn ring_back(&mut self, arm: ActorId, case: CaseId, action: String) {
        let Some(caller) = self.by_case.get(&case).copied() else { return self.free(arm) };
        let known = &mut self.people[caller];
        let waits = known.line == Line::Waits;
        let answers = !known.caller.who.phone.is_empty() && known.dice.percent(if waits { 95.0 } else { 72.0 });
        let dialling = known.dice.seconds(15, 40);
        if self.tally.lost.contains(&case) {
            self.tally.rung_back.insert(case.clone());
        }
        let act = if answers { Act::Reached(caller) } else { Act::NotReached(case, action) };
        self.then(dialling, arm, act);
    }

    pub(super) async fn reached(&mut self, arm: ActorId, caller: usize) -> Result<(), Fault> {
        if !self.event(caller, CallEventKind::Reconnected).await? {
            self.free(arm);
            return Ok(());
        }
        let case = self.people[caller].case.clone();
        if self.tally.lost.contains(&case) {
            self.tally.reached.insert(case);
        } else {
            self.tally.reassessed += 1;
        }
        let known = &mut self.people[caller];
        let again = known.qualified.is_some();
        known.line = if again { Line::Waits } else { Line::Talks };
        if again {
            let talk = known.dice.work(Span::from_secs(60));
            self.then(talk, arm, Act::Reassess(caller));
        } else {
            let talk = known.dice.work(TALK) + Span::from_secs(12);
            self.then(talk, arm, Act::Qualify(caller));
        }
        Ok(())
    }

    pub(super) async fn not_reached(&mut self, arm: ActorId, case: CaseId, action: String) -> Result<(), Fault> {
        if let Some(caller) = self.by_case.get(&case).copied() {
            let known = &mut self.people[caller];
            known.tries += 1;
            if known.tries < TRIES && !known.caller.who.phone.is_empty() {
                let later = known.dice.seconds(300, 480);
                self.noticed.remove(&action);
                self.try_again(later, case, action);
                self.free(arm);
                return Ok(());
            }
        }
        let name = self.name(arm);
        self.end_action(&name, Role::Arm, case, action, ActionEnd::Unreachable).await?;
        self.free(arm);
        Ok(())
    }

    fn try_again(&mut self, later: Span, case: CaseId, action: String) {
        let from = self.now + later;
        self.noticed.insert(action.clone());
        let job = super::acts::Job { case, kind: super::acts::JobKind::RingBack(action) };
        self.desk(Post::Arm).add(from, job);
    }

    /// One in eight who waited long is worse, and becomes a priority.
    pub(super) async fn reassess(&mut self, arm: ActorId, caller: usize) -> Result<(), Fault> {
        let worse = self.people[caller].dice.percent(12.0);
        if worse && self.people[caller].caller.want.priority == Priority::P2 {
            self.people[caller].caller.want.priority = Priority::P1;
            self.tally.raised += 1;
            return self.qualify(arm, caller).await;
        }
        let (command_id, name) = (self.command(), self.name(arm));
        let case_id = self.people[caller].case.clone();
        let text = "Rappelé : état stable, consignes redonnées.".to_owned();
        let request = pb::AddNoteRequest { command_id: command_id.clone(), case_id, text };
        let reply = call!(self.wire, "AddNote", &name, Role::Arm, intake.add_note(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
        }
        self.free(arm);
        Ok(())
    }

    /// A case nobody talks to: nobody could be reached and nothing was heard, so the file ends as a silent call.
    pub(super) fn qualify_cold(&mut self, arm: ActorId, case: CaseId) {
        let reading = self.dice.seconds(20, 60);
        let rings_back = self.view(&case).is_some_and(|view| {
            view.actions.iter().any(|action| action.ended_unix_ms == 0 && action.kind() == ActionKind::CallBack)
        });
        if rings_back {
            // Somebody is still trying: look again later.
            let from = self.now + Span::from_mins(5);
            let job = super::acts::Job { case, kind: super::acts::JobKind::Qualify };
            self.desk(Post::Arm).add(from, job);
            return self.free(arm);
        }
        self.then(reading, arm, Act::Dismiss(case, Attribution::Silent.into()));
    }
}
