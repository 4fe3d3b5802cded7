//! Which queues a regulator draws from: his stream's, those that ask for what he is versed in, and those of a stream that
//! his stands in for; in a surge both sides of the split.

use std::collections::BTreeSet;

use crate::{
    domain::{
        ids::{PersonId, Skill},
        regulation::{fallback::fallback, qualification::Stream, room::Room},
        territory::Territory,
        time::Instant,
    },
    store::Index,
};

/// A regulator who asks for the next case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Of which stream.
    pub stream: Stream,
    /// What he is versed in, beside what the roster says of him.
    pub skills: BTreeSet<Skill>,
}

impl From<Stream> for Asker {
    fn from(stream: Stream) -> Self {
        Self { stream, skills: BTreeSet::new() }
    }
}

/// The queues that `person`, who asks, draws from: his own stream's first. `former`: skills that cases wait under and that the
/// territory names no longer.
pub(super) fn from(
    (territory, former): (&Territory, &BTreeSet<Skill>),
    room: &Room,
    now: Instant,
    person: &PersonId,
    asker: &Asker,
) -> Vec<Index> {
    let stream = asker.stream;
    let all = &territory.regulation.skills;
    let duty = room.duty_of(person, now);
    let rostered = duty.into_iter().flat_map(|duty| &duty.skills);
    let versed = asker.skills.iter().chain(rostered).filter(|skill| all.contains(*skill));
    let versed: BTreeSet<&Skill> = versed.chain(former).collect();
    let mut indexes = vec![Index::queue(stream.code())];
    let queues_for = |of: Stream, skill: &&Skill| Index::queue_for(of.code(), skill);
    indexes.extend(versed.iter().map(|skill| queues_for(stream, skill)));
    let surge = room.surge_at(now).is_some();
    for other in Stream::ALL.iter().copied().filter(|other| *other != stream) {
        let stands_in = fallback(other, territory.stopped(other, now), room, now).is_some_and(|(by, _)| by == stream);
        let both = [stream, other].iter().all(|side| matches!(side, Stream::Amu | Stream::Snp));
        if stands_in {
            // Nobody of that stream is there: its skills wait for nobody either.
            indexes.extend(of_stream((territory, former), other));
        } else if surge && both {
            indexes.push(Index::queue(other.code()));
            indexes.extend(versed.iter().map(|skill| queues_for(other, skill)));
        }
    }
    indexes
}

/// Every queue of a stream.
pub(super) fn of_stream((territory, former): (&Territory, &BTreeSet<Skill>), stream: Stream) -> Vec<Index> {
    let skills = territory.regulation.skills.union(former).map(|skill| Index::queue_for(stream.code(), skill));
    std::iter::once(Index::queue(stream.code())).chain(skills).collect()
}
