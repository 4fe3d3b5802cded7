//! What is to be done next about a hand-over, told from the records of both sides.

use crate::domain::ids::CaseId;

use super::{super::state::Case, TransferAct, TransferAnswer, TransferEnd, TransferWord, packet::packet};

/// What is to be done next about a hand-over, and in which territory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// At the receiver: open the copy.
    Receive,
    /// At the receiver: bring what was added or changed since.
    Bring,
    /// At the sender: record that it was accepted.
    Accept,
    /// At the sender: it was not accepted.
    Return,
    /// At the sender: the copy goes on there although the sending ended.
    TellSender,
    /// At the receiver: the case is yours.
    Confirm,
    /// At the receiver: it is not.
    End(TransferEnd),
    /// At the receiver: the sender has taken the case up again.
    TellReceiver,
}

impl Step {
    /// Whether it is a commit of the sender's territory.
    pub fn at_sender(self) -> bool {
        matches!(self, Self::Accept | Self::Return | Self::TellSender)
    }

    /// Names the step in its command id.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Bring => "bring",
            Self::Accept => "accept",
            Self::Return => "return",
            Self::TellSender => "tell-sender",
            Self::Confirm => "confirm",
            Self::End(_) => "end",
            Self::TellReceiver => "tell-receiver",
        }
    }
}

/// The next step for the hand-over whose copy is `there`, by the records of both sides as they are now; `None` when there is
/// none, or a person's answer is awaited.
pub fn next(there: CaseId, sender: Option<&Case>, copy: Option<&Case>) -> Option<Step> {
    let transfer = sender.and_then(|case| case.transfer(there));
    let Some(copy) = copy else {
        return transfer.filter(|known| known.waits()).map(|_| Step::Receive);
    };
    let received = copy.received.as_ref()?;
    let Some(sender) = sender else {
        return received.open().then_some(Step::Confirm);
    };
    let Some(transfer) = transfer else {
        return received.open().then_some(Step::End(TransferEnd::Unknown));
    };
    let lacks = || received.open() && packet(sender, there, Some(copy)).is_some_and(|packet| packet.tells(received));
    match &transfer.ended {
        None if received.settled.is_some_and(|(_, how)| how != TransferEnd::Accepted) => Some(Step::Return),
        None if received.refused() => Some(Step::Return),
        None if received.accepted() || received.settled.is_some() => Some(Step::Accept),
        None => lacks().then_some(Step::Bring),
        Some(ended) if ended.how == TransferEnd::Accepted => match received.open() {
            true if lacks() => Some(Step::Bring),
            true => Some(Step::Confirm),
            false => (transfer.again > received.again).then_some(Step::TellReceiver),
        },
        Some(ended) if received.open() => Some(Step::End(ended.how)),
        Some(_) => (!received.with_sender() && transfer.goes_on.is_none()).then_some(Step::TellSender),
    }
}

/// One side of a hand-over: its case, and the number people say.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The case.
    pub case: &'a Case,
    /// Its number.
    pub number: &'a str,
}

/// A step as a command for the case of its side. `None` when the records do not say what it would say.
pub fn act(step: Step, there: CaseId, sender: Option<Side<'_>>, copy: Option<Side<'_>>) -> Option<TransferAct> {
    let packet = |sender: Side<'_>| {
        let packet = packet(sender.case, there, copy.map(|copy| copy.case));
        packet.map(|packet| Box::new(packet.numbered(sender.number)))
    };
    let settle = |answer| Some(TransferAct::Settle { there, answer });
    let received = copy.and_then(|copy| copy.case.received.as_deref());
    let answered = received.and_then(|received| received.answered.as_ref());
    let number = copy.map(|copy| copy.number.to_owned()).unwrap_or_default();
    match step {
        Step::Receive => packet(sender?).map(TransferAct::Receive),
        Step::Bring => packet(sender?).map(TransferAct::Bring),
        Step::Confirm => Some(TransferAct::Tell(TransferWord::Confirmed)),
        Step::End(how) => Some(TransferAct::Tell(TransferWord::Ended(how))),
        Step::TellReceiver => {
            let again = sender?.case.transfer(there)?.again?;
            Some(TransferAct::Tell(TransferWord::SenderAgain(again)))
        }
        Step::Accept => settle(TransferAnswer::Accepted { by: answered?.by.clone(), number }),
        Step::TellSender => settle(TransferAnswer::GoesOn { number }),
        Step::Return => {
            let note = answered.and_then(|known| known.refused);
            let reason = copy?.case.sealed.notes.iter().find(|known| Some(known.id) == note).cloned().map(Box::new);
            let how = received?.settled.map_or(TransferEnd::Refused, |(_, how)| how);
            settle(TransferAnswer::Returned { how, by: answered.map(|known| known.by.clone()), reason })
        }
    }
}
