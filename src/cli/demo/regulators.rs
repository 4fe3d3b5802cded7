//! Regulating doctors: claim, talk, sign the need, look at the plan, sign the answer.

use crate::{
    domain::{actor::Role, time::Span},
    grpc::pb::{self, CareType, Priority, SupplyReason},
};

use super::{
    acts::{Act, CaseId},
    agenda::{ActorId, Post},
    dice::Dice,
    room::{Line, Room},
    tally::Wait,
    told,
    wants::need,
    wire::{Fault, call},
};

/// Mean time on the telephone, without what the signatures take.
const TALK: Span = Span::from_secs(265);
/// One AMU regulator takes nothing but P0 and P1.
const KEPT_FREE: usize = 1;

/// A claim as a reply gives it.
struct Claimed {
    case: pb::CaseView,
    claim_no: u64,
    renew_every: Span,
}

impl Room {
    /// Doctors who are free see what waits and take the next.
    pub(super) fn call_regulators(&mut self) {
        let amu = [pb::Stream::Amu, pb::Stream::Neonat, pb::Stream::Psy];
        for (post, streams) in [(Post::Amu, amu.as_slice()), (Post::Snp, &[pb::Stream::Snp])] {
            while let Some((stream, urgent)) = self.most_urgent(streams) {
                let now = self.now;
                let first = if post == Post::Amu && !urgent { KEPT_FREE } else { 0 };
                let Some(seat) = self.desk(post).take_seat(now, first) else { break };
                *self.claiming.entry(stream.into()).or_default() += 1;
                let reaction = self.dice.seconds(2, 8);
                self.then(reaction, ActorId(post, seat), Act::ClaimNext(stream.into()));
            }
        }
    }

    /// Of these streams, the one with the most urgent case that nobody is on the way to, and whether it is a priority.
    fn most_urgent(&self, streams: &[pb::Stream]) -> Option<(pb::Stream, bool)> {
        let heads = streams.iter().filter_map(|stream| {
            let queue = self.screens.queues.get(&i32::from(*stream))?;
            let taken = self.claiming.get(&i32::from(*stream)).copied().unwrap_or(0);
            let mut waiting: Vec<_> = queue
                .cases
                .values()
                .filter(|view| view.claim.is_none())
                .filter_map(|view| view.qualification.as_ref())
                .map(|known| (known.priority, known.due_unix_ms))
                .collect();
            waiting.sort_unstable();
            waiting.get(taken).map(|(priority, due)| ((*priority, *due), *stream))
        });
        heads
            .min_by_key(|(urgency, _)| *urgency)
            .map(|((priority, _), stream)| (stream, priority <= Priority::P1.into()))
    }

    pub(super) async fn claim_next(&mut self, doctor: ActorId, stream: i32) -> Result<(), Fault> {
        if let Some(on_the_way) = self.claiming.get_mut(&stream) {
            *on_the_way -= 1;
        }
        let (command_id, name) = (self.command(), self.name(doctor));
        let request = pb::ClaimNextRequest { command_id: command_id.clone(), stream, skills: Vec::new() };
        let reply = call!(self.wire, "ClaimNext", &name, Role::Regulator, regulation.claim_next(request))?;
        let claimed = reply.and_then(|reply| Some((reply.case?, reply.receipt, reply.claim_no, reply.renew_every_ms)));
        let Some((case, receipt, claim_no, renew)) = claimed else {
            self.free(doctor);
            return Ok(());
        };
        self.wire.kept(command_id, receipt.as_ref())?;
        self.begin_talk(doctor, Claimed { case, claim_no, renew_every: Span::from_ms(renew) });
        Ok(())
    }

    pub(super) async fn accept(&mut self, doctor: ActorId, case: CaseId) -> Result<(), Fault> {
        let (command_id, name) = (self.command(), self.name(doctor));
        let request = pb::AcceptHandOverRequest { command_id: command_id.clone(), case_id: case };
        let role = Role::Regulator;
        let reply = call!(self.wire, "AcceptHandOver", &name, role, regulation.accept_hand_over(request))?;
        let claimed = reply.and_then(|reply| Some((reply.case?, reply.receipt, reply.claim_no, reply.renew_every_ms)));
        let Some((case, receipt, claim_no, renew)) = claimed else {
            self.free(doctor);
            return Ok(());
        };
        self.wire.kept(command_id, receipt.as_ref())?;
        self.begin_talk(doctor, Claimed { case, claim_no, renew_every: Span::from_ms(renew) });
        Ok(())
    }

