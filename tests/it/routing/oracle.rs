//! A naive oracle: every (category, responder) pair judged from the rules as one reads them, hours tried quarter by
//! quarter, nothing shared with the planner. Times of generated worlds lie on quarters of an hour.

use sas_dispatch::domain::{
    calendar::Status,
    case::patient::{Consent, Recipient, Wish},
    directory::{Connection, Responder, ResponderKind},
    regulation::need::CareType,
    routing::{Asked, Category, FreeSlot, SourceState, WhyNot},
    slots::SlotKind,
    time::{Instant, Span},
};

use super::world::World;

/// Something a patient can be sent to; a smaller `order` is tried sooner inside its category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    pub category: Category,
    pub responder: String,
    order: (u8, i64, i64),
    last: bool,
    /// Planned on duty, and begins in office hours; of the own GP, that he receives in office hours too.
    of_the_day: bool,
    /// It gave an hour that was cancelled, or its slot was held and nobody told the patient in time.
    again: bool,
}

/// Every way there is, best first.
pub fn ways(world: &World) -> Vec<Way> {
    let mut all = Vec::new();
    for category in order(world) {
        let mut of_category: Vec<Way> = world.responders.iter().filter_map(|who| way(world, category, who)).collect();
        of_category.sort_by_key(|way| (way.order, way.responder.clone()));
        all.extend(of_category);
    }
    // Whoever opens too late for another to be asked after him waits for all others.
    let (early, late): (Vec<Way>, Vec<Way>) = all.into_iter().partition(|way| !way.last);
    let (anew, again): (Vec<Way>, Vec<Way>) =
        after_the_own_gp(early).into_iter().chain(late).partition(|way| !way.again);
    anew.into_iter().chain(again).collect()
}

/// What begins in office hours waits until the own GP was asked who opens then, also when one plans at night.
fn after_the_own_gp(ways: Vec<Way>) -> Vec<Way> {
    let Some(own) = ways.iter().find(|way| way.category == Category::OwnGp && way.of_the_day).cloned() else {
        return ways;
    };
    let at = ways.iter().position(|way| *way == own).unwrap();
    let (before, after) = ways.split_at(at);
    let (of_the_day, tonight): (Vec<Way>, Vec<Way>) = before.iter().cloned().partition(|way| way.of_the_day);
    tonight.into_iter().chain([own]).chain(of_the_day).chain(after[1..].to_vec()).collect()
}

fn by_day(world: &World, at: i64) -> bool {
    let status = |at| world.territory.period_at(at).unwrap().status;
    let night = status(world.now) == Status::Pdsa;
    night && at != i64::MAX && status(Instant::from_unix_ms(at)) == Status::OfficeHours
}

/// On duty the own GP is asked when he first receives in office hours, after what can begin before.
fn with_own_gp(world: &World, mut table: Vec<Category>) -> Vec<Category> {
    let receives = own(world).and_then(|own| receives_by_day(world, own)).is_some();
    if receives && !table.contains(&Category::OwnGp) {
        let video = table.iter().position(|category| *category == Category::Teleconsultation);
        let last = world.care == CareType::Teleconsultation;
        table.insert(if last { table.len() } else { video.unwrap_or(table.len()) }, Category::OwnGp);
    }
    table
}

fn order(world: &World) -> Vec<Category> {
    with_own_gp(world, listed(world)).into_iter().filter(|category| right_care(world, *category)).collect()
}

/// What the policy lists for the hour at which one plans.
fn listed(world: &World) -> Vec<Category> {
    let policy = &world.territory.routing;
    let duty = world.territory.period_at(world.now).unwrap().status == Status::Pdsa;
    let table: &Vec<Category> = match (stays(world) || world.care == CareType::HomeVisit, duty) {
        (true, false) => &[&[Category::OwnGp], &without_own_gp(&policy.must_stay_home)[..]].concat(),
        (true, true) => &policy.must_stay_home,
        (_, true) => &policy.pdsa,
        (_, false) => &policy.office_hours,
    };
    table.clone()
}

fn without_own_gp(table: &[Category]) -> Vec<Category> {
    table.iter().copied().filter(|category| *category != Category::OwnGp).collect()
}

