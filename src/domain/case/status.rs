//! The national état of a case, derived in one place (HubSante.etat; domain.md §2.7).
//!
//! | état | when |
//! |---|---|
//! | PROGRAM | made in advance, its hour is to come and nobody has qualified it |
//! | ACTIF | something is to be done about the request |
//! | ACHEVE | everything decided is carried out; somebody completes the file or refers a patient without a GP |
//! | VALIDE | nothing is to be done and the file is complete: what was written is frozen, new notes are addenda, and a new decision sends it back to ACTIF |
//! | CLOTURE | VALIDE, and 24 h since its last open action ended: not reactivable, a new call opens a new file linked to it |
//! | CLASSE | closed, three months after the opening: notes only |
//! | ARCHIVE | filed, and the territory's delay since the opening is over: nothing changes any more |
//!
//! HubSante.etat closes a valid file « 24 heures après son passage à l'état « Actif » », which does not say whether it is the
//! beginning or the end of that état. Here it is the end: counted from the beginning, a file whose appointment was forty hours
//! ahead would be closed the moment the patient was seen, and his call an hour later could no longer open it again. So a file
//! is never closed earlier than the list allows, and whoever calls within a day of the last act is answered in it.
//!
//! What left the working set (`leaving`) keeps its état in the archive, where it is read and nothing is written: whoever has
//! something to add opens a new file and links it.

use chrono::Months;

use crate::{
    coded_enum,
    domain::time::{Instant, Span},
};

use super::{action::ActionKind, state::Case};

coded_enum! {
    /// Where a case stands in its life.
    Status {
        /// Something is still to be done about the request.
        Active = "ACTIF", "Actif";
        /// Everything decided is done; the file is still worked on.
        Achieved = "ACHEVE", "Achevé";
        /// Complete and coherent.
        Valid = "VALIDE", "Validé";
        /// Not reactivable: a new call opens a new file.
        Closed = "CLOTURE", "Clôturé";
        /// Made in advance; becomes active at its hour.
        Planned = "PROGRAM", "Programmé";
        /// Closed, three months after its opening: notes only.
        Filed = "CLASSE", "Classé";
        /// Filed, and the archive's delay is over: nothing changes any more.
        Archived = "ARCHIVE", "Archivé";
    }
}

coded_enum! {
    /// What a complete file lacks (arrêté of 20 October 2011). The hour of the call stands in every file, and so does the ARM
    /// if one qualified it.
    Missing {
        /// Who the patient is, or that this is not known.
        Identity = "IDENTITY", "Identité du patient";
        /// The motive.
        Motive = "MOTIVE", "Motif de l'appel";
        /// A doctor's decision, or a protocol's, for every patient.
        Regulator = "REGULATOR", "Médecin régulateur";
        /// What was done about it.
        Outcome = "OUTCOME", "Suite donnée";
    }
}

/// How long after its last open action ended a complete file is closed.
pub const CLOSED_AFTER: Span = Span::from_hours(24);
/// How long after its opening a closed file is filed (HubSante.etat).
pub const FILED_AFTER: Months = Months::new(3);

/// Where `case` stands at `now`, in a territory that archives nothing by itself.
pub fn status(case: &Case, now: Instant) -> Status {
    stage(case, now, None)
}

/// Where `case` stands at `now`. A case with an open action is never VALIDE; only a VALIDE case becomes CLOTURE.
pub fn stage(case: &Case, now: Instant, archived_after: Option<Months>) -> Status {
    let Some(since) = case.idle_since else {
        let early = case.activates.is_some_and(|at| now < at) && case.qualification.is_none();
        let mut open = case.open_actions().map(|action| action.kind).peekable();
        let completing = open.peek().is_some() && open.all(ActionKind::administrative);
        return match (early, completing) {
            (true, _) => Status::Planned,
            (false, true) => Status::Achieved,
            (false, false) => Status::Active,
        };
    };
    if !complete(case) {
        return Status::Achieved;
    }
    let passed = |months| now >= after(case.opened, months);
    match archived_after {
        _ if now < since + CLOSED_AFTER => Status::Valid,
        Some(months) if passed(FILED_AFTER) && passed(months) => Status::Archived,
        _ if passed(FILED_AFTER) => Status::Filed,
        _ => Status::Closed,
    }
}

/// The instant so many calendar months after `at`.
fn after(at: Instant, months: Months) -> Instant {
    at.utc().checked_add_months(months).map_or(at, Instant::from)
}

/// True when the file lacks nothing that the law asks.
pub fn complete(case: &Case) -> bool {
    missing(case).is_empty()
}

/// What the file lacks. What the ARM ended is no medical request and lacks nothing.
pub fn missing(case: &Case) -> Vec<Missing> {
    // What another territory has, it completes.
    if case.dismissed.is_some() || case.handed_on().is_some() || case.with_sender() {
        return Vec::new();
    }
    let unanswered = case.decisions.iter().any(|decision| decision.answer.is_none());
    let undecided = case.decisions.is_empty() || !case.undecided().is_empty();
    let items = [
        (Missing::Identity, !identified(case)),
        (Missing::Motive, !motivated(case)),
        (Missing::Regulator, undecided),
        (Missing::Outcome, undecided || unanswered),
    ];
    items.into_iter().filter(|(_, lacks)| *lacks).map(|(item, _)| item).collect()
}

/// Every patient has a name or a number, or it is stated that nobody knows; a case has one patient at least.
fn identified(case: &Case) -> bool {
    let known = |number| {
        let identity = case.sealed.identities.iter().find(|who| who.number == number);
        identity.is_some_and(|who| !who.name.reveal().is_empty() || !who.nir.reveal().is_empty())
    };
    !case.patients.is_empty() && case.present().all(|patient| patient.identity_unknown || known(patient.number))
}

fn motivated(case: &Case) -> bool {
    case.qualification.as_ref().is_some_and(|known| known.motive.is_some())
}
