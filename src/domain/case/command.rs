//! Commands: what people and systems ask for, typed. The acting person is never in a command.

use std::collections::BTreeSet;

use crate::{
    coded_enum,
    domain::{
        ids::{
            ActionId, CaseId, DecisionId, DutyId, OfferId, PersonId, ResponderId, SectorId, SheetId, ShiftId, Skill,
            SlotId, VisitId,
        },
        person::Private,
        place::Position,
        regulation::{
            decision::SupplyReason,
            need::{CareType, Need},
            protocols::Value,
            qualification::{Attribution, Flag, Priority, Stream},
            room::{Affiliation, SurgeReason},
        },
        remarkable::{RemarkableKind, SheetWords},
        routing::Plan,
        slots::SlotKind,
        time::Instant,
        visits::VisitStatus,
    },
};

use super::{
    action::End,
    fact::Opened,
    sealed::{Address, Caller, Identity},
    state::{Channel, ContactSafety, Patient, Whereabouts},
};
pub use super::{
    beside::{Beside, Counter},
    offered::OfferAnswer,
};

/// What is known, or known better, of caller, place and patients. Absent means unchanged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Particulars {
    /// Who calls.
    pub caller: Option<Caller>,
    /// Where, in words.
    pub address: Option<Address>,
    /// Where, for routing.
    pub place: Option<Whereabouts>,
    /// What the contact may be used for.
    pub safety: Option<ContactSafety>,
    /// Patients, by number: what routing needs and who they are.
    pub patients: Vec<(Patient, Identity)>,
    /// The motive, for a file that has none.
    pub motive: Option<String>,
    /// When a file made in advance becomes active; only at its opening.
    pub activates: Option<Instant>,
    /// With them an earlier case resembles it up to the territory's threshold, and nobody has linked it. Found by the engine.
    pub possible_repeat: bool,
}

impl Particulars {
    /// Whether something is said by which earlier cases are found.
    pub fn found_by(&self) -> bool {
        self.caller.is_some() || self.address.is_some() || self.place.is_some() || !self.patients.is_empty()
    }
}

/// Opens a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// How it came.
    pub opened: Opened,
    /// Already spoken to (console, hub, paper), so that qualification is what comes next.
    pub answered: bool,
    /// A vital emergency was heard: qualified P0 and handed over in the same act, whatever is missing.
    pub vital: bool,
    /// What is known.
    pub particulars: Particulars,
    /// A first note.
    pub note: Option<Private<String>>,
    /// What was done on paper while the service was down, with its own times.
    pub paper: Option<Box<Paper>>,
    /// When the exchange heard it begin, where its clock is a little ahead.
    pub heard: Option<Instant>,
}

/// What a paper sheet says beside what was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Paper {
    /// How it was qualified.
    pub qualify: Qualify,
    /// When.
    pub at: Instant,
    /// By whom; none: by whoever enters it.
    pub by: Option<PersonId>,
    /// What the doctor who enters it had decided.
    pub decision: Option<PaperDecision>,
}

/// A decision signed on paper: need and answer in one.
#[derive(Debug, Clone, PartialEq)]
pub struct PaperDecision {
    /// The need.
    pub need: Need,
    /// What was done.
    pub care: CareType,
    /// Why it differs from the need.
    pub supply: Option<SupplyReason>,
    /// When it was signed.
    pub at: Instant,
    /// A responder was found and told by telephone: nothing is offered again.
    pub arranged: bool,
    /// Advice given, or with whom the care was arranged.
    pub note: Option<Private<String>>,
}

/// What the front line established.
#[derive(Debug, Clone, PartialEq)]
pub struct Qualify {
    /// How urgent.
    pub priority: Priority,
    /// Which regulation answers.
    pub stream: Stream,
    /// Motive code.
    pub motive: Option<String>,
    /// What makes a doctor compulsory.
    pub flags: Vec<Flag>,
    /// A symptom was heard.
    pub symptoms: bool,
    /// What the regulator should be versed in.
    pub skill: Option<Skill>,
    /// Protocol by which the ARM sends straight to a coordinator.
    pub protocol: Option<String>,
    /// For P3: how many other cases wait for a regulator of the stream, counted up to what the territory asks for; none:
    /// nobody has counted.
    pub waiting: Option<u32>,
    /// What is known better.
    pub particulars: Particulars,
    /// A note.
    pub note: Option<Private<String>>,
    /// Answers to the questions of the protocols, with the field of the request each came in.
    pub answers: Vec<Answered>,
    /// Why less urgent than proposed.
    pub lower_reason: Option<Private<String>>,
    /// For P3: the telephone appointment agreed with the caller.
    pub appointment: Option<Instant>,
}

/// An answer to a question of a protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// Code of the question.
    pub question: String,
    /// The answer.
    pub value: Private<Value>,
}

