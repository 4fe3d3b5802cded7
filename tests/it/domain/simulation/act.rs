//! What somebody may do next, as small numbers that shrink; the room gives them meaning.

use proptest::{collection::vec, prelude::*, sample::select};
use sas_dispatch::domain::{
    case::{End, command::CallEvent},
    regulation::{
        need::CareType,
        qualification::{Attribution, Flag},
    },
    visits::VisitStatus,
};

/// One act of one person about one case.
#[derive(Debug, Clone)]
pub struct Step {
    pub act: Act,
    /// Which person of the role that does such things.
    pub who: usize,
    /// Which case.
    pub case: usize,
    /// Which of several things (an offer, an action, a slot).
    pub pick: usize,
}

#[derive(Debug, Clone)]
pub enum Act {
    Open {
        vital: bool,
        telephony: bool,
        infant: bool,
    },
    Call(CallEvent),
    Qualify {
        priority: usize,
        stream: usize,
        flag: Option<Flag>,
        symptoms: bool,
        protocol: bool,
    },
    Dismiss(Attribution),
    Amend {
        infant: bool,
        may_ring: bool,
    },
    Note,
    Complete,
    Repeat,
    Claim,
    Renew,
    Release,
    Resume,
    ForceRelease,
    Accept,
    Need {
        care: CareType,
        keep: bool,
        follow_up: bool,
    },
    Answer {
        same: bool,
        keep: bool,
    },
    Reorient {
        stream: usize,
    },
    AnswerReorientation {
        refused: bool,
    },
    Transfer {
        by_arm: bool,
    },
    WithdrawTransfer,
    AnswerTransfer {
        refused: bool,
    },
    /// Another territory sends a case here.
    Receive,
    /// Upkeep goes on with a hand-over: what the other territory says.
    Carry {
        accepted: bool,
    },
    ClaimNext {
        stream: usize,
    },
    OnDuty {
        stream: usize,
    },
    OffDuty,
    Surge {
        on: bool,
    },
    Plan,
    Offer,
    NobodyLeft,
    Yes,
    No {
        declined: bool,
    },
    Cancel,
    RenewHold,
    Attend {
        seen: bool,
    },
    TakeVisit,
    MoveVisit(VisitStatus),
    Report,
    End(End),
    Publish {
        minutes: i64,
    },
    Withdraw,
    OpenShift,
    EndShift,
    Pass {
        seconds: i64,
    },
    Again,
    /// What the screen shows as next for the case: without it chance alone rarely gets as far as a visit.
    Next,
}

/// Every command that the simulation must get accepted at least once.
pub const COMMANDS: [&str; 42] = [
    "OpenCase",
    "AmendCase",
    "AddNote",
    "LinkRepeatCall",
    "ReportCallEvent",
    "Qualify",
    "DismissCase",
    "Claim",
    "ReleaseClaim",
    "ForceRelease",
    "ResumeClaim",
    "AcceptHandOver",
    "SignNeed",
    "SignAnswer",
    "Reorient",
    "AnswerReorientation",
    "TransferCase",
    "WithdrawTransfer",
    "AnswerTransfer",
    "ReceiveTransfer",
    "BringTransfer",
    "SettleTransfer",
    "TellTransfer",
    "ClaimNext",
    "StartDuty",
    "EndDuty",
    "StartSurge",
    "EndSurge",
    "Advance",
    "AnswerOffer",
    "Cancel",
    "RenewHold",
    "RecordAttendance",
    "AcceptVisit",
    "ProgressVisit",
    "ReportVisit",
    "EndAction",
    "PublishSlot",
    "WithdrawSlot",
    "OpenShift",
    "EndShift",
    "Fire",
];

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 1..160)
}

pub fn step() -> impl Strategy<Value = Step> {
    let step = (act(), 0..6_usize, 0..3_usize, 0..8_usize);
    step.prop_map(|(act, who, case, pick)| Step { act, who, case, pick })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![5 => front(), 6 => regulation(), 7 => supply(), 3 => time(), 16 => Just(Act::Next)]
}

fn front() -> impl Strategy<Value = Act> {
    let flag = prop_oneof![5 => Just(None), 1 => select(Flag::ALL).prop_map(Some)];
    prop_oneof![
        3 => (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(vital, telephony, infant)| {
            Act::Open { vital: vital && telephony, telephony, infant: infant && vital }
        }),
        2 => select(CallEvent::ALL).prop_map(Act::Call),
        6 => (0..5_usize, 0..4_usize, flag, any::<bool>(), any::<bool>()).prop_map(
            |(priority, stream, flag, symptoms, protocol)| Act::Qualify { priority, stream, flag, symptoms, protocol }
        ),
        1 => select(Attribution::ALL).prop_map(Act::Dismiss),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(infant, may_ring)| Act::Amend { infant, may_ring }),
        1 => Just(Act::Note),
        1 => Just(Act::Repeat),
    ]
}

fn regulation() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Claim),
        1 => Just(Act::Renew),
        1 => Just(Act::Release),
        1 => Just(Act::Resume),
        1 => Just(Act::ForceRelease),
        2 => Just(Act::Accept),
        6 => (select(CareType::ALL), any::<bool>(), any::<bool>())
            .prop_map(|(care, keep, follow_up)| Act::Need { care, keep, follow_up: follow_up && keep }),
        5 => (any::<bool>(), any::<bool>()).prop_map(|(differs, keep)| Act::Answer { same: !differs, keep }),
        2 => (0..4_usize).prop_map(|stream| Act::Reorient { stream }),
        1 => any::<bool>().prop_map(|refused| Act::AnswerReorientation { refused }),
        2 => any::<bool>().prop_map(|by_arm| Act::Transfer { by_arm }),
        1 => Just(Act::WithdrawTransfer),
        1 => any::<bool>().prop_map(|refused| Act::AnswerTransfer { refused }),
        2 => Just(Act::Receive),
        2 => any::<bool>().prop_map(|accepted| Act::Carry { accepted }),
        2 => (0..4_usize).prop_map(|stream| Act::ClaimNext { stream }),
        1 => (0..4_usize).prop_map(|stream| Act::OnDuty { stream }),
        1 => Just(Act::OffDuty),
        1 => any::<bool>().prop_map(|on| Act::Surge { on }),
    ]
}

fn supply() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Plan),
        4 => Just(Act::Offer),
        1 => Just(Act::NobodyLeft),
        4 => Just(Act::Yes),
        2 => any::<bool>().prop_map(|declined| Act::No { declined }),
        1 => Just(Act::Cancel),
        1 => Just(Act::RenewHold),
        2 => any::<bool>().prop_map(|seen| Act::Attend { seen }),
        4 => Just(Act::TakeVisit),
        5 => select(VisitStatus::ALL).prop_map(Act::MoveVisit),
        2 => Just(Act::Report),
        3 => select(End::ALL).prop_map(Act::End),
        3 => (1..300_i64).prop_map(|minutes| Act::Publish { minutes }),
        1 => Just(Act::Withdraw),
        2 => Just(Act::OpenShift),
        1 => Just(Act::EndShift),
    ]
}

fn time() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..200_i64).prop_map(|seconds| Act::Pass { seconds }),
        1 => (0..10_000_i64).prop_map(|seconds| Act::Pass { seconds }),
        2 => Just(Act::Again),
    ]
}
