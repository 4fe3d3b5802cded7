//! What an act means in the present state: who gives which command about which case.

use std::collections::BTreeSet;

use sas_dispatch::domain::{
    actor::{Actor, Role},
    case::{
        Action, Case, Command, OfferState, Records,
        command::{OfferAnswer, Particulars, SignAnswer, StartDuty},
        state::{Channel, ContactSafety, Patient},
        transfer::TransferAct,
    },
    directory::Directory,
    ids::{CaseId, SlotId},
    regulation::{
        decision::{Decision, SupplyReason},
        need::CareType,
        qualification::{Priority, Stream},
        room::{Affiliation, SurgeReason},
    },
    routing::{Means, Problem, Supply, plan},
    slots::SlotKind,
    territory::Territory,
    time::{Instant, Span},
    visits::Visit,
};

use super::{
    super::stage::{
        self, GP, GP_DOCTOR, SAS, SAS_DOCTOR, SECTOR, SOS, SOS_DOCTOR, arm, call, complete, coordinator, doctor,
        plan_at, qualify, sign, someone, supervisor, text, upkeep, visit_means,
    },
    act::{Act, Step},
    elsewhere, next,
};

const REGULATORS: [&str; 3] = ["dr-reg-anne", "dr-reg-bruno", SOS_DOCTOR];
const DRIVERS: [&str; 2] = [SOS_DOCTOR, "dr-67-sos-brume"];

/// What an act comes to: who gives which command about which case.
pub type Given = (Actor, Option<CaseId>, Command);

/// What there is to act on.
pub struct Scene<'a> {
    pub territory: &'a Territory,
    pub directory: &'a Directory,
    pub records: &'a Records,
    pub now: Instant,
    /// Every case, in the order in which they came.
    pub cases: &'a [CaseId],
    /// No more cases than these are opened.
    pub most: usize,
}

