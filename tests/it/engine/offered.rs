//! Open offers: each stands once in their list, whatever else its case holds and however the pages fall; and what one holds
//! goes with it.

use sas_dispatch::{
    domain::{
        case::{
            Command,
            command::{Particulars, Qualify},
            patient::{Consent, Recipient, Wish},
            state::Patient,
        },
        ids::{CaseId, OfferId, SlotId},
        regulation::{need::CareType, qualification::Priority},
        routing::Means,
        slots::SlotKind,
        time::Span,
    },
    engine::{PageRequest, Target},
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{self, GP, GP_DOCTOR, coordinator, doctor},
    store::{on_every_engine, stand::Stand},
};

on_every_engine! {
    a_case_with_two_open_offers_stands_with_one_at_each_place
    what_is_held_at_the_own_gp_is_free_again_once_the_patient_opposes_whichever_instance_is_told
}

/// Rings a practice for one more decision of the case.
async fn rung(desk: &Desk, case: CaseId, practice: &str) -> OfferId {
    let claim_no = desk.done(&regulator(1), case, Command::Claim).await.reply.claim_no.unwrap();
    let decision = desk.signs(&regulator(1), (case, claim_no), CareType::Consultation).await;
    let plan = Box::new(stage::plan_at(desk.stand.clock.now(), Some((practice, Means::Ring))));
    desk.done(&coordinator(), case, Command::Advance { decision, plan }).await.reply.offer.unwrap()
}

async fn a_case_with_two_open_offers_stands_with_one_at_each_place(stand: Stand) {
    let desk = Desk::new(stand);
    let both = desk.qualified(Priority::P2).await;
    let first = rung(&desk, both, GP).await;
    desk.stand.pass(Span::from_secs(1));
    let other = desk.qualified(Priority::P2).await;
    let between = rung(&desk, other, GP).await;
    desk.stand.pass(Span::from_secs(1));
    let worse = Command::Qualify(Box::new(stage::qualify(Priority::P1)));
    desk.done(&stage::arm(), both, worse).await;
    let last = rung(&desk, both, "gp-67-houblon").await;
    for size in [1, 2, 50] {
        let (mut told, mut token) = (Vec::new(), None);
        loop {
            let page = PageRequest { size, token, ..PageRequest::default() };
            let listing = desk.b.list_offers(&coordinator(), page).await.unwrap();
            told.extend(listing.items.iter().map(|(view, offer)| (view.case.id, *offer)));
            token = listing.next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(told, [(both, first), (other, between), (both, last)], "pages of {size}");
    }
}

/// A slot of the patient's own GP is held for a case.
async fn held_at_the_gp(desk: &Desk, ahead: Span) -> (CaseId, SlotId) {
    let (case, decision) = desk.decided().await;
    let start = desk.stand.clock.now() + ahead;
    let (responder, kind, end) = (GP.parse().unwrap(), SlotKind::Snp, start + Span::from_mins(20));
    let publish = Command::PublishSlot { slot: None, responder, kind, start, end };
    let slot = desk.give(&doctor(GP_DOCTOR), None, publish).await.unwrap().reply.slot.unwrap();
    let plan = Box::new(stage::plan_at(desk.stand.clock.now(), Some((GP, Means::Slot { slot, start, end }))));
    desk.done(&coordinator(), case, Command::Advance { decision, plan }).await;
    assert!(!free(desk).await.contains(&slot));
    (case, slot)
}

/// The slots of the own GP that a hold may take now.
async fn free(desk: &Desk) -> Vec<SlotId> {
    let page = PageRequest { size: 50, ..PageRequest::default() };
    let listing = desk.b.list_slots(&coordinator(), &GP.parse().unwrap(), true, page).await.unwrap();
    listing.items.iter().map(|slot| slot.id).collect()
}

async fn what_is_held_at_the_own_gp_is_free_again_once_the_patient_opposes_whichever_instance_is_told(stand: Stand) {
    let desk = Desk::new(stand);
    for (nth, engine, qualified) in [(1, &desk.a, false), (2, &desk.b, false), (3, &desk.a, true), (4, &desk.b, true)] {
        let (case, slot) = held_at_the_gp(&desk, Span::from_mins(30 * nth)).await;
        let known = desk.read(case).await.case;
        let consent = Consent { recipient: Recipient::Gp, wish: Wish::Opposes, form: None, at: None, noted_by: None };
        let patient = Patient { consents: vec![consent], ..known.patients[0].clone() };
        let patients = vec![(patient, known.sealed.identities[0].clone())];
        let particulars = Particulars { patients, ..Particulars::default() };
        let opposes = match qualified {
            false => Command::Amend(Box::new(particulars)),
            true => Command::Qualify(Box::new(Qualify { particulars, ..stage::qualify(Priority::P1) })),
        };
        engine.act(&stage::arm(), desk.mutation(), Target::case(case), opposes).await.unwrap();
        assert!(free(&desk).await.contains(&slot), "{nth}");
    }
    desk.clean().await;
}
