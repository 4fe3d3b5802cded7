//! The checker: clean on what the engine wrote, and it names each kind of damage that is planted in a real store.

use sas_dispatch::{
    domain::{
        case::{Case, Command},
        regulation::qualification::Priority,
        time::Span,
    },
    engine::codec::{self, Entity},
    store::{Digest, Index, Key, Member, Op, Txn},
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{arm, text},
    store::{
        on_every_engine,
        stand::{Stand, redis_at},
    },
    support::redis::Server,
};

on_every_engine! {
    a_day_of_the_engine_is_clean
    a_record_that_was_changed_by_hand_is_found
    an_index_entry_that_is_missing_or_too_many_is_found
    an_event_that_left_no_record_is_found
    a_deadline_that_passed_in_silence_is_counted
    ended_actions_that_an_older_binary_kept_are_no_difference
}

/// Writes past the engine.
async fn plant(desk: &Desk, txn: impl FnOnce(Txn) -> Txn) {
    let epoch = desk.stand.store.read(&desk.stand.territory, &[], None).await.unwrap().epoch;
    let mut touch = Txn::touch(desk.stand.territory.clone(), epoch, desk.stand.clock.now());
    touch.schema = 1;
    desk.stand.done(&txn(touch)).await;
}

async fn found(desk: &Desk) -> Vec<String> {
    desk.a.check(&desk.stand.territory).await.unwrap().violations
}

async fn a_day_of_the_engine_is_clean(stand: Stand) {
    let desk = Desk::new(stand);
    desk.slot(Span::from_hours(1)).await;
    desk.decided().await;
    let case = desk.qualified(Priority::P2).await;
    desk.done(&regulator(1), case, Command::Claim).await;
    let report = desk.b.check(&desk.stand.territory).await.unwrap();
    assert!(report.clean(), "{:#?}", report.violations);
    assert_eq!((report.cases, report.supply, report.events as usize), (2, 1, desk.log().await.len()));
    assert_eq!(report.silent, Span::ZERO);
}

async fn a_record_that_was_changed_by_hand_is_found(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P2).await;
    let mut record = Case::clone(&desk.read(case).await.case);
    record.qualification.as_mut().unwrap().motive = Some("M06.04".to_owned());
    let value = codec::encode(&Entity::Case(record.into()));
    let key = Key::case(case);
    plant(&desk, |txn| Txn { ops: vec![Op::Put { key, value, number: None }], ..txn }).await;
    let found = found(&desk).await;
    assert_eq!(found, [format!("case/{case}: rule 1: what is stored is not what the log tells: qualification")]);
}

async fn an_index_entry_that_is_missing_or_too_many_is_found(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P2).await;
    let claimed = desk.qualified(Priority::P2).await;
    desk.done(&regulator(1), claimed, Command::Claim).await;
    let id = Member::from(&case);
    let ops = vec![
        Op::IndexRemove(Index::queue("SNP"), id.clone()),
        Op::IndexAdd(Index::unanswered(), 5, id.clone()),
        Op::IndexAdd(Index::open(), 5, id),
        Op::IndexRemove(Index::leases(), Member::from(&claimed)),
    ];
    plant(&desk, |txn| Txn { ops, ..txn }).await;
    let found = found(&desk).await;
    let has = |words: &str| assert!(found.iter().any(|line| line.contains(words)), "{words}: {found:#?}");
    has(&format!("index queue/SNP: entry {case} is missing"));
    has(&format!("index unanswered: entry {case} is not in what the log tells"));
    has(&format!("index open: entry {case} has another place"));
    has(&format!("index leases: entry {claimed} is missing"));
    assert_eq!(found.len(), 4, "{found:#?}");
}

async fn an_event_that_left_no_record_is_found(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P2).await;
    desk.done(&arm(), case, Command::AddNote(text("note"))).await;
    let mutation = desk.mutation();
    let mut event = desk.log().await.pop().unwrap();
    event.command_id = mutation.command_id;
    let event = Some(codec::encode_event(&event));
    let command = Some((mutation.command_id, Digest::of(b"planted")));
    plant(&desk, |txn| Txn { command, event, ..txn }).await;
    let found = found(&desk).await;
    assert_eq!(found, [format!("case/{case}: rule 1: what is stored is not what the log tells: its sealed part")]);
}

async fn a_deadline_that_passed_in_silence_is_counted(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P2).await;
    desk.stand.pass(Span::from_mins(17));
    let report = desk.a.check(&desk.stand.territory).await.unwrap();
    assert_eq!(report.longest_silence, Span::from_mins(2));
    assert_eq!(
        report.violations,
        [format!("seq 2: case {case}: rule 2: a deadline passed 120 s before anybody was told")]
    );
    desk.a.upkeep_once().await.unwrap();
    assert_eq!(desk.a.check(&desk.stand.territory).await.unwrap().silent, Span::from_mins(2));
}

/// Only an operator at the Redis itself can lose an event.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_was_lost_from_the_log_is_found() {
    let server = Server::start("always");
    let mut stand = Stand::embedded().await;
    stand.store = redis_at(&server.url(), stand.clock.clone()).await;
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P2).await;
    desk.done(&arm(), case, Command::AddNote(text("note"))).await;
    let ::redis::Value::Array(keys) = server.command(&["KEYS", "*log*"]).await else { panic!() };
    let [::redis::Value::BulkString(log)] = keys.as_slice() else { panic!("one territory has one log: {keys:?}") };
    let log = String::from_utf8(log.clone()).unwrap();
    assert_eq!(server.command(&["XDEL", &log, "2-0"]).await, ::redis::Value::Int(1));
    let found = found(&desk).await;
    assert!(found.iter().any(|line| line.contains("seq 2: rule 1: missing from the log")), "{found:#?}");
    assert!(found.iter().any(|line| line.contains("what is stored is not what the log tells")), "{found:#?}");
}

async fn ended_actions_that_an_older_binary_kept_are_no_difference(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P2).await;
    let known = desk.read(case).await.case;
    let ended = known.actions.iter().find(|action| action.ended_as().is_some()).unwrap();
    let with = |kept: usize| {
        let mut case = Case::clone(&known);
        case.actions.extend(std::iter::repeat_n(ended.clone(), kept));
        Entity::Case(case.into()).comparable()
    };
    assert_eq!(with(30), with(22));
    assert_ne!(with(0), with(3), "what both keep is compared");
}
