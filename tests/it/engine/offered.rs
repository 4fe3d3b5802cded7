//! The list of open offers: each once, whatever else its case holds and however the pages fall.

use sas_dispatch::{
    domain::{
        case::Command,
        ids::{CaseId, OfferId},
        regulation::{need::CareType, qualification::Priority},
        routing::Means,
        time::Span,
    },
    engine::PageRequest,
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{self, GP, coordinator},
    store::{on_every_engine, stand::Stand},
};

on_every_engine! {
    a_case_with_two_open_offers_stands_with_one_at_each_place
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
