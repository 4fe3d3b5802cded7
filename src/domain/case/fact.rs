//! Facts: what a command changed, in codes and ids. An event is the facts and words of one command.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::domain::{
    actor::Actor,
    ids::{
        ActionId, CaseId, CommandId, ConnectionId, DecisionId, DutyId, OfferId, PersonId, SheetId, ShiftId, SlotId,
        VisitId,
    },
    person::unsaid,
    regulation::{
        decision::{Answer, CounterRegulation, Decision, MayWait},
        fallback::Fallback,
        qualification::{Attribution, Flag, Priority, Proposed, Qualification, Stream},
        room::{Duty, Room, Surge},
    },
    remarkable::Sheet,
    routing::{Plan, WhyNot},
    slots::Slot,
    territory::NumberForm,
    time::Instant,
    visits::{Shift, Visit, VisitStatus},
};

use super::{
    action::{Action, End},
    sealed::Words,
    state::{Case, Channel, ContactSafety, Line, Offer, Patient, Whereabouts},
    transfer::{Answered, Ended, Received, Transfer, TransferEnd},
};

/// One change. Its meaning for the records is [`super::evolve`]'s alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Fact {
    /// A case began.
    Opened(Opened),
    /// Where the patient is, replaced.
    PlaceSet(Whereabouts),
    /// A patient, replaced or added by number.
    PatientSet(Patient),
    /// What the contact may be used for, replaced.
    SafetySet(ContactSafety),
    /// Whether the caller can be spoken to.
    LineSet(Line),
    /// When the exchange says that the call last changed, by its own clock; by ours where it says no hour.
    LineHeard(Instant),
    /// Linked to the earlier case of the same episode.
    RepeatOf(CaseId),
    /// Qualified, or qualified again.
    Qualified(Qualification),
    /// A reason why a doctor is compulsory was added.
    Flagged(Flag),
    /// What the protocols say of it with what was corrected since: kept in the place of what they said before.
    TriagedAgain(Box<Proposed>),
    /// Ended by the ARM without a doctor; reversible.
    Dismissed(Attribution),
    /// Taken by a regulator.
    Claimed {
        /// Fencing number.
        no: u64,
        /// Who.
        by: PersonId,
        /// From which connection.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connection: Option<ConnectionId>,
    },
    /// The lease ended without renewal.
    ClaimSuspect {
        /// Of which claim.
        no: u64,
    },
    /// The holder of a suspect claim renewed it.
    ClaimResumed {
        /// Which claim.
        no: u64,
    },
    /// Given back, taken back or finished.
    ClaimEnded {
        /// Which claim.
        no: u64,
    },
    /// (Back) in a queue: re-oriented to another stream, or returned to a regulator.
    Requeued {
        /// Which queue.
        stream: Stream,
        /// In which class from now on.
        priority: Priority,
        /// Until when it should be regulated there.
        due: Instant,
    },
    /// A need was signed.
    NeedSigned(Box<Decision>),
    /// An answer was signed.
    AnswerSigned {
        /// Of which decision.
        decision: DecisionId,
        /// The answer.
        answer: Answer,
    },
    /// A regulator said that the case may wait.
    MayWait(MayWait),
    /// A responder gave other care than was decided.
    CounterRegulated {
        /// Of which decision.
        decision: DecisionId,
        /// What, why and by whom.
        counter: CounterRegulation,
    },
    /// The motive of a file that had none.
    MotiveSet(String),
    /// Made in advance; active from then on.
    ActivatesAt(Instant),
    /// A plan was acted on: the reasons of the choice that follows.
    Planned {
        /// For which decision.
        decision: DecisionId,
        /// With every reason.
        plan: Box<Plan>,
    },
    /// A mission was put to a responder.
    Offered(Offer),
    /// Accepted.
    OfferAccepted {
        /// Which.
        offer: OfferId,
        /// When the care begins.
        appointment: Instant,
    },
    /// Led nowhere.
    OfferClosed {
        /// Which.
        offer: OfferId,
        /// Why.
        why: WhyNot,
        /// The one doctor whose no it is; none: the structure's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doctor: Option<PersonId>,
    },
    /// Taken back.
    OfferWithdrawn {
        /// Which.
        offer: OfferId,
    },
    /// The weekly cap or independence was waived under a convention.
    Excepted {
        /// Whom it concerns.
        person: PersonId,
        /// The convention.
        convention: String,
    },
    /// A doctor accepted in person to give care, or gave it.
    Responded {
        /// The offer by which he was asked.
        offer: OfferId,
        /// Who.
        person: PersonId,
    },
    /// A visit began its life.
    VisitDecided(Visit),
    /// A doctor took a visit.
    VisitTaken {
        /// Which.
        visit: VisitId,
        /// Who.
        doctor: PersonId,
        /// On which shift.
        shift: ShiftId,
    },
    /// A visit moved on.
    VisitMoved {
        /// Which.
        visit: VisitId,
        /// To where.
        status: VisitStatus,
        /// When it happened, which may be earlier than it was reported.
        happened: Instant,
    },
    /// Something is to be done.
    ActionOpened(Action),
    /// Its deadline was moved.
    ActionMoved {
        /// Which.
        action: ActionId,
        /// To when.
        deadline: Instant,
    },
    /// Its deadline passed.
    ActionAlarmed {
        /// Which.
        action: ActionId,
    },
    /// It is over.
    ActionEnded {
        /// Which.
        action: ActionId,
        /// How.
        end: End,
    },
    /// A slot was published, or published again with other times while free.
    SlotPublished(Slot),
    /// Held for a case.
    SlotHeld {
        /// Which.
        slot: SlotId,
        /// Under which offer.
        offer: OfferId,
        /// Until when.
        until: Instant,
    },
    /// Booked for a case.
    SlotBooked {
        /// Which.
        slot: SlotId,
        /// Under which offer.
        offer: OfferId,
        /// The patient is the responder's own.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        own_patient: bool,
    },
    /// Free again.
    SlotFreed {
        /// Which.
        slot: SlotId,
    },
    /// Taken back by its owner.
    SlotWithdrawn {
        /// Which.
        slot: SlotId,
    },
    /// A doctor went on duty, or changed the sectors or the end.
    ShiftOpened(Shift),
    /// A doctor took up or finished a visit.
    ShiftBusy {
        /// Which shift.
        shift: ShiftId,
        /// The visit, or none when free again.
        visit: Option<VisitId>,
    },
    /// A doctor went off duty.
    ShiftEnded {
        /// Which shift.
        shift: ShiftId,
    },
    /// The claim just taken is a regulator's of another stream, in the place of one who is not there.
    FellBack {
        /// The national code that says so.
        code: Fallback,
    },
    /// A regulator's period on duty was entered.
    DutyStarted(Duty),
    /// It was ended before its time.
    DutyEnded {
        /// Which.
        duty: DutyId,
    },
    /// The split of requests between regulators was suspended.
    SurgeStarted(Surge),
    /// It was taken up again before its time.
    SurgeEnded,
    /// The sheet of a remarkable patient was entered, or entered again.
    SheetPut(Sheet),
    /// It holds no longer.
    SheetEnded {
        /// Which.
        sheet: SheetId,
    },
    /// One that is over left the working set.
    SheetArchived {
        /// Which.
        sheet: SheetId,
    },
    /// Sent to another territory, whose answer is awaited.
    TransferSent(Box<Transfer>),
    /// That is over.
    TransferEnded {
        /// The copy's id there.
        there: CaseId,
        /// How.
        ended: Ended,
    },
    /// The copy goes on there although the sending ended.
    TransferGoesOn {
        /// The copy's id there.
        there: CaseId,
    },
    /// The case just opened came from another territory.
    TransferReceived(Box<Received>),
    /// The regulators here have accepted it, or sent it back.
    TransferAnswered(Answered),
    /// What was added or changed at its sender was brought.
    TransferBrought {
        /// How many changes there this makes.
        as_of: u32,
        /// How urgent it is there.
        #[serde(default, skip_serializing_if = "unsaid")]
        priority: Option<Priority>,
        /// Who gives care in it there, or was asked to.
        #[serde(default, skip_serializing_if = "unsaid")]
        responders: BTreeSet<PersonId>,
    },
    /// The sender's log has said whose it is.
    TransferSettled {
        /// How the sending ended there.
        how: TransferEnd,
        /// It goes on here all the same: it was found vital.
        goes_on: bool,
    },
    /// The sender has taken its case up again.
    TransferReopened {
        /// When, there.
        at: Instant,
    },
    /// A closed case left the working set; it is in the archive, complete.
    CaseArchived,
    /// A slot that is over left the working set.
    SlotArchived {
        /// Which.
        slot: SlotId,
    },
    /// A shift that is over left the working set.
    ShiftArchived {
        /// Which.
        shift: ShiftId,
    },
}

