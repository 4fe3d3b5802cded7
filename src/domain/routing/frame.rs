//! Phase 1, the frame: what follows from the problem before any responder is looked at.

use crate::domain::{
    calendar::{Legal, Status},
    ids::SectorId,
    place::Position,
    regulation::need::CareType,
    time::{Instant, Span},
};

use super::{Category, Problem, WhyNot};

/// The problem with what follows from it.
pub(super) struct Frame<'a> {
    pub(super) problem: &'a Problem<'a>,
    /// By when the care must have begun, as signed.
    pub(super) deadline: Instant,
    /// The last instant an option may begin at: the deadline, or now once it has passed, when only what can begin at once
    /// is of use.
    pub(super) horizon: Instant,
    /// Code of the legal period, `OUT_OF_YEARS` outside the years the calendar answers for.
    pub(super) period: &'static str,
    /// On duty or not.
    pub(super) status: Status,
    pub(super) position: Option<Position>,
    /// The sector of permanence; `Ok(None)` where nobody is on duty by law's organisation, `Err` when the place is unknown.
    pub(super) sector: Result<Option<SectorId>, WhyNot>,
    /// The patient cannot leave the place.
    pub(super) stays: bool,
    /// Categories tried, first one first.
    pub(super) order: Vec<Category>,
    /// Planned on duty: the first instant of office hours at which the own GP is open, in time.
    pub(super) own_gp_from: Option<Instant>,
    /// The own GP is in the order only since he is open in office hours: not what his practice could do before.
    pub(super) own_gp_by_day: bool,
}

impl<'a> Frame<'a> {
    pub(super) fn of(problem: &'a Problem<'a>) -> Self {
        let legal = problem.territory.period_at(problem.now).ok();
        let patient = problem.patient;
        let stays = problem.need.constraints.home_only || (patient.ehpad && patient.reduced_mobility);
        let deadline = problem.need.deadline(problem.signed_at);
        let horizon = deadline.max(problem.now);
        let status = legal.as_ref().map_or(Status::OfficeHours, |legal| legal.status);
        let mut order = order(problem, status, stays);
        let own_gp_from = if status == Status::Pdsa { own_gp_from(problem, horizon) } else { None };
        let own_gp_by_day = own_gp_from.is_some() && !order.contains(&Category::OwnGp);
        if own_gp_by_day {
            put_own_gp(&mut order, problem.care);
        }
        Self {
            problem,
            deadline,
            horizon,
            period: legal.as_ref().map_or("OUT_OF_YEARS", |legal| legal.period.code()),
            status,
            position: position(problem),
            sector: sector(problem, legal.as_ref()),
            stays,
            order,
            own_gp_from,
            own_gp_by_day,
        }
    }

    /// How long from now an option may begin, the last instant included.
    pub(super) fn window(&self) -> Span {
        self.horizon.since(self.problem.now) + Span::from_ms(1)
    }

    /// Whether an option that begins then is asked for at night and belongs to the day: the own GP is asked before it.
    pub(super) fn of_the_day(&self, begins: Instant) -> bool {
        self.status == Status::Pdsa && in_office_hours(self.problem, begins)
    }

    /// Straight-line metres from the patient, where both ends are known.
    pub(super) fn distance(&self, to: Position) -> Option<u32> {
        self.position.map(|from| from.metres_to(to))
    }

    /// Why a category is not tried at all; `None` when its responders are to be judged.
    pub(super) fn closed(&self, category: Category) -> Option<WhyNot> {
        let must_examine = self.problem.need.constraints.must_examine;
        if !serves(self.problem.care, self.stays, category) {
            return Some(WhyNot::OtherCareDecided);
        }
        if category == Category::Teleconsultation && must_examine {
            return Some(WhyNot::MustExamine);
        }
        if self.stays && !comes_to_the_patient(category) {
            return Some(WhyNot::PatientCannotLeave);
        }
        if !self.order.contains(&category) {
            return Some(WhyNot::NotInThisPeriod);
        }
        if of_own_gp(category) && self.problem.patient.own_gp.is_none() {
            return Some(WhyNot::NoOwnGp);
        }
        let limited = self.problem.territory.routing.max_distance(category).is_some();
        (limited && self.position.is_none()).then_some(WhyNot::PlaceUnknown)
    }
}