    fn begin_talk(&mut self, doctor: ActorId, claimed: Claimed) {
        let Claimed { case, claim_no, renew_every } = claimed;
        self.note_wait(&case);
        self.held.insert(doctor, case.case_id.clone());
        let vital = case.qualification.as_ref().is_some_and(|known| known.priority() == Priority::P0);
        let mean = if vital { Span::from_secs(170) } else { TALK };
        let talk = self.dice.work(mean) + Span::from_secs(20);
        if renew_every > Span::ZERO {
            self.tally.renew_every = renew_every;
            self.then(renew_every, doctor, Act::Renew(case.case_id.clone(), claim_no));
        }
        if let Some(caller) = self.by_case.get(&case.case_id) {
            self.people[*caller].line = Line::Talks;
        }
        self.then(talk, doctor, Act::SignNeed(case.case_id, claim_no));
    }

    /// From qualification to the doctor, the first time.
    fn note_wait(&mut self, case: &pb::CaseView) {
        let Some(known) = &case.qualification else { return };
        let stream = known.stream();
        if case.decisions.is_empty() && self.tally.regulated.insert(case.case_id.clone()) {
            let since = crate::domain::time::Instant::from_unix_ms(known.at_unix_ms);
            let late = known.due_unix_ms < self.now.unix_ms() && known.priority() != Priority::P0;
            let wait = Wait { priority: known.priority(), stream, wait: self.now.since(since), late };
            self.tally.regulation_waits.push(wait);
        }
    }

    pub(super) async fn renew(&mut self, doctor: ActorId, case: CaseId, claim_no: u64) -> Result<(), Fault> {
        if self.held.get(&doctor) != Some(&case) {
            return Ok(());
        }
        let name = self.name(doctor);
        let request = pb::RenewClaimRequest { case_id: case.clone(), claim_no };
        let reply = call!(self.wire, "RenewClaim", &name, Role::Regulator, regulation.renew_claim(request))?;
        if reply.is_some() {
            let every = self.tally.renew_every;
            self.then(every, doctor, Act::Renew(case, claim_no));
        }
        Ok(())
    }

    /// The doctor signs what is needed. What comes back to a regulator is decided anew.
    pub(super) async fn sign_need(&mut self, doctor: ActorId, case: CaseId, claim_no: u64) -> Result<(), Fault> {
        let (command_id, name) = (self.command(), self.name(doctor));
        let Some(need) = self.needed(&case) else { return self.let_go(doctor, case, claim_no).await };
        let care = need.care();
        let supply = matches!(care, CareType::Consultation | CareType::HomeVisit | CareType::Teleconsultation);
        let advice = care == CareType::Advice;
        let refused = told::refusal(care, &self.patient(&case), &mut self.dice);
        let (refusal, dialogue) = match refused {
            Some((refusal, dialogue)) => (Some(refusal), dialogue),
            None => (None, told::dialogue(care, &mut self.dice)),
        };
        let in_two_hours = (self.now + Span::from_hours(2)).unix_ms();
        let follow_up_unix_ms = if advice && self.dice.percent(6.0) { in_two_hours } else { 0 };
        let request = pb::SignNeedRequest {
            command_id: command_id.clone(),
            case_id: case.clone(),
            claim_no,
            need: Some(need),
            note: if advice { "Conseils et consignes de rappel donnés.".to_owned() } else { String::new() },
            follow_up_unix_ms,
            dialogue: Some(dialogue),
            refusal,
            prescription: (care == CareType::PhonePrescription).then(|| self.prescription(&case)),
            ..Default::default()
        };
        let reply = call!(self.wire, "SignNeed", &name, Role::Regulator, regulation.sign_need(request))?;
        let Some(reply) = reply else { return self.let_go(doctor, case, claim_no).await };
        self.wire.kept(command_id, reply.receipt.as_ref())?;
        if let Some(caller) = self.by_case.get(&case) {
            self.people[*caller].decided += 1;
        }
        if supply {
            let looking = self.dice.seconds(6, 20);
            self.then(looking, doctor, Act::Explain(case, claim_no, reply.decision_id));
        } else {
            self.finish(doctor);
        }
        Ok(())
    }

    pub(super) async fn explain(
        &mut self,
        doctor: ActorId,
        case: CaseId,
        claim_no: u64,
        decision: String,
    ) -> Result<(), Fault> {
        let name = self.name(doctor);
        let request = pb::ExplainPlanRequest {
            case_id: case.clone(),
            decision_id: decision.clone(),
            at_least_seq: self.wire.seq,
        };
        let reply = call!(self.wire, "ExplainPlan", &name, Role::Regulator, routing.explain_plan(request))?;
        let plan = reply.and_then(|reply| reply.plan).unwrap_or_default();
        self.tally.plan_shown(&plan);
        let kept = plan.rows.iter().any(|row| row.rank > 0);
        let care = self.care_of(&case, &decision);
        let other = (!kept).then(|| otherwise(care, &mut self.dice));
        let reading = self.dice.seconds(8, 30);
        self.then(reading, doctor, Act::SignAnswer(case, claim_no, decision, other));
        Ok(())
    }

