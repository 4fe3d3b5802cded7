//! What is booked: slots of the SAS, fixed points, consultations by video.

use std::collections::BTreeMap;

use crate::domain::{
    calendar::monday,
    directory::Responder,
    ids::{ResponderId, SlotId},
    slots::SlotKind,
    time::{Instant, Span},
};

use super::{
    Category, FreeSlot, Means, SourceState, WhyNot,
    frame::Frame,
    problem::Asked,
    screen::{Judged, Offerable, heard, ring, screen},
};

/// A fixed point that receives within this is reached without waiting: among those the nearest serves best.
const SOON: Span = Span::from_hours(1);

type Published = BTreeMap<ResponderId, Vec<FreeSlot>>;
/// Why no slot is of use, and the start of one that comes too late.
type NoSlot = (WhyNot, Option<Instant>);

/// Professionals of the SAS: a slot, else a telephone call to those who take patients beyond their slots.
pub(super) fn sas_slots(frame: &Frame<'_>) -> Vec<Judged> {
    let judged = judge(frame, Category::SasSlot, |who| sas_slot(frame, who));
    or_source(frame, Category::SasSlot, judged)
}

fn sas_slot(frame: &Frame<'_>, who: &Responder) -> Result<Offerable, NoSlot> {
    screen(frame, Category::SasSlot, who).map_err(bare)?;
    match by_slot(frame, Category::SasSlot, who, &frame.problem.supply.slots) {
        Ok(slot) if !slot.again => Ok(slot),
        again if who.supernumerary => match (ring(frame, who, 1), again) {
            (Ok(ring), _) => Ok(ring),
            (Err(_), Ok(slot)) => Ok(slot),
            (Err(why), Err(_)) => Err(bare(why)),
        },
        again => again,
    }
}

/// Fixed points: by slot when the point publishes slots and is heard, else by telephone in its hours.
pub(super) fn fixed_points(frame: &Frame<'_>) -> Vec<Judged> {
    let judged = judge(frame, Category::FixedPoint, |who| fixed_point(frame, who));
    or_source(frame, Category::FixedPoint, judged)
}

fn fixed_point(frame: &Frame<'_>, who: &Responder) -> Result<Offerable, NoSlot> {
    screen(frame, Category::FixedPoint, who).map_err(bare)?;
    let published = &frame.problem.supply.slots;
    let publishes = published.contains_key(&who.id);
    let offer = if publishes && heard(frame, Category::FixedPoint, who, true).is_ok() {
        by_slot(frame, Category::FixedPoint, who, published)?
    } else {
        ring(frame, who, 0).map_err(bare)?
    };
    let soon = offer.earliest.is_some_and(|at| at <= frame.problem.now + SOON);
    Ok(Offerable { class: offer.class.max(u8::from(!soon)), ..offer })
}

/// Consultations by video; distance does not count unless the policy sets one.
pub(super) fn teleconsultations(frame: &Frame<'_>) -> Vec<Judged> {
    let judged = judge(frame, Category::Teleconsultation, |who| {
        screen(frame, Category::Teleconsultation, who).map_err(bare)?;
        by_slot(frame, Category::Teleconsultation, who, &frame.problem.supply.video)
    });
    or_source(frame, Category::Teleconsultation, judged)
}

fn judge(
    frame: &Frame<'_>,
    category: Category,
    verdict: impl Fn(&Responder) -> Result<Offerable, NoSlot>,
) -> Vec<Judged> {
    let one = |who: &Responder| match verdict(who) {
        Ok(offerable) => Judged::on(frame, category, who, Ok(offerable)),
        Err((why, too_late)) => Judged { too_late, ..Judged::on(frame, category, who, Err(why)) },
    };
    let asked = |who: &&Responder| frame.problem.supply.asks(category, who);
    frame.problem.directory.iter().filter(asked).map(one).collect()
}

/// Where nobody was judged, the row is about the source as a whole.
fn or_source(frame: &Frame<'_>, category: Category, judged: Vec<Judged>) -> Vec<Judged> {
    if !judged.is_empty() {
        return judged;
    }
    let why = match frame.problem.supply.source(category) {
        SourceState::NotConnected => WhyNot::NotConnected,
        SourceState::SilentSince(_) => WhyNot::NoAnswer,
        SourceState::Connected => WhyNot::NoFreeSlot,
    };
    vec![Judged::closed(category, why)]
}

/// The responder's first slot that serves this patient before the horizon.
fn by_slot(frame: &Frame<'_>, category: Category, who: &Responder, published: &Published) -> Result<Offerable, NoSlot> {
    let slots = published.get(&who.id);
    heard(frame, category, who, slots.is_some()).map_err(bare)?;
    let (best, again) = best(frame, who, slots.map_or(&[], Vec::as_slice))?;
    let means = Means::Slot { slot: best.id, start: best.start, end: best.end };
    let (responder, class) = (who.id.clone(), u8::from(begins_too_soon(frame, best)));
    Ok(Offerable { responder, means, earliest: Some(best.start), busy_until: None, class, again })
}

