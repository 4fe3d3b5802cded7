//! Home visits: the structures that drive to the patient's sector and have somebody on duty who did not regulate, and has not
//! said no.

use crate::domain::directory::Responder;

use super::{
    Category, Means, OnDuty, WhyNot,
    frame::Frame,
    screen::{Judged, Offerable, heard, refused_by, regulated, screen},
};

/// Every structure and doctor that makes visits, judged.
pub(super) fn home_visits(frame: &Frame<'_>) -> Vec<Judged> {
    let closed = |why| vec![Judged::closed(Category::HomeVisit, why)];
    match &frame.sector {
        Err(why) => return closed(*why),
        Ok(None) => return closed(WhyNot::SectorNotServed),
        Ok(Some(_)) => {}
    }
    let drives = |who: &&Responder| frame.problem.supply.asks(Category::HomeVisit, who);
    let judged: Vec<_> = frame
        .problem
        .directory
        .iter()
        .filter(drives)
        .map(|who| Judged::on(frame, Category::HomeVisit, who, offer(frame, who)))
        .collect();
    if judged.is_empty() { closed(WhyNot::SectorNotServed) } else { judged }
}

/// A visit by one structure, offered to its doctors on duty in the patient's sector.
pub(super) fn offer(frame: &Frame<'_>, structure: &Responder) -> Result<Offerable, WhyNot> {
    let sector = frame.sector.clone()?.filter(|sector| structure.visits(sector)).ok_or(WhyNot::SectorNotServed)?;
    screen(frame, Category::HomeVisit, structure)?;
    let of_structure = |on: &&OnDuty| on.responder == structure.id;
    let shifts: Vec<_> = frame.problem.supply.shifts.iter().filter(of_structure).collect();
    heard(frame, Category::HomeVisit, structure, !shifts.is_empty())?;
    let here: Vec<_> = shifts.into_iter().filter(|on| on.sectors.contains(&sector)).collect();
    if here.is_empty() {
        return Err(WhyNot::NobodyOnDuty);
    }
    let independent: Vec<_> = here.into_iter().filter(|on| !regulated(frame, &on.doctor)).collect();
    if independent.is_empty() {
        return Err(WhyNot::RegulatedCase);
    }
    let willing: Vec<_> = independent.into_iter().filter(|on| !refused_by(frame, &on.doctor)).collect();
    if willing.is_empty() {
        return Err(WhyNot::Declined);
    }
    let free = willing.iter().any(|on| on.free);
    let last = willing.iter().map(|on| on.end).max();
    Ok(Offerable {
        responder: structure.id.clone(),
        means: Means::Visit { sector },
        earliest: free.then_some(frame.problem.now),
        busy_until: last.filter(|_| !free),
        class: u8::from(!free),
    })
}
