//! The people: real gRPC clients that act as the board of the case lets them, each changing call under one command id until
//! its outcome is known.

mod acts;
mod agents;
mod call;
mod watch;

use std::{collections::VecDeque, sync::Mutex};

pub use agents::play;
pub use call::{Caller, Draft};
pub use watch::{Watcher, list, queues, watch};

use crate::pace::own;

/// Most cases remembered: people work on what is recent, and meet there.
const RECENT: usize = 40;

/// What the actors of a territory tell each other.
#[derive(Debug, Default)]
pub struct Board {
    cases: Mutex<VecDeque<String>>,
    shifts: Mutex<Vec<OnDuty>>,
    slots: Mutex<Vec<(String, String)>>,
}

/// A doctor on duty.
#[derive(Debug, Clone)]
pub struct OnDuty {
    pub shift: String,
    pub doctor: String,
    pub responder: String,
}

impl Board {
    fn opened(&self, case: String) {
        let mut cases = own(&self.cases);
        if cases.contains(&case) {
            return;
        }
        cases.push_front(case);
        cases.truncate(RECENT);
    }

    fn cases(&self) -> Vec<String> {
        own(&self.cases).iter().cloned().collect()
    }

    fn on_duty(&self) -> Vec<OnDuty> {
        own(&self.shifts).clone()
    }
}
