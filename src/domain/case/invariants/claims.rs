//! Rule 3: one regulator holds a case, under a number that only grows; nobody else signs.

use crate::domain::case::{action::ActionKind, state::Case};

use super::{Found, note};

pub(super) fn state(case: &Case, found: &mut Vec<Found>) {
    let Some(claim) = &case.claim else { return };
    note(found, claim.no != case.last_claim, 3, "the holder's number is not the last one given out");
    note(found, !case.regulators.contains(&claim.by), 3, "the holder is not among the regulators of the case");
    let doctor = [ActionKind::Regulate, ActionKind::HandOver].iter().any(|kind| case.open_action(*kind).is_some());
    note(found, !doctor, 3, "a case is held in which nothing is to be regulated");
}

pub(super) fn history(old: &Case, new: &Case, found: &mut Vec<Found>) {
    note(found, new.last_claim < old.last_claim, 3, "a fencing number went back");
    if let (Some(before), Some(after)) = (&old.claim, &new.claim) {
        let same = before.no == after.no;
        note(found, same && before.by != after.by, 3, "two regulators hold one case under one number");
        note(found, !same && after.no <= before.no, 3, "a later holder has an earlier number");
    }
    if new.claim.is_some() && old.claim.is_none() {
        note(found, new.last_claim <= old.last_claim, 3, "a number was given out twice");
    }
    let holder = old.claim.as_ref().map(|claim| &claim.by);
    for decision in new.decisions.iter().filter(|decision| decision.protocol.is_none()) {
        let known = old.decision(decision.id);
        let need = known.is_none().then_some(&decision.signed.by);
        let unanswered = known.is_none_or(|known| known.answer.is_none());
        let answer = decision.answer.as_ref().filter(|_| unanswered).map(|answer| &answer.signed.by);
        let signers = need.into_iter().chain(answer);
        note(found, signers.into_iter().any(|by| Some(by) != holder), 3, "somebody signed who did not hold the case");
    }
}
