//! What will be done when: one heap, ordered by (due, actor, sequence), so that a seed gives one order of acts.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::domain::time::Instant;

use super::acts::Act;

/// Who acts: a desk and a place at it. Only its order matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ActorId(pub(super) Post, pub(super) usize);

/// Where somebody sits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Post {
    /// Agendas and shifts.
    Office,
    /// The telephone exchange.
    Exchange,
    /// Front line.
    Arm,
    /// Emergency doctors.
    Amu,
    /// General practitioners who regulate.
    Snp,
    /// Coordinators.
    Osnp,
    /// Doctors who visit, and their dispatcher.
    Visitor,
    /// Who writes down what came of it.
    Secretary,
}

/// An act and when it is due.
#[derive(Debug)]
struct Entry {
    at: (Instant, ActorId, u64),
    act: Act,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

/// Everything still to come.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

impl Agenda {
    pub(super) fn put(&mut self, due: Instant, actor: ActorId, act: Act) {
        self.sequence += 1;
        self.heap.push(Reverse(Entry { at: (due, actor, self.sequence), act }));
    }

    /// When the next act is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(entry)| entry.at.0)
    }

    pub(super) fn take(&mut self) -> Option<(ActorId, Act)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at.1, entry.act))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_come_by_time_then_actor_then_in_the_order_they_were_put() {
        let at = Instant::from_unix_ms;
        let mut agenda = Agenda::default();
        agenda.put(at(2), ActorId(Post::Exchange, 0), Act::Ring(1));
        agenda.put(at(1), ActorId(Post::Snp, 0), Act::Ring(2));
        agenda.put(at(1), ActorId(Post::Exchange, 0), Act::Ring(3));
        agenda.put(at(1), ActorId(Post::Exchange, 0), Act::Ring(4));
        let mut order = Vec::new();
        while let Some((_, Act::Ring(caller))) = agenda.take() {
            order.push(caller);
        }
        assert_eq!(order, [3, 4, 2, 1]);
    }
}
