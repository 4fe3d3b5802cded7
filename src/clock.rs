//! The one place that reads time. Everything else is given `now`.

mod simulated;

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::domain::time::Instant;

pub use self::simulated::Simulated;

/// Where `now` comes from: the system, or a hand-driven clock for a played day and for tests.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's wall clock.
    #[default]
    System,
    /// A clock that only moves when told to.
    Manual(Arc<AtomicI64>),
    /// A clock whose pauses, too, only end when told to: a simulation has no real time.
    Simulated(Arc<Simulated>),
}

/// Where [`Clock::uptime`] begins.
static BEGUN: LazyLock<Stopwatch> = LazyLock::new(Stopwatch::start);

impl Clock {
    /// A hand-driven clock that stands at `start`.
    pub fn manual(start: Instant) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(start.unix_ms())))
    }

    /// The present instant.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads time")]
    pub fn now(&self) -> Instant {
        match self {
            Self::System => chrono::Utc::now().into(),
            Self::Manual(ms) => Instant::from_unix_ms(ms.load(Ordering::SeqCst)),
            Self::Simulated(simulated) => simulated.now(),
        }
    }

    /// Moves a manual clock forward to `to`; never back. The system's clock stays what it is.
    pub fn advance_to(&self, to: Instant) {
        if let Self::Manual(ms) = self {
            ms.fetch_max(to.unix_ms(), Ordering::SeqCst);
        }
    }

    /// Time that only goes forward, since some moment of this process: for pauses and limits, whatever the wall clock does.
    pub fn uptime(&self) -> Duration {
        match self {
            Self::System | Self::Manual(_) => BEGUN.elapsed(),
            Self::Simulated(simulated) => simulated.uptime(),
        }
    }

    /// Comes back after `span`.
    pub async fn sleep(&self, span: Duration) {
        match self {
            Self::System | Self::Manual(_) => tokio::time::sleep(span).await,
            Self::Simulated(simulated) => simulated.sleep(span).await,
        }
    }

    /// What `work` comes to within `limit`; `None` when it takes longer.
    pub async fn within<F: Future>(&self, limit: Duration, work: F) -> Option<F::Output> {
        match self {
            Self::System | Self::Manual(_) => tokio::time::timeout(limit, work).await.ok(),
            Self::Simulated(simulated) => tokio::select! {
                biased;
                done = work => Some(done),
                () = simulated.sleep(limit) => None,
            },
        }
    }
}

/// Measures how long work takes, for telemetry and limits of real time only: no rule of care reads it.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The real time since the start; never negative, whatever the wall clock does.
    pub fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}
