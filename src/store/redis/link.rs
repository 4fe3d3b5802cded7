//! The connections: a few that many callers share, and one of its own for each blocked read.
//!
//! One deadline stands around a whole call, connecting included. A call that was never sent is `Unavailable`; one that
//! was sent and not answered is `Unknown`, unless nothing was written by it or its receipt makes sending again safe.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value,
    aio::MultiplexedConnection,
};

use crate::store::{Durability, StoreError};

use super::{
    audit::Facts,
    call::{Call, Effect},
};

/// Connections that all callers share.
const SHARED: usize = 3;
/// How often one call tries to get through, within its deadline.
const ATTEMPTS: u32 = 6;
/// The pause before the second attempt; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// How long a blocked read waits for news.
const PATIENCE: Duration = Duration::from_secs(1);

/// The way to one Redis server.
pub(super) struct Link {
    client: Client,
    deadline: Duration,
    shared: [tokio::sync::Mutex<Option<MultiplexedConnection>>; SHARED],
    next: AtomicUsize,
    /// Connections for blocked reads that wait for their next use.
    idle: Mutex<Vec<MultiplexedConnection>>,
    /// The durability that was last read, as its place in [`LEVELS`].
    level: AtomicU8,
    /// Who answered last, and how often that changed.
    server: Mutex<String>,
    generation: AtomicU64,
}

const LEVELS: [Durability; 5] = [Durability::Unknown, Durability::D0, Durability::D0_5, Durability::D1, Durability::D2];

impl Link {
    pub fn new(client: Client, deadline: Duration) -> Self {
        let (shared, next) = (Default::default(), AtomicUsize::new(0));
        Self {
            client,
            deadline,
            shared,
            next,
            idle: Mutex::default(),
            level: AtomicU8::new(0),
            server: Mutex::default(),
            generation: AtomicU64::new(0),
        }
    }

    /// The durability that the server's settings last promised.
    pub fn level(&self) -> Durability {
        LEVELS[usize::from(self.level.load(Ordering::Relaxed))]
    }

    /// Runs a script.
    pub async fn call(&self, call: &Call) -> Result<Value, StoreError> {
        self.within_deadline(call.effect, Request::Script(call)).await
    }

    /// Runs a command that may be sent twice without harm.
    pub async fn command(&self, command: &Cmd) -> Result<Value, StoreError> {
        self.within_deadline(Effect::None, Request::Command(command)).await
    }

    /// Reads the server's settings again. When they cannot be read, the level is unknown until they can.
    pub async fn audit(&self) -> Result<Facts, StoreError> {
        let facts = match self.command(&Facts::info()).await {
            Ok(info) => Ok(Facts::of(info, self.command(&Facts::settings()).await.ok())),
            Err(error) => Err(error),
        };
        self.note(facts.as_ref().map_or(Durability::Unknown, Facts::level));
        facts
    }

    fn note(&self, level: Durability) {
        let place = LEVELS.iter().position(|known| *known == level).unwrap_or_default();
        self.level.store(u8::try_from(place).unwrap_or_default(), Ordering::Relaxed);
    }

    async fn within_deadline(&self, effect: Effect, request: Request<'_>) -> Result<Value, StoreError> {
        let slot = self.next.fetch_add(1, Ordering::Relaxed) % SHARED;
        let sent = AtomicBool::new(false);
        match tokio::time::timeout(self.deadline, self.attempts(slot, &sent, effect, request)).await {
            Ok(answer) => answer,
            Err(_) => {
                // An answer that is late may mean a peer that is gone: the next caller connects anew.
                self.drop_shared(slot);
                Err(lost(effect, sent.into_inner(), format!("no answer within {} ms", self.deadline.as_millis())))
            }
        }
    }

