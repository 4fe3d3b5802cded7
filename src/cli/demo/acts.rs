//! What an actor does next: each act is at most one gRPC call.

use crate::domain::time::Instant;

use super::agenda::Post;

/// A case's id as gRPC gives it.
pub(super) type CaseId = String;

/// One act.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// The exchange reports that a caller's telephone rings.
    Ring(usize),
    /// The caller has let it ring long enough.
    GiveUp(usize),
    /// An ARM takes the call.
    PickUp(usize),
    /// The ARM's screen shows the case, with earlier cases of the number.
    Look(usize),
    /// The ARM qualifies.
    Qualify(usize),
    /// The ARM links the case to the earlier one of the same episode.
    Link(usize, CaseId),
    /// The ARM ends a file that is not medical.
    Dismiss(CaseId, i32),
    /// The caller hangs up while waiting for a doctor.
    LeaveQueue(usize),
    /// The caller, rung back, is on the line again.
    Reached(usize),
    /// Nobody answers the call-back.
    NotReached(CaseId, String),
    /// The ARM writes what the re-evaluation gave.
    Reassess(usize),
    /// The person is free for the next thing.
    Free,
    /// A regulator takes the next case of a stream.
    ClaimNext(i32),
    /// An AMU regulator accepts a P0.
    Accept(CaseId),
    /// A console keeps its claim alive.
    Renew(CaseId, u64),
    /// The regulator signs the need.
    SignNeed(CaseId, u64),
    /// The regulator looks at the plan.
    Explain(CaseId, u64, String),
    /// The regulator signs the answer: what is done instead, when the supply forces it.
    SignAnswer(CaseId, u64, String, Option<(i32, i32)>),
    /// A coordinator carries the answer out.
    Advance(CaseId, String),
    /// A coordinator writes down what the rung practice said.
    Rung(CaseId, String, bool),
    /// A coordinator tells the patient of the slot and confirms it, or hears that it does not suit.
    Told(CaseId, String),
    /// Something to be done is done.
    Done(CaseId, String),
    /// Somebody completes a file.
    Complete(CaseId),
    /// The patient came, or not.
    Attended(CaseId, String),
    /// A slot is published.
    Publish { responder: String, kind: i32, start: Instant, end: Instant },
    /// A doctor goes on duty.
    OnDuty { responder: String, doctor: String, sectors: Vec<String>, end: Instant },
    /// A doctor goes off duty.
    OffDuty { doctor: String },
    /// A doctor takes a visit.
    AcceptVisit { doctor: String, case: CaseId, offer: String },
    /// A doctor reports where a visit stands.
    Progress { doctor: String, case: CaseId, visit: String, status: i32 },
    /// A terminal says where the doctor is.
    Position { doctor: String, lat: f64, lon: f64 },
    /// Nobody opens: the dispatcher reads the case to say so.
    NobodyHome { doctor: String, case: CaseId, visit: String },
    /// The dispatcher ends the visit for absence.
    Absent { doctor: String, case: CaseId, action: String },
    /// The doctor writes the report.
    Report { doctor: String, case: CaseId, visit: String },
}

/// Something that waits for somebody at a desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    /// The case.
    pub(super) case: CaseId,
    /// What.
    pub(super) kind: JobKind,
}

/// What waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JobKind {
    /// Ring a caller back, under this action.
    RingBack(String),
    /// Qualify a case nobody is talking to.
    Qualify,
    /// Accept a P0.
    HandOver,
    /// Carry a decision out.
    Route(String),
    /// Follow an offer that the service made by itself.
    Offer(String),
    /// Deliver a prescription, or ask how the patient is, under this action.
    Do(String),
}

/// The name of a person at a post.
pub(super) fn person(post: Post, seat: usize) -> String {
    let desk = match post {
        Post::Office => "agenda",
        Post::Exchange => "autocom",
        Post::Arm => "arm",
        Post::Amu => "regul-amu",
        Post::Snp => "regul-mg",
        Post::Osnp => "osnp",
        Post::Visitor => "dispatch",
        Post::Secretary => "secretariat",
    };
    format!("{desk}-{:02}", seat + 1)
}
