//! A record that cannot be read, of a newer binary or of a torn disk, concerns its own case and holds up no other.

use std::fs;

use sas_dispatch::{
    domain::{
        actor::Role,
        case::Command,
        ids::CaseId,
        regulation::qualification::{Priority, Stream},
        time::Span,
    },
    engine::{Failure, List, PageRequest, Target},
    sheet::Sheets,
    store::{Key, Op, StoreError},
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{self, supervisor, text},
    store::{on_every_engine, stand::Stand},
};

on_every_engine! {
    a_case_that_cannot_be_read_stands_on_the_sheet_and_holds_up_no_other
    the_next_regulator_gets_the_next_case_that_can_be_read
    a_slot_that_cannot_be_read_holds_up_no_duty
}

async fn spoil(desk: &Desk, key: Key) {
    let mut touch = desk.stand.touch().await;
    touch.ops = vec![Op::Put { key, value: b"what no binary reads".to_vec(), number: None }];
    desk.stand.done(&touch).await;
}

/// The whole sheet in its plain form, as instance B writes it.
async fn sheet(desk: &Desk) -> String {
    let dir = tempfile::tempdir().unwrap();
    let sheets = Sheets { dir: dir.path().to_owned(), every: Span::from_secs(15) };
    assert!(sheets.write_all(&desk.b, sheets.every, &|_| false).await.failed.is_empty());
    fs::read_to_string(dir.path().join("fr-67.txt")).unwrap()
}

async fn open(desk: &Desk) -> Vec<CaseId> {
    let page = PageRequest { size: 50, ..PageRequest::default() };
    let listing = desk.b.list(&regulator(1), List::Open, page).await.unwrap();
    listing.items.iter().map(|view| view.case.id).collect()
}

async fn a_case_that_cannot_be_read_stands_on_the_sheet_and_holds_up_no_other(stand: Stand) {
    let desk = Desk::new(stand);
    let (spoilt, sound) = (desk.qualified(Priority::P1).await, desk.qualified(Priority::P2).await);
    let number = desk.read(sound).await.case_number;
    spoil(&desk, Key::case(spoilt)).await;

    assert_eq!(open(&desk).await, [sound]);
    let text = sheet(&desk).await;
    let line = format!("!! ?   dossier illisible {spoilt}");
    let places = (text.find(&line).expect("it is named"), text.find(&number).expect("the others are there"));
    assert!(places.0 < places.1, "what nobody can read comes first:\n{text}");
    assert_eq!(desk.b.relay(&supervisor(), 10).await.unwrap().open_cases, 2, "it is counted");
    // About that case itself nothing is done blindly.
    let note = Command::AddNote(self::text("suite"));
    let refused = desk.b.act(&stage::arm(), desk.mutation(), Target::case(spoilt), note).await;
    assert!(matches!(refused, Err(Failure::Store(StoreError::Corrupt(_)))), "{refused:?}");
}

async fn the_next_regulator_gets_the_next_case_that_can_be_read(stand: Stand) {
    let desk = Desk::new(stand);
    let spoilt = desk.qualified(Priority::P1).await;
    desk.stand.pass(Span::from_ms(5));
    let (second, third) = (desk.qualified(Priority::P1).await, desk.qualified(Priority::P2).await);
    spoil(&desk, Key::case(spoilt)).await;
    // One instance has seen the case as it was, the other has not.
    let (remembers, fresh) = (&desk.a, &desk.b);
    let first = remembers.claim_next(&regulator(1), desk.mutation(), Stream::Snp).await.unwrap();
    let next = fresh.claim_next(&regulator(2), desk.mutation(), Stream::Snp).await.unwrap();
    assert_eq!((first.reply.case, next.reply.case), (Some(second), Some(third)));
}

async fn a_slot_that_cannot_be_read_holds_up_no_duty(stand: Stand) {
    let desk = Desk::new(stand);
    let slot = desk.slot(Span::from_hours(2)).await;
    spoil(&desk, Key::slot(slot)).await;
    let chief = stage::someone("dr-reg-1", Role::Regulator);
    desk.b.start_duty(&chief, desk.mutation(), desk.hospital_duty()).await.expect("the supply is read without it");
}