    pub(super) async fn sign_answer(
        &mut self,
        doctor: ActorId,
        case: CaseId,
        (claim_no, decision): (u64, String),
        other: Option<(i32, i32)>,
    ) -> Result<(), Fault> {
        let (command_id, name) = (self.command(), self.name(doctor));
        let needed = self.care_of(&case, &decision);
        let (care, supply_reason) = other.unwrap_or((needed.into(), SupplyReason::Unspecified.into()));
        let request = pb::SignAnswerRequest {
            command_id: command_id.clone(),
            case_id: case.clone(),
            claim_no,
            decision_id: decision,
            care,
            supply_reason,
            ..Default::default()
        };
        let reply = call!(self.wire, "SignAnswer", &name, Role::Regulator, regulation.sign_answer(request))?;
        let Some(reply) = reply else { return self.let_go(doctor, case, claim_no).await };
        self.wire.kept(command_id, reply.receipt.as_ref())?;
        self.finish(doctor);
        Ok(())
    }

    /// Gives back what could not be decided; whoever no longer holds it has nothing to give back.
    async fn let_go(&mut self, doctor: ActorId, case: CaseId, claim_no: u64) -> Result<(), Fault> {
        let (command_id, name) = (self.command(), self.name(doctor));
        let request = pb::ReleaseClaimRequest {
            command_id: command_id.clone(),
            case_id: case,
            claim_no,
            may_wait_until_unix_ms: 0,
        };
        let reply = call!(self.wire, "ReleaseClaim", &name, Role::Regulator, regulation.release_claim(request))?;
        if let Some(reply) = reply {
            self.wire.kept(command_id, reply.receipt.as_ref())?;
        }
        self.finish(doctor);
        Ok(())
    }

    fn finish(&mut self, doctor: ActorId) {
        self.held.remove(&doctor);
        let wrap = self.dice.seconds(10, 35);
        self.then(wrap, doctor, Act::Free);
    }

    fn prescription(&self, case: &str) -> pb::Prescription {
        told::prescription(&self.patient(case))
    }

    fn patient(&self, case: &str) -> pb::Patient {
        let patient = self.by_case.get(case).map(|caller| self.people[*caller].caller.patient.clone());
        patient.unwrap_or_default()
    }

    fn care_of(&self, case: &str, decision: &str) -> CareType {
        let decisions = self.view(case).map(|view| view.decisions.as_slice()).unwrap_or_default();
        let known = decisions.iter().find(|known| known.decision_id == decision);
        known.and_then(|known| known.need.as_ref()).map_or(CareType::Unspecified, pb::Need::care)
    }

    /// What the doctor hears that is needed; of a case that came back, what is left to do.
    fn needed(&mut self, case: &str) -> Option<pb::Need> {
        let caller = *self.by_case.get(case)?;
        let amu = self.view(case).and_then(|view| view.qualification.as_ref().map(pb::Qualification::stream));
        let known = &mut self.people[caller];
        let frail = known.caller.patient.reduced_mobility;
        let motive = known.caller.want.motive;
        match (&known.caller.want.need, known.decided) {
            (Some(first), 0) => Some(first.clone()),
            // Handed over from another stream: the AMU sends its own means.
            (Some(first), 1) if first.care() == CareType::Amu && amu == Some(pb::Stream::Amu) => Some(first.clone()),
            (None, 0) => Some(need(CareType::Advice, motive, frail, &mut known.dice)),
            _ => Some(again(motive, frail, &mut known.dice)),
        }
    }
}

/// What is decided about a patient for whom the first answer led nowhere.
fn again(motive: &str, frail: bool, dice: &mut Dice) -> pb::Need {
    let cares = [
        (CareType::Advice, 55),
        (CareType::Ambulance, 20),
        (CareType::EmergencyDepartment, 15),
        (CareType::NoFurther, 10),
    ];
    let care = match *dice.pick(&cares) {
        CareType::EmergencyDepartment if frail => CareType::Ambulance,
        care => care,
    };
    need(care, motive, false, dice)
}

/// What is done when the plan has no option: the supply is the reason, never the patient.
fn otherwise(needed: CareType, dice: &mut Dice) -> (i32, i32) {
    let (choices, reason): (&[(CareType, u32)], _) = match needed {
        CareType::HomeVisit => (&[(CareType::Ambulance, 70), (CareType::Advice, 30)], SupplyReason::NoVisit),
        _ => (&[(CareType::EmergencyDepartment, 65), (CareType::Advice, 35)], SupplyReason::NoneBeforeDeadline),
    };
    ((*dice.pick(choices)).into(), reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::pb::{CareLevel, LongestDelay};

    #[test]
    fn what_comes_back_is_never_sent_to_search_again_without_end() {
        let mut dice = Dice::new(5, "again");
        for _ in 0..200 {
            let need = again("M03.14", true, &mut dice);
            assert!(!matches!(need.care(), CareType::Consultation | CareType::HomeVisit));
            assert_ne!(need.level(), CareLevel::R1);
            assert_ne!(need.longest_delay(), LongestDelay::Unspecified);
        }
    }
}