    async fn attempts(
        &self,
        slot: usize,
        sent: &AtomicBool,
        effect: Effect,
        request: Request<'_>,
    ) -> Result<Value, StoreError> {
        let mut pause = FIRST_PAUSE;
        let mut why = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            let connection = match self.shared(slot).await {
                Ok(connection) => connection,
                Err(Refusal::Final(error)) => return Err(lost_or(effect, sent, error)),
                Err(Refusal::Passing(error)) => {
                    why = error;
                    continue;
                }
            };
            let before = sent.swap(true, Ordering::Relaxed);
            match request.run(connection).await {
                Ok(answer) => return Ok(answer),
                Err(error) if is_loading(&error) => {
                    sent.store(before, Ordering::Relaxed);
                    why = error.to_string();
                }
                Err(error) if is_lost(&error) => {
                    self.drop_shared(slot);
                    why = error.to_string();
                    if effect == Effect::Perhaps {
                        break;
                    }
                }
                Err(error) => return Err(self.refused(slot, &error)),
            }
        }
        Err(lost(effect, sent.load(Ordering::Relaxed), why))
    }

    /// What the server answered instead of running the call.
    fn refused(&self, slot: usize, error: &RedisError) -> StoreError {
        match error.code() {
            Some("ERR" | "WRONGTYPE") | None => StoreError::Corrupt(error.to_string()),
            Some(_) => {
                // READONLY, MASTERDOWN and their like: perhaps no longer the right server.
                self.drop_shared(slot);
                StoreError::Unavailable(error.to_string())
            }
        }
    }

    async fn shared(&self, slot: usize) -> Result<MultiplexedConnection, Refusal> {
        let mut shared = self.shared[slot].lock().await;
        if let Some(connection) = &*shared {
            return Ok(connection.clone());
        }
        let mut connection = self.connect().await.map_err(Refusal::of)?;
        // Another server may have taken its place: its version, role and settings are read before anything is sent.
        let info = Facts::info().query_async(&mut connection).await.map_err(Refusal::of)?;
        let facts = Facts::of(info, Facts::settings().query_async(&mut connection).await.ok());
        facts.check().map_err(Refusal::Final)?;
        self.note(facts.level());
        self.note_server(facts.identity());
        *shared = Some(connection.clone());
        Ok(connection)
    }

    /// Changes with each connection to another process, or to one whose replication history is another.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn note_server(&self, identity: String) {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if *server != identity {
            *server = identity;
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn drop_shared(&self, slot: usize) {
        // Whoever holds the lock is connecting anew already.
        if let Ok(mut shared) = self.shared[slot].try_lock() {
            *shared = None;
        }
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        // The crate's own limit on answers (500 ms) would cut blocked reads; the deadline stands around every call.
        let config =
            AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(Some(self.deadline));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Returns when `log` may hold an entry after `after`, or after about a second. A caller that goes away takes its
    /// connection along.
    pub async fn wait(&self, log: &str, after: u64) -> Result<(), StoreError> {
        let unavailable = |error: RedisError| StoreError::Unavailable(error.to_string());
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut read = Cmd::new();
        read.arg("XREAD").arg("COUNT").arg(1).arg("BLOCK").arg(PATIENCE.as_millis() as u64);
        read.arg("STREAMS").arg(log).arg(format!("{after}-0"));
        let blocked = async {
            let mut connection = match idle {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let _: Value = read.query_async(&mut connection).await?;
            Ok(connection)
        };
        let late = || StoreError::Unavailable("a blocked read was not answered".to_owned());
        let connection = tokio::time::timeout(PATIENCE + self.deadline, blocked).await.map_err(|_| late())?;
        let connection = connection.map_err(unavailable)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(())
    }
}

/// What is asked of the server.
#[derive(Clone, Copy)]
enum Request<'a> {
    Script(&'a Call),
    Command(&'a Cmd),
}

impl Request<'_> {
    async fn run(self, mut connection: MultiplexedConnection) -> RedisResult<Value> {
        let call = match self {
            Self::Command(command) => return command.query_async(&mut connection).await,
            Self::Script(call) => call,
        };
        let mut invocation = call.script.prepare_invoke();
        call.keys.iter().for_each(|key| {
            invocation.key(key);
        });
        call.args.iter().for_each(|arg| {
            invocation.arg(arg.as_slice());
        });
        invocation.invoke_async(&mut connection).await
    }
}

/// Why there is no connection.
enum Refusal {
    /// Trying again may help.
    Passing(String),
    /// It will not.
    Final(StoreError),
}

impl Refusal {
    fn of(error: RedisError) -> Self {
        if is_lost(&error) || is_loading(&error) || error.is_timeout() {
            Self::Passing(error.to_string())
        } else {
            Self::Final(StoreError::Unavailable(error.to_string()))
        }
    }
}

fn is_lost(error: &RedisError) -> bool {
    error.is_connection_dropped() || error.is_io_error()
}

fn is_loading(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading)
}

fn lost(effect: Effect, sent: bool, why: String) -> StoreError {
    if sent && effect != Effect::None { StoreError::Unknown(why) } else { StoreError::Unavailable(why) }
}

/// An error that came on the way back to the server, after a first sending that may have taken effect.
fn lost_or(effect: Effect, sent: &AtomicBool, error: StoreError) -> StoreError {
    match sent.load(Ordering::Relaxed) && effect != Effect::None {
        true => StoreError::Unknown(error.to_string()),
        false => error,
    }
}