/// What is known at the opening.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// How it came.
    pub channel: Channel,
    /// Line code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// When the request arrived.
    pub arrived: Instant,
    /// The telephone call.
    #[serde(skip)]
    pub call: Option<String>,
    /// How its number is written, when not as the nation does.
    #[serde(default, skip_serializing_if = "unsaid")]
    pub number_form: Option<NumberForm>,
    /// Whether the caller can be spoken to.
    pub line: Line,
}

/// What one command changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Schema number.
    pub schema: u32,
    /// The command's name, as in the API.
    pub command: String,
    /// The command's id.
    pub command_id: CommandId,
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Instant,
    /// The case it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// What changed, in order.
    pub facts: Vec<Fact>,
    /// Personal words; stored in the sealed part.
    #[serde(skip)]
    pub words: Vec<Words>,
}

/// The records a decision reads and an event changes. A case is shared until it is changed ([`Records::case_mut`]).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Records {
    /// Cases.
    pub cases: BTreeMap<CaseId, Arc<Case>>,
    /// Slots.
    pub slots: BTreeMap<SlotId, Slot>,
    /// Shifts.
    pub shifts: BTreeMap<ShiftId, Shift>,
    /// Who regulates; none when it was not read, or nobody was ever entered.
    pub room: Option<Room>,
    /// Sheets of remarkable patients.
    pub sheets: BTreeMap<SheetId, Sheet>,
}

impl Records {
    /// A case to be changed: copied first where somebody else still reads it as it is.
    pub fn case_mut(&mut self, id: CaseId) -> Option<&mut Case> {
        self.cases.get_mut(&id).map(Arc::make_mut)
    }
}
