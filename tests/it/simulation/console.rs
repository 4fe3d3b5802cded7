//! A console that watches a territory through one instance: it folds what it is told, and says what of it cannot be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures_util::{Stream, StreamExt};
use sas_dispatch::{
    domain::{actor::Actor, ids::CaseId},
    engine::{CaseView, Change, Engine, Failure, WatchFilter, WatchToken},
    store::Version,
};

use super::judge::Verdict;

type Messages = Pin<Box<dyn Stream<Item = Result<Change, Failure>> + Send>>;
type Beginning = Pin<Box<dyn Future<Output = Result<Messages, Failure>>>>;

enum Line {
    /// Nothing runs: it asks again when it is told to.
    Down,
    Beginning(Beginning),
    Open(Messages),
}

pub struct Console {
    actor: Actor,
    filter: WatchFilter,
    /// The instance that it is, or was last, connected to.
    pub at: usize,
    /// It takes its messages; one that does not is slow.
    pub reads: bool,
    line: Line,
    token: Option<WatchToken>,
    shown: BTreeMap<CaseId, Arc<CaseView>>,
    /// What it was told before it was cut off may have left meanwhile: it may be told that a case left which it never saw.
    resumed: bool,
    /// Everything was told: what is shown is a state.
    whole: bool,
    /// What it was told, for the comparison of two runs.
    pub trace: Vec<String>,
    /// What it was told, by kind.
    pub heard: BTreeMap<&'static str, usize>,
}

impl Console {
    pub fn new(actor: Actor, filter: WatchFilter, at: usize) -> Self {
        let (token, shown, trace, heard) = Default::default();
        let (line, reads, resumed, whole) = (Line::Down, true, false, false);
        Self { actor, filter, at, reads, line, token, shown, resumed, whole, trace, heard }
    }

    /// Connects to an instance, with the last token that it was given.
    pub fn connect(&mut self, at: usize, engine: Engine) {
        let (actor, token, filter) = (self.actor.clone(), self.token.clone(), self.filter.clone());
        self.trace.push(format!("a console connects to {at} with {token:?}"));
        self.at = at;
        (self.resumed, self.whole) = (token.is_some(), false);
        if token.is_none() {
            self.shown.clear();
        }
        self.line = Line::Beginning(Box::pin(async move {
            let messages = engine.watch(&actor, token, filter).await?;
            Ok(Box::pin(messages) as Messages)
        }));
    }

    pub fn is_down(&self) -> bool {
        matches!(self.line, Line::Down)
    }

    /// Takes whatever there is, if it reads; whether there was anything. `durable` is what may be shown.
    pub fn hear(&mut self, durable: &BTreeSet<Version>) -> Result<bool, String> {
        let mut heard = false;
        let mut context = Context::from_waker(Waker::noop());
        loop {
            match &mut self.line {
                Line::Down => return Ok(heard),
                Line::Beginning(beginning) => match beginning.as_mut().poll(&mut context) {
                    Poll::Pending => return Ok(heard),
                    Poll::Ready(Ok(messages)) => self.line = Line::Open(messages),
                    Poll::Ready(Err(_)) => self.line = Line::Down,
                },
                Line::Open(_) if !self.reads => return Ok(heard),
                Line::Open(messages) => match messages.poll_next_unpin(&mut context) {
                    Poll::Pending => return Ok(heard),
                    Poll::Ready(Some(Ok(change))) => self.fold(change, durable)?,
                    Poll::Ready(Some(Err(failure))) => {
                        self.note("end", &failure);
                        if let Failure::TooSlow(token) = failure {
                            self.token = Some(token);
                        }
                        self.line = Line::Down;
                    }
                    Poll::Ready(None) => self.line = Line::Down,
                },
            }
            heard = true;
        }
    }

    fn note(&mut self, kind: &'static str, what: &impl fmt::Debug) {
        self.trace.push(format!("the console at {} hears {kind} {what:?}", self.at));
        *self.heard.entry(kind).or_default() += 1;
    }

    fn fold(&mut self, change: Change, durable: &BTreeSet<Version>) -> Verdict {
        match change {
            Change::Case { view, gone, token } => {
                self.note(if gone { "gone" } else { "case" }, &(view.case.id, view.version, &token));
                self.token = Some(token);
                self.case(view, gone, durable)?;
            }
            Change::SnapshotDone(token) => {
                self.note("snapshot", &token);
                (self.token, self.whole) = (Some(token), true);
            }
            Change::Bookmark(token) => {
                self.note("bookmark", &token);
                (self.token, self.whole) = (Some(token), true);
            }
            Change::Stale(token) => {
                self.note("stale", &token);
                self.token = Some(token);
            }
            Change::Reset(token) => {
                self.note("reset", &token);
                self.token = Some(token);
                self.shown.clear();
                (self.resumed, self.whole) = (false, false);
            }
        }
        Ok(())
    }

    fn case(&mut self, view: Arc<CaseView>, gone: bool, durable: &BTreeSet<Version>) -> Verdict {
        let (id, version) = (view.case.id, view.version);
        if !durable.contains(&version) {
            return Err(format!("12: {id} was shown as {version:?}, which is not durable"));
        }
        let before = self.shown.get(&id).map(|before| before.version);
        if gone {
            let known = self.shown.remove(&id).is_some() || self.resumed;
            return if known { Ok(()) } else { Err(format!("12: {id} was told to have left and was never shown")) };
        }
        if before.is_some_and(|before| before == version) {
            return Err(format!("12: {id} was told twice as {version:?} and nobody said so"));
        }
        if before.is_some_and(|before| before.seq() >= version.seq()) {
            return Err(format!("12: {id} went back from {before:?} to {version:?} and nobody said so"));
        }
        self.shown.insert(id, view);
        Ok(())
    }

    /// What is shown when all is quiet is the list as it is read.
    pub fn compare(&self, list: &[CaseView]) -> Verdict {
        let listed = list.iter().filter(|view| self.filter.shows(&view.case));
        let mut listed: BTreeMap<CaseId, &CaseView> = listed.map(|view| (view.case.id, view)).collect();
        if !self.whole {
            return Err(format!("12: the console at {} was never told that it has everything", self.at));
        }
        for (id, shown) in &self.shown {
            let Some(view) = listed.remove(id) else {
                return Err(format!("12: the console at {} still shows {id}, which is not listed", self.at));
            };
            if (shown.version, &shown.case) != (view.version, &view.case) {
                let (old, new) = (shown.version, view.version);
                return Err(format!("12: the console at {} shows {id} as {old:?}, it is {new:?}", self.at));
            }
        }
        match listed.first_key_value() {
            Some((id, view)) => Err(format!("12: the console at {} misses {id} as {:?}", self.at, view.version)),
            None => Ok(()),
        }
    }
}
