//! The one writer: a thread that takes what has queued up while the disk was busy and commits it as one group.
//!
//! Every answer of a group, a conflict too, leaves after the group's flush: it may tell of what a neighbour in the
//! group wrote, and that must not be seen before it is safe. After a failed flush the engine only reads.

use std::{sync::Arc, thread::JoinHandle};

use redb::{Database, Durability};
use tokio::sync::{mpsc, oneshot};

use crate::{
    clock::Clock,
    domain::ids::TerritoryId,
    store::{Committed, StoreError, Txn},
};

use super::{
    apply::{self, Answer},
    heads::Heads,
    tables,
};

/// Callers that wait for the writer; the next one waits for a place.
const QUEUE: usize = 1_024;
/// Most transactions of one group: bounds the time one caller waits for its neighbours.
const GROUP: usize = 256;

/// A transaction and where its answer goes.
struct Job {
    txn: Txn,
    reply: oneshot::Sender<Answer>,
}

/// The way to the writer thread, which ends when this is dropped.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub fn start(database: Arc<Database>, heads: Arc<Heads>, clock: Clock) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let run = Run { database, heads, clock, broken: None };
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || run.serve(jobs))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Hands `txn` over and waits for its answer. Once handed over it is applied, whether or not the caller stays.
    pub async fn commit(&self, txn: Txn) -> Answer {
        let stopped = || StoreError::Unavailable("the store has stopped".to_owned());
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        let (reply, answer) = oneshot::channel();
        queue.send(Job { txn, reply }).await.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unknown("the store stopped".to_owned())))
    }
}

impl Drop for Writer {
    /// Waits for the last group: the file's lock is free when this returns.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Run {
    database: Arc<Database>,
    heads: Arc<Heads>,
    clock: Clock,
    /// Why nothing is written any more.
    broken: Option<String>,
}

impl Run {
    fn serve(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(next) = jobs.try_recv()
            {
                group.push(next);
            }
            let answers = self.commit(&group);
            for (job, answer) in group.into_iter().zip(answers) {
                // A caller that has gone away repeats its command id to learn the answer.
                let _ = job.reply.send(answer);
            }
        }
    }

    fn commit(&mut self, group: &[Job]) -> Vec<Answer> {
        if let Some(why) = &self.broken {
            return group.iter().map(|_| Err(StoreError::Unavailable(why.clone()))).collect();
        }
        let mut answers = Vec::with_capacity(group.len());
        match self.try_commit(group, &mut answers) {
            Ok(()) => answers,
            Err(error) => self.give_up(group.len(), answers, &error),
        }
    }

    fn try_commit(&self, group: &[Job], answers: &mut Vec<Answer>) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        let mut tables = tables::writing(&transaction)?;
        for job in group {
            answers.push(apply::commit(&mut tables, &job.txn, self.clock.now())?);
        }
        drop(tables);
        let wrote: Vec<(&TerritoryId, u64)> = group
            .iter()
            .zip(&*answers)
            .filter_map(|(job, answer)| Some((&job.txn.territory, written(answer)?)))
            .collect();
        if wrote.is_empty() {
            transaction.abort()?;
            return Ok(());
        }
        transaction.commit()?;
        wrote.into_iter().for_each(|(territory, seq)| self.heads.moved(territory, seq));
        Ok(())
    }

    /// A flush that failed may have reached the disk or not: what was applied is unknown, the rest was never written.
    fn give_up(&mut self, size: usize, answers: Vec<Answer>, error: &redb::Error) -> Vec<Answer> {
        let why = format!("the data file could not be written ({error}); it is read-only until the service restarts");
        tracing::error!(%error, "the embedded store could not write and is read-only from now on");
        let mut all: Vec<Answer> = answers
            .into_iter()
            .map(|answer| match written(&answer) {
                Some(_) => Err(StoreError::Unknown(why.clone())),
                None => Err(StoreError::Unavailable(why.clone())),
            })
            .collect();
        all.resize_with(size, || Err(StoreError::Unavailable(why.clone())));
        self.broken = Some(why);
        all
    }
}

fn written(answer: &Answer) -> Option<u64> {
    match answer {
        Ok(Committed::Done(receipt)) if !receipt.replayed => Some(receipt.seq),
        _ => None,
    }
}
