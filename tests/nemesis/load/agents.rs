//! One actor: looks at the queue or at a recent case, and does one of the things that can be done.

use std::sync::Arc;

use sas_dispatch::{
    domain::{actor::Role, directory::Responder, time::Instant},
    grpc::{
        client::Clients,
        pb::{self, CallEventKind, SlotKind, Stream, means::Way},
    },
    store::MAX_READ,
};

use super::{
    Board, OnDuty,
    acts::{change, chosen, perform},
    call::{Caller, Draft, is_vital},
};
use crate::{
    history::{Agenda, Read, Shown},
    pace::{Dice, own, unix_ms},
    site::Ground,
};

const QUARTER_MS: i64 = 15 * 60_000;

/// Plays until the load ends.
pub async fn play(mut caller: Caller, ground: Ground, board: Arc<Board>) {
    loop {
        caller.vital = false;
        match caller.dice.below(100) {
            0..=6 => open(&mut caller, &ground, &board).await,
            7..=9 => telephone(&mut caller, &board).await,
            10..=17 => claim_next(&mut caller, &board).await,
            18..=21 => publish(&mut caller, &ground, &board).await,
            22 => withdraw(&mut caller, &board).await,
            23..=24 => go_on_duty(&mut caller, &ground, &board).await,
            25 => go_home(&mut caller, &board).await,
            26..=28 => queue(&mut caller, &board).await,
            29..=30 => any_agenda(&mut caller, &board).await,
            _ => look_and_act(&mut caller, &ground, &board).await,
        }
        let rest = caller.dice.between(10, 90);
        if !caller.pace.pause(rest).await {
            return;
        }
    }
}

async fn open(caller: &mut Caller, ground: &Ground, board: &Board) {
    let arm = format!("arm-{}", caller.process);
    let draft = Draft { kind: "OpenCase", person: &arm, role: Role::Arm, case: None, under_claim: None };
    let commune = caller.dice.any(&ground.communes).cloned();
    let number = caller.dice.below(10_000);
    caller.vital = caller.dice.percent(5);
    let request = pb::OpenCaseRequest {
        origin: "15".to_owned(),
        answered: true,
        vital: caller.vital,
        caller: Some(pb::Caller { phone: format!("+3363998{number:04}"), ..Default::default() }),
        place: commune.map(|commune| pb::Place { commune, ..Default::default() }),
        patients: vec![pb::Patient { number: 1, age_years: Some(50), identity_unknown: true, ..Default::default() }],
        ..Default::default()
    };
    let reply =
        change!(caller, draft, intake.open_case, |id| pb::OpenCaseRequest { command_id: id, ..request.clone() });
    if let Some(view) = reply.and_then(|reply| reply.case) {
        board.opened(view.case_id);
    }
}

/// A call rings, is answered, and may be lost.
async fn telephone(caller: &mut Caller, board: &Board) {
    let call = caller.dice.command();
    let ends = if caller.dice.percent(30) { CallEventKind::HungUp } else { CallEventKind::Answered };
    for event in [CallEventKind::Ringing, ends] {
        let draft = Draft {
            kind: "ReportCallEvent",
            person: "autocom-1",
            role: Role::Telephony,
            case: None,
            under_claim: None,
        };
        let (call_id, caller_number) = (call.clone(), "+33639980001".to_owned());
        let reply = change!(caller, draft, telephony.report_call_event, |id| pb::ReportCallEventRequest {
            command_id: id,
            call_id,
            event: event.into(),
            caller_number,
            called_line: "15".to_owned(),
            happened_unix_ms: 0,
        });
        if let Some(reply) = reply.filter(|_| event == CallEventKind::Ringing) {
            board.opened(reply.case_id);
        }
    }
}

async fn claim_next(caller: &mut Caller, board: &Board) {
    let me = format!("dr-regul-{}", caller.process);
    let draft = Draft { kind: "ClaimNext", person: &me, role: Role::Regulator, case: None, under_claim: None };
    let stream = if caller.dice.percent(70) { Stream::Snp } else { Stream::Amu }.into();
    let reply = change!(caller, draft, regulation.claim_next, |id| pb::ClaimNextRequest {
        command_id: id,
        stream,
        skills: Vec::new()
    });
    if let Some(view) = reply.and_then(|reply| reply.case) {
        board.opened(view.case_id);
    }
}

/// A quarter of an hour within somebody's own hours, within a day.
fn bookable(dice: &mut Dice, ground: &Ground) -> Option<(Responder, SlotKind, i64)> {
    for _ in 0..40 {
        let (who, kind) = dice.any(&ground.agendas)?.clone();
        let start = (unix_ms() / QUARTER_MS + 1 + dice.between(1, 90) as i64) * QUARTER_MS;
        let open = |at| who.open_at(Instant::from_unix_ms(at));
        if open(start) && open(start + QUARTER_MS - 60_000) {
            return Some((who, kind, start));
        }
    }
    None
}

async fn publish(caller: &mut Caller, ground: &Ground, board: &Board) {
    let Some((who, kind, start)) = bookable(&mut caller.dice, ground) else { return };
    let draft =
        Draft { kind: "PublishSlot", person: "agenda-1", role: Role::BackOffice, case: None, under_claim: None };
    let reply = change!(caller, draft, slots.publish_slot, |id| pb::PublishSlotRequest {
        command_id: id,
        responder_id: who.id.to_string(),
        kind: kind.into(),
        start_unix_ms: start,
        end_unix_ms: start + QUARTER_MS,
        slot_id: String::new(),
    });
    if let Some(reply) = reply {
        own(&board.slots).push((reply.slot_id, who.id.to_string()));
    }
}

