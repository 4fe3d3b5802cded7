//! What the signed need asks of whoever gives the care: told where an option is taken, and the transport arranged.

use crate::domain::{
    case::{
        action::{About, ActionKind, End},
        state::Offer,
    },
    ids::OfferId,
    regulation::need::Condition,
    time::{Instant, Span},
};

use super::draft::{Draft, coordinators};

/// How long before an appointment its transport must be arranged: a coordinator still finds another, or another hour.
const AHEAD: Span = Span::from_hours(1);
/// What a coordinator has for it all the same when the appointment is near, as long as that is before it.
const AT_LEAST: Span = Span::from_mins(15);

/// Says with an offer what the signed constraints ask of it.
pub(super) fn tell(draft: &mut Draft<'_>, offer: OfferId) {
    let told = draft.case().ok().and_then(|case| Some(case.conditions(case.offer(offer)?)));
    let told = told.into_iter().flatten();
    draft.reply.warnings.extend(told.map(|condition| format!("{}: {}", condition.code(), condition.label())));
}

/// A patient who cannot come by his own means has his transport arranged, early enough before the appointment `at`.
pub(super) fn arrange_transport(draft: &mut Draft<'_>, offer: &Offer, at: Instant) {
    let needed = draft.case().is_ok_and(|case| case.conditions(offer).contains(&Condition::TransportNeeded));
    if needed {
        let about = About { decision: Some(offer.decision), offer: Some(offer.id), visit: None };
        let deadline = (at - AHEAD).max(draft.now + AT_LEAST).min(at.max(draft.now));
        draft.open(ActionKind::ArrangeTransport, coordinators(), deadline, about);
    }
}

/// The appointment is over: nobody is brought to it any more.
pub(super) fn transport_is_over(draft: &mut Draft<'_>, offer: OfferId) {
    draft.end(End::Replaced, |action| action.kind == ActionKind::ArrangeTransport && action.about.offer == Some(offer));
}
