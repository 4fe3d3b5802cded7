//! Who regulates, in memory, fed by the tail of each territory's log: what a claim looks at without a round trip.
//!
//! It is looked at and never guarded: a roster that changed this instant changes which code a claim is recorded with, not
//! who may give care. Who goes on duty is: there the record itself is read and guarded. What memory cannot tell is taken as
//! unknown, so that nobody waits for a roster.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    domain::{
        case::{Command, Event, Fact, Records, apply, transfer::TransferAct},
        ids::{CaseId, TerritoryId},
        regulation::{qualification::Priority, room::Room, split::SplitRules},
    },
    store::{Key, StoreError},
};

use super::{
    Engine, Failure,
    act::Work,
    codec::Entity,
    memory::Known,
    tail::{Follower, Told},
};

/// How long a signature waits for the roster.
const GLANCE: Duration = Duration::from_millis(300);

#[derive(Debug, Default)]
struct Shelf {
    records: Records,
    loaded: bool,
    /// The place of the last event of the room that was told.
    told: u64,
    /// Events told while the record was being read; applied when it was.
    meanwhile: Vec<Event>,
}

/// The rooms that this instance has looked at.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    shelves: Mutex<BTreeMap<TerritoryId, Shelf>>,
    /// Of each territory one fill at a time.
    filling: Mutex<BTreeMap<TerritoryId, Filling>>,
}

type Filling = Arc<tokio::sync::Mutex<()>>;

impl Rooms {
    fn shelves(&self) -> MutexGuard<'_, BTreeMap<TerritoryId, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The room as the log has told it; `None` while it was not read.
    pub(super) fn known(&self, territory: &TerritoryId) -> Option<Room> {
        let shelves = self.shelves();
        shelves.get(territory).filter(|shelf| shelf.loaded).map(|shelf| shelf.records.room.clone().unwrap_or_default())
    }

    fn is_known(&self, territory: &TerritoryId) -> bool {
        self.shelves().get(territory).is_some_and(|shelf| shelf.loaded)
    }

    /// Whether the log has told of no roster and no surge: there is no record of them.
    pub(super) fn without_record(&self, territory: &TerritoryId) -> bool {
        self.shelves().get(territory).is_some_and(|shelf| shelf.loaded && shelf.records.room.is_none())
    }

    fn filling(&self, territory: &TerritoryId) -> Filling {
        let mut filling = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        filling.entry(territory.clone()).or_default().clone()
    }

    /// Takes the record as it was read at `seq`, unless the log has told of the room since: what was told while it was on its
    /// way is newer.
    fn renew(&self, territory: &TerritoryId, room: Option<Room>, seq: u64) {
        let older = |shelf: &&mut Shelf| shelf.loaded && shelf.told <= seq;
        if let Some(shelf) = self.shelves().get_mut(territory).filter(older) {
            shelf.records.room = room;
        }
    }

    fn end(&self, territory: &TerritoryId, room: Option<Room>) {
        if let Some(shelf) = self.shelves().get_mut(territory) {
            shelf.records.room = room;
            shelf.loaded = true;
            for event in std::mem::take(&mut shelf.meanwhile) {
                apply(&mut shelf.records, &event);
            }
        }
    }
}

impl Follower for Rooms {
    fn follow(&self, territory: &TerritoryId, told: &[Told]) {
        let mut shelves = self.shelves();
        let Some(shelf) = shelves.get_mut(territory) else { return };
        for told in told.iter().filter(|told| told.event.facts.iter().any(of_room)) {
            let mut event = Event::clone(&told.event);
            event.facts.retain(of_room);
            shelf.told = told.seq();
            match shelf.loaded {
                true => apply(&mut shelf.records, &event),
                false => shelf.meanwhile.push(event),
            }
        }
    }

    fn reset(&self, territory: &TerritoryId) {
        self.shelves().remove(territory);
    }
}

fn of_room(fact: &Fact) -> bool {
    matches!(fact, Fact::DutyStarted(_) | Fact::DutyEnded { .. } | Fact::SurgeStarted(_) | Fact::SurgeEnded)
}

impl Engine {
    /// Who regulates in a territory, read once and followed from then on. Without an answer of the store it is as if
    /// nobody had been entered.
    pub(super) async fn room(&self, territory: &TerritoryId) -> Room {
        if let Some(room) = self.0.rooms.known(territory) {
            return room;
        }
        Box::pin(self.room_read(territory)).await
    }

    async fn room_read(&self, territory: &TerritoryId) -> Room {
        let filling = self.0.rooms.filling(territory);
        let _alone = filling.lock().await;
        if let Some(room) = self.0.rooms.known(territory) {
            return room;
        }
        self.try_fill_room(territory).await;
        self.0.rooms.known(territory).unwrap_or_default()
    }

    /// Has who regulates in view where it matters to a command.
    pub(super) async fn look_at_room(&self, work: &Work<'_>) {
        let territory = &work.actor.territory;
        match work.command {
            Command::SignNeed(_) | Command::SignAnswer(_) => self.glance_at_room(territory, work.target.case).await,
            // A vital emergency waits a moment for whose it is, and is given to whoever asks where that is not known then.
            Command::AcceptHandOver => self.glance_at_room(territory, None).await,
            _ if looks_at_room(work) => drop(self.room(territory).await),
            _ => {}
        }
    }

