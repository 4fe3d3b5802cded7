//! When a record may leave the working set: nothing is left to be done about it, and it is over for long enough.

use crate::domain::{
    remarkable::Sheet,
    slots::Slot,
    time::{Instant, Span},
    visits::{Shift, ShiftState},
};

use super::{
    state::Case,
    status::{CLOSED_AFTER, Status, status},
};

/// A closed case, `keep` after it was closed. Filed or not: a case that leaves before three months are over is read in the
/// archive from then on, and no note is added to it any more; a site that wants notes on filed cases keeps them longer.
pub fn case(case: &Case, now: Instant, keep: Span) -> bool {
    let closed = closed_at(case).is_some_and(|at| at + keep <= now);
    closed && matches!(status(case, now), Status::Closed | Status::Filed)
}

/// The instant at which a case is closed, if it is complete and nobody takes it up again; none while an action is open.
pub fn closed_at(case: &Case) -> Option<Instant> {
    case.idle_since.map(|since| since + CLOSED_AFTER)
}

/// For the rest of the week an act with the SNP supplement is still counted.
const WEEK: Span = Span::from_hours(7 * 24);

/// A slot, `keep` after its end. Whose case is still there stays with it: that is for the caller to see.
pub fn slot(slot: &Slot, now: Instant, keep: Span) -> bool {
    let counted = slot.supplement() && slot.end + WEEK > now;
    slot.end + keep <= now && !counted
}

/// A shift, `keep` after its end, unless its doctor is on a visit.
pub fn shift(shift: &Shift, now: Instant, keep: Span) -> bool {
    shift.end + keep <= now && !matches!(shift.state, ShiftState::OnVisit { .. })
}

/// The sheet of a remarkable patient, `keep` after it was over.
pub fn sheet(sheet: &Sheet, now: Instant, keep: Span) -> bool {
    sheet.over() + keep <= now
}