/// Whether a category can give the care decided. The own GP is always asked: he may receive, visit or call.
fn serves(care: CareType, stays: bool, category: Category) -> bool {
    match (care, category) {
        (care, Category::OwnGp) => care.needs_supply(),
        (CareType::HomeVisit, category) => category == Category::HomeVisit,
        (CareType::Teleconsultation, category) => category == Category::Teleconsultation,
        (CareType::Consultation, Category::HomeVisit) => stays,
        (CareType::Consultation, _) => true,
        _ => false,
    }
}

/// The own GP and those who work beside him: nobody for a patient without one.
fn of_own_gp(category: Category) -> bool {
    matches!(category, Category::OwnGp | Category::PracticeColleague | Category::CptsColleague)
}

fn comes_to_the_patient(category: Category) -> bool {
    matches!(category, Category::OwnGp | Category::HomeVisit | Category::Teleconsultation)
}

/// The policy's order. A video consultation with a doctor who does not know the patient comes after everything
/// physical, unless it is the care decided.
fn order(problem: &Problem<'_>, status: Status, stays: bool) -> Vec<Category> {
    let at_home = stays || problem.care == CareType::HomeVisit;
    let mut order = problem.territory.routing.order(status, at_home);
    if problem.care != CareType::Teleconsultation {
        order.sort_by_key(|category| *category == Category::Teleconsultation);
    }
    order
}

fn in_office_hours(problem: &Problem<'_>, at: Instant) -> bool {
    problem.territory.period_at(at).is_ok_and(|legal| legal.status == Status::OfficeHours)
}

/// The first instant of office hours at which the own GP is open and not away, in time: the first of all who is asked then
/// (domain.md §3.1), whatever the hour at which one plans. That he is open now, before 08:00 or on a bridge day hides none of it.
fn own_gp_from(problem: &Problem<'_>, horizon: Instant) -> Option<Instant> {
    let own = problem.directory.get(problem.patient.own_gp.as_ref()?)?;
    let end = horizon + Span::from_ms(1);
    let mut from = problem.now;
    while from < end {
        let legal = problem.territory.period_at(from).ok()?;
        let until = legal.next_change.min(end);
        let by_day = legal.status == Status::OfficeHours;
        if let Some(open) = own.next_open(from, until.since(from)).filter(|_| by_day) {
            return Some(open);
        }
        from = until;
    }
    None
}

/// Behind what the night offers, and before a consultation by video where another care was decided.
fn put_own_gp(order: &mut Vec<Category>, care: CareType) {
    let video = order.iter().position(|category| *category == Category::Teleconsultation);
    let at = video.filter(|_| care != CareType::Teleconsultation).unwrap_or(order.len());
    order.insert(at, Category::OwnGp);
}

/// The patient's own position, else the centre of the commune.
fn position(problem: &Problem<'_>) -> Option<Position> {
    let centre = || problem.place.commune.and_then(|commune| problem.territory.communes.get(&commune));
    problem.place.position.or_else(|| centre().map(|commune| commune.position))
}

/// The sector of the commune in the present part of the day: what was noted when the call came may be that of the
/// evening.
fn sector(problem: &Problem<'_>, legal: Option<&Legal>) -> Result<Option<SectorId>, WhyNot> {
    match (problem.place.commune, legal, &problem.place.sector) {
        (Some(commune), Some(legal), _) => Ok(problem.territory.sector_of(commune, legal).cloned()),
        (_, _, Some(noted)) => Ok(Some(noted.clone())),
        _ => Err(WhyNot::PlaceUnknown),
    }
}
