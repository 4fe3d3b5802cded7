//! The patient's own GP, the collective practice that stands in for one, and the colleagues of the own GP.

use crate::domain::{
    calendar::Status,
    directory::{Responder, ResponderKind},
    regulation::need::CareType,
};

use super::{
    Category, WhyNot,
    frame::Frame,
    screen::{Judged, Offerable, declined, independent, ring, ring_own_gp, screen},
    visits,
};

/// The one row on the own GP, whatever the care and the hour.
pub(super) fn own_gp(frame: &Frame<'_>) -> Judged {
    let Some(id) = &frame.problem.patient.own_gp else {
        return Judged::closed(Category::OwnGp, WhyNot::NoOwnGp);
    };
    let Some(responder) = frame.problem.directory.get(id) else {
        return Judged { responder: Some(id.clone()), ..Judged::closed(Category::OwnGp, WhyNot::NotConnected) };
    };
    let verdict = match frame.closed(Category::OwnGp) {
        Some(why) => Err(why),
        None if responder.kind == ResponderKind::CollectivePractice => collective(frame, responder),
        None => screen(frame, Category::OwnGp, responder).and_then(|()| ring_own_gp(frame, responder)),
    };
    Judged::on(frame, Category::OwnGp, responder, verdict)
}

/// A collective practice acts through its association, whose doctors visit a patient who can hardly move.
fn collective(frame: &Frame<'_>, practice: &Responder) -> Result<Offerable, WhyNot> {
    screen(frame, Category::OwnGp, practice)?;
    let served_by = practice.programme.as_ref().map(|programme| &programme.served_by);
    let association = served_by.or(practice.association.as_ref()).and_then(|id| frame.problem.directory.get(id));
    let Some(association) = association else { return ring_own_gp(frame, practice) };
    declined(frame, &association.id)?;
    if practice.doctors.is_empty() {
        independent(frame, &association.doctors)?;
    }
    let at_home = frame.stays || frame.problem.patient.reduced_mobility || frame.problem.care == CareType::HomeVisit;
    let visited = at_home && !frame.own_gp_by_day;
    let visit = if visited { visits::offer(frame, association) } else { Err(WhyNot::OtherCareDecided) };
    match visit {
        // All who could drive have said no: the same people are not rung.
        Err(WhyNot::Declined) => Err(WhyNot::Declined),
        visit => visit.or_else(|_| ring_own_gp(frame, practice)),
    }
}

/// The doctors who work with the own GP, in the practice or in the CPTS.
pub(super) fn colleagues(frame: &Frame<'_>, category: Category) -> Vec<Judged> {
    let directory = frame.problem.directory;
    let Some(own) = frame.problem.patient.own_gp.as_ref().filter(|own| directory.get(own).is_some()) else {
        return vec![Judged::closed(category, WhyNot::NotConnected)];
    };
    let others: Vec<&Responder> = match category {
        Category::PracticeColleague => directory.practice_colleagues(own).collect(),
        _ => directory.cpts_colleagues(own).collect(),
    };
    others.into_iter().map(|other| Judged::on(frame, category, other, colleague(frame, category, other))).collect()
}

fn colleague(frame: &Frame<'_>, category: Category, other: &Responder) -> Result<Offerable, WhyNot> {
    screen(frame, category, other)?;
    if !takes_others(frame, other) {
        return Err(WhyNot::OwnPatientsOnly);
    }
    ring(frame, other, 0)
}

/// Takes patients of others: beyond the published slots, or under the convention of the hour.
fn takes_others(frame: &Frame<'_>, responder: &Responder) -> bool {
    let on_duty = frame.status == Status::Pdsa;
    responder.supernumerary || if on_duty { responder.conventions.pdsa } else { responder.conventions.sas }
}
