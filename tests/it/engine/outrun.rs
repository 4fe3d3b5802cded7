//! Consoles that cannot be told everything: too slow, too long away, a log that is held back, a store that is silent, a
//! history that was rolled back.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use sas_dispatch::{
    domain::{case::Command, ids::CaseId, regulation::qualification::Priority},
    engine::{Change, Failure, Options, WatchFilter, WatchLimits},
};

use super::{
    desk::{Desk, regulator},
    screen::{History, Screen},
};
use crate::{
    domain::stage::{arm, text},
    store::{on_every_engine, stand::Stand},
    support::{gate::Gate, redis::until},
};

on_every_engine! {
    a_slow_console_is_told_the_latest_state_of_each_case
    a_console_that_falls_behind_is_dropped_with_its_token
    nothing_is_shown_ahead_of_the_log
    a_silent_store_is_said_and_no_bookmark_claims_that_all_is_well
    another_history_is_not_taken_for_the_one_that_was_shown
    what_a_change_costs_does_not_grow_with_the_consoles
}

fn limits(watch: WatchLimits) -> Options {
    Options { watch, ..Options::default() }
}

async fn note(desk: &Desk, case: CaseId) {
    desk.done(&arm(), case, Command::AddNote(text("note"))).await;
}

async fn a_slow_console_is_told_the_latest_state_of_each_case(stand: Stand) {
    let (desk, mut history) = (Desk::new(stand), History::default());
    let cases = [desk.qualified(Priority::P2).await, desk.qualified(Priority::P2).await];
    history.note(&desk).await;
    let mut screen = Screen::new(&desk.b, WatchFilter::All).await;
    screen.catches_up(&history).await;
    for _ in 0..150 {
        for case in cases {
            note(&desk, case).await;
        }
    }
    history.note(&desk).await;
    let before = screen.told;
    screen.reaches(&history).await;
    assert_eq!(screen.resets, 0);
    let told = screen.told - before;
    assert!(told < 150, "{told} of 300 changes were told to a console that did not read");
}

async fn a_console_that_falls_behind_is_dropped_with_its_token(stand: Stand) {
    let watch = WatchLimits { buffer: 8, ..WatchLimits::default() };
    let (desk, mut history) = (Desk::with(stand, limits(watch)), History::default());
    let mut cases = Vec::new();
    for _ in 0..60 {
        cases.push(desk.opened().await);
    }
    history.note(&desk).await;
    let mut screen = Screen::new(&desk.b, WatchFilter::All).await;
    screen.catches_up(&history).await;
    for case in &cases {
        note(&desk, *case).await;
    }
    let dropped = loop {
        match screen.next().await {
            Ok(change) => screen.keeps(change),
            Err(failure) => break failure,
        };
    };
    assert_eq!(dropped, Failure::TooSlow(screen.token.clone().unwrap()), "with the token of what it was told last");
    history.note(&desk).await;
    // Away for less than what is read of the log for one console: what it missed, and nothing else.
    screen.reconnects(&desk.a).await;
    screen.reaches(&history).await;
    assert_eq!(screen.resets, 0);
    // Away for longer: told so.
    let away = screen.token.clone();
    for case in cases.iter().chain(&cases) {
        note(&desk, *case).await;
    }
    history.note(&desk).await;
    screen.token = away;
    screen.reconnects(&desk.a).await;
    screen.reaches(&history).await;
    assert_eq!(screen.resets, 1);
}

async fn nothing_is_shown_ahead_of_the_log(mut stand: Stand) {
    let gate = Gate::before(stand.store.clone());
    stand.store = gate.clone();
    let (desk, mut history) = (Desk::new(stand), History::default());
    let case = desk.qualified(Priority::P2).await;
    history.note(&desk).await;
    let safe = history.head();
    let mut watching = Screen::new(&desk.a, WatchFilter::All).await;
    watching.catches_up(&history).await;
    gate.hold_log_at(safe + 1);
    // Own commits and another instance's: written, acknowledged, and not yet on the replicas.
    note(&desk, case).await;
    history.note(&desk).await;
    note(&desk, case).await;
    desk.opened().await;
    history.note(&desk).await;
    // One who was there, and one who comes now; both on the instance that wrote.
    let mut coming = Screen::new(&desk.a, WatchFilter::All).await;
    let held = async {
        loop {
            // It may be told to come again, but nothing that could still be lost.
            let Ok(change) = coming.next().await else { std::future::pending().await };
            coming.keeps(change);
            assert!(coming.shown.values().all(|version| version.seq() <= safe + 1), "{:?}", coming.shown);
        }
    };
    let kept = async {
        for _ in 0..4 {
            watching.reads().await;
            assert!(watching.seq <= safe + 1, "seq {} while the log ends at {}", watching.seq, safe + 1);
            assert!(watching.shown.values().all(|version| version.seq() <= safe + 1), "{:?}", watching.shown);
        }
    };
    tokio::select! { () = held => {}, () = kept => {} }
    gate.hold_log_at(u64::MAX);
    watching.reaches(&history).await;
    assert_eq!(watching.resets, 0);
}

