//! The order in which waiting cases are regulated: class, then due, then arrival (design.md §3, invariant 8).
//!
//! Ageing happens only inside a class: a P2 never overtakes a P1, however late. The stored score says the first two, and
//! a case id, which sorts by arrival, says the third.

use std::cmp::Ordering;

use crate::domain::{ids::CaseId, time::Instant};

use super::qualification::Priority;

/// A case that waits, as far as its order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its priority.
    pub priority: Priority,
    /// Until when it should be regulated.
    pub due: Instant,
    /// Its id, which sorts by arrival.
    pub case: CaseId,
}

/// The class of a priority: smaller is first.
pub const fn class(priority: Priority) -> i64 {
    match priority {
        Priority::P0 => 0,
        Priority::P1 => 1,
        Priority::P2 => 2,
        Priority::P3 => 3,
        Priority::NotRegulated => 4,
    }
}

/// Who is regulated first.
pub fn order(a: &Waiting, b: &Waiting) -> Ordering {
    // 1. Class: P1 before P2 before P3, always.
    class(a.priority)
        .cmp(&class(b.priority))
        // 2. Due: the earliest first inside a class.
        .then(a.due.cmp(&b.due))
        // 3. Arrival: among equals, who came first.
        .then(a.case.cmp(&b.case))
}

/// The stored score of (class, due): class · 2^42 + due in milliseconds, exact in a double; holds until the year 2109.
pub fn score(priority: Priority, due: Instant) -> i64 {
    class(priority) * CLASS + due.unix_ms().clamp(0, CLASS - 1)
}

/// The scores of one class: from the first, to the second not included.
pub const fn class_bounds(priority: Priority) -> (i64, i64) {
    (class(priority) * CLASS, (class(priority) + 1) * CLASS)
}

const CLASS: i64 = 1 << 42;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn waiting() -> impl Strategy<Value = Waiting> {
        (0..5_usize, 1_700_000_000_000..1_700_000_000_005_i64, any::<u128>()).prop_map(|(priority, due, id)| Waiting {
            priority: Priority::ALL[priority],
            due: Instant::from_unix_ms(due),
            case: CaseId(Uuid::from_u128(id)),
        })
    }

    proptest! {
        #[test]
        fn the_stored_score_orders_as_the_comparator_does(a in waiting(), b in waiting()) {
            let stored = |w: &Waiting| (score(w.priority, w.due), w.case.to_string());
            prop_assert_eq!(order(&a, &b), stored(&a).cmp(&stored(&b)));
        }

        #[test]
        fn a_p2_never_overtakes_a_p1_however_late(late_by in 0..1_000_000_000_i64, id in any::<u128>()) {
            let at = Instant::from_unix_ms(1_735_200_000_000);
            let case = CaseId(Uuid::from_u128(id));
            let late_p2 = Waiting { priority: Priority::P2, due: Instant::from_unix_ms(at.unix_ms() - late_by), case };
            let fresh_p1 = Waiting { priority: Priority::P1, due: at, case };
            prop_assert_eq!(order(&fresh_p1, &late_p2), Ordering::Less);
        }
    }
}
