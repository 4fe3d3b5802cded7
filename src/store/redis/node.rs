//! One server: the connections that many callers share, those that one call has to itself, and how the server stands.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, Pipeline, RedisError, RedisResult, Value,
    aio::MultiplexedConnection, cmd, pipe,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::{
    clock::Clock,
    domain::time::Span,
    store::{Durability, Promise},
};

use super::{
    address::Address,
    audit::{Facts, Standing},
    fault::Fault,
    rewrite,
};

/// Connections that all callers share.
pub(super) const SHARED: usize = 3;
/// Calls that may each have a connection to themselves at one time (at D2, where `WAIT` holds its connection).
const OWN: usize = 64;

/// What every server of a store is held to.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub promise: Promise,
    /// Longest time to connect and be told who answers.
    pub hello: Duration,
    pub replica_lag: Span,
    pub max_clock_gap: Span,
    /// Hand-driven, it takes the place of the servers' clocks.
    pub clock: Clock,
    pub clustered: bool,
    /// Where the address names one server, another role is a mistake; elsewhere it passes.
    pub alone: bool,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum NoWay {
    /// Trying again, perhaps elsewhere, may help.
    Passing(String),
    /// It will not.
    Final(String),
}

impl NoWay {
    /// Why, in words.
    pub fn words(self) -> String {
        match self {
            Self::Passing(why) | Self::Final(why) => why,
        }
    }

    fn of(error: &RedisError) -> Self {
        match Fault::of(error) {
            Fault::Mend(why) | Fault::Corrupt(why) => Self::Final(why),
            _ => Self::Passing(error.to_string()),
        }
    }
}

/// One server.
pub(super) struct Node {
    pub name: String,
    info: ConnectionInfo,
    rules: Arc<Rules>,
    shared: [tokio::sync::Mutex<Option<MultiplexedConnection>>; SHARED],
    next: AtomicUsize,
    /// Connections of one call each that wait for their next use.
    idle: Mutex<Vec<MultiplexedConnection>>,
    own: Semaphore,
    standing: Mutex<Standing>,
    /// Process and history that answered last.
    identity: Mutex<Option<String>>,
    /// How often another process or history answered than before.
    lives: AtomicU32,
    /// What was last read of each replica's own settings, by address.
    flushing: Mutex<HashMap<String, bool>>,
}

impl Node {
    pub fn new(info: ConnectionInfo, rules: Arc<Rules>) -> Self {
        Self {
            name: info.addr().to_string(),
            info,
            rules,
            shared: Default::default(),
            next: AtomicUsize::new(0),
            idle: Mutex::default(),
            own: Semaphore::new(OWN),
            standing: Mutex::default(),
            identity: Mutex::default(),
            lives: AtomicU32::new(0),
            flushing: Mutex::default(),
        }
    }

    /// The address of another server of the same kind, as this one would be entered; its own host when none is named.
    pub fn beside(&self, host: Option<&str>, port: u16) -> ConnectionInfo {
        let own = self.name.rsplit_once(':').map_or("", |(host, _)| host);
        Address::at(&self.info, host.unwrap_or(own), port)
    }

    /// How it is entered.
    pub fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    /// Changes when another process or history answers as this server.
    pub fn lives(&self) -> u32 {
        self.lives.load(Ordering::SeqCst)
    }

    pub fn standing(&self) -> Standing {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fewer replicas answered than were counted on.
    pub fn note_answered(&self, replicas: u32) {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        (standing.current, standing.confirmed) = (replicas, false);
    }

    /// Which of the shared connections the next call takes.
    pub fn turn(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed) % SHARED
    }

    /// A shared connection, made when there is none.
    pub async fn shared(&self, turn: usize) -> Result<MultiplexedConnection, NoWay> {
        let mut shared = self.shared[turn].lock().await;
        if let Some(connection) = &*shared {
            return Ok(connection.clone());
        }
        let connection = self.greeted().await?;
        *shared = Some(connection.clone());
        Ok(connection)
    }

    /// The next caller of this turn connects anew.
    pub fn drop_shared(&self, turn: usize) {
        // Whoever holds the lock is connecting anew already.
        if let Ok(mut shared) = self.shared[turn].try_lock() {
            *shared = None;
        }
    }

