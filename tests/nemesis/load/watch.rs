//! A watcher: folds what a stream shows, goes on with its token on the next instance when the stream ends, and is compared
//! with a fresh list at the end.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sas_dispatch::{
    domain::actor::Role,
    grpc::pb::{self, watch_event::Event},
};
use tokio::{sync::Mutex, time::timeout};

use crate::{
    history::{Queued, Watched, hex},
    pace::{Pace, pass},
    service::Doors,
};

/// A stream that says nothing for so long is opened again: a bookmark comes about every second.
const SILENCE: Duration = Duration::from_secs(4);

/// The queues of a territory, with their codes.
const STREAMS: [(pb::Stream, &str); 4] =
    [(pb::Stream::Amu, "AMU"), (pb::Stream::Snp, "SNP"), (pb::Stream::Psy, "PSY"), (pb::Stream::Neonat, "NEONAT")];
/// How often a queue is read until all its pages are of one place of the log.
const TRIES: usize = 50;

/// What a watcher holds.
#[derive(Debug, Default)]
pub struct Watcher {
    token: Vec<u8>,
    /// Shown since the stream began a snapshot: what is not among it at its end has gone.
    snapshot: Option<BTreeMap<String, String>>,
    pub seen: Watched,
}

impl Watcher {
    /// That has seen nothing yet.
    pub fn new(name: String, territory: String) -> Self {
        Self { seen: Watched { name, territory, ..Watched::default() }, ..Self::default() }
    }

    fn take(&mut self, event: pb::WatchEvent) {
        if !event.token.is_empty() {
            self.token = event.token;
            self.seen.seq = self.seen.seq.max(event.seq);
        }
        match event.event {
            Some(Event::Changed(view)) => {
                let (case, version) = (view.case_id, hex(&view.version));
                self.seen.shown.push((case.clone(), version.clone()));
                self.snapshot.as_mut().unwrap_or(&mut self.seen.now).insert(case, version);
            }
            Some(Event::GoneCaseId(case)) => {
                self.snapshot.as_mut().unwrap_or(&mut self.seen.now).remove(&case);
            }
            Some(Event::SnapshotDone(_)) => self.seen.now = self.snapshot.take().unwrap_or_default(),
            Some(Event::Reset(_)) => {
                self.seen.resets.push(self.seen.shown.len());
                self.token.clear();
                self.snapshot = Some(BTreeMap::new());
            }
            Some(Event::Bookmark(_) | Event::Stale(_)) | None => {}
        }
    }
}

/// Watches the cases of a territory until the task is aborted.
pub async fn watch(watcher: Arc<Mutex<Watcher>>, territory: String, doors: Arc<Doors>, pace: Pace, first: usize) {
    let mut at = first;
    loop {
        let resumed = !watcher.lock().await.token.is_empty();
        follow(&watcher, &territory, &doors, at).await;
        watcher.lock().await.seen.resumed += u64::from(resumed);
        doors.forget(at).await;
        at = (at + 1) % doors.count();
        if !pace.pause(100).await {
            pass(100).await;
        }
    }
}

async fn follow(watcher: &Mutex<Watcher>, territory: &str, doors: &Doors, at: usize) -> Option<()> {
    let link = doors.link(at).await?;
    let mut clients = link.acting("ecran-1", Role::Supervisor, territory).ok()?;
    let resume_token = {
        let mut held = watcher.lock().await;
        held.snapshot = held.token.is_empty().then(BTreeMap::new);
        held.token.clone()
    };
    let opened = timeout(SILENCE, clients.intake.watch_cases(pb::WatchCasesRequest { resume_token })).await.ok()?;
    let mut stream = opened.ok()?.into_inner();
    loop {
        let message = timeout(SILENCE, stream.message()).await.ok()?.ok()??;
        watcher.lock().await.take(message.event?);
    }
}

/// Every open case with its version, as a list of now says it.
pub async fn list(doors: &Doors, territory: &str, at_least_seq: u64) -> Option<BTreeMap<String, String>> {
    let link = doors.link(0).await?;
    let mut clients = link.acting("ecran-1", Role::Supervisor, territory).ok()?;
    let (mut listed, mut page_token) = (BTreeMap::new(), String::new());
    loop {
        let request = pb::ListCasesRequest { page_size: 200, page_token, at_least_seq };
        let page = timeout(SILENCE, clients.intake.list_cases(request)).await.ok()?.ok()?.into_inner();
        listed.extend(page.cases.into_iter().map(|view| (view.case_id, hex(&view.version))));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Some(listed);
        }
    }
}

/// Every queue of a territory as one instance serves it: whole, at one place of the log.
pub async fn queues(doors: &Doors, territory: &str, instance: usize) -> Vec<Queued> {
    let mut queues = Vec::new();
    for (stream, code) in STREAMS {
        let mut read = None;
        for _ in 0..TRIES {
            read = queue(doors, territory, instance, stream).await;
            if read.is_some() {
                break;
            }
            pass(100).await;
        }
        let (seq, cases) = read.map_or((None, Vec::new()), |(seq, cases)| (Some(seq), cases));
        queues.push(Queued { territory: territory.to_owned(), stream: code.to_owned(), instance, seq, cases });
    }
    queues
}

/// None when it did not answer, or the log went on between two pages.
async fn queue(doors: &Doors, territory: &str, instance: usize, stream: pb::Stream) -> Option<(u64, Vec<String>)> {
    let link = doors.link(instance).await?;
    let mut clients = link.acting("ecran-1", Role::Supervisor, territory).ok()?;
    let (mut cases, mut page_token, mut at) = (Vec::new(), String::new(), None);
    loop {
        let request = pb::ListQueueRequest { stream: stream.into(), page_size: 200, page_token, at_least_seq: 0 };
        let page = timeout(SILENCE, clients.regulation.list_queue(request)).await.ok()?.ok()?.into_inner();
        if *at.get_or_insert(page.seq) != page.seq {
            return None;
        }
        cases.extend(page.cases.into_iter().map(|view| view.case_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Some((page.seq, cases));
        }
    }
}
