//! What the clients saw: every call with its outcome, in the order of completion.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    sync::Mutex,
};

use sas_dispatch::grpc::pb;
use serde::Serialize;

use crate::pace::{own, unix_ms};

/// How much of a case a reply shows, comparable with what the log tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Shape {
    /// Fencing number, holder, and whether the claim is suspect.
    pub claim: Option<(u64, String, bool)>,
    pub decisions: usize,
    pub answered: usize,
    /// Offers in all, open, accepted.
    pub offers: (usize, usize, usize),
    pub visits: usize,
    /// Actions in all, open.
    pub actions: (usize, usize),
    pub notes: usize,
    /// Hand-overs to other territories: how the last one stands.
    pub sent: (usize, Option<String>),
    /// A hand-over from another territory: whether somebody here has answered, and what its sender has said.
    pub received: Option<(bool, String)>,
}

impl Shape {
    /// Of a case on the wire, as a reader sees it who may see everything.
    pub fn of(view: &pb::CaseView) -> Option<Self> {
        let offers = |status: pb::OfferStatus| view.offers.iter().filter(|offer| offer.status() == status).count();
        let shape = Self {
            claim: view.claim.as_ref().map(|held| (held.claim_no, held.by.clone(), held.suspect_since_unix_ms > 0)),
            decisions: view.decisions.len(),
            answered: view.decisions.iter().filter(|decision| decision.answer.is_some()).count(),
            offers: (view.offers.len(), offers(pb::OfferStatus::Open), offers(pb::OfferStatus::Accepted)),
            visits: view.visits.len(),
            actions: (view.actions.len(), view.actions.iter().filter(|action| action.ended_unix_ms == 0).count()),
            notes: view.notes.len(),
            sent: (view.transfers.len(), view.transfers.last().map(|sent| ending(sent.end()))),
            received: view.received.as_ref().map(|known| (known.answered_unix_ms > 0, ending(known.end()))),
        };
        (!view.sealed).then_some(shape)
    }
}

/// The end of a hand-over as the domain codes it; empty while there is none.
fn ending(end: pb::TransferEnd) -> String {
    let name = end.as_str_name().trim_start_matches("TRANSFER_END_");
    if end == pb::TransferEnd::Unspecified { String::new() } else { name.to_owned() }
}

/// A case as a reply showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub case: String,
    /// The opaque version, in hexadecimal.
    pub version: String,
    /// Absent when the reader may not see everything.
    pub shape: Option<Shape>,
}

impl Shown {
    pub fn of(view: &pb::CaseView) -> Self {
        Self { case: view.case_id.clone(), version: hex(&view.version), shape: Shape::of(view) }
    }
}

/// A slot as a reply showed it, or would have to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownSlot {
    pub slot: String,
    pub responder: String,
    /// `SNP`, as the domain codes it.
    pub kind: String,
    pub start_ms: i64,
    pub end_ms: i64,
    /// `FREE`, `HELD`, `BOOKED` or `WITHDRAWN`.
    pub status: String,
    /// Who has it and under which offer; empty while it is free.
    pub case: String,
    pub offer: String,
    /// 0 unless held.
    pub held_until_ms: i64,
}

impl ShownSlot {
    /// Of a slot on the wire, as a reader sees it who may see everything.
    fn of(slot: &pb::Slot) -> Self {
        Self {
            slot: slot.slot_id.clone(),
            responder: slot.responder_id.clone(),
            kind: slot.kind().as_str_name().trim_start_matches("SLOT_KIND_").to_owned(),
            start_ms: slot.start_unix_ms,
            end_ms: slot.end_unix_ms,
            status: slot.status().as_str_name().trim_start_matches("SLOT_STATUS_").to_owned(),
            case: slot.case_id.clone(),
            offer: slot.offer_id.clone(),
            held_until_ms: slot.held_until_unix_ms,
        }
    }
}

/// The slots of a responder as a reply listed them: the first by their start, as many as are read at one place of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Agenda {
    pub responder: String,
    pub slots: Vec<ShownSlot>,
    /// There may be further ones.
    pub more: bool,
    /// On the wall clock, which says whether a hold has run out.
    pub asked_ms: i64,
    pub answered_ms: i64,
}

impl Agenda {
    /// Just answered.
    pub fn of(responder: String, asked_ms: i64, reply: &pb::ListSlotsResponse) -> Self {
        let slots = reply.slots.iter().map(ShownSlot::of).collect();
        Self { responder, slots, more: !reply.next_page_token.is_empty(), asked_ms, answered_ms: unix_ms() }
    }
}

