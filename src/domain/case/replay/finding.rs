//! What was found: what it is about, which rule it breaks, and from when to when.

use serde::Serialize;

use crate::{coded_enum, domain::time::Instant};

coded_enum! {
    /// What kind of thing must never have been so.
    Kind {
        /// An open case in which nothing was to be done by anybody.
        Unowned = "UNOWNED", "dossier sans responsable";
        /// A deadline passed and no alarm was raised.
        Silent = "SILENT", "échéance passée en silence";
        /// A slot that two cases had, or that was not what its case said.
        Slot = "SLOT", "créneau attribué deux fois ou incohérent";
        /// Two regulators held one case, or somebody acted who did not hold it.
        Holders = "HOLDERS", "deux détenteurs d'un dossier";
        /// A medical request that ended without a doctor's decision.
        NoDoctor = "NO_DOCTOR", "demande médicale terminée sans médecin";
        /// Entries that are missing.
        Gap = "GAP", "trou dans le journal";
        /// A command that stands twice.
        Repeated = "REPEATED", "commande appliquée deux fois";
        /// An event that does not follow from what came before.
        Unfit = "UNFIT", "événement qui ne suit pas";
        /// An event that cannot be read.
        Unreadable = "UNREADABLE", "événement illisible";
        /// A stored record that is not what the log tells.
        Stored = "STORED", "état enregistré différent du journal";
        /// Another rule of the domain.
        Rule = "RULE", "règle enfreinte";
    }
}

impl Kind {
    /// The kind of a broken rule of the domain.
    pub fn of(rule: u8, problem: &str) -> Self {
        match rule {
            2 if problem.contains("no open action") || problem.contains("nobody") => Self::Unowned,
            3 => Self::Holders,
            4 => Self::Slot,
            5 => Self::NoDoctor,
            1 => Self::Unfit,
            _ => Self::Rule,
        }
    }
}

/// Something that must never have been so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its kind.
    pub kind: Kind,
    /// The number of the rule in design.md §3.
    pub rule: u8,
    /// What it concerns: a kind of thing and its id, `log`, or a place in it.
    pub what: String,
    /// What is wrong.
    pub problem: String,
    /// The entries that began and ended it.
    pub seqs: (u64, u64),
    /// Since when.
    pub from: Instant,
    /// Until when; none while the end of the log still had it.
    pub to: Option<Instant>,
}

impl Finding {
    pub(super) fn new(kind: Kind, rule: u8, what: String, problem: String, seqs: (u64, u64), from: Instant) -> Self {
        Self { kind, rule, what, problem, seqs, from, to: None }
    }

    pub(super) fn until(mut self, to: Instant) -> Self {
        self.to = Some(to.max(self.from));
        self
    }

    /// Entries that are missing: from the first of them to the last instant before, and the first after, that is known.
    pub fn gap(first: u64, next: u64, problem: String, from: Instant, to: Instant) -> Self {
        Self::new(Kind::Gap, 1, format!("seq {first}"), problem, (first, next), from).until(to)
    }

    /// A finding about a record as it is stored, not about the log.
    pub fn stored(what: String, problem: String, seq: u64, at: Instant) -> Self {
        Self::new(Kind::Stored, 1, what, problem, (seq, seq), at).until(at)
    }

    /// Seconds it lasted until its end, or until `now`; a part of one counts whole.
    pub fn seconds(&self, now: Instant) -> i64 {
        (self.to.unwrap_or(now).since(self.from).ms() + 999) / 1_000
    }
}
