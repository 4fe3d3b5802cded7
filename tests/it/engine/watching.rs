//! A console that watches misses nothing and is told when it must begin again (invariant 12).

use std::{collections::BTreeMap, pin::Pin};

use futures_util::{Stream, StreamExt};
use sas_dispatch::{
    domain::{
        case::Command,
        ids::CaseId,
        regulation::qualification::{Priority, Stream as Regulation},
    },
    engine::{Change, Engine, Failure, WatchFilter, WatchToken},
    store::Version,
};

use super::desk::{Desk, regulator};
use crate::{
    domain::stage::{arm, text},
    store::{on_every_engine, stand::Stand},
};

on_every_engine! {
    a_console_sees_what_waits_and_then_every_change
    a_console_that_reconnects_goes_on_where_it_stood
    a_token_of_another_history_begins_again_and_says_so
}

type Changes = Pin<Box<dyn Stream<Item = Result<Change, Failure>> + Send>>;

/// A console's own picture of the queue.
struct Console {
    changes: Changes,
    shown: BTreeMap<CaseId, Version>,
    token: Option<WatchToken>,
    resets: usize,
}

impl Console {
    async fn new(engine: &Engine, resume: Option<WatchToken>) -> Self {
        let changes = engine.watch(&regulator(1), resume, WatchFilter::Queue(Regulation::Snp)).await.unwrap();
        Self { changes: Box::pin(changes), shown: BTreeMap::new(), token: None, resets: 0 }
    }

    /// Reads until everything up to now is shown.
    async fn read(&mut self) {
        loop {
            match self.changes.next().await.unwrap().unwrap() {
                Change::Case { view, gone, token } => {
                    self.token = Some(token);
                    if gone {
                        self.shown.remove(&view.case.id);
                    } else {
                        self.shown.insert(view.case.id, view.version);
                    }
                }
                Change::SnapshotDone(token) => self.token = Some(token),
                Change::Bookmark(token) => {
                    self.token = Some(token);
                    return;
                }
                Change::Stale(_) => {}
                Change::Reset(_) => {
                    self.resets += 1;
                    self.shown.clear();
                }
            }
        }
    }

    /// Reads bookmarks until the picture is that of the store.
    async fn catches_up(&mut self, desk: &Desk, cases: &[CaseId]) {
        let mut stored = BTreeMap::new();
        for case in cases {
            stored.insert(*case, desk.read(*case).await.version);
        }
        for _ in 0..20 {
            if self.shown == stored {
                return;
            }
            self.read().await;
        }
        assert_eq!(self.shown, stored);
    }
}

async fn a_console_sees_what_waits_and_then_every_change(stand: Stand) {
    let desk = Desk::new(stand);
    let first = desk.qualified(Priority::P2).await;
    let mut console = Console::new(&desk.b, None).await;
    console.catches_up(&desk, &[first]).await;
    let second = desk.qualified(Priority::P1).await;
    console.catches_up(&desk, &[first, second]).await;
    desk.done(&arm(), first, Command::AddNote(text("rappel"))).await;
    console.catches_up(&desk, &[first, second]).await;
    assert_eq!(console.resets, 0);
}

async fn a_console_that_reconnects_goes_on_where_it_stood(stand: Stand) {
    let desk = Desk::new(stand);
    let kept = desk.qualified(Priority::P2).await;
    let mut console = Console::new(&desk.a, None).await;
    console.catches_up(&desk, &[kept]).await;
    let (token, shown) = (console.token.clone(), console.shown.clone());
    drop(console);
    let missed = desk.qualified(Priority::P3).await;
    desk.done(&arm(), kept, Command::AddNote(text("pendant la coupure"))).await;
    // Any instance serves the token.
    let mut console = Console::new(&desk.b, token).await;
    console.shown = shown;
    console.catches_up(&desk, &[kept, missed]).await;
    assert_eq!(console.resets, 0, "nothing was said to have been missed");
}

async fn a_token_of_another_history_begins_again_and_says_so(stand: Stand) {
    let desk = Desk::new(stand);
    let case = desk.qualified(Priority::P2).await;
    for foreign in [WatchToken(vec![7]), WatchToken(vec![9; 16]), WatchToken([0, 0, 0, 0, 0, 0, 0, 1].repeat(3))] {
        let mut console = Console::new(&desk.a, Some(foreign)).await;
        console.shown.insert(
            CaseId(uuid::Uuid::from_u128(1)),
            Version::new(1, desk.mutation().command_id, desk.stand.clock.now()),
        );
        console.catches_up(&desk, &[case]).await;
        assert_eq!(console.resets, 1);
    }
}