fn right_care(world: &World, category: Category) -> bool {
    use Category::{HomeVisit, OwnGp, Teleconsultation};
    let examine = world.need.constraints.must_examine;
    let decided = match world.care {
        CareType::HomeVisit => matches!(category, HomeVisit | OwnGp),
        CareType::Teleconsultation => matches!(category, Teleconsultation | OwnGp),
        _ if stays(world) => matches!(category, HomeVisit | OwnGp | Teleconsultation),
        _ => category != HomeVisit,
    };
    decided && !(examine && category == Teleconsultation)
}

fn stays(world: &World) -> bool {
    world.need.constraints.home_only || (world.patient.ehpad && world.patient.reduced_mobility)
}

fn way(world: &World, category: Category, who: &Responder) -> Option<Way> {
    if !independent(world, who) || said_no(world, who) || !near(world, category, who) || opposed(world, who) {
        return None;
    }
    let (class, at) = match category {
        Category::OwnGp => (0, own(world).filter(|own| own.id == who.id).and_then(|own| own_gp(world, own))?),
        Category::PracticeColleague | Category::CptsColleague => (0, colleague(world, category, who)?),
        Category::SasSlot => sas(world, who)?,
        Category::FixedPoint => {
            (u8::from(fixed_point(world, who)? > world.now.unix_ms() + 3_600_000), fixed_point(world, who)?)
        }
        Category::HomeVisit => visit(world, who)?,
        Category::Teleconsultation => (0, booked(world, category, who, world.supply.video.get(&who.id)?)?),
    };
    let metres = distance(world, who).map_or(i64::MAX, i64::from);
    let nearest_first = category == Category::FixedPoint && class == 0;
    let order = if nearest_first { (class, metres, at) } else { (class, at, metres) };
    let last = opens_too_late(world, category, who, at, class);
    let of_the_day = match category {
        Category::OwnGp => receives_by_day(world, who).is_some(),
        _ => by_day(world, at),
    };
    let again = match by_telephone(world, category, who, class) {
        true => world.tried.iter().any(|tried| tried.responder == who.id && tried.by == Asked::Phone),
        false => category != Category::HomeVisit && at_second_try(world, category, who),
    };
    Some(Way { category, responder: who.id.to_string(), order, last, of_the_day, again })
}

fn by_telephone(world: &World, category: Category, who: &Responder, class: u8) -> bool {
    match category {
        Category::OwnGp | Category::PracticeColleague | Category::CptsColleague => true,
        Category::SasSlot => class == 1,
        Category::FixedPoint => !publishes(world, who),
        Category::HomeVisit | Category::Teleconsultation => false,
    }
}

/// Rung, not yet open, and less than twenty minutes are left when it opens: ten for its answer, ten for another's.
fn opens_too_late(world: &World, category: Category, who: &Responder, at: i64, class: u8) -> bool {
    by_telephone(world, category, who, class) && at > world.now.unix_ms() && at + 1_200_000 > limit(world).unix_ms()
}

fn own(world: &World) -> Option<&Responder> {
    let id = world.patient.own_gp.as_ref()?;
    world.responders.iter().find(|who| who.id == *id)
}

/// The patient does not want his GP to know: neither the GP nor the practice nor anybody of it.
fn opposed(world: &World, who: &Responder) -> bool {
    let unwanted = |known: &Consent| known.recipient == Recipient::Gp && known.wish == Wish::Opposes;
    let together = |own: &Responder| {
        let of_practice = own.practice == who.practice || own.practice.as_ref() == Some(&who.id);
        own.id == who.id || (own.practice.is_some() && of_practice)
    };
    world.patient.consents.iter().any(unwanted) && own(world).is_some_and(together)
}

fn independent(world: &World, who: &Responder) -> bool {
    who.doctors.is_empty() || who.doctors.iter().any(|doctor| !world.regulators.contains(doctor))
}

fn said_no(world: &World, who: &Responder) -> bool {
    world.tried.iter().any(|tried| {
        tried.responder == who.id
            && ((tried.by == Asked::Visit
                && tried.doctor.is_none()
                && !(tried.why == WhyNot::Expired && (waited_for(world, who) || relieved(world, who, tried.until))))
                || (tried.by == Asked::Phone && tried.why == WhyNot::Declined))
    })
}

