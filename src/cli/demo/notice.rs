//! What people read off their screens: everything open is taken note of once by whoever it concerns, and whoever is free
//! takes what waits.

use crate::{
    domain::time::{Instant, Span},
    grpc::pb::{self, ActionKind},
};

use super::{
    acts::{Act, Job, JobKind},
    agenda::{ActorId, Post},
    room::Room,
};

impl Room {
    /// Reads what changed on the room's screen.
    pub(super) fn notice(&mut self) {
        for case in std::mem::take(&mut self.screens.room.touched) {
            let open: Vec<pb::Action> = self.view(&case).map(open_actions).unwrap_or_default();
            self.end_accompaniment(&case, &open);
            for action in open {
                if self.noticed.insert(action.action_id.clone()) {
                    self.take_note(&case, &action);
                }
            }
        }
    }

    /// The ARM of a P0 leaves the line once the AMU has accepted.
    fn end_accompaniment(&mut self, case: &str, open: &[pb::Action]) {
        let waits = open.iter().any(|action| action.kind() == ActionKind::HandOver);
        if !waits && let Some(arm) = self.accompanied.remove(case) {
            let wrap = self.dice.seconds(20, 60);
            self.then(wrap, ActorId(Post::Arm, arm), Act::Free);
        }
    }

    fn take_note(&mut self, case: &str, action: &pb::Action) {
        let secretary = ActorId(Post::Secretary, 0);
        let id = action.action_id.clone();
        let done = Act::Done(case.to_owned(), id.clone());
        match action.kind() {
            ActionKind::HandOver => self.job(Post::Amu, Span::ZERO, case, JobKind::HandOver),
            ActionKind::CallBack | ActionKind::ReEvaluate => {
                self.job(Post::Arm, Span::from_secs(45), case, JobKind::RingBack(id))
            }
            ActionKind::Qualify if self.nobody_talks(case) => {
                self.job(Post::Arm, Span::from_secs(60), case, JobKind::Qualify);
            }
            ActionKind::Route if !self.routing.contains(case) => {
                self.job(Post::Osnp, Span::from_secs(5), case, JobKind::Route(action.decision_id.clone()));
            }
            ActionKind::RingGp | ActionKind::ConfirmSlot if !self.routing.contains(case) => {
                self.job(Post::Osnp, Span::ZERO, case, JobKind::Offer(action.offer_id.clone()));
            }
            ActionKind::DeliverPrescription | ActionKind::AnnouncePatient | ActionKind::ArrangeTransport => {
                self.job(Post::Osnp, Span::from_secs(30), case, JobKind::Do(id))
            }
            ActionKind::Appointment => self.await_appointment(case, &action.offer_id),
            ActionKind::AwaitReport if action.visit_id.is_empty() => {
                let after = self.dice.seconds(25 * 60, 75 * 60);
                self.then(after, secretary, done);
            }
            ActionKind::CompleteFile => {
                let after = self.dice.seconds(10 * 60, 60 * 60);
                self.then(after, secretary, Act::Complete(case.to_owned()));
            }
            ActionKind::ReturnOfInformation | ActionKind::SeeCounterRegulation => {
                let after = self.dice.seconds(10 * 60, 90 * 60);
                self.then(after, secretary, done);
            }
            ActionKind::FollowUp => {
                let due = Instant::from_unix_ms(action.deadline_unix_ms);
                let before = self.dice.seconds(60, 600);
                self.agenda.put((due - before).max(self.now), secretary, done);
            }
            _ => {}
        }
    }

    fn job(&mut self, post: Post, after: Span, case: &str, kind: JobKind) {
        let from = self.now + after;
        self.desk(post).add(from, Job { case: case.to_owned(), kind });
    }

    fn await_appointment(&mut self, case: &str, offer: &str) {
        let offers = self.view(case).map(|view| view.offers.as_slice()).unwrap_or_default();
        let at = offers.iter().find(|known| known.offer_id == offer).map_or(0, |known| known.appointment_unix_ms);
        let after = self.dice.seconds(12 * 60, 25 * 60);
        let due = Instant::from_unix_ms(at).max(self.now) + after;
        self.agenda.put(due, ActorId(Post::Secretary, 0), Act::Attended(case.to_owned(), offer.to_owned()));
    }

    /// Whoever is free takes what waits: telephones first.
    pub(super) fn dispatch(&mut self) {
        self.answer_calls();
        self.give_jobs(Post::Arm);
        self.give_jobs(Post::Amu);
        self.give_jobs(Post::Osnp);
        self.call_regulators();
        self.send_doctors();
    }

    fn answer_calls(&mut self) {
        while !self.ringing.is_empty() {
            let now = self.now;
            let Some(seat) = self.desk(Post::Arm).take_seat(now, 0) else { return };
            if let Some(caller) = self.ringing.pop_front() {
                let reaction = self.dice.seconds(2, 9);
                self.then(reaction, ActorId(Post::Arm, seat), Act::PickUp(caller));
            }
        }
    }

    fn give_jobs(&mut self, post: Post) {
        let now = self.now;
        while let Some((place, job)) = self.desk(post).next_job(now) {
            if !self.still_waits(&job) {
                continue;
            }
            let seat = self.desk(post).take_seat(now, 0).or_else(|| self.desk(post).take_backup());
            match seat {
                Some(seat) => self.begin(ActorId(post, seat), job),
                None => return self.desk(post).put_back(place, job),
            }
        }
    }

    /// Whether what a job is about is still open on the screen.
    fn still_waits(&self, job: &Job) -> bool {
        let Some(view) = self.view(&job.case) else { return false };
        let open =
            |wanted: &dyn Fn(&pb::Action) -> bool| view.actions.iter().any(|a| a.ended_unix_ms == 0 && wanted(a));
        match &job.kind {
            JobKind::RingBack(id) => view.claim.is_none() && open(&|action| action.action_id == *id),
            JobKind::Do(id) => open(&|action| action.action_id == *id),
            JobKind::Qualify => open(&|action| action.kind() == ActionKind::Qualify),
            JobKind::HandOver => open(&|action| action.kind() == ActionKind::HandOver),
            JobKind::Route(id) => open(&|action| action.kind() == ActionKind::Route && action.decision_id == *id),
            JobKind::Offer(id) => open(&|action| action.offer_id == *id && action.kind() != ActionKind::Appointment),
        }
    }

    fn begin(&mut self, actor: ActorId, job: Job) {
        let case = job.case;
        match job.kind {
            JobKind::HandOver => {
                let reaction = self.dice.seconds(4, 15);
                self.then(reaction, actor, Act::Accept(case));
            }
            JobKind::RingBack(action) => self.ring_back(actor, case, action),
            JobKind::Qualify => self.qualify_cold(actor, case),
            JobKind::Route(decision) => {
                self.routing.insert(case.clone());
                let reaction = self.dice.seconds(8, 30);
                self.then(reaction, actor, Act::Advance(case, decision));
            }
            JobKind::Offer(offer) => {
                self.routing.insert(case.clone());
                self.follow_offer(actor, case, &offer);
            }
            JobKind::Do(action) => {
                let work = self.dice.seconds(60, 240);
                self.then(work, actor, Act::Done(case, action));
            }
        }
    }
}

/// What is still to be done for a case.
pub(super) fn open_actions(view: &pb::CaseView) -> Vec<pb::Action> {
    view.actions.iter().filter(|action| action.ended_unix_ms == 0).cloned().collect()
}