/// The need of one patient, signed. What needs no supply is need and answer in one act.
#[derive(Debug, Clone, PartialEq)]
pub struct SignNeed {
    /// Fencing number of the claim.
    pub claim_no: u64,
    /// The need.
    pub need: Need,
    /// Advice given, or why.
    pub note: Option<Private<String>>,
    /// Ask again how the patient is, at this instant.
    pub follow_up: Option<Instant>,
    /// Keep the claim: another decision comes.
    pub keep: bool,
    /// What was said and written beside it.
    pub beside: Beside,
}

/// The answer, signed with the plan in view.
#[derive(Debug, Clone, PartialEq)]
pub struct SignAnswer {
    /// Fencing number of the claim.
    pub claim_no: u64,
    /// Which decision.
    pub decision: DecisionId,
    /// What is done.
    pub care: CareType,
    /// Why it differs from the need.
    pub supply: Option<SupplyReason>,
    /// Advice given, or why.
    pub note: Option<Private<String>>,
    /// Keep the claim: another decision comes.
    pub keep: bool,
    /// What was said and written beside it.
    pub beside: Beside,
}

coded_enum! {
    /// What a telephone exchange reports of a call.
    CallEvent {
        /// Somebody answered.
        Answered = "ANSWERED", "Décroché";
        /// The caller hung up, or the line broke.
        HungUp = "HUNG_UP", "Raccroché";
        /// The caller is on the line again.
        Reconnected = "RECONNECTED", "De nouveau en ligne";
    }
}

/// An event of a call, and when it happened by the clock of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallReport {
    /// What happened.
    pub event: CallEvent,
    /// When, if the exchange says so. Its clock need not be ours: it only orders the events of one call.
    pub happened: Option<Instant>,
}

impl From<CallEvent> for CallReport {
    fn from(event: CallEvent) -> Self {
        Self { event, happened: None }
    }
}

/// Something that fell due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// The deadline of an action.
    Action(ActionId),
    /// The end of a lease.
    Lease,
    /// The end of the time a suspect claim is left to its holder.
    Suspect,
}

/// One command.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open a case.
    Open(Box<Open>),
    /// Correct or complete what is known.
    Amend(Box<Particulars>),
    /// Add a note.
    AddNote(Private<String>),
    /// Say that this case repeats an earlier one.
    LinkRepeat(CaseId),
    /// A change of the telephone call.
    Call(CallReport),
    /// Qualify.
    Qualify(Box<Qualify>),
    /// End a file without a doctor.
    Dismiss {
        /// What it was.
        attribution: Attribution,
        /// An earlier medical case resembles it, and nobody has qualified it; counted by the engine.
        possible_repeat: bool,
    },
    /// Take a case to regulate it.
    Claim,
    /// Take the first case that waits, as a regulator of a stream.
    ClaimNext(Stream),
    /// Give it back undecided, or finished.
    Release {
        /// Fencing number.
        claim_no: u64,
        /// The doctor says that it may wait until then.
        may_wait: Option<Instant>,
    },
    /// Take a case back from its holder.
    ForceRelease {
        /// Why.
        reason: Private<String>,
    },
    /// The holder of a suspect claim is still there.
    Resume {
        /// Fencing number.
        claim_no: u64,
    },
    /// The AMU accepts a P0 in so many words.
    AcceptHandOver,
    /// Sign the need.
    SignNeed(Box<SignNeed>),
    /// Sign the answer.
    SignAnswer(Box<SignAnswer>),
    /// Send to another stream.
    Reorient {
        /// Fencing number.
        claim_no: u64,
        /// Where to.
        stream: Stream,
        /// Why.
        reason: Private<String>,
    },
    /// Answer a re-orientation: take the case over, or send it back.
    AnswerReorientation {
        /// Why it is sent back; none: the case is taken over.
        refused: Option<Private<String>>,
    },
    /// Hand over to another territory, or answer for what one sent.
    Transfer(Box<super::transfer::TransferAct>),
    /// Act on a plan: put the first kept option to its responder.
    Advance {
        /// For which decision.
        decision: DecisionId,
        /// The plan, made from the supply as it is now.
        plan: Box<Plan>,
    },
    /// A responder's answer.
    AnswerOffer {
        /// To which offer.
        offer: OfferId,
        /// The answer.
        answer: OfferAnswer,
    },
    /// Take an offer, a hold or an appointment back.
    Cancel {
        /// Which.
        offer: OfferId,
        /// Why.
        reason: Private<String>,
    },
    /// Keep a hold longer.
    RenewHold {
        /// Under which offer.
        offer: OfferId,
    },
    /// Whether the patient came.
    Attend {
        /// Which appointment.
        offer: OfferId,
        /// Seen, or not.
        seen: bool,
        /// Other care than was decided.
        counter: Option<Box<Counter>>,
    },
    /// A doctor on duty takes a visit.
    TakeVisit {
        /// Which offer.
        offer: OfferId,
        /// On which shift.
        shift: ShiftId,
    },
    /// A visit moves on.
    MoveVisit {
        /// Which.
        visit: VisitId,
        /// To where.
        status: VisitStatus,
        /// When it happened.
        happened: Option<Instant>,
    },
    /// The doctor's report.
    ReportVisit {
        /// On which visit.
        visit: VisitId,
        /// The words.
        text: Private<String>,
        /// Other care than was decided.
        counter: Option<Box<Counter>>,
    },
    /// Something to be done is over.
    EndAction {
        /// Which.
        action: ActionId,
        /// How.
        end: End,
        /// In words.
        note: Option<Private<String>>,
    },
    /// Publish a slot.
    PublishSlot {
        /// Its id, when it is published again.
        slot: Option<SlotId>,
        /// Whose.
        responder: ResponderId,
        /// For whom.
        kind: SlotKind,
        /// Its start.
        start: Instant,
        /// Its end.
        end: Instant,
    },
    /// Take a slot back.
    WithdrawSlot(SlotId),
    /// Go on duty.
    OpenShift {
        /// For which structure.
        responder: ResponderId,
        /// Sectors served.
        sectors: Vec<SectorId>,
        /// From when.
        start: Instant,
        /// Until when.
        end: Instant,
        /// Where the doctor is.
        position: Option<Position>,
        /// Who goes on duty, when a desk says it for him.
        doctor: Option<PersonId>,
    },
    /// Go off duty.
    EndShift(ShiftId),
    /// A regulator goes on duty.
    StartDuty(Box<StartDuty>),
    /// A regulator goes off duty before his time.
    EndDuty(DutyId),
    /// Suspend the split of requests between regulators.
    StartSurge {
        /// Why.
        reason: SurgeReason,
        /// Until when.
        until: Instant,
    },
    /// Take the split up again.
    EndSurge,
    /// Get an interpreter on the line.
    CallInterpreter {
        /// Of which language, ISO 639-1, noted as the caller's; none: the one that is known.
        language: Option<String>,
    },
    /// Enter the sheet of a remarkable patient.
    PutSheet {
        /// Its id, when it is entered again.
        sheet: Option<SheetId>,
        /// What it is.
        kind: RemarkableKind,
        /// Until when it holds.
        expires: Instant,
        /// Whom it is about and what it says.
        words: Box<SheetWords>,
    },
    /// End a sheet before its time.
    EndSheet(SheetId),
    /// Something fell due.
    Fire(Timer),
}

