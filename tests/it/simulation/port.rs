//! The way from an instance to the simulated servers: each call waits until the player moves it.

use std::{fmt, task::Poll};

use async_trait::async_trait;
use sas_dispatch::{
    domain::ids::{CommandId, TerritoryId},
    store::{
        Committed, Durability, DurabilityReport, Index, Key, LogEntry, LookupKept, Member, Page, Score, Snapshot,
        Standing, Store, StoreError, Txn,
    },
};

use super::net::{Answer, Net, Reply, Request};

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum Caller {
    /// An instance, in this life of it.
    Instance(usize, u32),
    Judge,
    Operator,
}

/// One instance's store, or the judge's window.
#[derive(Clone)]
pub struct Port {
    net: Net,
    caller: Caller,
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl Port {
    /// The way of an instance in this life of it.
    pub fn of_instance(net: Net, instance: usize, life: u32) -> Self {
        Self { net, caller: Caller::Instance(instance, life) }
    }

    /// A way that no fault touches and that is answered at once.
    pub fn of_judge(net: Net) -> Self {
        Self { net, caller: Caller::Judge }
    }

    /// The operator's tool, on the primary itself.
    pub fn of_operator(net: Net) -> Self {
        Self { net, caller: Caller::Operator }
    }

    async fn ask(&self, request: Request) -> Answer {
        let (instance, life) = match self.caller {
            Caller::Instance(instance, life) => (instance, life),
            Caller::Judge => return self.net.world().look(&request),
            Caller::Operator => return self.net.world().operate(&request),
        };
        let Some(id) = self.net.world().send(instance, life, request) else {
            return Err(StoreError::Unavailable("this instance was stopped".to_owned()));
        };
        std::future::poll_fn(|context| match self.net.world().hear(id, context.waker()) {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        })
        .await
    }
}

macro_rules! expect {
    ($reply:expr, $kind:ident) => {
        match $reply? {
            Reply::$kind(found) => Ok(found),
            other => unreachable!("{other:?} answers another request"),
        }
    };
}

#[async_trait]
impl Store for Port {
    async fn read(
        &self,
        territory: &TerritoryId,
        keys: &[Key],
        receipt: Option<CommandId>,
    ) -> Result<Snapshot, StoreError> {
        expect!(self.ask(Request::Read(territory.clone(), keys.to_vec(), receipt)).await, Read)
    }

    async fn range(
        &self,
        territory: &TerritoryId,
        index: &Index,
        after: Option<(Score, Member)>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        expect!(self.ask(Request::Range(territory.clone(), index.clone(), after, limit)).await, Range)
    }

    async fn commit(&self, txn: &Txn) -> Result<Committed, StoreError> {
        expect!(self.ask(Request::Commit(Box::new(txn.clone()))).await, Commit)
    }

    async fn log(&self, territory: &TerritoryId, after: u64, limit: usize) -> Result<Vec<LogEntry>, StoreError> {
        expect!(self.ask(Request::Log(territory.clone(), after, limit)).await, Log)
    }

    async fn trim(&self, _: &TerritoryId, _: u64) -> Result<u64, StoreError> {
        Err(StoreError::Unavailable("nothing is trimmed in a simulation".to_owned()))
    }

    async fn wait(&self, territory: &TerritoryId, after: u64) -> Result<(), StoreError> {
        self.ask(Request::Wait(territory.clone(), after)).await.map(|_| ())
    }

    async fn begin(&self, _: &TerritoryId, _: &str, _: bool) -> Result<Standing, StoreError> {
        Ok(Standing { schema: 0, lookup: LookupKept::Same })
    }

    async fn durability(&self) -> Result<DurabilityReport, StoreError> {
        Ok(DurabilityReport { level: Durability::D0, facts: vec!["simulated".to_owned()], remarks: Vec::new() })
    }

    async fn territories(&self) -> Result<Vec<TerritoryId>, StoreError> {
        expect!(self.ask(Request::Territories).await, Territories)
    }

    fn generation(&self, _: &TerritoryId) -> u64 {
        match self.caller {
            Caller::Instance(instance, _) => self.net.world().generation(instance),
            Caller::Judge | Caller::Operator => 0,
        }
    }
}
