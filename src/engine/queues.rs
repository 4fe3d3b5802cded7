//! The front of one queue, as this instance knows it from its own commits, the answers of conflicts and pages it has
//! read. It proposes whom to claim next; the guard of the claim says whether it was right, and who is first if not.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::store::{Member, Score};

/// Most entries of one queue that are kept: whoever stands further back is read when it is his turn.
pub(super) const FRONT: usize = 512;

/// Where a case stands in a queue.
pub(super) type Place = (Score, Member);

/// The front of a queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeSet<Place>,
    scores: HashMap<Member, Score>,
    /// Claims that are under way here: the next regulator is not sent after the same case.
    under_way: HashSet<Member>,
    /// Nobody stands behind the last that is known.
    whole: bool,
}

impl Queue {
    /// A page from the start of the queue; `whole` when it was all of it.
    pub(super) fn fill(&mut self, page: Vec<Place>, whole: bool) {
        self.whole = whole;
        self.scores = page.iter().map(|(score, member)| (member.clone(), *score)).collect();
        self.waiting = page.into_iter().collect();
    }

    /// Somebody waits, or waits elsewhere.
    pub(super) fn add(&mut self, score: Score, member: &Member) {
        self.take_out(member);
        let place = (score, member.clone());
        // Between the last that is known and a place behind it there may be others.
        if !self.whole && self.waiting.last().is_some_and(|last| *last < place) {
            return;
        }
        self.scores.insert(member.clone(), score);
        self.waiting.insert(place);
        if self.waiting.len() > FRONT
            && let Some((_, last)) = self.waiting.pop_last()
        {
            self.scores.remove(&last);
            self.whole = false;
        }
    }

    /// Somebody no longer waits.
    pub(super) fn remove(&mut self, member: &Member) {
        self.take_out(member);
        self.under_way.remove(member);
    }

    /// The head is `place`: whoever stood before has gone. Without a place the head is not to be claimed, or there is none
    /// (`empty`).
    pub(super) fn begins_with(&mut self, place: Option<Place>, empty: bool) {
        if empty {
            self.fill(Vec::new(), true);
        }
        if let Some(place) = place {
            while self.waiting.first().is_some_and(|first| *first < place) {
                let gone = self.waiting.pop_first();
                if let Some((_, member)) = gone {
                    self.scores.remove(&member);
                }
            }
            self.add(place.0, &place.1);
        }
    }

    /// Up to `most` from the front who are not being claimed here.
    pub(super) fn front(&self, most: usize) -> Vec<Place> {
        let free = self.waiting.iter().filter(|(_, member)| !self.under_way.contains(member));
        free.take(most).cloned().collect()
    }

    /// Notes that a claim is under way; false when one is already.
    pub(super) fn begin(&mut self, member: &Member) -> bool {
        self.under_way.insert(member.clone())
    }

    /// The claim has ended, one way or the other.
    pub(super) fn end(&mut self, member: &Member) {
        self.under_way.remove(member);
    }

    fn take_out(&mut self, member: &Member) {
        if let Some(score) = self.scores.remove(member) {
            self.waiting.remove(&(score, member.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> Member {
        Member(name.to_owned())
    }

    fn names(queue: &Queue) -> Vec<Member> {
        queue.front(9).into_iter().map(|(_, member)| member).collect()
    }

    fn of(places: &[(Score, &str)]) -> Queue {
        let mut queue = Queue::default();
        queue.fill(places.iter().map(|(score, name)| (*score, member(name))).collect(), true);
        queue
    }

    #[test]
    fn the_next_regulator_is_not_sent_after_a_case_that_is_being_claimed() {
        let mut queue = of(&[(1, "a"), (2, "b")]);
        assert!(queue.begin(&member("a")) && !queue.begin(&member("a")));
        assert_eq!(names(&queue), [member("b")]);
        queue.end(&member("a"));
        assert_eq!(names(&queue)[..1], [member("a")]);
    }

    #[test]
    fn whoever_stood_before_the_true_head_has_gone() {
        let mut queue = of(&[(1, "a"), (2, "b"), (4, "d")]);
        queue.begins_with(Some((3, member("c"))), false);
        assert_eq!(names(&queue), [member("c"), member("d")]);
        queue.begins_with(None, true);
        assert!(names(&queue).is_empty());
    }

    #[test]
    fn a_place_behind_what_is_known_is_not_guessed() {
        let mut queue = Queue::default();
        queue.fill(vec![(1, member("a")), (5, member("e"))], false);
        queue.add(9, &member("i"));
        queue.add(3, &member("c"));
        assert_eq!(names(&queue), [member("a"), member("c"), member("e")]);
    }

    #[test]
    fn who_moves_stands_once() {
        let mut queue = of(&[(1, "a"), (2, "b")]);
        queue.add(3, &member("a"));
        assert_eq!(names(&queue), [member("b"), member("a")]);
    }
}
