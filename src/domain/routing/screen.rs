//! Phase 2, the survey: one option as it is being judged, and the checks every category shares.

use crate::domain::{
    case::outgoing::{Outgoing, opposes},
    directory::{Connection, Responder},
    ids::{PersonId, ResponderId, SectorId},
    regulation::independence::{Independence, independence},
    time::Instant,
};

use super::{
    Category, Means, OnDuty, SourceState, WhyNot,
    frame::Frame,
    problem::{Asked, Tried},
};

/// An option that can be taken: how, from when as far as known, and what ranks before that inside its category.
#[derive(Debug, Clone)]
pub(super) struct Offerable {
    pub(super) responder: ResponderId,
    pub(super) means: Means,
    pub(super) earliest: Option<Instant>,
    /// Until when a doctor is on duty who is on a visit now, where none is free.
    pub(super) busy_until: Option<Instant>,
    /// Smaller is tried sooner, before time and distance are compared.
    pub(super) class: u8,
    /// It gave an hour for this decision that was cancelled: whoever has not is asked before it.
    pub(super) again: bool,
}

/// A judged option.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) category: Category,
    pub(super) responder: Option<ResponderId>,
    pub(super) distance_m: Option<u32>,
    /// The earliest instant known of a refused option, such as a slot after the deadline.
    pub(super) too_late: Option<Instant>,
    pub(super) verdict: Result<Offerable, WhyNot>,
}

impl Judged {
    /// A category refused as a whole.
    pub(super) fn closed(category: Category, why: WhyNot) -> Self {
        Self { category, responder: None, distance_m: None, too_late: None, verdict: Err(why) }
    }

    /// A verdict on one responder.
    pub(super) fn on(
        frame: &Frame<'_>,
        category: Category,
        responder: &Responder,
        verdict: Result<Offerable, WhyNot>,
    ) -> Self {
        let distance_m = frame.distance(responder.position);
        Self { category, responder: Some(responder.id.clone()), distance_m, too_late: None, verdict }
    }

    pub(super) fn why(&self) -> Option<WhyNot> {
        self.verdict.as_ref().err().copied()
    }
}

/// What rules a responder out in a category whatever is free: independence, an earlier no, the distance.
pub(super) fn screen(frame: &Frame<'_>, category: Category, responder: &Responder) -> Result<(), WhyNot> {
    independent(frame, &responder.doctors)?;
    unopposed(frame, responder)?;
    declined(frame, &responder.id)?;
    match (frame.problem.territory.routing.max_distance(category), frame.distance(responder.position)) {
        (Some(limit), Some(metres)) if metres > limit => Err(WhyNot::TooFar),
        _ => Ok(()),
    }
}

/// Refused for the own GP and whatever else is of his practice when the patient opposes that the own GP is told.
fn unopposed(frame: &Frame<'_>, responder: &Responder) -> Result<(), WhyNot> {
    let patient = frame.problem.patient;
    let own = patient.own_gp.as_ref().filter(|_| opposes(patient, Outgoing::Gp));
    let told = own.is_some_and(|own| frame.problem.directory.lets_know(own, &responder.id));
    if told { Err(WhyNot::PatientOpposes) } else { Ok(()) }
}

/// Refused when there are doctors and every one of them regulated this case. Of several, the one who accepts is checked
/// again then.
pub(super) fn independent(frame: &Frame<'_>, doctors: &[PersonId]) -> Result<(), WhyNot> {
    let all_regulated = !doctors.is_empty() && doctors.iter().all(|doctor| regulated(frame, doctor));
    if all_regulated { Err(WhyNot::RegulatedCase) } else { Ok(()) }
}

/// Whether a doctor regulated the case and no dated exception lets him answer it.
pub(super) fn regulated(frame: &Frame<'_>, doctor: &PersonId) -> bool {
    let problem = frame.problem;
    let exceptions = &problem.territory.regulation.independence_exceptions;
    independence(problem.regulators.iter(), doctor, exceptions, problem.now) == Independence::Refused
}

/// A no said aloud or to an offered visit counts for every way of asking; a declined slot only for that slot, and the no of
/// one doctor of several only for him. A visit that nobody took while all who drive were driving was nobody's no, and none of who
/// came on duty since.
pub(super) fn declined(frame: &Frame<'_>, id: &ResponderId) -> Result<(), WhyNot> {
    let no = |tried: &&Tried| match tried.by {
        Asked::Phone => tried.why == WhyNot::Declined,
        Asked::Visit if tried.why == WhyNot::Expired && tried.doctor.is_none() => {
            !worth_waiting_for(frame, id) && !relieved(frame, id, tried.until)
        }
        Asked::Visit => tried.doctor.is_none(),
        Asked::Slot(_) => false,
    };
    first_tried(frame, id, no)
}