async fn withdraw(caller: &mut Caller, board: &Board) {
    let known = own(&board.slots).clone();
    let Some((slot_id, _)) = caller.dice.any(&known).cloned() else { return };
    let draft =
        Draft { kind: "WithdrawSlot", person: "agenda-1", role: Role::BackOffice, case: None, under_claim: None };
    change!(caller, draft, slots.withdraw_slot, |id| pb::WithdrawSlotRequest { command_id: id, slot_id });
}

async fn go_on_duty(caller: &mut Caller, ground: &Ground, board: &Board) {
    let Some(who) = caller.dice.any(&ground.visiting).cloned() else { return };
    let Some(doctor) = caller.dice.any(&who.doctors).map(ToString::to_string) else { return };
    let draft = Draft { kind: "OpenShift", person: &doctor, role: Role::Responder, case: None, under_claim: None };
    let sectors: Vec<String> = who.visit_sectors.iter().map(ToString::to_string).collect();
    let reply = change!(caller, draft, visits.open_shift, |id| pb::OpenShiftRequest {
        command_id: id,
        responder_id: who.id.to_string(),
        sectors,
        start_unix_ms: 0,
        end_unix_ms: unix_ms() + 8 * 3_600_000,
        position: None,
        doctor: String::new(),
    });
    if let Some(reply) = reply {
        let on_duty = OnDuty { shift: reply.shift_id, doctor, responder: who.id.to_string() };
        own(&board.shifts).push(on_duty);
    }
}

async fn go_home(caller: &mut Caller, board: &Board) {
    let Some(on_duty) = caller.dice.any(&board.on_duty()).cloned() else { return };
    let draft =
        Draft { kind: "EndShift", person: &on_duty.doctor, role: Role::Responder, case: None, under_claim: None };
    let shift_id = on_duty.shift.clone();
    let reply = change!(caller, draft, visits.end_shift, |id| pb::EndShiftRequest { command_id: id, shift_id });
    if reply.is_some() {
        own(&board.shifts).retain(|known| known.shift != on_duty.shift);
    }
}

async fn queue(caller: &mut Caller, board: &Board) {
    let stream = if caller.dice.percent(70) { Stream::Snp } else { Stream::Amu }.into();
    let request = pb::ListQueueRequest { stream, page_size: 50, ..Default::default() };
    let call = |mut clients: Clients| {
        let request = request.clone();
        async move { clients.regulation.list_queue(request).await }
    };
    let told = |reply: &pb::ListQueueResponse| read(reply.seq, &reply.cases);
    let reply = caller.read(("ListQueue", Role::Regulator, 0), call, told).await;
    // What another territory has sent is seen here first.
    let sent = reply.iter().flat_map(|reply| &reply.cases).filter(|view| view.received.is_some());
    sent.for_each(|view| board.opened(view.case_id.clone()));
}

async fn any_agenda(caller: &mut Caller, board: &Board) {
    let known = own(&board.slots).clone();
    if let Some((_, responder)) = caller.dice.any(&known).cloned() {
        agenda(caller, responder).await;
    }
}

/// Looks at somebody's agenda: no more of it than one read of the store takes, so that all of it is of one place.
async fn agenda(caller: &mut Caller, responder: String) {
    let request =
        pb::ListSlotsRequest { responder_id: responder.clone(), page_size: MAX_READ as u32, ..Default::default() };
    let call = |mut clients: Clients| {
        let request = request.clone();
        async move { clients.slots.list_slots(request).await }
    };
    let asked_ms = unix_ms();
    let told = |reply: &pb::ListSlotsResponse| {
        let agenda = Some(Agenda::of(responder, asked_ms, reply));
        Read { seq: reply.seq, agenda, ..Read::default() }
    };
    caller.read(("ListSlots", Role::Coordinator, 0), call, told).await;
}

fn read(seq: u64, cases: &[pb::CaseView]) -> Read {
    Read { seq, cases: cases.iter().map(Shown::of).collect(), ..Read::default() }
}

async fn look_and_act(caller: &mut Caller, ground: &Ground, board: &Board) {
    let cases = board.cases();
    // Most look at the newest: that is where they meet.
    let shown = if caller.dice.percent(60) { cases.len().min(8) } else { cases.len() };
    let Some(case) = caller.dice.any(&cases[..shown]).cloned() else { return };
    let request = pb::GetCaseRequest { case_id: case.clone(), at_least_seq: 0 };
    let call = |mut clients: Clients| {
        let request = request.clone();
        async move { clients.intake.get_case(request).await }
    };
    let told = |reply: &pb::GetCaseResponse| read(reply.seq, reply.case.as_slice());
    let reply = caller.read(("GetCase", Role::Arm, 0), call, told).await;
    let Some(view) = reply.and_then(|reply| reply.case) else { return };
    caller.vital = is_vital(&view);
    let act = chosen(&view, ground, board, &mut caller.dice);
    perform(caller, ground, &case, act).await;
    // Where a slot was held or booked for this case, the agenda has most to show.
    let way = |offer: &pb::Offer| offer.means.as_ref().and_then(|means| means.way.clone());
    let slot = view.offers.iter().rev().find(|offer| matches!(way(offer), Some(Way::Slot(_))));
    if let Some(offer) = slot.filter(|_| caller.dice.percent(30)) {
        agenda(caller, offer.responder_id.clone()).await;
    }
}
