//! When all is quiet: watches against lists, records against the log, and what an operator does about a lost history.

use std::{
    future::Future,
    task::{Context, Poll, Waker},
};

use sas_dispatch::{
    domain::{
        actor::{Actor, Role},
        regulation::qualification::Stream,
        time::Span,
    },
    engine::{CaseView, List, PageRequest, WatchFilter},
    store::fence::{Mark, kept, restore},
};

use super::{
    asked::Asked,
    border::territories,
    console::Console,
    instance::KEPT_AS,
    judge::Verdict,
    net::Fault,
    play::{Played, Player},
};
use crate::domain::stage::someone;

/// Consoles of one run.
const CONSOLES: usize = 2;
/// After so many seconds without a fault every loop has found the primary and read its log.
const SECONDS_TO_CALM: usize = 6;

impl Player {
    /// One more console watches everything, or one queue.
    pub(super) fn watch(&mut self, at: usize, queue: bool) {
        if self.consoles.len() >= CONSOLES {
            return;
        }
        let filter = if queue { WatchFilter::Queue(Stream::Snp) } else { WatchFilter::All };
        let mut console = Console::new(watcher(), filter, at);
        console.connect(at, self.instances[at].engine.clone());
        self.consoles.push(console);
    }

    /// Hears what every console was told.
    pub(super) fn hear_watches(&mut self, played: &mut Played) -> Result<bool, String> {
        if self.consoles.is_empty() {
            return Ok(false);
        }
        let mut world = self.net.world();
        let durable = world.note_durable().clone();
        drop(world);
        let mut heard = false;
        for console in &mut self.consoles {
            let news = console.hear(&durable);
            played.trace.append(&mut console.trace);
            heard |= news?;
        }
        Ok(heard)
    }

    /// Everything that is under way ends and no more faults come: then every console shows what is listed.
    pub(super) async fn quiet(&mut self, played: &mut Played) -> Verdict {
        self.settle(played).await?;
        self.net.world().heal();
        self.run(played).await?;
        for _ in 0..SECONDS_TO_CALM {
            self.calls_end(played).await?;
            for console in &mut self.consoles {
                console.reads = true;
                if console.is_down() {
                    console.connect(console.at, self.instances[console.at].engine.clone());
                }
            }
            self.run(played).await?;
            self.calls_end(played).await?;
            self.pass(Span::from_secs(1));
            self.run(played).await?;
        }
        self.calls_end(played).await?;
        let list = self.list()?;
        self.consoles.iter().try_for_each(|console| console.compare(&list))
    }

    async fn calls_end(&mut self, played: &mut Played) -> Verdict {
        loop {
            let place = self.net.world().movable_of_somebody();
            let Some(place) = place else { return Ok(()) };
            self.net.world().go(place, Fault::Fine);
            self.run(played).await?;
        }
    }

    /// Every open case as whoever asks for the list now would read it.
    fn list(&self) -> Result<Vec<CaseView>, String> {
        let page = PageRequest { size: 200, ..PageRequest::default() };
        let actor = watcher();
        let listing = at_once(self.checker.list(&actor, List::Open, page));
        Ok(listing.map_err(|failure| failure.to_string())?.items)
    }

    /// The operator settles what is missing since an old copy was put back.
    pub(super) async fn restore(&mut self, played: &mut Played) -> Verdict {
        let Some(folder) = &self.kept else { return Ok(()) };
        self.instances.iter().for_each(|known| known.fence.flush());
        let marks = kept::read_all(folder.path(), KEPT_AS).map_err(|error| error.to_string())?;
        for territory in territories() {
            let marks: Vec<Mark> = marks.get(&territory).cloned().unwrap_or_default();
            let report = at_once(restore::restore(&self.net.operator(), &territory, &marks, false));
            report.map_err(|error| format!("the operator could not settle it: {error}"))?;
        }
        self.net.world().settled();
        self.run(played).await
    }

    /// The whole log against all records and indexes.
    pub(super) fn check(&self) -> Verdict {
        for territory in territories() {
            let report = at_once(self.checker.check(&territory)).map_err(|failure| failure.to_string())?;
            let silence = |wrong: &&String| !wrong.contains("before anybody was told");
            if let Some(wrong) = report.violations.iter().find(silence) {
                return Err(format!("{territory}: {wrong}"));
            }
        }
        Ok(())
    }

    /// Everything works again: what is under way ends, upkeep runs, and nothing may be left silent.
    pub(super) async fn end(&mut self, played: &mut Played) -> Verdict {
        self.settle(played).await?;
        // An instance that only reads would look at an old primary for ever and find nothing due there.
        self.net.world().heal();
        self.net.world().skew_store(0);
        self.instances.iter_mut().for_each(|known| known.skew = 0);
        self.restore(played).await?;
        self.pass(Span::from_mins(2));
        self.arrivals();
        self.run(played).await?;
        self.look()?;
        // A lease that stood still while the store could not be reached runs on from the first contact, which may be lost yet.
        for _ in 0..2 {
            self.ask(0, Asked::Tick, true, played).await?;
        }
        self.pass(Span::from_mins(2));
        for _ in 0..4 {
            self.ask(0, Asked::Tick, true, played).await?;
        }
        self.look()?;
        self.check()?;
        self.everything_told()?;
        self.across()?;
        self.quiet(played).await
    }

    /// Everything acknowledged stands, and nothing that is due is silent.
    fn everything_told(&self) -> Verdict {
        let world = self.net.world();
        for (territory, judge) in territories().iter().zip([&self.judge, &self.beyond]) {
            let Some(land) = world.truth().lands.get(territory) else { continue };
            judge.all_acknowledged(land)?;
            judge.nothing_silent(world.now(), land)?;
        }
        Ok(())
    }

    /// Whatever is still on its way from nobody arrives.
    fn arrivals(&mut self) {
        let mut world = self.net.world();
        while let Some(place) = world.movable().first().copied() {
            world.go(place, Fault::Fine);
        }
    }
}

fn watcher() -> Actor {
    someone("dr-ecran", Role::Regulator)
}

/// What comes of work over a way that answers at once.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("the window answers at once"),
    }
}