    /// Has who regulates read beside a signature, which only notes on whose account its doctor regulated: that waits for it a
    /// moment, and where the case is vital not at all.
    pub(super) async fn glance_at_room(&self, territory: &TerritoryId, case: Option<CaseId>) {
        if !self.0.rooms.is_known(territory) {
            Box::pin(self.read_beside(territory, case)).await;
        }
    }

    async fn read_beside(&self, territory: &TerritoryId, case: Option<CaseId>) {
        let filling = self.0.rooms.filling(territory);
        if let Ok(alone) = filling.clone().try_lock_owned() {
            let (engine, territory) = (self.clone(), territory.clone());
            self.0.tasks.spawn(async move {
                let _alone = alone;
                engine.try_fill_room(&territory).await;
            });
        }
        let vital = match case {
            // What cannot be read now does not wait either.
            Some(case) => self.is_vital(territory, case).await.unwrap_or(true),
            None => false,
        };
        if !vital {
            self.0.clock.within(GLANCE, filling.lock()).await;
        }
    }

    async fn try_fill_room(&self, territory: &TerritoryId) {
        if let Err(failure) = self.fill_room(territory).await {
            tracing::warn!(%territory, %failure, "the roster cannot be read: claims go on without it");
            self.0.rooms.shelves().remove(territory);
        }
    }

    async fn fill_room(&self, territory: &TerritoryId) -> Result<(), Failure> {
        let tail = self.tail(territory).await?;
        self.0.rooms.shelves().insert(territory.clone(), Shelf::default());
        let (room, seq) = self.read_room(territory).await?;
        // Older events over a newer record: right again only once all of them were told.
        tail.follows(seq, self.0.options.watch.silence).await?;
        self.0.rooms.end(territory, room);
        Ok(())
    }

    /// Reads again who regulates: before anything is refused for it.
    pub(super) async fn refresh_room(&self, territory: &TerritoryId) -> Result<(), Failure> {
        let (room, seq) = self.read_room(territory).await?;
        self.0.rooms.renew(territory, room, seq);
        Ok(())
    }

    /// The record as the store has it now.
    pub(super) async fn read_room(&self, territory: &TerritoryId) -> Result<(Option<Room>, u64), StoreError> {
        let key = Key::room();
        let snapshot = self.read_store(territory, std::slice::from_ref(&key), None).await?;
        let record = snapshot.records.get(&key).and_then(Option::as_ref);
        let known = record.map(|record| Known::from_record(&key, record)).transpose()?;
        let room = known.and_then(|known| match known.entity.as_ref() {
            Entity::Room(room) => Some(room.clone()),
            _ => None,
        });
        Ok((room, snapshot.seq))
    }
}

/// Whether who regulates matters to the command. A vital emergency does not wait for it.
fn looks_at_room(work: &Work<'_>) -> bool {
    match work.command {
        Command::Claim | Command::AnswerReorientation { .. } | Command::OpenShift { .. } => true,
        Command::Transfer(act) => matches!(**act, TransferAct::Answer { .. }),
        Command::Qualify(qualify) => {
            qualify.priority != Priority::P0 && work.place.territory.regulation.split != SplitRules::default()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            ids::DutyId,
            regulation::{
                qualification::Stream,
                room::{Affiliation, Duty},
            },
            time::Instant,
        },
        engine::tail::made::told,
    };

    fn started(n: u128) -> Fact {
        let person = |text: &str| text.parse().expect("an id");
        Fact::DutyStarted(Duty {
            id: DutyId(uuid::Uuid::from_u128(n)),
            person: person("regulator-1"),
            stream: Stream::Snp,
            skills: std::collections::BTreeSet::new(),
            affiliation: Affiliation::Liberal,
            from: Instant::from_unix_ms(1_735_200_000_000),
            until: Instant::from_unix_ms(1_735_230_000_000),
            ended: None,
            by: person("supervisor-1"),
        })
    }

    fn duties(rooms: &Rooms) -> Vec<u128> {
        let room = rooms.known(&territory()).expect("it was read");
        room.duties.iter().map(|duty| duty.id.0.as_u128()).collect()
    }

    fn territory() -> TerritoryId {
        "fr-67".parse().expect("an id")
    }

    /// A read that takes long, as of a replica that is behind, answers after the tail has told of what came since.
    #[test]
    fn what_was_read_before_the_log_told_of_the_room_is_not_taken_for_newer() {
        let rooms = Rooms::default();
        rooms.shelves().insert(territory(), Shelf::default());
        rooms.follow(&territory(), &[told(4, vec![started(1)])]);
        assert_eq!(rooms.known(&territory()), None, "its record is not read yet");
        rooms.end(&territory(), None);
        assert_eq!(duties(&rooms), [1], "what was told meanwhile is applied to it");
        rooms.follow(&territory(), &[told(7, vec![started(2)]), told(8, Vec::new())]);
        rooms.renew(&territory(), None, 6);
        assert_eq!(duties(&rooms), [1, 2]);
        let newer = Room::default();
        rooms.renew(&territory(), Some(newer), 7);
        assert_eq!(duties(&rooms), [0; 0], "read at the place of what was told last or after it");
    }
}