/// The reply to a changing call that was acknowledged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    pub seq: u64,
    pub at_ms: i64,
    /// `D1`, as the receipt says it.
    pub durability: String,
    pub replayed: bool,
    pub case: Option<String>,
    pub version: Option<String>,
    pub claim_no: Option<u64>,
    pub slot: Option<String>,
    pub shape: Option<Shape>,
    /// The reply shows a vital emergency.
    pub vital: bool,
}

/// What a changing call came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Acknowledged.
    Done(Box<Told>),
    /// Answered that there is nothing to do it to: it must not have taken effect.
    Nothing,
    /// Refused for good: it must not have taken effect.
    Refused { code: String, reason: String },
    /// The caller gave up before it knew.
    Unknown { last: String },
}

/// One changing call, under one command id however often it was repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Op {
    pub process: usize,
    pub kind: &'static str,
    pub territory: String,
    pub person: String,
    pub command_id: String,
    pub case: Option<String>,
    /// The fencing number it was made under.
    pub under_claim: Option<u64>,
    /// It says of itself that it is about a vital emergency, or the screen it was made from did.
    pub vital: bool,
    /// Instances tried, in order.
    pub instances: Vec<usize>,
    pub invoked_us: u64,
    pub completed_us: u64,
    pub outcome: Outcome,
}

impl Op {
    pub fn told(&self) -> Option<&Told> {
        match &self.outcome {
            Outcome::Done(told) => Some(told),
            _ => None,
        }
    }
}

/// One read that was answered. Renewals are told here too: they leave no trace in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Read {
    pub kind: &'static str,
    pub territory: String,
    pub instance: usize,
    pub invoked_us: u64,
    pub completed_us: u64,
    pub at_least_seq: u64,
    pub seq: u64,
    pub cases: Vec<Shown>,
    pub agenda: Option<Agenda>,
    /// Of a renewal: whose claim it says is alive.
    pub renewed: Option<Renewed>,
}

/// A claim that was renewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renewed {
    pub person: String,
    pub case: String,
    pub claim_no: u64,
    /// `D1`, as the reply says it.
    pub durability: String,
}

/// A queue as an instance served it at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Queued {
    pub territory: String,
    /// `SNP`, as the domain codes it.
    pub stream: String,
    pub instance: usize,
    /// The place in the log; none when nothing answered.
    pub seq: Option<u64>,
    /// Who waits, in order.
    pub cases: Vec<String>,
}

/// What a watcher was shown, at its end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Watched {
    pub name: String,
    pub territory: String,
    /// The place in the log it had reached.
    pub seq: u64,
    pub resumed: u64,
    /// How much had been shown when it was told that all that is void.
    pub resets: Vec<usize>,
    /// Every case version that was shown, in order.
    pub shown: Vec<(String, String)>,
    /// What it shows now: case and version.
    pub now: std::collections::BTreeMap<String, String>,
    /// What a fresh list said at the end; absent when nothing answered.
    pub listed: Option<std::collections::BTreeMap<String, String>>,
}

/// What the nemesis did, and when it had healed it and the servers were whole again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Struck {
    pub fault: &'static str,
    pub target: String,
    pub from_us: u64,
    pub healed_us: u64,
}

/// Everything, collected while it happens.
#[derive(Debug, Default)]
pub struct Recorder {
    struck: Mutex<Vec<Struck>>,
    ops: Mutex<Vec<Op>>,
    reads: Mutex<Vec<Read>>,
}

/// Everything, for the checker.
#[derive(Debug, Default, Clone)]
pub struct History {
    pub ops: Vec<Op>,
    pub reads: Vec<Read>,
    pub watched: Vec<Watched>,
    pub queued: Vec<Queued>,
    pub struck: Vec<Struck>,
}

impl Recorder {
    pub fn struck(&self, struck: Struck) {
        own(&self.struck).push(struck);
    }

    pub fn op(&self, op: Op) {
        own(&self.ops).push(op);
    }

    pub fn read(&self, read: Read) {
        own(&self.reads).push(read);
    }

    pub fn history(&self, watched: Vec<Watched>, queued: Vec<Queued>) -> History {
        let (ops, reads) = (own(&self.ops).clone(), own(&self.reads).clone());
        History { ops, reads, watched, queued, struck: own(&self.struck).clone() }
    }
}

impl History {
    /// One JSON document a line.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        for struck in &self.struck {
            writeln!(file, "{}", serde_json::json!({ "struck": struck }))?;
        }
        for op in &self.ops {
            writeln!(file, "{}", serde_json::json!({ "op": op }))?;
        }
        for read in &self.reads {
            writeln!(file, "{}", serde_json::json!({ "read": read }))?;
        }
        for watched in &self.watched {
            writeln!(file, "{}", serde_json::json!({ "watched": watched }))?;
        }
        for queued in &self.queued {
            writeln!(file, "{}", serde_json::json!({ "queued": queued }))?;
        }
        file.flush()
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
