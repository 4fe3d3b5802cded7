//! The logs of several territories told against each other: what each says of a hand-over must fit what the other says, at
//! every instant that both logs cover (`case::transfer` tells who is responsible when).
//!
//! Each log gives two step functions, the case at its sender and the copy at its receiver. Laid side by side they are looked
//! at from one change to the next:
//!
//! | sender's log | receiver's log | found |
//! |---|---|---|
//! | accepted | never opened the copy | [`Discord::NeverOpened`] |
//! | accepted | opened, nobody accepted | [`Discord::NoAnswer`] |
//! | accepted | the copy ended as not its own | [`Discord::Nobody`] |
//! | ended otherwise | its own by the sender's word | [`Discord::TakenBack`] |
//! | waits | its own by the sender's word | [`Discord::Both`] |
//! | worked on | worked on as its own, and one of them was not told | [`Discord::Both`] |
//! | ended otherwise | accepted, and never told | [`Discord::TakenBack`] |
//! | ended | waits, and never told | [`Discord::NotTold`] |
//! | knows nothing of it | works on a copy | [`Discord::NeverSent`] |
//!
//! Two commits in two territories are never one: what one side tells the other may take as long as a silent deadline may.
//! What was never the sender's word is looked at to the second.

mod side;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    coded_enum,
    domain::{
        ids::{CaseId, TerritoryId},
        time::{Instant, Span},
    },
};

use super::{SILENCE_TOLERATED, TOGETHER};
use side::{Held, Sent, Track};

pub use side::Crossings;

coded_enum! {
    /// What two territories tell of one hand-over that does not fit.
    Discord {
        /// Accepted or confirmed there, and the sender's log ended it otherwise.
        TakenBack = "TAKEN_BACK", "accepté là-bas et repris par l'expéditeur";
        /// Recorded as accepted, and there is no copy.
        NeverOpened = "NEVER_OPENED", "cru accepté, jamais ouvert là-bas";
        /// Recorded as accepted, and nobody there had accepted.
        NoAnswer = "NO_ANSWER", "cru accepté, personne n'a accepté là-bas";
        /// Both territories have it, and one of them was not told.
        Both = "BOTH", "deux territoires responsables";
        /// Neither territory has it.
        Nobody = "NOBODY", "aucun territoire responsable";
        /// What the sender's log says did not reach the receiver.
        NotTold = "NOT_TOLD", "décision de l'expéditeur jamais reçue";
        /// A copy of something that the sender's log does not know.
        NeverSent = "NEVER_SENT", "copie inconnue de l'expéditeur";
    }
}

impl Discord {
    /// The number of the rule in design.md §3.
    pub fn rule(self) -> u8 {
        match self {
            Self::NeverOpened | Self::Nobody | Self::NotTold => 2,
            Self::TakenBack | Self::Both => 3,
            Self::NoAnswer | Self::NeverSent => 1,
        }
    }

    /// What is wrong, in words.
    pub fn problem(self) -> &'static str {
        match self {
            Self::TakenBack => "the receiver has it as accepted and the sender's log ended it otherwise",
            Self::NeverOpened => "the sender has it as accepted and the receiver never opened it",
            Self::NoAnswer => "the sender has it as accepted and nobody there had accepted it",
            Self::Both => "both territories have it and one of them was not told",
            Self::Nobody => "the sender has it as the receiver's and the receiver as the sender's",
            Self::NotTold => "the receiver was not told what the sender's log says",
            Self::NeverSent => "the receiver has a copy of what the sender never sent",
        }
    }

    /// How long it may be so.
    fn tolerated(self, sides: (Option<&Sent>, Option<&Held>)) -> Span {
        let unsaid = matches!(sides, (Some(sent), Some(held)) if held.confirmed() && !sent.accepted());
        match self {
            Self::NotTold | Self::NeverSent => SILENCE_TOLERATED,
            Self::TakenBack | Self::Both if !unsaid => SILENCE_TOLERATED,
            _ => TOGETHER,
        }
    }
}

/// What one territory's files tell.
#[derive(Debug, Clone)]
pub struct Log {
    /// Its hand-overs.
    pub crossings: Crossings,
    /// From when on its events are known; none when from the first.
    pub from: Option<Instant>,
    /// Until when they are.
    pub until: Instant,
}

impl Log {
    fn covers(&self, at: Instant) -> bool {
        self.from.is_none_or(|from| from <= at) && at <= self.until
    }
}

/// Something about a hand-over that must never have been so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Torn {
    /// What it is.
    pub kind: Discord,
    /// Whose case it was.
    pub sender: TerritoryId,
    /// To whom it was sent.
    pub receiver: TerritoryId,
    /// The case at its sender.
    pub case: CaseId,
    /// The copy at its receiver.
    pub copy: CaseId,
    /// The entries of both logs after which it was so; 0 where there is none.
    pub seqs: (u64, u64),
    /// Since when.
    pub from: Instant,
    /// Until when; none while the end of one of the logs still had it.
    pub to: Option<Instant>,
}