/// All who could drive are on visits, and one offered now would wait for one of them longer than the five minutes of a first
/// offer: until the shift ends, or ten minutes before the signed delay does.
fn waited_for(world: &World, who: &Responder) -> bool {
    let legal = world.territory.period_at(world.now).unwrap();
    let sector = world.place.commune.and_then(|commune| world.territory.sector_of(commune, &legal));
    let willing: Vec<_> = world
        .supply
        .shifts
        .iter()
        .filter(|shift| shift.responder == who.id && Some(&shift.sectors[0]) == sector)
        .filter(|shift| !world.regulators.contains(&shift.doctor))
        .filter(|shift| !world.tried.iter().any(|tried| tried.doctor.as_ref() == Some(&shift.doctor)))
        .collect();
    let until = world.signed_at + world.need.longest_delay.span() - Span::from_mins(10);
    let back = willing.iter().map(|shift| shift.end).max().map(|end| end.min(until));
    willing.iter().all(|shift| !shift.free) && back.is_some_and(|at| at > world.now + Span::from_mins(5))
}

/// Somebody free came on duty after an offer had ended.
fn relieved(world: &World, who: &Responder, ended: Instant) -> bool {
    let legal = world.territory.period_at(world.now).unwrap();
    let sector = world.place.commune.and_then(|commune| world.territory.sector_of(commune, &legal));
    world.supply.shifts.iter().any(|shift| {
        shift.responder == who.id
            && Some(&shift.sectors[0]) == sector
            && !world.regulators.contains(&shift.doctor)
            && !world.tried.iter().any(|tried| tried.doctor.as_ref() == Some(&shift.doctor))
            && shift.free
            && shift.start >= ended
    })
}

fn distance(world: &World, who: &Responder) -> Option<u32> {
    let centre = world.place.commune.map(|commune| world.territory.communes[&commune].position);
    Some(world.place.position.or(centre)?.metres_to(who.position))
}

fn near(world: &World, category: Category, who: &Responder) -> bool {
    match (world.territory.routing.max_distance_metres.get(&category), distance(world, who)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(limit), Some(metres)) => metres <= *limit,
    }
}

/// The last instant at which anything may begin.
fn limit(world: &World) -> Instant {
    world.now.max(world.signed_at + world.need.longest_delay.span())
}

/// The first quarter of an hour at which the responder can be rung and receives.
fn rung(world: &World, who: &Responder) -> Option<i64> {
    if world
        .tried
        .iter()
        .any(|tried| tried.responder == who.id && tried.by == Asked::Phone && tried.why != WhyNot::Cancelled)
    {
        return None;
    }
    opens(world, who)
}

/// As soon as he receives where the policy lists him at this hour; else when he first receives in office hours.
fn own_gp(world: &World, own: &Responder) -> Option<i64> {
    let rung = rung(world, own)?;
    if listed(world).contains(&Category::OwnGp) { Some(rung) } else { receives_by_day(world, own) }
}

/// Planned on duty: the first quarter of an hour of office hours at which he receives.
fn receives_by_day(world: &World, who: &Responder) -> Option<i64> {
    let quarters = (0..).map(|n| world.now + Span::from_mins(15 * n)).take_while(|at| *at <= limit(world));
    let mut received = quarters.filter(|at| who.open_at(*at)).map(Instant::unix_ms);
    received.find(|at| by_day(world, *at))
}

/// The first quarter of an hour at which he receives.
fn opens(world: &World, who: &Responder) -> Option<i64> {
    let mut at = world.now;
    while at <= limit(world) {
        if who.open_at(at) {
            return Some(at.unix_ms());
        }
        at = at + Span::from_mins(15);
    }
    None
}

fn colleague(world: &World, category: Category, who: &Responder) -> Option<i64> {
    let own = own(world)?;
    let same = |one: &Option<_>, other: &Option<_>| one.is_some() && one == other;
    let beside = match category {
        Category::PracticeColleague => same(&own.practice, &who.practice),
        _ => same(&own.cpts, &who.cpts) && !same(&own.practice, &who.practice),
    };
    let duty = world.territory.period_at(world.now).unwrap().status == Status::Pdsa;
    let willing = who.supernumerary || (duty && who.conventions.pdsa) || (!duty && who.conventions.sas);
    let doctor = who.kind == ResponderKind::Gp && who.id != own.id;
    if doctor && beside && willing { rung(world, who) } else { None }
}

