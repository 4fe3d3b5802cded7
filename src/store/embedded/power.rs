//! The power goes at any write or flush: what was not flushed is there in part, in any order, torn at sectors. Nothing
//! acknowledged may be missing afterwards, and nothing may be half done. A killed process cannot show this: the system's
//! page cache survives it.

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        io,
        sync::{Arc, Mutex, PoisonError},
    };

    use proptest::{collection::vec, prelude::*};
    use redb::{Database, StorageBackend};

    use crate::{
        clock::Clock,
        domain::{ids::TerritoryId, time::Instant},
        store::{
            Committed, Counter, Digest, Guard, Index, Key, Member, Op, Store, StoreError, Txn, due_command,
            embedded::Embedded,
        },
    };

    const SECTOR: usize = 512;
    const START: Instant = Instant::from_unix_ms(1_735_196_400_000);

    #[derive(Debug, Clone)]
    enum Change {
        Length(usize),
        Write(usize, Vec<u8>),
    }

    /// A disk that has a cache: only a flush makes what was written stay.
    #[derive(Debug, Default)]
    struct Disk {
        flushed: Vec<u8>,
        cached: Vec<u8>,
        since_flush: Vec<Change>,
        /// Writes and flushes left until the power goes; none when it stays.
        left: Option<usize>,
    }

    #[derive(Debug, Clone, Default)]
    struct Power(Arc<Mutex<Disk>>);

    impl Change {
        fn apply(&self, image: &mut Vec<u8>) {
            match self {
                Self::Length(length) => image.resize(*length, 0),
                Self::Write(offset, data) => {
                    image.resize(image.len().max(offset + data.len()), 0);
                    image[*offset..offset + data.len()].copy_from_slice(data);
                }
            }
        }
    }

    impl Disk {
        fn step(&mut self, change: Option<Change>) -> io::Result<()> {
            if self.left == Some(0) {
                return Err(io::Error::other("the power is gone"));
            }
            self.left = self.left.map(|left| left - 1);
            match change {
                Some(change) => {
                    change.apply(&mut self.cached);
                    self.since_flush.push(change);
                }
                None => {
                    self.since_flush.drain(..).for_each(|change| change.apply(&mut self.flushed));
                }
            }
            Ok(())
        }

        /// What is found when the power is back: of what was not flushed, the sectors that `luck` kept.
        fn found(&self, luck: &[bool]) -> Vec<u8> {
            let mut image = self.flushed.clone();
            let mut luck = luck.iter().copied().cycle();
            for change in &self.since_flush {
                match change {
                    Change::Length(_) => change.apply(&mut image),
                    Change::Write(offset, data) => {
                        for (n, sector) in data.chunks(SECTOR).enumerate() {
                            if luck.next().unwrap_or_default() {
                                Change::Write(offset + n * SECTOR, sector.to_vec()).apply(&mut image);
                            }
                        }
                    }
                }
            }
            image
        }
    }

    impl Power {
        fn disk(&self) -> std::sync::MutexGuard<'_, Disk> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn with(image: Vec<u8>) -> Self {
            let disk = Disk { flushed: image.clone(), cached: image, ..Disk::default() };
            Self(Arc::new(Mutex::new(disk)))
        }

        fn open(&self) -> Embedded {
            let database = Database::builder().set_cache_size(1 << 20).create_with_backend(self.clone()).unwrap();
            Embedded::over(database, Clock::manual(START)).unwrap()
        }
    }

    impl StorageBackend for Power {
        fn len(&self) -> io::Result<u64> {
            Ok(self.disk().cached.len() as u64)
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            let from = usize::try_from(offset).map_err(io::Error::other)?;
            let disk = self.disk();
            let found = disk.cached.get(from..from + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            out.copy_from_slice(found);
            Ok(())
        }

        fn set_len(&self, length: u64) -> io::Result<()> {
            self.disk().step(Some(Change::Length(usize::try_from(length).map_err(io::Error::other)?)))
        }

        fn sync_data(&self) -> io::Result<()> {
            self.disk().step(None)
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.disk().step(Some(Change::Write(usize::try_from(offset).map_err(io::Error::other)?, data.to_vec())))
        }
    }

    fn territory() -> TerritoryId {
        "fr-67".parse().unwrap()
    }

    /// One intake: a numbered record, a place in a queue, an event.
    fn intake(n: u64) -> Txn {
        let number = Some(Counter::from_stored("number/d"));
        let value = vec![7; usize::try_from(n * 37 % 3_000).unwrap()];
        Txn {
            command: Some((due_command(&format!("intake {n}"), START), Digest::of(b""))),
            schema: 1,
            ops: vec![
                Op::Put { key: Key::from_stored(format!("case/{n}")), value, number },
                Op::IndexAdd(Index::open(), 1, Member(n.to_string())),
            ],
            event: Some(n.to_string().into_bytes()),
            ..Txn::touch(territory(), 1, START)
        }
    }

    /// What was told to callers and must therefore stay.
    #[derive(Debug, Default)]
    struct Told {
        /// (seq, intake) of every acknowledgement.
        acknowledged: Vec<(u64, u64)>,
        /// The greatest seq that a conflict named: it too may tell of what a neighbour in the group wrote.
        head: u64,
    }

    /// Four callers each commit, and meet a conflict in between, until the power goes.
    async fn commit_until_dark(store: Arc<Embedded>, base: u64) -> Told {
        let callers = (0..4).map(|caller| {
            let store = Arc::clone(&store);
            async move {
                let mut told = Told::default();
                for n in 0..12 {
                    let n = base + caller * 100 + n;
                    let guards = vec![Guard::First(Index::open(), None)];
                    let txn = if n % 4 == 3 { Txn { guards, ..intake(n) } } else { intake(n) };
                    match store.commit(&txn).await {
                        Ok(Committed::Done(receipt)) => told.acknowledged.push((receipt.seq, n)),
                        Ok(Committed::Conflict(conflict)) => told.head = told.head.max(conflict.snapshot.seq),
                        Err(StoreError::Unknown(_) | StoreError::Unavailable(_)) => break,
                        other => panic!("{other:?}"),
                    }
                }
                told
            }
        });
        futures_util::future::join_all(callers).await.into_iter().fold(Told::default(), |all, told| all.and(told))
    }

    impl Told {
        fn and(mut self, more: Told) -> Told {
            self.acknowledged.extend(more.acknowledged);
            Told { head: self.head.max(more.head), ..self }
        }
    }

    /// The log is gapless, holds what was acknowledged, and records, index and counter say the same as it.
    async fn check(store: &Embedded, told: &Told) {
        let log = store.log(&territory(), 0, 1_000).await.unwrap();
        let intakes: Vec<u64> = log.iter().map(|e| std::str::from_utf8(&e.event).unwrap().parse().unwrap()).collect();
        assert!(log.iter().zip(1..).all(|(entry, seq)| entry.seq == seq && entry.counts == [seq]), "the log has a gap");
        assert!(log.len() as u64 >= told.head, "a conflict told of what is lost");
        for (seq, n) in &told.acknowledged {
            assert_eq!(intakes.get(usize::try_from(*seq).unwrap() - 1), Some(n), "acknowledged at {seq} and lost");
        }
        let waiting = store.range(&territory(), &Index::open(), None, 1_000).await.unwrap().entries;
        let waiting: BTreeSet<u64> = waiting.iter().map(|(_, member)| member.0.parse().unwrap()).collect();
        assert_eq!(waiting, intakes.iter().copied().collect(), "the index and the log disagree");
        for (entry, n) in log.iter().zip(&intakes) {
            let key = Key::from_stored(format!("case/{n}"));
            let read = store.read(&territory(), std::slice::from_ref(&key), Some(entry.command_id)).await.unwrap();
            assert_eq!(read.records[&key].as_ref().and_then(|record| record.number), Some(entry.seq));
            assert_eq!(read.receipt.map(|receipt| receipt.seq), Some(entry.seq));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_power_cut_at_any_write_loses_nothing_acknowledged(
            cuts in vec((1_usize..160, vec(any::<bool>(), 64)), 1..3),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut power = Power::default();
            let mut told = Told::default();
            runtime.block_on(async {
                let store = power.open();
                store.commit(&Txn::touch(territory(), 0, START)).await.unwrap();
                drop(store);
                for (n, (left, luck)) in cuts.iter().enumerate() {
                    let store = Arc::new(power.open());
                    power.disk().left = Some(*left);
                    told = told.and(commit_until_dark(Arc::clone(&store), n as u64 * 1_000).await);
                    drop(store);
                    let found = power.disk().found(luck);
                    power = Power::with(found);
                    check(&power.open(), &told).await;
                }
            });
        }
    }
}
