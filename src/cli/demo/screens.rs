//! The room's screens: real watch streams. A screen is read until it has shown everything up to a place of the log.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    domain::actor::Role,
    grpc::{
        client::{Status, Streaming},
        pb::{self, watch_event::Event, watch_missions_response::Event as MissionEvent},
    },
};

use super::wire::{Fault, Wire};

/// How long a screen may lag behind, in real time.
const LAG: Duration = Duration::from_secs(20);

/// The list of cases on one screen.
#[derive(Debug)]
pub(super) struct Screen<T> {
    stream: Streaming<T>,
    seq: u64,
    /// What it shows.
    pub(super) cases: BTreeMap<String, pb::CaseView>,
    /// Cases that changed or went since they were last looked at.
    pub(super) touched: Vec<String>,
    /// Messages received.
    pub(super) messages: u64,
}

/// A message that carries a [`pb::WatchEvent`].
pub(super) trait Carries {
    fn event(self) -> Option<pb::WatchEvent>;
}

impl Carries for pb::WatchCasesResponse {
    fn event(self) -> Option<pb::WatchEvent> {
        self.event
    }
}

impl Carries for pb::WatchQueueResponse {
    fn event(self) -> Option<pb::WatchEvent> {
        self.event
    }
}

impl<T: Carries> Screen<T> {
    fn new(stream: Streaming<T>) -> Self {
        Self { stream, seq: 0, cases: BTreeMap::new(), touched: Vec::new(), messages: 0 }
    }

    /// Reads until everything up to `seq` has been shown.
    pub(super) async fn reach(&mut self, seq: u64) -> Result<(), Fault> {
        while self.seq < seq {
            let message = read(&mut self.stream).await?;
            self.messages += 1;
            let message = message.event().ok_or_else(|| Fault::other("a watch sent an empty message"))?;
            match message.event {
                Some(Event::Changed(view)) => {
                    self.touched.push(view.case_id.clone());
                    self.cases.insert(view.case_id.clone(), view);
                }
                Some(Event::GoneCaseId(case)) => {
                    self.cases.remove(&case);
                    self.touched.push(case);
                }
                // Only a mark says that nothing up to its place is still to come.
                Some(Event::SnapshotDone(_) | Event::Bookmark(_)) => self.seq = self.seq.max(message.seq),
                Some(Event::Stale(_)) => {}
                Some(Event::Reset(_)) | None => return Err(Fault::other("a watch lost its place without an outage")),
            }
        }
        Ok(())
    }
}

/// The missions of one structure on its terminal.
#[derive(Debug)]
pub(super) struct Terminal {
    stream: Streaming<pb::WatchMissionsResponse>,
    seq: u64,
    /// Missions by case.
    pub(super) missions: BTreeMap<String, Vec<pb::Mission>>,
    /// Messages received.
    pub(super) messages: u64,
}

impl Terminal {
    /// Reads until everything up to `seq` has been shown.
    pub(super) async fn reach(&mut self, seq: u64) -> Result<(), Fault> {
        while self.seq < seq {
            let message = read(&mut self.stream).await?;
            self.messages += 1;
            match message.event {
                Some(MissionEvent::Change(change)) if change.gone => {
                    self.missions.remove(&change.case_id);
                }
                Some(MissionEvent::Change(change)) => {
                    self.missions.insert(change.case_id, change.missions);
                }
                Some(MissionEvent::SnapshotDone(_) | MissionEvent::Bookmark(_)) => {
                    self.seq = self.seq.max(message.seq);
                }
                Some(MissionEvent::Stale(_)) => {}
                Some(MissionEvent::Reset(_)) | None => {
                    return Err(Fault::other("a terminal lost its place without an outage"));
                }
            }
        }
        Ok(())
    }
}

async fn read<T>(stream: &mut Streaming<T>) -> Result<T, Fault> {
    let message = tokio::time::timeout(LAG, stream.message()).await;
    let message = message.map_err(|_| Fault::other("a watch did not show what was acknowledged"))?;
    message.map_err(broken)?.ok_or_else(|| Fault::other("a watch ended"))
}

fn broken(status: Status) -> Fault {
    Fault::Answer { rpc: "Watch", code: status.code(), message: status.message().to_owned() }
}

/// Every screen of the room.
#[derive(Debug)]
pub(super) struct Screens {
    /// Everything that is open.
    pub(super) room: Screen<pb::WatchCasesResponse>,
    /// What waits for the regulators of each stream.
    pub(super) queues: BTreeMap<i32, Screen<pb::WatchQueueResponse>>,
    /// What visiting structures have to do.
    pub(super) terminals: BTreeMap<String, Terminal>,
}

impl Screens {
    /// Switches them on: `visitors` are the structures that visit, each with one of its doctors.
    pub(super) async fn open(wire: &mut Wire, visitors: &[(String, String)]) -> Result<Self, Fault> {
        let mut lead = wire.acting("cadre-01", Role::Coordinator)?;
        let room = lead.intake.watch_cases(pb::WatchCasesRequest::default()).await.map_err(broken)?;
        let mut queues = BTreeMap::new();
        let mut doctor = wire.acting("regul-ecran", Role::Regulator)?;
        for stream in [pb::Stream::Amu, pb::Stream::Snp, pb::Stream::Psy, pb::Stream::Neonat] {
            let request = pb::WatchQueueRequest { stream: stream.into(), resume_token: Vec::new() };
            let watch = doctor.regulation.watch_queue(request).await.map_err(broken)?;
            queues.insert(stream.into(), Screen::new(watch.into_inner()));
        }
        let mut terminals = BTreeMap::new();
        for (responder, doctor) in visitors {
            let mut terminal = wire.acting(doctor, Role::Responder)?;
            let request = pb::WatchMissionsRequest { responder_id: responder.clone(), resume_token: Vec::new() };
            let stream = terminal.visits.watch_missions(request).await.map_err(broken)?.into_inner();
            terminals.insert(responder.clone(), Terminal { stream, seq: 0, missions: BTreeMap::new(), messages: 0 });
        }
        Ok(Self { room: Screen::new(room.into_inner()), queues, terminals })
    }

    /// Reads every screen up to `seq`.
    pub(super) async fn reach(&mut self, seq: u64) -> Result<(), Fault> {
        self.room.reach(seq).await?;
        for queue in self.queues.values_mut() {
            queue.reach(seq).await?;
        }
        for terminal in self.terminals.values_mut() {
            terminal.reach(seq).await?;
        }
        Ok(())
    }

    /// Messages received on all of them.
    pub(super) fn messages(&self) -> u64 {
        self.room.messages
            + self.queues.values().map(|queue| queue.messages).sum::<u64>()
            + self.terminals.values().map(|terminal| terminal.messages).sum::<u64>()
    }
}
