//! A console that watches misses nothing, repeats nothing in silence, and is told when it must begin again (invariant 12).

use proptest::{prelude::*, sample::Index as Any, strategy::ValueTree};
use sas_dispatch::{
    domain::{
        case::Command,
        ids::CaseId,
        regulation::{
            need::CareType,
            qualification::{Priority, Stream as Regulation},
        },
        time::Span,
    },
    engine::{Target, WatchFilter, WatchToken},
};

use super::{
    desk::{Desk, regulator},
    screen::{History, Screen},
};
use crate::{
    domain::stage::{self, arm, text},
    store::{on_every_engine, stand::Stand},
};

on_every_engine! {
    a_console_sees_what_waits_and_then_every_change
    a_token_of_another_history_begins_again_and_says_so
    the_first_event_of_a_territory_is_no_reset
    a_console_cut_off_inside_its_snapshot_begins_again_and_says_so
    a_history_with_cuts_is_shown_as_the_lists_show_it
}

const QUEUE: WatchFilter = WatchFilter::Queue(Regulation::Snp);

async fn a_console_sees_what_waits_and_then_every_change(stand: Stand) {
    let (desk, mut history) = (Desk::new(stand), History::default());
    let first = desk.qualified(Priority::P2).await;
    history.note(&desk).await;
    let mut screen = Screen::new(&desk.b, QUEUE).await;
    screen.catches_up(&history).await;
    assert_eq!(screen.shown.len(), 1);
    desk.qualified(Priority::P1).await;
    desk.done(&arm(), first, Command::AddNote(text("rappel"))).await;
    history.note(&desk).await;
    screen.reaches(&history).await;
    assert_eq!((screen.resets, screen.stale, screen.shown.len()), (0, 0, 2));
}

async fn a_token_of_another_history_begins_again_and_says_so(stand: Stand) {
    let (desk, mut history) = (Desk::new(stand), History::default());
    let case = desk.qualified(Priority::P2).await;
    history.note(&desk).await;
    // The last: epoch 1 and a seq that is there, but another command at it.
    let tokens = [vec![7], vec![9; 16], [0, 0, 0, 0, 0, 0, 0, 1].repeat(3)];
    for foreign in tokens.map(WatchToken) {
        let mut screen = Screen::new(&desk.a, QUEUE).await;
        screen.shown.insert(CaseId(uuid::Uuid::from_u128(1)), desk.read(case).await.version);
        screen.token = Some(foreign);
        screen.reconnects(&desk.a).await;
        screen.catches_up(&history).await;
        assert_eq!((screen.resets, screen.shown.len()), (1, 1));
    }
}

async fn the_first_event_of_a_territory_is_no_reset(stand: Stand) {
    let (desk, mut history) = (Desk::new(stand), History::default());
    let mut screen = Screen::new(&desk.a, WatchFilter::All).await;
    assert!(screen.reads().await, "an empty snapshot is done at once");
    let mut cut = Screen::new(&desk.b, WatchFilter::All).await;
    assert!(cut.reads().await);
    desk.qualified(Priority::P2).await;
    history.note(&desk).await;
    cut.reconnects(&desk.b).await;
    for screen in [&mut screen, &mut cut] {
        screen.reaches(&history).await;
        assert_eq!((screen.resets, screen.shown.len()), (0, 1));
    }
}

async fn a_console_cut_off_inside_its_snapshot_begins_again_and_says_so(stand: Stand) {
    let (desk, mut history) = (Desk::new(stand), History::default());
    let left = desk.qualified(Priority::P2).await;
    desk.qualified(Priority::P2).await;
    let mut screen = Screen::new(&desk.a, QUEUE).await;
    assert!(!screen.reads().await, "a case of the snapshot");
    // What it had shown leaves while nobody watches: it must not stay on the screen.
    advised(&desk, left).await;
    history.note(&desk).await;
    screen.reconnects(&desk.b).await;
    screen.catches_up(&history).await;
    assert_eq!((screen.resets, screen.shown.len()), (1, 1));
}

/// A regulator answers with advice: the case leaves the queue.
async fn advised(desk: &Desk, case: CaseId) {
    let claim = desk.give(&regulator(2), Some(case), Command::Claim).await;
    let Some(claim_no) = claim.ok().and_then(|done| done.reply.claim_no) else { return };
    let need = Command::SignNeed(Box::new(stage::sign(claim_no, CareType::Advice)));
    desk.done(&regulator(2), case, need).await;
}

/// What happens, or what a console does.
#[derive(Debug, Clone)]
enum Step {
    Opened(Priority),
    Noted(Any),
    Advised(Any),
    Supervised,
    Read(usize),
    Cut(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let priority = prop_oneof![Just(Priority::P1), Just(Priority::P2), Just(Priority::P0)];
    prop_oneof![
        3 => priority.prop_map(Step::Opened),
        3 => any::<Any>().prop_map(Step::Noted),
        2 => any::<Any>().prop_map(Step::Advised),
        1 => Just(Step::Supervised),
        4 => (1_usize..12).prop_map(Step::Read),
        2 => any::<bool>().prop_map(Step::Cut),
    ]
}

/// Plays a history before two consoles that are cut off and come back at any instance. The oracle is the list.
async fn plays(stand: Stand, steps: Vec<Step>) {
    let (desk, mut history) = (Desk::new(stand), History::default());
    let mut cases: Vec<CaseId> = Vec::new();
    history.note(&desk).await;
    let mut screens = [Screen::new(&desk.a, QUEUE).await, Screen::new(&desk.b, WatchFilter::All).await];
    for step in steps {
        match step {
            Step::Opened(priority) => {
                let case = desk.opened().await;
                history.note(&desk).await;
                desk.done(&arm(), case, Command::Qualify(Box::new(stage::qualify(priority)))).await;
                cases.push(case);
            }
            Step::Noted(which) if !cases.is_empty() => {
                desk.done(&arm(), *which.get(&cases), Command::AddNote(text("note"))).await;
            }
            Step::Advised(which) if !cases.is_empty() => {
                let case = *which.get(&cases);
                let claim = desk.b.act(&regulator(2), desk.mutation(), Target::case(case), Command::Claim).await;
                history.note(&desk).await;
                if let Some(claim_no) = claim.ok().and_then(|done| done.reply.claim_no) {
                    let need = Command::SignNeed(Box::new(stage::sign(claim_no, CareType::Advice)));
                    desk.done(&regulator(2), case, need).await;
                }
            }
            Step::Supervised => desk.stand.pass(Span::from_secs(1)),
            Step::Read(messages) => {
                for screen in &mut screens {
                    screen.reads_some(messages, &history).await;
                }
            }
            Step::Cut(first) => screens[usize::from(first)].reconnects(if first { &desk.a } else { &desk.b }).await,
            Step::Noted(_) | Step::Advised(_) => {}
        }
        history.note(&desk).await;
    }
    for screen in &mut screens {
        screen.catches_up(&history).await;
    }
    desk.a.close().await;
    desk.b.close().await;
}

/// One long history on each store.
async fn a_history_with_cuts_is_shown_as_the_lists_show_it(stand: Stand) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let steps = proptest::collection::vec(step(), 120).new_tree(&mut runner).unwrap().current();
    plays(stand, steps).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_history_with_any_cuts_is_shown_as_the_lists_show_it(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async { plays(Stand::embedded().await, steps).await });
    }
}
