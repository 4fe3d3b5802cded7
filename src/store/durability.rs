//! How safe an acknowledged write is, what a site promises, and what a transaction does when less can be had.

use std::time::Duration;

use crate::coded_enum;

coded_enum! {
    /// How safe an acknowledged write is; a later one is safer. Unknown is never shown as D1.
    Durability {
        /// A setting could not be read.
        Unknown = "unknown", "inconnue";
        /// Memory only.
        D0 = "D0", "D0 : en mémoire seulement";
        /// Survives a killed process; seconds may be lost with the power (Redis `everysec`).
        D0_5 = "D0.5", "D0,5 : survit à l'arrêt du processus";
        /// Flushed to disk here.
        D1 = "D1", "D1 : sur disque";
        /// Flushed here and on the replicas.
        D2 = "D2", "D2 : sur disque ici et sur les répliques";
    }
}

coded_enum! {
    /// What a transaction does when the promised level cannot be had.
    Policy {
        /// It is never acknowledged below the promised level: refused beforehand, or unknown until it is reached.
        Strict = "strict", "stricte";
        /// It is acknowledged at the level really reached, D1 at least, and an alarm is raised.
        Degraded = "degraded", "dégradée";
        /// It is acknowledged at whatever level is reached, even an unknown one, which its receipt says, and an alarm is
        /// raised: a vital emergency waits for no disk.
        Vital = "vital", "vitale";
    }
}

impl Durability {
    /// Its rung of the ladder, for figures: 0, 0.5, 1 or 2, and -1 when it is unknown.
    pub fn rung(self) -> f64 {
        match self {
            Self::Unknown => -1.0,
            Self::D0 => 0.0,
            Self::D0_5 => 0.5,
            Self::D1 => 1.0,
            Self::D2 => 2.0,
        }
    }
}

/// The level a site promises to its callers, and what it takes to reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// The level; `Unknown` promises nothing.
    pub level: Durability,
    /// How many replicas must have flushed a write before it is called D2; at least 1 for D2.
    pub replicas: u32,
    /// Longest wait for them.
    pub wait: Duration,
}

impl Promise {
    /// Nothing is promised: every level is acknowledged, and said in the receipt.
    pub const NONE: Self = Self { level: Durability::Unknown, replicas: 0, wait: Duration::from_millis(500) };

    /// The least level at which a transaction of this policy may be acknowledged.
    pub fn least(&self, policy: Policy) -> Durability {
        match policy {
            Policy::Strict => self.level,
            Policy::Degraded => self.level.min(Durability::D1),
            Policy::Vital => Durability::Unknown,
        }
    }
}

/// The settings behind [`Durability`], for the start-up audit and for supervisors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurabilityReport {
    /// The level every commit reaches.
    pub level: Durability,
    /// What was read, one fact a line (`appendfsync always`, `maxmemory-policy noeviction`, …); no secrets.
    pub facts: Vec<String>,
    /// In French, one line each: what was read that lowers the level or is about to stop the store, and what to change.
    pub remarks: Vec<String>,
}
