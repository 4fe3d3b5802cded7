//! One call, from a territory to an answer: within one deadline that stands around looking up, connecting and all
//! attempts.
//!
//! A call that was never sent, or that the server says it did not run, is `Unavailable`; one that was sent and not
//! answered is `Unknown`, unless it writes nothing. A commit is never sent to another server than the one that stood when
//! it began: what the instance remembers must be checked against that server first.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ::redis::{Cmd, RedisResult, Value, aio::MultiplexedConnection, cmd, pipe};
use tokio::time::{sleep, timeout};

use crate::{
    domain::ids::TerritoryId,
    store::{Durability, Promise, StoreError},
};

use super::{
    call::{Effect, Request},
    fault::Fault,
    node::{NoWay, Node},
    route::Router,
};

/// The pause before the second attempt; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(320);
/// Redirections followed at once; beyond, the cluster is given time.
const HOPS: u32 = 5;
/// How long a blocked read waits for news.
const PATIENCE: Duration = Duration::from_secs(1);

/// An answer, and how safe what it rests on is.
#[derive(Debug)]
pub(super) struct Answer {
    pub value: Value,
    /// The level that everything written so far on that server has reached.
    pub level: Durability,
    /// The replicas were waited for, and too few answered.
    pub short: bool,
}

/// The way to the servers.
pub(super) struct Link {
    pub router: Router,
    pub promise: Promise,
    deadline: Duration,
}

/// What became of a call until now, for whoever gives it up.
#[derive(Default)]
struct Trace {
    /// It was sent, and nothing says that it did not run.
    sent: bool,
    at: Option<(Arc<Node>, usize)>,
}

/// Why an attempt ended.
enum Ended {
    /// Nothing was sent by it.
    Before(NoWay),
    /// Another server than at the beginning would have got it.
    Changed,
    With(Fault),
}

impl Link {
    pub fn new(router: Router, promise: Promise, deadline: Duration) -> Self {
        Self { router, promise, deadline }
    }

    /// Runs a call of a territory. With `least`, it is refused beforehand where that level cannot be had.
    pub async fn call(
        &self,
        territory: &TerritoryId,
        request: &Request,
        least: Option<Durability>,
    ) -> Result<Answer, StoreError> {
        let trace = Mutex::new(Trace::default());
        let job = Job { link: self, territory, request, least, trace: &trace };
        match timeout(self.deadline, job.run()).await {
            Ok(answer) => answer,
            Err(_) => {
                // An answer that is late may mean a peer that is gone: the next caller connects anew.
                if let Some((node, turn)) = job.trace().at.take() {
                    node.drop_shared(turn);
                    self.router.suspect(&node);
                }
                Err(job.lost(format!("no answer within {} ms", self.deadline.as_millis())))
            }
        }
    }

    /// Returns when `log` may hold an entry after `after`, or after about a second. A caller that goes away takes its
    /// connection along.
    pub async fn wait(&self, territory: &TerritoryId, log: &str, after: u64) -> Result<(), StoreError> {
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(1).arg("BLOCK").arg(PATIENCE.as_millis() as u64);
        read.arg("STREAMS").arg(log).arg(format!("{after}-0"));
        let blocked = async {
            let node = self.router.owner(territory).await.map_err(|no| (None, no.words()))?;
            let lost = |words: String| (Some(Arc::clone(&node)), words);
            let mut connection = node.unshared().await.map_err(|no| lost(no.words()))?;
            match read.query_async::<Value>(&mut connection).await {
                Ok(_) => {
                    node.give_back(connection);
                    Ok(())
                }
                Err(error) => {
                    if let Fault::Moved(to) = Fault::of(&error) {
                        self.router.moved(territory, &node, &to);
                    }
                    Err(lost(error.to_string()))
                }
            }
        };
        let late = || Err((None, "a blocked read was not answered".to_owned()));
        let ended = timeout(PATIENCE + self.deadline, blocked).await.unwrap_or_else(|_| late());
        ended.map_err(|(node, why)| {
            if let Some(node) = node {
                self.router.suspect(&node);
            }
            StoreError::Unavailable(why)
        })
    }
}

/// One call under way.
struct Job<'a> {
    link: &'a Link,
    territory: &'a TerritoryId,
    request: &'a Request,
    least: Option<Durability>,
    trace: &'a Mutex<Trace>,
}

