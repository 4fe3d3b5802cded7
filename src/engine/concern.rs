//! Which records a command concerns: the case, then the slots and shifts that the case or the command names.

use crate::{
    domain::{
        case::{Case, Command, Offer, OfferState, command::Timer},
        ids::{ShiftId, SlotId},
        regulation::qualification::Priority,
        routing::Means,
    },
    store::Key,
};

use super::{Target, act::Loaded, codec::Entity};

/// The records `decide` will read: the case, then the slots and shifts that the case or the command names.
pub(super) fn needed(target: Target, command: &Command, loaded: &Loaded) -> Vec<Key> {
    let mut keys: Vec<Key> = target.case.map(Key::case).into_iter().collect();
    let case = target.case.and_then(|id| match loaded.get(&Key::case(id))?.as_ref()?.entity.as_ref() {
        Entity::Case(case) => Some(case),
        _ => None,
    });
    let (slots, shifts) = named(command, case.map(|case| &**case));
    keys.extend(of_room(command).then(Key::room));
    if let Command::LinkRepeat(earlier) = command {
        keys.push(Key::case(*earlier));
    }
    if let Command::PutSheet { sheet: Some(sheet), .. } | Command::EndSheet(sheet) = command {
        keys.push(Key::sheet(*sheet));
    }
    keys.extend(slots.into_iter().map(Key::slot));
    keys.extend(shifts.into_iter().map(Key::shift));
    keys
}

/// Whether it changes who regulates, or may not go with it: nobody visits in the hours in which he regulates.
fn of_room(command: &Command) -> bool {
    use Command::{EndDuty, EndSurge, OpenShift, StartDuty, StartSurge};
    matches!(command, StartDuty(_) | EndDuty(_) | StartSurge { .. } | EndSurge | OpenShift { .. })
}

fn named(command: &Command, case: Option<&Case>) -> (Vec<SlotId>, Vec<ShiftId>) {
    let of_offer = |offer| {
        let means = case.and_then(|case| case.offer(offer)).map(|offer| offer.means.clone());
        let slot = means.and_then(|means| if let Means::Slot { slot, .. } = means { Some(slot) } else { None });
        let visit = case.and_then(|case| case.visits.iter().find(|visit| visit.offer == offer));
        let shift = visit.and_then(|visit| visit.doctor.as_ref()).map(|(_, shift)| *shift);
        (slot.into_iter().collect(), shift.into_iter().collect())
    };
    let of_action = |id| match case.and_then(|case| case.action(id)).and_then(|action| action.about.offer) {
        Some(offer) => of_offer(offer),
        None => Default::default(),
    };
    match command {
        Command::Advance { plan, .. } => match plan.first().and_then(|row| row.means.clone()) {
            Some(Means::Slot { slot, .. }) => (vec![slot], Vec::new()),
            _ => Default::default(),
        },
        Command::AnswerOffer { offer, .. }
        | Command::Cancel { offer, .. }
        | Command::RenewHold { offer }
        | Command::Attend { offer, .. } => of_offer(*offer),
        // Who opposes that his GP is told gives back what is held at him. A vital emergency waits for no slot: what is held for
        // it is free again at the end of the hold.
        Command::Amend(particulars) if !particulars.patients.is_empty() => (held(case), Vec::new()),
        Command::Qualify(qualify) if qualify.priority != Priority::P0 && !qualify.particulars.patients.is_empty() => {
            (held(case), Vec::new())
        }
        // Who is sent elsewhere gives back what is held for him.
        Command::SignNeed(sign) if sign.need.care.may_lead_elsewhere() => (held(case), Vec::new()),
        Command::SignAnswer(sign) if sign.care.may_lead_elsewhere() => (held(case), Vec::new()),
        Command::TakeVisit { shift, .. } | Command::EndShift(shift) => (Vec::new(), vec![*shift]),
        Command::MoveVisit { visit, .. } => {
            let offer = case.and_then(|case| case.visit(*visit)).map(|visit| visit.offer);
            offer.map(of_offer).unwrap_or_default()
        }
        Command::EndAction { action, .. } | Command::Fire(Timer::Action(action)) => of_action(*action),
        Command::PublishSlot { slot, .. } => (slot.iter().copied().collect(), Vec::new()),
        Command::StartDuty(duty) => (Vec::new(), duty.shifts.clone()),
        Command::WithdrawSlot(slot) => (vec![*slot], Vec::new()),
        _ => Default::default(),
    }
}

/// The slots of the offers that wait for an answer.
fn held(case: Option<&Case>) -> Vec<SlotId> {
    let open = case.into_iter().flat_map(|case| &case.offers).filter(|offer| offer.state == OfferState::Open);
    let slot = |offer: &Offer| if let Means::Slot { slot, .. } = offer.means { Some(slot) } else { None };
    open.filter_map(slot).collect()
}
