//! A case on the wire, as the reader may see it. What is personal goes to whoever handles the case, and to nobody else.

mod decided;
mod people;
mod route;
mod sent;
mod work;

pub use decided::{claim, decision, may_wait, need, qualification};
pub use people::{caller, patient, place, safety, withheld};
pub use route::{conditions, conditions_for, means, offer, plan};
pub use work::{action, note, visit};

use crate::{
    domain::{
        actor::{Actor, Role},
        case::{
            Case,
            outgoing::{Outgoing, Withheld, may_send},
        },
        ids::Canonical,
        time::Instant,
    },
    engine::{CaseView, Place, Sight, sight},
    grpc::pb,
};

use super::{beside::prescription_told, codes::Coded, protocols::kept};

/// Milliseconds on the wire; 0 when there is none.
pub fn ms(at: Option<Instant>) -> i64 {
    at.map_or(0, Instant::unix_ms)
}

/// The text of what has one; empty when there is none.
pub fn text<T: Canonical>(value: Option<&T>) -> String {
    value.map(Canonical::text).unwrap_or_default()
}

/// A case as `reader` may see it.
pub fn view(reader: &Actor, ground: &Place, known: &CaseView) -> pb::CaseView {
    let case = &known.case;
    let entitled = match sight(reader, ground, case) {
        Sight::Nothing | Sight::Envelope => return envelope(known),
        Sight::WithoutPersons | Sight::Overview => false,
        Sight::Whole => true,
    };
    let who = |number| case.sealed.identities.iter().find(|who| entitled && who.number == number);
    let mut patients: Vec<pb::Patient> = case.patients.iter().map(|known| patient(known, who(known.number))).collect();
    if on_the_road(reader) {
        patients.iter_mut().for_each(|patient| without_numbers(case, patient));
    }
    let place = if entitled { place(case) } else { people::surroundings(case) };
    let mut view = clear(ground, known, place);
    view.patients = patients;
    for (told, offer) in view.offers.iter_mut().zip(&case.offers) {
        told.conditions = conditions_for(reader.role, ground, case, offer);
    }
    if entitled {
        view.caller = Some(caller_for(reader, case));
        view.notes = case.sealed.notes.iter().map(note).collect();
        view.answers = kept(case.sealed.answers.reveal());
        for written in &case.sealed.prescriptions {
            let id = written.decision.text();
            let decision = view.decisions.iter_mut().find(|known| known.decision_id == id);
            decision.into_iter().for_each(|known| known.prescription = Some(prescription_told(written)));
        }
    } else {
        view.sealed = true;
    }
    view
}

/// Who called. A number that must not be rung goes to the desks that decide how to reach the caller, not to the road.
fn caller_for(reader: &Actor, case: &Case) -> pb::Caller {
    let known = caller(&case.sealed.caller);
    if on_the_road(reader) && !may_be_announced(case) {
        return pb::Caller { phone: String::new(), call_back: String::new(), ..known };
    }
    known
}

fn on_the_road(reader: &Actor) -> bool {
    matches!(reader.role, Role::Responder | Role::Dispatcher)
}

/// A patient as the road sees him: without social security number, which nobody needs to give care. Where nobody may be rung
/// before the arrival, the number of the representative is not given either: it is that of the household.
pub fn without_numbers(case: &Case, patient: &mut pb::Patient) {
    patient.nir.clear();
    if !may_be_announced(case) {
        patient.representative.iter_mut().for_each(|known| known.phone.clear());
    }
}

/// Whether who drives out may ring before: not a contact that is not to be rung, nor where nothing may be noticed.
pub fn may_be_announced(case: &Case) -> bool {
    let noticed = matches!(may_send(case, 0, Outgoing::ArrivalNotice), Err(Withheld::Risk | Withheld::Secrecy));
    may_send(case, 0, Outgoing::CallBack).is_ok() && !noticed
}

/// What whoever has no part in the care needs to know a case again by.
fn envelope(known: &CaseView) -> pb::CaseView {
    let case = &known.case;
    pb::CaseView {
        case_id: case.id.text(),
        version: known.version.to_bytes().to_vec(),
        case_number: known.case_number.clone(),
        status: known.status.wire(),
        channel: case.channel.wire(),
        origin: case.origin.clone().unwrap_or_default(),
        opened_unix_ms: case.opened.unix_ms(),
        entered_unix_ms: case.entered.unix_ms(),
        line: case.line.wire(),
        idle_since_unix_ms: ms(case.idle_since),
        sealed: true,
        ..pb::CaseView::default()
    }
}

/// Everything of a case that is not about a person, save its patients; at `place`, told as far as the reader may know it.
fn clear(ground: &Place, known: &CaseView, place: pb::Place) -> pb::CaseView {
    let case = &known.case;
    let route = |route: &crate::domain::case::state::Route| pb::Route {
        decision_id: route.decision.text(),
        plan: Some(plan(ground, &route.plan)),
    };
    pb::CaseView {
        call_reference: case.call.clone().unwrap_or_default(),
        safety: Some(safety(case.safety)),
        place: Some(place),
        repeat_of_case_id: text(case.repeat_of.as_ref()),
        qualification: case.qualification.as_ref().map(|known| qualification(&ground.territory.book, known)),
        dismissed: case.dismissed.map_or(0, Coded::wire),
        claim: case.claim.as_ref().map(|held| claim(held, case.connected())),
        regulators: case.regulators.iter().map(Canonical::text).collect(),
        decisions: case.decisions.iter().map(|known| decision(ground, case, known)).collect(),
        routes: case.routes.iter().map(route).collect(),
        offers: case.offers.iter().map(|known| offer(ground, known)).collect(),
        visits: case.visits.iter().map(visit).collect(),
        actions: case.actions.iter().map(action).collect(),
        sealed: false,
        may_wait: case.may_wait.as_ref().map(may_wait),
        missing_for_validation: known.missing.iter().map(|item| item.wire()).collect(),
        withheld: people::withheld(case),
        transfers: case.transfers.iter().map(sent::transfer).collect(),
        received: case.received.as_deref().map(sent::received),
        ..envelope(known)
    }
}