/// What several logs say of the hand-overs between their territories.
#[derive(Debug, Clone, Default)]
pub struct Between {
    /// Hand-overs of which both logs were there.
    pub judged: usize,
    /// Hand-overs of which the other territory's log is not there, or does not reach to where it would have to.
    pub not_judged: usize,
    /// Everything found, by instant.
    pub findings: Vec<Torn>,
}

/// Tells the hand-overs of several territories against each other.
pub fn between(logs: &BTreeMap<TerritoryId, Log>) -> Between {
    let mut told = Between::default();
    for (territory, log) in logs {
        for (copy, (to, case, sent)) in &log.crossings.sent {
            let other = logs.get(to).filter(|other| other.covers(sent.began()));
            let Some(other) = other else {
                told.not_judged += 1;
                continue;
            };
            told.judged += 1;
            let held = other.crossings.received.get(copy).map(|(.., held)| held);
            let pair = Pair { ids: (territory, to, *case, *copy), sent: Some(sent), held };
            pair.judge(log.until.min(other.until), &mut told.findings);
        }
        for (copy, (from, case, at, held)) in &log.crossings.received {
            match logs.get(from).filter(|sender| sender.covers(*at)) {
                Some(sender) if sender.crossings.sent.contains_key(copy) => {}
                Some(sender) => {
                    told.judged += 1;
                    let pair = Pair { ids: (from, territory, *case, *copy), sent: None, held: Some(held) };
                    pair.judge(log.until.min(sender.until), &mut told.findings);
                }
                None => told.not_judged += 1,
            }
        }
    }
    told.findings.sort_by_key(|torn| (torn.from, torn.copy, torn.kind));
    told
}

/// One hand-over as both logs have it.
struct Pair<'a> {
    ids: (&'a TerritoryId, &'a TerritoryId, CaseId, CaseId),
    sent: Option<&'a Track<Sent>>,
    held: Option<&'a Track<Held>>,
}

impl Pair<'_> {
    /// Looks from one change to the next, as far as both logs reach.
    fn judge(&self, until: Instant, findings: &mut Vec<Torn>) {
        let sent = self.sent.into_iter().flat_map(Track::instants);
        let held = self.held.into_iter().flat_map(Track::instants);
        let changes: BTreeSet<Instant> = sent.chain(held).filter(|at| *at <= until).collect();
        let mut open: Option<(Torn, Span)> = None;
        for at in changes {
            let sent = self.sent.and_then(|track| track.at(at));
            let held = self.held.and_then(|track| track.at(at));
            let sides = (sent.map(|(_, state)| state), held.map(|(_, state)| state));
            let now = discord(sides);
            if let Some((torn, tolerated)) = &mut open
                && Some(torn.kind) == now
            {
                *tolerated = torn.kind.tolerated(sides).min(*tolerated);
                continue;
            }
            close(open.take(), Some(at), at, findings);
            open = now.map(|kind| {
                let seqs = (sent.map_or(0, |(seq, _)| seq), held.map_or(0, |(seq, _)| seq));
                (self.torn(kind, seqs, at), kind.tolerated(sides))
            });
        }
        close(open, None, until, findings);
    }

    fn torn(&self, kind: Discord, seqs: (u64, u64), from: Instant) -> Torn {
        let (sender, receiver, case, copy) = self.ids;
        Torn { kind, sender: sender.clone(), receiver: receiver.clone(), case, copy, seqs, from, to: None }
    }
}

/// Keeps what was so for longer than it may be.
fn close(open: Option<(Torn, Span)>, to: Option<Instant>, until: Instant, findings: &mut Vec<Torn>) {
    if let Some((torn, tolerated)) = open
        && until.since(torn.from) > tolerated
    {
        findings.push(Torn { to, ..torn });
    }
}

/// What does not fit between the two sides as they stand at one instant.
fn discord((sent, held): (Option<&Sent>, Option<&Held>)) -> Option<Discord> {
    let (sent, held) = match (sent, held) {
        (Some(sent), Some(held)) => (sent, held),
        (Some(sent), None) => return sent.handed_on().then_some(Discord::NeverOpened),
        (None, Some(held)) => return (held.open || held.confirmed()).then_some(Discord::NeverSent),
        (None, None) => return None,
    };
    let ended = sent.ended.is_some();
    let known = (sent.accepted() || sent.goes_on) && (held.again || held.goes_on);
    let senders = sent.busy && !sent.handed_on();
    let receivers = held.busy && (held.confirmed() || held.goes_on);
    match () {
        () if sent.handed_on() && held.with_sender => Some(Discord::Nobody),
        () if sent.handed_on() && !held.accepted && held.settled.is_none() && !held.goes_on => Some(Discord::NoAnswer),
        () if held.confirmed() && !sent.accepted() && !known => {
            Some(if ended { Discord::TakenBack } else { Discord::Both })
        }
        () if senders && receivers && !known => Some(Discord::Both),
        () if ended && !sent.accepted() && held.open && held.accepted => Some(Discord::TakenBack),
        () if ended && held.open => Some(Discord::NotTold),
        () => None,
    }
}