impl Scene<'_> {
    pub fn case(&self, step: &Step) -> Option<CaseId> {
        (!self.cases.is_empty()).then(|| self.cases[step.case % self.cases.len()])
    }

    /// Who gives which command about which case; none when the act has no meaning here.
    pub fn meaning(&self, step: &Step) -> Option<Given> {
        match &step.act {
            Act::Open { vital, telephony, infant } => self.open(*vital, *telephony, *infant),
            Act::Publish { minutes } => Some(self.publish(step, *minutes)),
            Act::Withdraw => Some((doctor(SAS_DOCTOR), None, Command::WithdrawSlot(self.slot(step)?))),
            Act::OpenShift => self.open_shift(step),
            Act::OnDuty { stream } => {
                Some((someone(REGULATORS[step.who % 3], Role::Regulator), None, self.on_duty(*stream)))
            }
            Act::OffDuty => {
                let duty = self.records.room.iter().flat_map(|room| &room.duties).find(|duty| duty.covers(self.now))?;
                Some((supervisor(), None, Command::EndDuty(duty.id)))
            }
            Act::Surge { on: true } => {
                let (reason, until) = (SurgeReason::Epidemic, self.now + Span::from_hours(1));
                Some((supervisor(), None, Command::StartSurge { reason, until }))
            }
            Act::Surge { on: false } => Some((supervisor(), None, Command::EndSurge)),
            Act::Receive => self.receive(step),
            Act::Offer if self.means(step).is_none() => Some(self.publish(step, 30)),
            Act::EndShift => {
                let shift = self.shift(step)?;
                Some((doctor(DRIVERS[step.who % 2]), None, Command::EndShift(shift)))
            }
            Act::Next => {
                let act = self.case(step).map_or(Act::OpenShift, |id| next::act(&self.records.cases[&id], step.pick));
                self.meaning(&Step { act, ..step.clone() })
            }
            _ => {
                let id = self.case(step)?;
                let case = &self.records.cases[&id];
                let found = self.front(step, case).or_else(|| self.regulate(step, case));
                let found = found.or_else(|| elsewhere::about(step, case, self.now));
                let (actor, command) = found.or_else(|| self.carry_out(step, case))?;
                Some((actor, Some(id), command))
            }
        }
    }

    fn open(&self, vital: bool, telephony: bool, infant: bool) -> Option<Given> {
        if self.cases.len() >= self.most {
            return None;
        }
        let mut open = call(self.now);
        (open.vital, open.answered) = (vital, !telephony);
        if telephony {
            open.opened.channel = Channel::Telephony;
        }
        let patient = &mut open.particulars.patients[0].0;
        patient.infant = infant;
        // One of three lives alone without help: the CCAS is a matter once he is answered.
        patient.isolated = self.cases.len() == 1;
        Some((arm(), None, Command::Open(Box::new(open))))
    }

    /// A case of another territory, as like as may be to one of here.
    fn receive(&self, step: &Step) -> Option<Given> {
        let model = &self.records.cases[&self.case(step)?];
        let known = self.cases.len() < self.most;
        let packet = elsewhere::packet_of(model, self.now)?;
        known.then(|| (upkeep(), Some(packet.there), elsewhere::transfer(TransferAct::Receive(Box::new(packet)))))
    }

    fn publish(&self, step: &Step, minutes: i64) -> Given {
        let start = self.now + Span::from_mins(minutes);
        let slot = (step.pick == 7).then(|| self.slot(step)).flatten();
        let (responder, kind, end) = (SAS.parse().unwrap(), SlotKind::Snp, start + Span::from_mins(20));
        (doctor(SAS_DOCTOR), None, Command::PublishSlot { slot, responder, kind, start, end })
    }

    /// One shift for each doctor: what happens with two at once no record of one command shows.
    fn open_shift(&self, step: &Step) -> Option<Given> {
        let driver = doctor(DRIVERS[step.who % 2]);
        let busy = self.records.shifts.values().any(|shift| {
            shift.doctor == driver.person
                && !matches!(shift.state, sas_dispatch::domain::visits::ShiftState::Ended { .. })
        });
        let (responder, sectors) = (SOS.parse().unwrap(), vec![SECTOR.parse().unwrap()]);
        let (start, end) = (self.now, self.now + Span::from_hours(8));
        (!busy).then_some((
            driver,
            None,
            Command::OpenShift { responder, sectors, start, end, position: None, doctor: None },
        ))
    }

    fn on_duty(&self, stream: usize) -> Command {
        let (from, until, stream) = (self.now, self.now + Span::from_hours(2), Stream::ALL[stream]);
        let (person, skills, affiliation, shifts) = (None, BTreeSet::new(), Affiliation::Liberal, Vec::new());
        Command::StartDuty(Box::new(StartDuty { person, stream, skills, affiliation, from, until, shifts }))
    }

    fn slot(&self, step: &Step) -> Option<SlotId> {
        self.records.slots.keys().copied().cycle().nth(step.pick)
    }

    fn shift(&self, step: &Step) -> Option<sas_dispatch::domain::ids::ShiftId> {
        let shifts = self.records.shifts.values().rev();
        shifts.filter(|shift| shift.doctor.as_str() == DRIVERS[step.who % 2]).map(|shift| shift.id).next()
    }

    fn front(&self, step: &Step, case: &Case) -> Option<(Actor, Command)> {
        let command = match &step.act {
            Act::Call(event) => Command::Call((*event).into()),
            Act::Qualify { priority, stream, flag, symptoms, protocol } => {
                let mut found = qualify(Priority::ALL[*priority]);
                (found.stream, found.symptoms) = (Stream::ALL[*stream], *symptoms);
                found.flags = flag.iter().copied().collect();
                // Half of those who make a doctor's case less urgent say why.
                found.lower_reason = step.pick.is_multiple_of(2).then(|| text("rassuré"));
                if *protocol {
                    found.motive = Some("M06.02".to_owned());
                    found.protocol = Some("certificat-ou-ordonnance".to_owned());
                }
                Command::Qualify(Box::new(found))
            }
            Act::Dismiss(attribution) => Command::Dismiss { attribution: *attribution, possible_repeat: false },
            Act::Amend { infant, may_ring } => {
                let (may_ring, may_text, may_leave_message) = (*may_ring, *may_ring, *may_ring);
                let safety = ContactSafety { may_ring, may_text, may_leave_message, risk: None };
                let patient = Patient { number: 2, infant: *infant, ..Patient::default() };
                let patients = if *infant { vec![(patient, Default::default())] } else { Vec::new() };
                Command::Amend(Box::new(Particulars { safety: Some(safety), patients, ..Particulars::default() }))
            }
            Act::Note => Command::AddNote(text("note")),
            Act::Complete => complete(case),
            Act::Repeat => Command::LinkRepeat(*self.cases.first().filter(|first| **first != case.id)?),
            _ => return None,
        };
        Some((arm(), command))
    }

    /// Mostly the number the case is held under, sometimes an older one: a late command.
    fn regulate(&self, step: &Step, case: &Case) -> Option<(Actor, Command)> {
        let holder = case.claim.as_ref().map(|claim| claim.by.to_string());
        let other = REGULATORS[step.who % 3].to_owned();
        let by = if step.pick > 5 { other.clone() } else { holder.unwrap_or_else(|| other.clone()) };
        let claim_no = if step.pick == 5 { case.last_claim.saturating_sub(1) } else { case.last_claim };
        let newcomer = someone(&other, Role::Regulator);
        let note = step.pick.is_multiple_of(2).then(|| text("conseil"));
        let command = match &step.act {
            Act::Claim => return Some((newcomer, Command::Claim)),
            Act::ClaimNext { stream } => return Some((newcomer, Command::ClaimNext(Stream::ALL[*stream]))),
            Act::AnswerReorientation { refused } => {
                let refused = refused.then(|| text("pas pour nous"));
                return Some((newcomer, Command::AnswerReorientation { refused }));
            }
            Act::Accept => return Some((newcomer, Command::AcceptHandOver)),
            Act::ForceRelease => return Some((supervisor(), Command::ForceRelease { reason: text("relève") })),
            Act::Release => Command::Release { claim_no, may_wait: None },
            Act::Resume => Command::Resume { claim_no },
            Act::Need { care, keep, follow_up } => {
                let mut need = sign(claim_no, *care);
                (need.keep, need.note) = (*keep, note);
                need.follow_up = follow_up.then(|| self.now + Span::from_mins(30));
                Command::SignNeed(Box::new(need))
            }
            Act::Answer { same, keep } => {
                let decision = case.decisions.iter().rev().find(|known| known.answer.is_none())?;
                let other = if decision.need.care == CareType::Ambulance { CareType::Amu } else { CareType::Ambulance };
                let care = if *same { decision.need.care } else { other };
                let supply = (!same).then_some(SupplyReason::AllDeclined);
                let (decision, keep) = (decision.id, *keep);
                Command::SignAnswer(Box::new(SignAnswer {
                    claim_no,
                    decision,
                    care,
                    supply,
                    note,
                    keep,
                    beside: Default::default(),
                }))
            }
            Act::Reorient { stream } => {
                Command::Reorient { claim_no, stream: Stream::ALL[*stream], reason: text("avis") }
            }
            _ => return None,
        };
        Some((someone(&by, Role::Regulator), command))
    }

    fn carry_out(&self, step: &Step, case: &Case) -> Option<(Actor, Command)> {
        let decision = || case.decisions.iter().cycle().nth(step.pick);
        let offer = || case.offers.iter().rev().nth(step.pick / 4);
        match &step.act {
            Act::Plan => Some((coordinator(), self.planned(case, decision()?)?)),
            Act::Offer => {
                let (who, means) = self.means(step)?;
                let plan = Box::new(plan_at(self.now, Some((who, means))));
                Some((coordinator(), Command::Advance { decision: decision()?.id, plan }))
            }
            Act::NobodyLeft => {
                let plan = Box::new(plan_at(self.now, None));
                Some((upkeep(), Command::Advance { decision: decision()?.id, plan }))
            }
            Act::Yes => {
                let answer = OfferAnswer::Accepted { appointment: Some(self.now + Span::from_mins(20)) };
                Some((self.responder(step), Command::AnswerOffer { offer: offer()?.id, answer }))
            }
            Act::No { declined } => {
                let answer = if *declined { OfferAnswer::Declined } else { OfferAnswer::Unreachable };
                Some((self.responder(step), Command::AnswerOffer { offer: offer()?.id, answer }))
            }
            Act::Cancel => Some((coordinator(), Command::Cancel { offer: offer()?.id, reason: text("annulé") })),
            Act::RenewHold => Some((coordinator(), Command::RenewHold { offer: offer()?.id })),
            Act::Attend { seen } => {
                Some((self.responder(step), Command::Attend { offer: offer()?.id, seen: *seen, counter: None }))
            }
            Act::TakeVisit => {
                let shifts: Vec<_> = self.records.shifts.values().collect();
                let shift = shifts.get(step.who % shifts.len().max(1))?;
                let command = Command::TakeVisit { offer: open_visit(case)?, shift: shift.id };
                Some((doctor(shift.doctor.as_str()), command))
            }
            Act::MoveVisit(status) => {
                let visit = case.visits.last()?;
                Some((driver(visit), Command::MoveVisit { visit: visit.id, status: *status, happened: None }))
            }
            Act::Report => {
                let visit = case.visits.last()?;
                Some((driver(visit), Command::ReportVisit { visit: visit.id, text: text("vu"), counter: None }))
            }
            Act::End(end) => {
                let open: Vec<&Action> = case.open_actions().collect();
                let action = open.get(step.pick % open.len().max(1))?.id;
                let ends = [coordinator(), stage::regulator(), arm()];
                Some((ends[step.who % 3].clone(), Command::EndAction { action, end: *end, note: Some(text("dit")) }))
            }
            _ => None,
        }
    }

    fn responder(&self, step: &Step) -> Actor {
        [coordinator(), coordinator(), doctor(GP_DOCTOR), doctor(SAS_DOCTOR), coordinator(), doctor(SOS_DOCTOR)]
            [step.who]
            .clone()
    }

    fn means(&self, step: &Step) -> Option<(&'static str, Means)> {
        match step.who % 3 {
            0 => Some((GP, Means::Ring)),
            1 => Some((SOS, visit_means())),
            _ => {
                let slots = self.records.slots.values();
                let mut free = slots.filter(|slot| step.pick == 4 || slot.open_to_hold(self.now).is_ok());
                let slot = free.next()?;
                Some((SAS, Means::Slot { slot: slot.id, start: slot.start, end: slot.end }))
            }
        }
    }

    /// The plan that the planner makes of the supply as it is.
    fn planned(&self, case: &Case, decision: &Decision) -> Option<Command> {
        let Self { territory, directory, records, now, .. } = self;
        let mut supply = Supply::default();
        records.slots.values().for_each(|slot| supply.add_slot(slot, *now));
        records.shifts.values().for_each(|shift| supply.add_shift(shift, *now));
        supply.hear(directory);
        let problem = Problem::of_case(*now, (territory, directory), case, decision, &supply)?;
        Some(Command::Advance { decision: decision.id, plan: Box::new(plan(&problem)) })
    }
}

fn open_visit(case: &Case) -> Option<sas_dispatch::domain::ids::OfferId> {
    let mut open = case.offers.iter().rev().filter(|offer| offer.state == OfferState::Open);
    open.find(|offer| matches!(offer.means, Means::Visit { .. })).map(|offer| offer.id)
}

fn driver(visit: &Visit) -> Actor {
    doctor(visit.doctor.as_ref().map_or(SOS_DOCTOR, |(person, _)| person.as_str()))
}
