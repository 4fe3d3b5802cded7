//! Time that a simulation drives: a wall clock that may be off, and pauses that end when enough has been let pass.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use crate::domain::time::Instant;

/// One process's time. What the wall clock says and how much time has passed are told apart: a clock may be set.
#[derive(Debug)]
pub struct Simulated {
    wall_ms: AtomicI64,
    passed: Mutex<Passed>,
}

#[derive(Debug, Default)]
struct Passed {
    uptime: Duration,
    waiting: Vec<Waker>,
}

impl Simulated {
    /// A clock that says `wall`; nothing has passed yet.
    pub fn new(wall: Instant) -> Self {
        Self { wall_ms: AtomicI64::new(wall.unix_ms()), passed: Mutex::default() }
    }

    fn passed(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the wall clock, forward or back; nobody who waits is any nearer.
    pub fn set(&self, wall: Instant) {
        self.wall_ms.store(wall.unix_ms(), Ordering::SeqCst);
    }

    /// Lets `span` pass for everybody who waits; the wall clock stays as it was set.
    pub fn pass(&self, span: Duration) {
        let mut passed = self.passed();
        passed.uptime += span;
        let waiting = std::mem::take(&mut passed.waiting);
        drop(passed);
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(super) fn now(&self) -> Instant {
        Instant::from_unix_ms(self.wall_ms.load(Ordering::SeqCst))
    }

    pub(super) fn uptime(&self) -> Duration {
        self.passed().uptime
    }

    pub(super) async fn sleep(&self, span: Duration) {
        let end = self.uptime() + span;
        std::future::poll_fn(|context| {
            let mut passed = self.passed();
            if passed.uptime >= end {
                return Poll::Ready(());
            }
            passed.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