fn heard(world: &World, category: Category, who: &Responder, publishes: bool) -> bool {
    world.supply.sources.get(&category) == Some(&SourceState::Connected)
        && (publishes || who.connection == Connection::Connected)
}

fn sas(world: &World, who: &Responder) -> Option<(u8, i64)> {
    if who.kind != ResponderKind::Gp {
        return None;
    }
    let slots = world.supply.slots.get(&who.id);
    let slot = slots.and_then(|slots| booked(world, Category::SasSlot, who, slots));
    let ring = rung(world, who).filter(|_| who.supernumerary).map(|at| (1, at));
    let second = slot.is_some() && at_second_try(world, Category::SasSlot, who);
    let slot = slot.map(|at| (0, at));
    if second { ring.or(slot) } else { slot.or(ring) }
}

fn fixed_point(world: &World, who: &Responder) -> Option<i64> {
    if who.kind != ResponderKind::FixedPoint {
        return None;
    }
    match world.supply.slots.get(&who.id) {
        Some(slots) if publishes(world, who) => booked(world, Category::FixedPoint, who, slots),
        _ => rung(world, who),
    }
}

fn publishes(world: &World, point: &Responder) -> bool {
    world.supply.slots.contains_key(&point.id) && heard(world, Category::FixedPoint, point, true)
}

fn booked(world: &World, category: Category, who: &Responder, slots: &[FreeSlot]) -> Option<i64> {
    first_of(world, category, who, slots, Held::Never).or_else(|| first_of(world, category, who, slots, Held::RanOut))
}

/// Only slots are left that were held for the decision and not confirmed in time.
fn at_second_try(world: &World, category: Category, who: &Responder) -> bool {
    let supply = if category == Category::Teleconsultation { &world.supply.video } else { &world.supply.slots };
    supply.get(&who.id).is_some_and(|slots| first_of(world, category, who, slots, Held::Never).is_none())
}

#[derive(Clone, Copy, PartialEq)]
enum Held {
    Never,
    RanOut,
}

fn first_of(world: &World, category: Category, who: &Responder, slots: &[FreeSlot], held: Held) -> Option<i64> {
    let mine = own(world);
    let members = |slot: &FreeSlot| {
        slot.kind != SlotKind::Cpts
            || mine.is_some_and(|own| own.id == who.id || (own.cpts.is_some() && own.cpts == who.cpts))
    };
    let good = |slot: &&FreeSlot| {
        slot.start > world.now
            && slot.start <= limit(world)
            && was_held(world, slot) == Some(held)
            && who.absent_at(slot.start).is_none()
            && members(slot)
    };
    let first = slots.iter().filter(good).map(|slot| slot.start.unix_ms()).min();
    first.filter(|_| heard(world, category, who, true))
}

/// None: it was held and given back, or lost.
fn was_held(world: &World, slot: &FreeSlot) -> Option<Held> {
    let tries: Vec<_> = world.tried.iter().filter(|tried| tried.by == Asked::Slot(slot.id)).collect();
    match tries.iter().all(|tried| tried.why == WhyNot::Expired) {
        true if tries.is_empty() => Some(Held::Never),
        true => Some(Held::RanOut),
        false => None,
    }
}

fn visit(world: &World, who: &Responder) -> Option<(u8, i64)> {
    let legal = world.territory.period_at(world.now).unwrap();
    let sector = world.territory.sector_of(world.place.commune?, &legal)?;
    let mut ready: Vec<bool> = Vec::new();
    for shift in &world.supply.shifts {
        if world.tried.iter().any(|tried| tried.doctor.as_ref() == Some(&shift.doctor)) {
            continue;
        }
        if shift.responder == who.id && shift.sectors.contains(sector) && !world.regulators.contains(&shift.doctor) {
            ready.push(shift.free);
        }
    }
    let published = world.supply.shifts.iter().any(|shift| shift.responder == who.id);
    if ready.is_empty() || !who.visit_sectors.contains(sector) || !heard(world, Category::HomeVisit, who, published) {
        return None;
    }
    Some(if ready.contains(&true) { (0, world.now.unix_ms()) } else { (1, i64::MAX) })
}