/// The best slot that was not held yet for this decision; else one whose hold ran out, which is said: that nobody told the
/// patient in time is not its owner's no.
fn best<'s>(frame: &Frame<'_>, who: &Responder, slots: &'s [FreeSlot]) -> Result<(&'s FreeSlot, bool), NoSlot> {
    let to_come: Vec<_> = slots.iter().filter(|slot| slot.start > frame.problem.now).collect();
    some(&to_come).ok_or(bare(WhyNot::NoFreeSlot))?;
    let (untried, held): (Vec<_>, Vec<_>) = to_come.into_iter().partition(|slot| tried(frame, slot.id).is_none());
    let ran_out = held.into_iter().filter(|slot| only_ran_out(frame, slot.id)).collect();
    let none = bare(last_try(frame, slots));
    let first = some(&untried).ok_or(none).and_then(|_| narrowed(frame, who, untried.clone()));
    first
        .map(|slot| (slot, false))
        .or_else(|none| narrowed(frame, who, ran_out).map(|slot| (slot, true)).map_err(|_| none))
}

/// Narrows the slots step by step; the step that leaves none gives the reason.
fn narrowed<'s>(frame: &Frame<'_>, who: &Responder, slots: Vec<&'s FreeSlot>) -> Result<&'s FreeSlot, NoSlot> {
    let first = slots.iter().map(|slot| slot.start).min();
    let in_time: Vec<_> = slots.into_iter().filter(|slot| slot.start <= frame.horizon).collect();
    some(&in_time).ok_or((WhyNot::SlotAfterDeadline, first))?;
    let open: Vec<_> = in_time.into_iter().filter(|slot| for_this_patient(frame, who, slot)).collect();
    some(&open).ok_or(bare(WhyNot::OwnPatientsOnly))?;
    let present: Vec<_> = open.into_iter().filter(|slot| who.absent_at(slot.start).is_none()).collect();
    let order = |slot: &&FreeSlot| (begins_too_soon(frame, slot), slot.start, slot.id);
    present.into_iter().min_by_key(order).ok_or(bare(WhyNot::Absent))
}

/// Whether a slot begins while its hold still runs: the patient would be told of it when he should be there. It is proposed
/// after the others of its kind. The way is not counted: how fast a patient travels no text says.
fn begins_too_soon(frame: &Frame<'_>, slot: &FreeSlot) -> bool {
    slot.start < frame.problem.now + frame.problem.territory.routing.hold
}

fn some<T>(left: &[T]) -> Option<&[T]> {
    (!left.is_empty()).then_some(left)
}

fn bare(why: WhyNot) -> NoSlot {
    (why, None)
}

/// Why this slot led nowhere for this decision, if it was tried.
fn tried(frame: &Frame<'_>, slot: SlotId) -> Option<WhyNot> {
    let of_slot = frame.problem.tried.iter().filter(|tried| tried.by == Asked::Slot(slot));
    of_slot.map(|tried| tried.why).min()
}

/// Whether every hold of a slot for this decision ended because it was not confirmed in time.
fn only_ran_out(frame: &Frame<'_>, slot: SlotId) -> bool {
    let mut of_slot = frame.problem.tried.iter().filter(|tried| tried.by == Asked::Slot(slot));
    of_slot.all(|tried| tried.why == WhyNot::Expired)
}

fn last_try(frame: &Frame<'_>, slots: &[FreeSlot]) -> WhyNot {
    slots.iter().filter_map(|slot| tried(frame, slot.id)).min().unwrap_or(WhyNot::Taken)
}

/// A slot published to a CPTS is for patients of its doctors.
fn for_this_patient(frame: &Frame<'_>, who: &Responder, slot: &FreeSlot) -> bool {
    if slot.kind != SlotKind::Cpts {
        return true;
    }
    let own = frame.problem.patient.own_gp.as_ref().and_then(|id| frame.problem.directory.get(id));
    own.is_some_and(|own| own.id == who.id || (own.cpts.is_some() && own.cpts == who.cpts))
}

/// Whether the doctor has as many patients of others in the week of `at` as the SNP supplement is paid for. It bounds a fee
/// (domain.md §3.2) and refuses nobody. His own patients do not count, and of a structure it is not known whose slot it is.
pub(super) fn capped(frame: &Frame<'_>, who: &Responder, at: Instant) -> bool {
    let week = monday(frame.problem.territory.calendar.zone(), at);
    let taken = frame.problem.supply.snp.get(&(who.id.clone(), week)).copied().unwrap_or(0);
    let own_patient = frame.problem.patient.own_gp.as_ref() == Some(&who.id);
    who.is_one_doctor() && !own_patient && taken >= frame.problem.territory.routing.weekly_snp_cap
}
