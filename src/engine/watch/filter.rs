//! What a watcher wants to see, and what of it he may.

use std::sync::Arc;

use crate::{
    domain::{
        actor::Actor,
        case::{ActionKind, Case, Owner},
        digest::digest,
        ids::{ResponderId, TerritoryId},
        regulation::qualification::Stream,
    },
    engine::{
        CaseView, List, Place,
        read::{Sight, sight},
    },
};

use super::token::Watched;

/// What a watcher wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchFilter {
    /// A stream's queue and the cases regulated from it.
    Queue(Stream),
    /// A responder's offers and missions.
    Missions(ResponderId),
    /// Everything.
    All,
}

impl WatchFilter {
    /// The index that lists what is shown, and perhaps more.
    pub(super) fn list(&self) -> List {
        match self {
            // A claimed case has left the queue and is still shown, with its holder.
            Self::Queue(_) | Self::All => List::Open,
            Self::Missions(responder) => List::Missions(responder.clone()),
        }
    }

    /// What the tokens of a watch say of it.
    pub(super) fn watched(&self, territory: &TerritoryId) -> Watched {
        let list = match self {
            Self::Queue(stream) => format!("queue/{}", stream.code()),
            Self::Missions(responder) => format!("missions/{responder}"),
            Self::All => "all".to_owned(),
        };
        let digest = digest([territory.as_str().as_bytes(), list.as_bytes()]);
        std::array::from_fn(|n| digest.as_bytes()[n])
    }

    /// Whether a case belongs to what is watched.
    pub fn shows(&self, case: &Case) -> bool {
        match self {
            Self::All => case.open_actions().next().is_some(),
            Self::Queue(stream) => {
                // What was sent to another stream is before both until it is answered.
                let sender = case.qualification.as_ref().map(|known| known.stream);
                let here = sender == Some(*stream) || case.before() == Some(*stream);
                here && case.open_action(ActionKind::Regulate).is_some()
            }
            Self::Missions(responder) => case.open_actions().any(|action| {
                let offer = action.about.offer.and_then(|offer| case.offer(offer));
                action.owner == Owner::Responder(responder.clone())
                    || offer.is_some_and(|offer| offer.responder == *responder)
            }),
        }
    }
}

/// The case as the actor may see it; none when he may not. Copied only where something must be left out.
pub(super) fn seen_by(actor: &Actor, place: &Place, view: &Arc<CaseView>) -> Option<Arc<CaseView>> {
    match sight(actor, place, &view.case) {
        Sight::Nothing => None,
        Sight::Overview | Sight::Whole => Some(view.clone()),
        Sight::WithoutPersons | Sight::Envelope => {
            let mut copy = CaseView::clone(view);
            copy.case = Arc::new(copy.case.without_persons());
            Some(Arc::new(copy))
        }
    }
}