/// A regulator's period on duty.
#[derive(Debug, Clone, PartialEq)]
pub struct StartDuty {
    /// Who; none: whoever says so.
    pub person: Option<PersonId>,
    /// Of which stream.
    pub stream: Stream,
    /// What he is versed in.
    pub skills: BTreeSet<Skill>,
    /// On whose account.
    pub affiliation: Affiliation,
    /// From when.
    pub from: Instant,
    /// Until when.
    pub until: Instant,
    /// His shifts as a responder that share time with it, as far as they are known.
    pub shifts: Vec<ShiftId>,
}

impl Command {
    /// The command's name, as in the API and in metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open(open) if open.opened.channel == Channel::Paper => "BackfillCase",
            Self::Open(_) => "OpenCase",
            Self::Amend(_) => "AmendCase",
            Self::AddNote(_) => "AddNote",
            Self::LinkRepeat(_) => "LinkRepeatCall",
            Self::Call(_) => "ReportCallEvent",
            Self::Qualify(_) => "Qualify",
            Self::Dismiss { .. } => "DismissCase",
            Self::Claim => "Claim",
            Self::ClaimNext(_) => "ClaimNext",
            Self::Release { .. } => "ReleaseClaim",
            Self::ForceRelease { .. } => "ForceRelease",
            Self::Resume { .. } => "ResumeClaim",
            Self::AcceptHandOver => "AcceptHandOver",
            Self::SignNeed(_) => "SignNeed",
            Self::SignAnswer(_) => "SignAnswer",
            Self::Reorient { .. } => "Reorient",
            Self::AnswerReorientation { .. } => "AnswerReorientation",
            Self::Transfer(act) => act.name(),
            Self::StartDuty(_) => "StartDuty",
            Self::EndDuty(_) => "EndDuty",
            Self::StartSurge { .. } => "StartSurge",
            Self::EndSurge => "EndSurge",
            Self::Advance { .. } => "Advance",
            Self::AnswerOffer { .. } => "AnswerOffer",
            Self::Cancel { .. } => "Cancel",
            Self::RenewHold { .. } => "RenewHold",
            Self::Attend { .. } => "RecordAttendance",
            Self::TakeVisit { .. } => "AcceptVisit",
            Self::MoveVisit { .. } => "ProgressVisit",
            Self::ReportVisit { .. } => "ReportVisit",
            Self::EndAction { .. } => "EndAction",
            Self::PublishSlot { .. } => "PublishSlot",
            Self::WithdrawSlot(_) => "WithdrawSlot",
            Self::OpenShift { .. } => "OpenShift",
            Self::EndShift(_) => "EndShift",
            Self::CallInterpreter { .. } => "CallInterpreter",
            Self::PutSheet { .. } => "PutRemarkableSheet",
            Self::EndSheet(_) => "EndRemarkableSheet",
            Self::Fire(_) => "Fire",
        }
    }
}
