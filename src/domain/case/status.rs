//! The national état of a case, derived in one place (HubSante.etat; domain.md §2.7).

use crate::{
    coded_enum,
    domain::time::{Instant, Span},
};

use super::state::Case;

coded_enum! {
    /// Where a case stands in its life.
    Status {
        /// Something is still to be done.
        Active = "ACTIF", "Actif";
        /// Everything decided is done; something is missing for the file to be complete.
        Achieved = "ACHEVE", "Achevé";
        /// Complete and coherent.
        Valid = "VALIDE", "Validé";
        /// Not reactivable: a new call opens a new file.
        Closed = "CLOTURE", "Clôturé";
    }
}

/// How long after a case was active for the last time a complete file is closed.
pub const CLOSED_AFTER: Span = Span::from_hours(24);

/// Where `case` stands at `now`. A case with an open action is never VALIDE; only a VALIDE case becomes CLOTURE.
pub fn status(case: &Case, now: Instant) -> Status {
    match case.idle_since {
        None => Status::Active,
        Some(_) if !complete(case) => Status::Achieved,
        Some(since) if now < since + CLOSED_AFTER => Status::Valid,
        Some(_) => Status::Closed,
    }
}

/// True when the file says what a file must: it was dismissed by the ARM, or qualified and every decision was answered by
/// whom it had to be (arrêté of 20 October 2011: motive, hour, outcome, who regulated).
pub fn complete(case: &Case) -> bool {
    let decided = !case.decisions.is_empty() && case.decisions.iter().all(|decision| decision.answer.is_some());
    case.dismissed.is_some() || (case.qualification.is_some() && decided)
}
