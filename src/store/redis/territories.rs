//! Which territories have state. No list is kept: a list is apart from what it lists, and a failover could lose one and
//! keep the other. The law knows every territory there can be; each is asked for its head where it would lie.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use ::redis::{Value, cmd};
use futures_util::future::join_all;

use crate::{
    clock::Stopwatch,
    domain::{calendar::law_territories, ids::TerritoryId},
    store::StoreError,
};

use super::{call::Request, link::Link, names::Names};

/// What another instance has begun is found no later.
const FRESH: Duration = Duration::from_secs(10);

/// The territories that are known to have state, and when all were last asked.
#[derive(Default)]
pub(super) struct Territories {
    known: Mutex<BTreeSet<TerritoryId>>,
    asked: tokio::sync::Mutex<Option<Stopwatch>>,
}

impl Territories {
    /// It has state from now on.
    pub fn add(&self, territory: &TerritoryId) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(territory.clone());
    }

    /// All of them, found at most ten seconds late when another instance began one. Those whose server does not answer
    /// are as they were; an error only when none does.
    pub async fn all(&self, link: &Link, names: &Names) -> Result<Vec<TerritoryId>, StoreError> {
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|at| at.elapsed() >= FRESH) {
            self.ask(link, names).await?;
            *asked = Some(Stopwatch::start());
        }
        Ok(self.known.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect())
    }

    async fn ask(&self, link: &Link, names: &Names) -> Result<(), StoreError> {
        let answers = join_all(law_territories().map(|law| async move {
            // The first instance keeps something there before there is any state.
            let mut exists = cmd("HEXISTS");
            exists.arg(names.head(&law.id)).arg("epoch");
            let answer = link.call(&law.id, &Request::of(exists), None).await;
            (law.id, answer)
        }));
        let (mut reached, mut why) = (false, None);
        for (territory, answer) in answers.await {
            match answer {
                Ok(answer) => {
                    reached = true;
                    if answer.value == Value::Int(1) {
                        self.add(&territory);
                    }
                }
                Err(error) => why = Some(error),
            }
        }
        match why {
            Some(error) if !reached => Err(error),
            _ => Ok(()),
        }
    }
}
