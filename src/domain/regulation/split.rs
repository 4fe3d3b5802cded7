//! How requests are split between the hospital's regulators (stream AMU) and the liberal ones (stream SNP), as data.
//!
//! The rule of Île-de-France (domain.md §2.3): public road, public places, institutions and what is complex go to a
//! hospital regulator, home and simple to a liberal one; suspended in a surge. It only ever lifts a request from SNP to
//! AMU: what the front line gave to the AMU stays there.

use serde::{Deserialize, Serialize};

use super::qualification::{Flag, Stream};

/// What a territory sends to its hospital regulators.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SplitRules {
    /// Kinds of place (HubSante.lieu), each by its code or the beginning of it (`L02`: road and transport).
    pub places: Vec<String>,
    /// Motives (HubSante.motif), by code or the beginning of it.
    pub motives: Vec<String>,
    /// Flags that make a request complex.
    pub flags: Vec<Flag>,
}

/// What the split made of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Split {
    /// Lifted to the AMU by the rule named here (`place L02`, `motive M01`, `flag INFANT`).
    Lifted(String),
    /// The rule named here would have lifted it, and is suspended by a surge.
    Suspended(String),
}

impl Split {
    /// The rule that fits.
    pub fn rule(&self) -> &str {
        match self {
            Self::Lifted(rule) | Self::Suspended(rule) => rule,
        }
    }
}

impl SplitRules {
    /// The first rule that sends such a request to a hospital regulator.
    pub fn hospital(&self, place: Option<&str>, motive: Option<&str>, flags: &[Flag]) -> Option<String> {
        let begins = |rules: &[String], code: Option<&str>| {
            let code = code?;
            rules.iter().find(|rule| code.starts_with(rule.as_str())).cloned()
        };
        let flag = || self.flags.iter().find(|flag| flags.contains(flag));
        begins(&self.places, place)
            .map(|rule| format!("place {rule}"))
            .or_else(|| begins(&self.motives, motive).map(|rule| format!("motive {rule}")))
            .or_else(|| flag().map(|flag| format!("flag {}", flag.code())))
    }
}

/// The stream of a request that the front line gave to `stream`, and what the split did, when a `rule` is found for it.
pub fn split(stream: Stream, rule: Option<String>, surge: bool) -> (Stream, Option<Split>) {
    match (stream, rule) {
        (Stream::Snp, Some(rule)) if surge => (stream, Some(Split::Suspended(rule))),
        (Stream::Snp, Some(rule)) => (Stream::Amu, Some(Split::Lifted(rule))),
        (stream, _) => (stream, None),
    }
}
