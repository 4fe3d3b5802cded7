//! One instance of the service: the real engine behind the real fence, on its way to the simulated servers.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use sas_dispatch::{
    clock::{Clock, Simulated},
    domain::time::Span,
    engine::{Engine, LookupKey, Options, Place, WatchLimits},
    store::{
        Store,
        fence::{FenceOptions, Fenced, kept::Keeper},
    },
    telemetry::Metrics,
};

use super::net::{Level, Net};
use crate::domain::stage::{THURSDAY, bas_rhin, yonne};

/// The name under which the instances keep what they acknowledged.
pub const KEPT_AS: &str = "simulated";
/// Changed cases in the window that serves the consoles: few, so that slow ones fall behind.
const WINDOW: usize = 4;

pub struct Instance {
    pub engine: Engine,
    pub fence: Arc<Fenced>,
    pub clock: Arc<Simulated>,
    /// By how much its wall clock is off, milliseconds.
    pub skew: i64,
}

impl Instance {
    /// Started for the first time; `kept` is the folder where it keeps across its lives what it acknowledged.
    pub fn new(net: &Net, at: usize, level: Level, kept: Option<&Path>) -> Self {
        Self::over(net, at, level, kept, Arc::new(Simulated::new(THURSDAY)), 0)
    }

    /// Started again after a crash, on the same machine.
    pub fn again(&self, net: &Net, at: usize, level: Level, kept: Option<&Path>) -> Self {
        self.fence.flush();
        Self::over(net, at, level, kept, self.clock.clone(), self.skew)
    }

    fn over(net: &Net, at: usize, level: Level, kept: Option<&Path>, clock: Arc<Simulated>, skew: i64) -> Self {
        let keeper = kept.map(|folder| Keeper::open(folder, KEPT_AS).expect("a folder of our own can be written"));
        // Written when an instance is asked to, or ends: a simulation has no real time.
        let every = Duration::from_secs(86_400);
        let (promised, metrics) = (level.promise(), Metrics::silent());
        let options = FenceOptions { keeper, every, clock: Clock::Simulated(clock.clone()), metrics, promised };
        let fence = Fenced::over(Arc::new(net.port(at)), options);
        // One instance asks nothing again by itself, so that clients have to.
        let patience = if at == 0 { Duration::ZERO } else { Duration::from_secs(1) };
        let watch = WatchLimits { buffer: WINDOW, ..WatchLimits::default() };
        let options = Options { patience, promised, watch, ..Options::default() };
        Self { engine: engine(fence.clone(), Clock::Simulated(clock.clone()), options), fence, clock, skew }
    }

    /// Time passes here as everywhere; `now` is the true time.
    pub fn pass(&self, now: sas_dispatch::domain::time::Instant, span: Span) {
        self.clock.set(now + Span::from_ms(self.skew));
        self.clock.pass(Duration::from_millis(span.ms().unsigned_abs()));
    }
}

/// An engine for the ground on which everything is played.
pub fn engine(store: Arc<dyn Store>, clock: Clock, options: Options) -> Engine {
    let places = [bas_rhin(), yonne()].map(|ground| {
        let (territory, directory) = (ground.0.clone(), ground.1.clone());
        (territory.id.clone(), Arc::new(Place { territory, directory }))
    });
    Engine::new(
        store,
        clock,
        BTreeMap::from(places),
        LookupKey::new(*b"a key for a simulation"),
        Metrics::silent(),
        options,
    )
}