impl Job<'_> {
    fn trace(&self) -> std::sync::MutexGuard<'_, Trace> {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to say when the call ends without an answer.
    fn lost(&self, why: String) -> StoreError {
        let unknown = self.trace().sent && self.request.effect != Effect::None;
        if unknown { StoreError::Unknown(why) } else { StoreError::Unavailable(why) }
    }

    async fn run(&self) -> Result<Answer, StoreError> {
        let born = self.link.router.generation(self.territory);
        let (mut pause, mut hops) = (FIRST_PAUSE, 0);
        let mut asked: Option<Arc<Node>> = None;
        loop {
            let asking = asked.is_some();
            let node = match asked.take() {
                Some(node) => Ok(node),
                None => self.link.router.owner(self.territory).await,
            };
            let ended = match &node {
                Ok(node) => match self.attempt(node, asking, born).await {
                    Ok(answer) => return Ok(answer),
                    Err(ended) => ended,
                },
                Err(NoWay::Passing(why)) => Ended::Before(NoWay::Passing(why.clone())),
                Err(NoWay::Final(why)) => return Err(self.lost(why.clone())),
            };
            let node = node.ok();
            let at_once = match ended {
                Ended::Changed => return Err(self.lost("another server answers now; it is checked first".to_owned())),
                Ended::With(Fault::Corrupt(why)) => return Err(self.unreadable(why)),
                Ended::With(Fault::Mend(why)) | Ended::Before(NoWay::Final(why)) => return Err(self.lost(why)),
                Ended::With(Fault::Moved(to)) => {
                    node.inspect(|node| self.link.router.moved(self.territory, node, &to));
                    true
                }
                Ended::With(Fault::Asked(to)) => {
                    asked = node.map(|node| self.link.router.at(&node, &to));
                    true
                }
                Ended::With(Fault::Lost(why)) if self.request.effect == Effect::Perhaps => return Err(self.lost(why)),
                Ended::With(Fault::Lost(_) | Fault::NotMaster(_)) | Ended::Before(NoWay::Passing(_)) => {
                    node.inspect(|node| self.link.router.suspect(node));
                    false
                }
                Ended::With(Fault::Again(_) | Fault::NoScript) => false,
            };
            hops += 1;
            if !at_once || hops > HOPS {
                sleep(pause).await;
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
        }
    }

    fn unreadable(&self, why: String) -> StoreError {
        match self.lost(String::new()) {
            StoreError::Unknown(_) => StoreError::Unknown(why),
            _ => StoreError::Corrupt(why),
        }
    }

    /// Sends the call once. Where writes wait for replicas, the call has a connection to itself: `WAIT` speaks of what
    /// its own connection wrote, and holds it up.
    async fn attempt(&self, node: &Arc<Node>, asking: bool, born: u64) -> Result<Answer, Ended> {
        let promise = &self.link.promise;
        if promise.level < Durability::D2 || !self.request.waits {
            let turn = node.turn();
            let mut connection = node.shared(turn).await.map_err(Ended::Before)?;
            self.trace().at = Some((Arc::clone(node), turn));
            self.fit(node, born)?;
            let (value, _) = self.send(&mut connection, asking, 0).await.map_err(|fault| {
                if matches!(fault, Fault::Lost(_)) {
                    node.drop_shared(turn);
                }
                Ended::With(fault)
            })?;
            return Ok(Answer { value, level: node.standing().level, short: false });
        }
        let (mut connection, _permit) = node.own().await.map_err(Ended::Before)?;
        self.trace().at = Some((Arc::clone(node), 0));
        self.fit(node, born)?;
        let standing = node.standing();
        let awaited = match self.request.effect {
            Effect::None => standing.awaited_by_readers(promise),
            _ => standing.awaited(promise),
        };
        let (value, answered) = self.send(&mut connection, asking, awaited).await.map_err(Ended::With)?;
        node.give_back(connection);
        let short = answered < awaited;
        if short {
            node.note_answered(answered);
            self.link.router.recheck();
        }
        let level = if awaited > 0 && !short { Durability::D2 } else { node.standing().level };
        Ok(Answer { value, level, short })
    }

    /// Refuses before the first write what could not be acknowledged, or what must first be checked.
    fn fit(&self, node: &Node, born: u64) -> Result<(), Ended> {
        // The first server of all is no other one.
        if self.request.effect != Effect::None && born > 0 && self.link.router.generation(self.territory) != born {
            return Err(Ended::Changed);
        }
        let reach = node.standing().reach(&self.link.promise);
        match self.least {
            Some(least) if reach < least => {
                // It may be different by now; whoever repeats the call will see.
                self.link.router.recheck();
                let promised = self.link.promise.level;
                let why =
                    format!("writes reach {reach} there now; {promised} is promised, {least} is needed for this one");
                Err(Ended::With(Fault::Mend(why)))
            }
            _ => Ok(()),
        }
    }

    /// Sends the call, and `WAIT` behind it on the same connection; answers how many replicas have it. A server that
    /// does not know the script is given it.
    async fn send(
        &self,
        connection: &mut MultiplexedConnection,
        asking: bool,
        awaited: u32,
    ) -> Result<(Value, u32), Fault> {
        let before = std::mem::replace(&mut self.trace().sent, true);
        let mut answer = self.once(connection, asking, awaited).await;
        if answer == Err(Fault::NoScript)
            && let Some(script) = self.request.script
        {
            answer = match script.load().query_async::<Value>(connection).await {
                Ok(_) => self.once(connection, asking, awaited).await,
                Err(error) => Err(Fault::of(&error)),
            };
        }
        if !matches!(answer, Ok(_) | Err(Fault::Lost(_))) {
            self.trace().sent = before;
        }
        answer
    }

    async fn once(
        &self,
        connection: &mut MultiplexedConnection,
        asking: bool,
        awaited: u32,
    ) -> Result<(Value, u32), Fault> {
        let command = &self.request.command;
        if !asking && awaited == 0 {
            let value = command.query_async(connection).await.map_err(|error| Fault::of(&error))?;
            return Ok((value, 0));
        }
        let mut pipeline = pipe();
        pipeline.ignore_errors();
        if asking {
            pipeline.add_command(cmd("ASKING"));
        }
        pipeline.add_command(command.clone());
        if awaited > 0 {
            pipeline.add_command(wait_for(awaited, self.link.promise.wait));
        }
        let answers: Vec<RedisResult<Value>> =
            pipeline.query_async(connection).await.map_err(|error| Fault::of(&error))?;
        let mut answers = answers.into_iter().skip(usize::from(asking));
        let value = answers.next().unwrap_or(Ok(Value::Nil)).map_err(|error| Fault::of(&error))?;
        let answered = match answers.next() {
            Some(Ok(Value::Int(answered))) => u32::try_from(answered).unwrap_or_default(),
            _ => 0,
        };
        Ok((value, answered))
    }
}

fn wait_for(replicas: u32, limit: Duration) -> Cmd {
    let mut wait = cmd("WAIT");
    wait.arg(replicas).arg(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
    wait
}