/// The doctors of a structure on duty in a sector who did not regulate the case and have not said no.
pub(super) fn willing<'f>(frame: &Frame<'f>, id: &ResponderId, sector: &SectorId) -> Result<Vec<&'f OnDuty>, WhyNot> {
    let here = |on: &&OnDuty| on.responder == *id && on.sectors.contains(sector);
    let mut left: Vec<_> = frame.problem.supply.shifts.iter().filter(here).collect();
    if left.is_empty() {
        return Err(WhyNot::NobodyOnDuty);
    }
    left.retain(|on| !regulated(frame, &on.doctor));
    if left.is_empty() {
        return Err(WhyNot::RegulatedCase);
    }
    left.retain(|on| !refused_by(frame, &on.doctor));
    if left.is_empty() { Err(WhyNot::Declined) } else { Ok(left) }
}

/// Whether everybody who could drive is on a visit, and an offer made now would wait for one to come back longer than one that
/// finds a doctor free: a visit offered before they left is offered again, and no second time when that has run out.
fn worth_waiting_for(frame: &Frame<'_>, id: &ResponderId) -> bool {
    let Ok(Some(sector)) = &frame.sector else { return false };
    let Ok(willing) = willing(frame, id, sector) else { return false };
    let policy = &frame.problem.territory.routing;
    let last = willing.iter().map(|on| on.end).max().map(|end| end.min(frame.deadline - policy.one_more()));
    let waits = last.is_some_and(|until| until > frame.problem.now + policy.visit_offer);
    waits && !willing.iter().any(|on| frame.problem.supply.is_free(on))
}

/// Whether a free doctor has come on duty since an offer ended, who was never asked.
fn relieved(frame: &Frame<'_>, id: &ResponderId, ended: Instant) -> bool {
    let Ok(Some(sector)) = &frame.sector else { return false };
    let came = |on: &&OnDuty| on.start >= ended && frame.problem.supply.is_free(on);
    willing(frame, id, sector).is_ok_and(|willing| willing.iter().any(came))
}

/// Whether a doctor has said no to a visit for this decision, or called it off.
pub(super) fn refused_by(frame: &Frame<'_>, doctor: &PersonId) -> bool {
    frame.problem.tried.iter().any(|tried| tried.doctor.as_ref() == Some(doctor))
}

/// Nobody is rung twice for one decision, but whoever gave an hour that was cancelled.
fn not_rung_yet(frame: &Frame<'_>, id: &ResponderId) -> Result<(), WhyNot> {
    first_tried(frame, id, |tried| tried.by == Asked::Phone && tried.why != WhyNot::Cancelled)
}

/// The smallest reason among the matching attempts, so that their order does not matter.
fn first_tried(frame: &Frame<'_>, id: &ResponderId, counts: impl Fn(&&Tried) -> bool) -> Result<(), WhyNot> {
    let of_responder = frame.problem.tried.iter().filter(|tried| tried.responder == *id);
    of_responder.filter(counts).map(|tried| tried.why).min().map_or(Ok(()), Err)
}

/// Ringing a responder that is open, and not away, before the horizon.
pub(super) fn ring(frame: &Frame<'_>, responder: &Responder, class: u8) -> Result<Offerable, WhyNot> {
    not_rung_yet(frame, &responder.id)?;
    let earliest = open_before(frame, responder)?;
    let (responder, means) = (responder.id.clone(), Means::Ring);
    let again = first_tried(frame, &responder, |tried| tried.by == Asked::Phone).is_err();
    Ok(Offerable { responder, means, earliest: Some(earliest), busy_until: None, class, again })
}

fn open_before(frame: &Frame<'_>, responder: &Responder) -> Result<Instant, WhyNot> {
    let now = frame.problem.now;
    if let Some(open) = responder.next_open(now, frame.window()) {
        return Ok(open);
    }
    let would_be_open = responder.hours.next_open(now, frame.window()).is_some();
    let away = would_be_open || responder.absent_at(now).is_some();
    Err(if away { WhyNot::Absent } else { WhyNot::ClosedBeforeDeadline })
}

/// Ringing the own GP or who stands in for one: as soon as he is open where the policy lists him at this hour, else when he is
/// open in office hours.
pub(super) fn ring_own_gp(frame: &Frame<'_>, responder: &Responder) -> Result<Offerable, WhyNot> {
    let ring = ring(frame, responder, 0)?;
    let by_day = frame.own_gp_from.filter(|_| frame.own_gp_by_day);
    Ok(Offerable { earliest: by_day.or(ring.earliest), ..ring })
}

/// Whether what this responder publishes in this category is heard; `published`: something of it is known already.
pub(super) fn heard(
    frame: &Frame<'_>,
    category: Category,
    responder: &Responder,
    published: bool,
) -> Result<(), WhyNot> {
    match frame.problem.supply.source(category) {
        SourceState::NotConnected => Err(WhyNot::NotConnected),
        SourceState::SilentSince(_) => Err(WhyNot::NoAnswer),
        SourceState::Connected if !published && responder.connection == Connection::NotConnected => {
            Err(WhyNot::NotConnected)
        }
        SourceState::Connected => Ok(()),
    }
}
