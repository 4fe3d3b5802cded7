//! The clients: who calls what, what was acknowledged, and what was refused. Nothing reaches the service but through here.

use std::collections::BTreeMap;

use crate::{
    domain::{actor::Role, time::Instant},
    grpc::{
        client::{Clients, Code, Link, Response, Status},
        pb,
    },
};

use super::dice::Dice;

/// Why the day cannot be played on: a fault of the program, never of a caller.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The service answered what it never should.
    #[error("{rpc}: {code:?}: {message}")]
    Answer {
        /// Which call.
        rpc: &'static str,
        /// Its code.
        code: Code,
        /// Its words.
        message: String,
    },
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl Fault {
    pub(super) fn other(problem: impl std::fmt::Display) -> Self {
        Self::Other(problem.to_string())
    }
}

/// What a call came to: its reply, or nothing when the service refused for a reason of the domain.
pub(super) type Reply<T> = Result<Option<T>, Fault>;

/// An acknowledged command.
#[derive(Debug, Clone)]
pub(super) struct Acknowledged {
    pub(super) command_id: String,
    pub(super) seq: u64,
}

/// Every actor's clients.
#[derive(Debug)]
pub(super) struct Wire {
    link: Link,
    territory: String,
    clients: BTreeMap<(String, &'static str), Clients>,
    ids: Dice,
    /// Calls by name.
    pub(super) rpcs: BTreeMap<&'static str, u64>,
    /// Refusals by name and code.
    pub(super) refused: BTreeMap<String, u64>,
    /// Everything that was acknowledged.
    pub(super) acknowledged: Vec<Acknowledged>,
    /// The last place of the log that an answer named.
    pub(super) seq: u64,
    /// The weakest durability that an acknowledgement named.
    pub(super) durability: Option<pb::Durability>,
}

impl Wire {
    pub(super) fn new(link: Link, territory: &str, seed: u64) -> Self {
        Self {
            link,
            territory: territory.to_owned(),
            clients: BTreeMap::new(),
            ids: Dice::new(seed, "commands"),
            rpcs: BTreeMap::new(),
            refused: BTreeMap::new(),
            acknowledged: Vec::new(),
            seq: 0,
            durability: None,
        }
    }

    /// The services as this person in this role.
    pub(super) fn acting(&mut self, person: &str, role: Role) -> Result<Clients, Fault> {
        let key = (person.to_owned(), role.code());
        if let Some(known) = self.clients.get(&key) {
            return Ok(known.clone());
        }
        let clients = self.link.acting(person, role, &self.territory).map_err(Fault::other)?;
        self.clients.insert(key, clients.clone());
        Ok(clients)
    }

    /// A new command id of this instant.
    pub(super) fn command(&mut self, now: Instant) -> String {
        self.ids.uuid(now).to_string()
    }

    /// Counts a call. A refusal for a reason of the domain is an answer people live with; anything else ends the play.
    pub(super) fn answered<T>(&mut self, rpc: &'static str, result: Result<Response<T>, Status>) -> Reply<T> {
        *self.rpcs.entry(rpc).or_default() += 1;
        match result {
            Ok(response) => Ok(Some(response.into_inner())),
            Err(status) if expected(status.code()) => {
                *self.refused.entry(format!("{rpc} {:?}", status.code())).or_default() += 1;
                Ok(None)
            }
            Err(status) => Err(Fault::Answer { rpc, code: status.code(), message: status.message().to_owned() }),
        }
    }

    /// Keeps what was acknowledged, to ask for it at the end.
    pub(super) fn kept(&mut self, command_id: String, receipt: Option<&pb::Receipt>) -> Result<(), Fault> {
        let receipt = receipt.ok_or_else(|| Fault::other("an acknowledgement without its receipt"))?;
        self.seq = self.seq.max(receipt.seq);
        let weakest = self.durability.map_or(receipt.durability(), |known| known.min(receipt.durability()));
        self.durability = Some(weakest);
        self.acknowledged.push(Acknowledged { command_id, seq: receipt.seq });
        Ok(())
    }
}

/// What the state of a case may answer a person who comes too late.
fn expected(code: Code) -> bool {
    matches!(code, Code::FailedPrecondition | Code::Aborted | Code::NotFound)
}

/// One call as one person: `call!(room, "Qualify", person, Role::Arm, regulation.qualify(request))`.
macro_rules! call {
    ($wire:expr, $name:literal, $person:expr, $role:expr, $service:ident . $method:ident ( $request:expr )) => {{
        let mut clients = $wire.acting($person, $role)?;
        let result = clients.$service.$method($request).await;
        $wire.answered($name, result)
    }};
}
pub(super) use call;
