//! One territory: its calendar, its communes and sectors, and the rules its medical board sets.
//!
//! Decides which sector of permanence a commune lies in (R6315-1 CSP, last paragraph; R6315-6) and holds, as data, what
//! the law leaves to the regional rules and the local convention: delays by priority, protocols by which an ARM may send
//! straight to a coordinator (D6311-35 CSP), and the order in which responders are tried. Nothing here knows a responder.

mod communes;
mod deferral;
mod number_form;
mod referral;
mod regulation_policy;
mod routing_policy;
mod sectors;

use std::{collections::BTreeMap, sync::Arc};

pub use communes::Commune;
pub use deferral::Deferral;
pub use number_form::{BadForm, NumberForm};
pub use referral::{NationalRecord, ReferralPolicy};
pub use regulation_policy::{
    ActionDeadlines, DatedProtocol, LeaseSpans, MOST_SKILLS, RegulationPolicy, RepeatPolicy, Unrostered,
};
pub use routing_policy::{RouteCategory, RoutingPolicy};
pub use sectors::{SectorAssignment, SectorBand, Sectors};

pub use super::digest::digest;

use super::{
    calendar::{CalendarPolicy, CalendarRules, Legal, OutOfYears, UnknownTerritory, law_territory, period_at},
    ids::{SectorId, TerritoryId},
    place::InseeCode,
    regulation::{advice::AdviceList, protocols::Book, qualification::Stream},
    time::Instant,
};

/// The rules in force, as every decision, refusal and choice records them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleVersion {
    /// The name the territory's board gives its rules, or `loi` for a territory without a folder.
    pub name: String,
    /// SHA-256 of the whole configuration of the territory, 64 hexadecimal digits.
    pub digest: String,
}

impl RuleVersion {
    /// As every decision, refusal and choice records it: the name, `@` and the first twelve digits.
    pub fn text(&self) -> String {
        let digits = self.digest.get(..12).unwrap_or(&self.digest);
        [&self.name, "@", digits].concat()
    }
}

/// One territory and its rules.
#[derive(Debug, Clone)]
pub struct Territory {
    /// `fr-67`.
    pub id: TerritoryId,
    /// French name.
    pub name: String,
    /// Legal periods.
    pub calendar: CalendarRules,
    /// Communes by INSEE code; empty without a folder.
    pub communes: BTreeMap<InseeCode, Commune>,
    /// Sectors of permanence; empty without a folder.
    pub sectors: Sectors,
    /// Delays, leases, deadlines, protocols.
    pub regulation: RegulationPolicy,
    /// Triage protocols; none without a folder.
    pub book: Arc<Book>,
    /// Sentences a doctor picks; none without a folder.
    pub advice: Arc<AdviceList>,
    /// Order of search, offers, holds and distances.
    pub routing: RoutingPolicy,
    /// Which rules these are.
    pub version: RuleVersion,
    /// Whether a configuration folder stands behind it. Without one every source of supply is "not connected".
    pub configured: bool,
}

impl Territory {
    /// A territory without a folder: the law's calendar and the defaults, no commune, no sector.
    ///
    /// # Errors
    /// When the law knows no such territory; the message names those it knows.
    pub fn from_law(id: &TerritoryId) -> Result<Self, UnknownTerritory> {
        let law = law_territory(id)?;
        Ok(Self {
            id: id.clone(),
            name: law.name.to_owned(),
            calendar: CalendarRules::new(&law, CalendarPolicy::default()),
            communes: BTreeMap::new(),
            sectors: Sectors::default(),
            regulation: RegulationPolicy::default(),
            book: Arc::default(),
            advice: Arc::default(),
            routing: RoutingPolicy::default(),
            version: RuleVersion { name: "loi".into(), digest: digest([format!("loi {id}").as_bytes()]) },
            configured: false,
        })
    }

    /// The legal period here at `at`.
    ///
    /// # Errors
    /// When the local year is outside 2000 to 2099.
    pub fn period_at(&self, at: Instant) -> Result<Legal, OutOfYears> {
        period_at(&self.calendar, at)
    }

    /// Whether the territory has scheduled no regulation of `stream` at `at`.
    pub fn stopped(&self, stream: Stream, at: Instant) -> bool {
        let zone = self.calendar.zone();
        self.regulation.stops.iter().any(|stop| stop.covers(stream, zone, at))
    }

    /// The sector of permanence of a commune in the period `legal`; `None` where nobody is on duty (zone blanche) or no
    /// sector is configured.
    pub fn sector_of(&self, commune: InseeCode, legal: &Legal) -> Option<&SectorId> {
        self.sectors.sector_of(commune, SectorBand::of(legal), legal.date)
    }
}