async fn a_silent_store_is_said_and_no_bookmark_claims_that_all_is_well(mut stand: Stand) {
    let gate = Gate::before(stand.store.clone());
    stand.store = gate.clone();
    let watch = WatchLimits { silence: Duration::from_secs(2), ..WatchLimits::default() };
    let (desk, mut history) = (Desk::with(stand, limits(watch)), History::default());
    let case = desk.qualified(Priority::P2).await;
    history.note(&desk).await;
    let mut screen = Screen::new(&desk.b, WatchFilter::All).await;
    screen.catches_up(&history).await;
    gate.set_down(true);
    while screen.stale == 0 {
        screen.reads().await;
    }
    gate.set_down(false);
    note(&desk, case).await;
    history.note(&desk).await;
    screen.reaches(&history).await;
    assert_eq!(screen.resets, 0);
    // For good: the watch ends, and nothing but the word that it is stale comes before.
    gate.set_down(true);
    while screen.stale == 1 {
        screen.reads().await;
    }
    let ended = screen.next().await.map(|change| format!("{change:?}"));
    assert!(matches!(ended, Err(Failure::Unavailable(_))), "{ended:?}");
    let refused = desk.b.watch(&regulator(1), screen.token.clone(), WatchFilter::All).await.map(|_| ());
    assert!(matches!(refused, Err(Failure::Unavailable(_) | Failure::Store(_))), "{refused:?}");
}

async fn another_history_is_not_taken_for_the_one_that_was_shown(mut stand: Stand) {
    // Two stores with as many events each, none in common: as before and after a failover that lost them.
    let other = Desk::new(Stand::embedded().await);
    for _ in 0..3 {
        other.mutation();
    }
    let gate = Gate::before(stand.store.clone());
    stand.store = gate.clone();
    let (desk, mut history) = (Desk::new(stand), History::default());
    for _ in 0..3 {
        desk.opened().await;
        other.opened().await;
    }
    let mut told = History::default();
    told.note(&other).await;
    history.note(&desk).await;
    let mut screen = Screen::new(&desk.b, WatchFilter::All).await;
    screen.catches_up(&history).await;
    let token = screen.token.clone();
    assert_eq!(told.head(), history.head());
    gate.put(other.stand.store.clone());
    other.opened().await;
    told.note(&other).await;
    while screen.resets == 0 || screen.seq < told.head() {
        screen.reads().await;
    }
    assert_eq!(screen.shown, told.at(screen.seq, &screen.filter));
    // The same through a token at a place that both histories have.
    let mut late = Screen::new(&desk.b, WatchFilter::All).await;
    late.token = token;
    late.reconnects(&desk.b).await;
    late.catches_up(&told).await;
    assert_eq!(late.resets, 1);
}

async fn what_a_change_costs_does_not_grow_with_the_consoles(mut stand: Stand) {
    let gate = Gate::before(stand.store.clone());
    stand.store = gate.clone();
    let (desk, mut history) = (Arc::new(Desk::new(stand)), History::default());
    let mut cases = Vec::new();
    for _ in 0..20 {
        cases.push(desk.opened().await);
    }
    history.note(&desk).await;
    let mut costs = Vec::new();
    let mut screens = Vec::new();
    for consoles in [1, 100] {
        let missing = (screens.len()..consoles).map(|_| Screen::new(&desk.b, WatchFilter::All));
        screens.extend(join_all(missing).await);
        join_all(screens.iter_mut().map(|screen| screen.reaches(&history))).await;
        let before = gate.reads();
        // Written by one instance, shown by the other: it must read what it has not seen.
        for case in &cases {
            note(&desk, *case).await;
        }
        let written = gate.reads();
        history.note(&desk).await;
        let listed = gate.reads() - written;
        join_all(screens.iter_mut().map(|screen| screen.reaches(&history))).await;
        costs.push(gate.reads() - before - listed);
    }
    // Twenty commits, each of which may wake the tail by itself, and once a second the epoch; not one read per console.
    assert!(costs.iter().all(|cost| *cost < 100), "reads of one burst for 1 and for 100 consoles: {costs:?}");
    let lost = screens.iter_mut().map(|screen| screen.resets).sum::<usize>();
    assert_eq!(lost, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_reads_nothing_is_dropped() {
    // Long enough that whoever does read is not taken for one who does not.
    let watch = WatchLimits { stall: Duration::from_secs(5), ..WatchLimits::default() };
    let (desk, mut history) = (Desk::with(Stand::embedded().await, limits(watch)), History::default());
    let mut cases = Vec::new();
    for _ in 0..70 {
        cases.push(desk.opened().await);
    }
    history.note(&desk).await;
    let mut screen = Screen::new(&desk.b, WatchFilter::All).await;
    screen.catches_up(&history).await;
    for case in &cases {
        note(&desk, *case).await;
    }
    // It is gone although nobody read: only then does this console read what had been made ready for it.
    until("the console is dropped", async || desk.b.watching(&desk.stand.territory) == 0).await;
    let dropped = loop {
        match screen.next().await {
            Ok(Change::Stale(_)) => {}
            Ok(change) => {
                screen.keeps(change);
            }
            Err(failure) => break failure,
        }
    };
    assert!(matches!(dropped, Failure::TooSlow(_)), "{dropped:?}");
}
