//! Home visits: the structures that drive to the patient's sector and have somebody on duty who did not regulate, and has not
//! said no.

use crate::domain::directory::Responder;

use super::{
    Category, Means, WhyNot,
    frame::Frame,
    screen::{Judged, Offerable, heard, screen, willing},
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
    let published = frame.problem.supply.shifts.iter().any(|on| on.responder == structure.id);
    heard(frame, Category::HomeVisit, structure, published)?;
    let willing = willing(frame, &structure.id, &sector)?;
    let free = willing.iter().any(|on| frame.problem.supply.is_free(on));
    let last = willing.iter().map(|on| on.end).max();
    Ok(Offerable {
        responder: structure.id.clone(),
        means: Means::Visit { sector },
        earliest: free.then_some(frame.problem.now),
        busy_until: last.filter(|_| !free),
        class: u8::from(!free),
        again: false,
    })
}
