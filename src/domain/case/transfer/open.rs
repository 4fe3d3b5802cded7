//! The hand-overs of a case that are not over on both sides, as a list of them shows.

use crate::{
    coded_enum,
    domain::{
        ids::{CaseId, PersonId, TerritoryId},
        time::Instant,
    },
};

use super::super::{action::ActionKind, state::Case};

coded_enum! {
    /// Where a hand-over stands that is not over on both sides.
    TransferState {
        /// Sent; the other territory's answer is awaited.
        Awaited = "AWAITED", "Réponse attendue de l'autre territoire";
        /// Received; somebody here accepts it or sends it back.
        ToAnswer = "TO_ANSWER", "À accepter ou à renvoyer";
        /// Accepted here; the sender has not recorded it yet.
        ToConfirm = "TO_CONFIRM", "Accepté, à confirmer par l'expéditeur";
        /// Worked on here although the sending ended otherwise: ring them.
        GoesOn = "GOES_ON", "Poursuivi ici bien que repris par l'expéditeur : l'appeler";
        /// Accepted here, and the sender has taken its case up again: ring them.
        SenderAgain = "SENDER_AGAIN", "Rouvert par l'expéditeur : l'appeler";
    }
}

/// One hand-over that is not over on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTransfer {
    /// True at its sender, false at its receiver.
    pub sent: bool,
    /// The other territory.
    pub other: TerritoryId,
    /// The case there.
    pub there: CaseId,
    /// Its number there; empty where it is not known.
    pub there_number: String,
    /// Who sent it.
    pub by: PersonId,
    /// Since when.
    pub since: Instant,
    /// Until when the answer is awaited; then it is back with its sender.
    pub until: Option<Instant>,
    /// Where it stands.
    pub state: TransferState,
}

impl Case {
    /// The hand-overs of this case that are not over on both sides: at most one that was sent and one that was received.
    pub fn open_transfers(&self) -> Vec<OpenTransfer> {
        let sent = self.sent().map(|transfer| OpenTransfer {
            sent: true,
            other: transfer.to.clone(),
            there: transfer.there,
            there_number: String::new(),
            by: transfer.by.clone(),
            since: transfer.at,
            until: self.open_action(ActionKind::Transfer).map(|action| action.deadline),
            state: TransferState::Awaited,
        });
        let received = self.received.as_deref().and_then(|received| {
            let busy = self.open_actions().next().is_some();
            let state = match () {
                () if received.open() && received.accepted() => TransferState::ToConfirm,
                () if received.open() => TransferState::ToAnswer,
                () if received.goes_on && busy => TransferState::GoesOn,
                () if received.again.is_some() && busy => TransferState::SenderAgain,
                () => return None,
            };
            Some(OpenTransfer {
                sent: false,
                other: received.from.clone(),
                there: received.case,
                there_number: received.number.clone(),
                by: received.by.clone(),
                since: received.sent,
                until: received.until.filter(|_| received.open()),
                state,
            })
        });
        sent.into_iter().chain(received).collect()
    }
}