    /// Every connection is made anew.
    pub fn drop_all(&self) {
        (0..SHARED).for_each(|turn| self.drop_shared(turn));
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A connection for one call that holds it up, as `WAIT` does, and the right to have one.
    pub async fn own(&self) -> Result<(MultiplexedConnection, SemaphorePermit<'_>), NoWay> {
        let permit = self.own.acquire().await.map_err(|_| NoWay::Passing("closing".to_owned()))?;
        Ok((self.unshared().await?, permit))
    }

    /// A connection for one call; it is gone unless it is given back.
    pub async fn unshared(&self) -> Result<MultiplexedConnection, NoWay> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => self.greeted().await,
        }
    }

    /// Keeps an unshared connection for its next use.
    pub fn give_back(&self, connection: MultiplexedConnection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    /// Reads settings and state again. A server that is found unfit gets no call until it is fit again.
    pub async fn audit(&self) -> Result<Facts, NoWay> {
        let facts = async {
            let mut connection = self.shared(0).await?;
            self.look(&mut connection).await
        };
        let facts = facts.await;
        match &facts {
            Ok(_) => {}
            Err(NoWay::Passing(_)) => self.drop_shared(0),
            Err(NoWay::Final(_)) => {
                self.drop_all();
                *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Standing::default();
            }
        }
        facts
    }

    /// In French: what keeps it from the promise, or soon will.
    pub fn remarks(&self, facts: &Facts) -> Vec<String> {
        facts.remarks(&self.rules.promise, self.rules.replica_lag)
    }

    /// A connection whose server has said that it is the right one: its version, role, clock and settings are read before
    /// anything is sent.
    async fn greeted(&self) -> Result<MultiplexedConnection, NoWay> {
        let late =
            |_| NoWay::Passing(format!("{} did not answer within {} ms", self.name, self.rules.hello.as_millis()));
        let mut connection = timeout(self.rules.hello, connect(&self.info, self.rules.hello))
            .await
            .map_err(late)?
            .map_err(|error| NoWay::of(&error))?;
        self.look(&mut connection).await?;
        Ok(connection)
    }

    async fn look(&self, connection: &mut MultiplexedConnection) -> Result<Facts, NoWay> {
        let late =
            || NoWay::Passing(format!("{} did not answer within {} ms", self.name, self.rules.hello.as_millis()));
        let asked = timeout(self.rules.hello, questions().query_async(connection)).await.map_err(|_| late())?;
        let answers: Vec<RedisResult<Value>> = asked.map_err(|error| NoWay::of(&error))?;
        let here = matches!(self.rules.clock, Clock::System).then(|| self.rules.clock.now());
        let mut facts = Facts::of(answers, here).map_err(|error| NoWay::of(&error))?;
        if let Some(why) = facts.unfit(self.rules.clustered, self.rules.max_clock_gap) {
            return Err(NoWay::Final(why));
        }
        if !facts.is_master() {
            let why = "this Redis is a slave; name the master".to_owned();
            return Err(if self.rules.alone { NoWay::Final(why) } else { NoWay::Passing(why) });
        }
        self.note_identity(facts.identity());
        if facts.goes_on_behind_its_file() {
            facts.torn = timeout(3 * self.rules.hello, rewrite::begin(connection, 2 * self.rules.hello))
                .await
                .map_err(|_| late())?;
        }
        if self.rules.promise.level == Durability::D2 {
            self.look_at_replicas(&mut facts).await;
        }
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = Standing::of(&facts, self.rules.replica_lag);
        Ok(facts)
    }

    fn note_identity(&self, now: String) {
        let mut last = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_some_and(|last| *last != now) {
            self.lives.fetch_add(1, Ordering::SeqCst);
        }
        *last = Some(now);
    }

    /// Asks each replica whether it flushes before it acknowledges; one that does not answer is what it last was.
    async fn look_at_replicas(&self, facts: &mut Facts) {
        for replica in &mut facts.replicas {
            let info = Address::at(&self.info, &replica.host, replica.port);
            let name = info.addr().to_string();
            let read = timeout(self.rules.hello / 2, settings_of(&info, self.rules.hello)).await;
            let mut known = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
            match read {
                Ok(Ok(facts)) => match facts.flushes() {
                    Some(flushes) => known.insert(name.clone(), flushes),
                    None => known.remove(&name),
                },
                _ => None,
            };
            replica.flushes = known.get(&name).copied();
        }
    }
}

pub(super) fn questions() -> Pipeline {
    let mut questions = pipe();
    questions.ignore_errors();
    for question in Facts::questions() {
        questions.add_command(question);
    }
    // For whoever looks at CLIENT LIST; it changes nothing when it is refused.
    questions.add_command({
        let mut name = cmd("CLIENT");
        name.arg("SETNAME").arg("sas-dispatch");
        name
    });
    questions
}

async fn settings_of(info: &ConnectionInfo, limit: Duration) -> RedisResult<Facts> {
    let mut connection = connect(info, limit).await?;
    Facts::of(questions().query_async(&mut connection).await?, None)
}

/// Opens a connection without any limit on answers: the crate's own (500 ms) would cut blocked reads, and a deadline
/// stands around every call.
pub(super) async fn connect(info: &ConnectionInfo, limit: Duration) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(Some(limit));
    Client::open(info.clone())?.get_multiplexed_async_connection_with_config(&config).await
}
