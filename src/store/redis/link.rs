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
    call::{AWAITED, Effect, Request, Waiting},
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
    /// What the touch answered that made them wait for all that came before it.
    pub touched: Option<Value>,
}

/// What became of one sending of a call.
struct Sent {
    value: Value,
    /// How many replicas have it; `None` when the server refused the write by which they would be asked.
    answered: Option<u32>,
    touched: Option<Value>,
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
            let mut news = read.query_async::<Value>(&mut connection).await;
            if news == Ok(Value::Nil) {
                news = self.ask_replicas(&node, &mut connection).await.map(|()| Value::Nil);
            }
            match news {
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

    /// A master to which nobody writes and of which nothing is read that is new does not notice that its replicas follow
    /// another one: its readers would wait for news in vain.
    async fn ask_replicas(&self, node: &Node, connection: &mut MultiplexedConnection) -> RedisResult<()> {
        let awaited = node.standing().awaited_by_readers(&self.promise);
        if self.promise.level < Durability::D2 || awaited == 0 {
            return Ok(());
        }
        let answered: u32 = wait_for(awaited, self.promise.wait).query_async(connection).await?;
        if answered < awaited {
            // Nothing was written that a replica lacks: it may only be slow. The audit tells, and no commit is refused for it.
            self.router.recheck();
        }
        Ok(())
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

    /// Sends the call once. Where replicas are waited for, the call has a connection to itself: `WAIT` speaks of what its own
    /// connection wrote (see [`Waiting`]), and holds it up.
    async fn attempt(&self, node: &Arc<Node>, asking: bool, born: u64) -> Result<Answer, Ended> {
        let promise = &self.link.promise;
        if promise.level < Durability::D2 || matches!(self.request.waiting, Waiting::Not) {
            let turn = node.turn();
            let mut connection = node.shared(turn).await.map_err(Ended::Before)?;
            self.trace().at = Some((Arc::clone(node), turn));
            self.fit(node, born)?;
            let sent = self.send(&mut connection, asking, 0).await.map_err(|fault| {
                if matches!(fault, Fault::Lost(_)) {
                    node.drop_shared(turn);
                }
                Ended::With(fault)
            })?;
            return Ok(Answer { value: sent.value, level: node.standing().level, short: false, touched: None });
        }
        let (mut connection, _permit) = node.own().await.map_err(Ended::Before)?;
        self.trace().at = Some((Arc::clone(node), 0));
        self.fit(node, born)?;
        let standing = node.standing();
        let awaited = match self.request.effect {
            Effect::None => standing.awaited_by_readers(promise),
            _ => standing.awaited(promise),
        };
        let Sent { value, answered, touched } =
            self.send(&mut connection, asking, awaited).await.map_err(Ended::With)?;
        let has = match answered {
            Some(answered) => answered,
            None => caught_up(&mut connection).await.map_err(Ended::With)?,
        };
        node.give_back(connection);
        let short = has < awaited;
        if short {
            // A refused write says nothing of the replicas.
            answered.into_iter().for_each(|answered| node.note_answered(answered));
            self.link.router.recheck();
        }
        let level = if awaited > 0 && !short { Durability::D2 } else { node.standing().level };
        Ok(Answer { value, level, short, touched })
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
    async fn send(&self, connection: &mut MultiplexedConnection, asking: bool, awaited: u32) -> Result<Sent, Fault> {
        let before = std::mem::replace(&mut self.trace().sent, true);
        let mut answer = self.once(connection, asking, awaited).await;
        if matches!(answer, Err(Fault::NoScript))
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

    async fn once(&self, connection: &mut MultiplexedConnection, asking: bool, awaited: u32) -> Result<Sent, Fault> {
        let fault = |error: ::redis::RedisError| Fault::of(&error);
        if !asking && awaited == 0 {
            let value = self.request.command.query_async(connection).await.map_err(fault)?;
            return Ok(Sent { value, answered: Some(0), touched: None });
        }
        let (mut command, mut touch) = (self.request.command.clone(), None);
        if awaited > 0 {
            match &self.request.waiting {
                Waiting::Not => {}
                Waiting::Told => drop(command.arg(AWAITED)),
                Waiting::Touching(with) => touch = Some(with.clone()),
            }
        }
        let touching = touch.is_some();
        let mut pipeline = pipe();
        pipeline.ignore_errors();
        for command in [command].into_iter().chain(touch) {
            if asking {
                pipeline.add_command(cmd("ASKING"));
            }
            pipeline.add_command(command);
        }
        if awaited > 0 {
            pipeline.add_command(wait_for(awaited, self.link.promise.wait));
        }
        let answers: Vec<RedisResult<Value>> = pipeline.query_async(connection).await.map_err(fault)?;
        let mut answers = answers.into_iter();
        let mut next = || answers.by_ref().nth(usize::from(asking)).unwrap_or(Ok(Value::Nil));
        let value = next().map_err(fault)?;
        let touched = touching.then(next).transpose();
        let answered = match answers.next() {
            Some(Ok(Value::Int(answered))) => u32::try_from(answered).unwrap_or_default(),
            _ => 0,
        };
        Ok(match touched {
            Ok(touched) => Sent { value, answered: Some(answered), touched },
            Err(_) => Sent { value, answered: None, touched: None },
        })
    }
}

/// How many replicas have said that they have all that this server has. They say so by themselves once a second: soon
/// enough where a write by which to ask them is refused, since then nobody else writes either.
async fn caught_up(connection: &mut MultiplexedConnection) -> Result<u32, Fault> {
    let mut replication = cmd("INFO");
    replication.arg("replication");
    let info: String = replication.query_async(connection).await.map_err(|error| Fault::of(&error))?;
    Ok(u32::try_from(up_to_date(&info)).unwrap_or(u32::MAX))
}

/// Of the replicas in `INFO replication`, those whose last word is of the master's own place.
fn up_to_date(info: &str) -> usize {
    let lines: Vec<(&str, &str)> = info.lines().filter_map(|line| line.split_once(':')).collect();
    let own = lines.iter().find(|(name, _)| *name == "master_repl_offset").and_then(|(_, offset)| number(offset));
    let replicas = lines.iter().filter(|(_, row)| row.contains("state=online"));
    let said = replicas.filter_map(|(_, row)| row.split(',').find_map(|field| field.strip_prefix("offset=")));
    said.filter_map(number).filter(|offset| own.is_some_and(|own| *offset >= own)).count()
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

fn wait_for(replicas: u32, limit: Duration) -> Cmd {
    let mut wait = cmd("WAIT");
    wait.arg(replicas).arg(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
    wait
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_online_replica_that_is_where_its_master_is_has_caught_up() {
        let info = |replicas: &str| format!("# Replication\r\nrole:master\r\n{replicas}master_repl_offset:120\r\n");
        let row = |n: u8, state: &str, offset: u32| {
            format!("slave{n}:ip=127.0.0.1,port=7001,state={state},offset={offset},lag=0\r\n")
        };
        assert_eq!(up_to_date(&info("")), 0);
        assert_eq!(up_to_date(&info(&row(0, "online", 119))), 0);
        assert_eq!(up_to_date(&info(&row(0, "wait_bgsave", 120))), 0);
        assert_eq!(up_to_date(&info(&[row(0, "online", 120), row(1, "online", 90)].concat())), 1);
        assert_eq!(up_to_date("role:slave"), 0);
    }
}
