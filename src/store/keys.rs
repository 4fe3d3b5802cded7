//! Every name in the store, in one place. All are of one territory, whose id is the hash tag of a Redis key.
//!
//! | name | holds | score |
//! |---|---|---|
//! | record `case/<id>` | a case | |
//! | record `slot/<id>` | a slot | |
//! | record `shift/<id>` | a responder's period on duty | |
//! | record `room` | who regulates: the roster, and the last surge | |
//! | record `sheet/<id>` | the sheet of a remarkable patient | |
//! | record `restored` | the epoch that `sas-dispatch restore` last began | |
//! | record `reader/<name>` | how far a reader of the log has come, guarded by its version |
//! | index `queue/<stream>` | cases that wait for a regulator | class · 2^42 + due (ms) |
//! | index `queue/<stream>/<skill>` | those that ask for a skill, until they are late | class · 2^42 + due (ms) |
//! | index `open` | open cases | opened (ms) |
//! | index `unanswered` | cases nobody was left for | since (ms) |
//! | index `handovers` | P0 cases that wait for the AMU | since (ms) |
//! | index `alarms` | cases with an alarm | first alarm (ms) |
//! | index `call/<keyed hash>` | the case of a telephone call | opened (ms) |
//! | index `supply` | all slots not withdrawn | start (ms) |
//! | index `transfers` | cases that were sent to another territory or came from one, while the two still have to tell each other | sent (ms) |
//! | index `leases` | claimed cases | lease end (ms) |
//! | index `claims/<person>` | cases a regulator holds | claimed (ms) |
//! | index `free/<responder>` | free slots | start (ms) |
//! | index `slots/<responder>` | all slots of a responder | start (ms) |
//! | index `published/<responder>/<hour>` | slots of a doctor of his own in one hour, the one published last first | −its turn |
//! | index `offers` | open offers and holds | until (ms) |
//! | index `visits/<sector>` | visits that wait for a doctor or are under way | due (ms) |
//! | index `missions/<responder>` | offers and missions of a responder | since (ms) |
//! | index `shifts` | shifts of responders | end (ms) |
//! | index `timers` | `<kind>/<entity>/<generation>` | due (ms) |
//! | index `repeat/<keyed hash>` | cases of one telephone number, one patient or one address | opened (ms) |
//! | index `sheets` | sheets of remarkable patients | over (ms) |
//! | index `sheet-of/<keyed hash>` | sheets about one INS number, one name and birth date, or one telephone number | over (ms) |
//! | index `over` | closed cases, past slots, shifts and sheets, by the name of their record | when they were over (ms) |
//! | index `cursors` | readers of the log | the last seq read |
//! | counter `number/<local date>` | daily case numbers | |
//!
//! Ids are opaque: no patient data in a key, a member or a score. A member that names a record begins with its id
//! (up to the first `/`); [`Index::head_record`] says which kind of record, so that a conflict can return it.

use std::{borrow::Cow, fmt};

use crate::domain::ids::{CaseId, PersonId, ResponderId, SectorId, SheetId, ShiftId, Skill, SlotId};

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// The name as the engines store it.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// For an engine that reads a name back, and for tests of the contract.
            pub fn from_stored(name: impl Into<String>) -> Self {
                Self(Cow::Owned(name.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// Name of a record.
    Key;
    /// Name of an ordered index.
    Index;
    /// Name of a counter.
    Counter;
}

impl Key {
    fn named(kind: &str, id: impl FnOnce(&mut String)) -> Self {
        let mut name = String::with_capacity(kind.len() + 36);
        name.push_str(kind);
        id(&mut name);
        Self(Cow::Owned(name))
    }

    /// The record of a case.
    pub fn case(id: CaseId) -> Self {
        Self::named("case/", |name| id.append_to(name))
    }

    /// The record of a slot.
    pub fn slot(id: SlotId) -> Self {
        Self::named("slot/", |name| id.append_to(name))
    }

    /// The record of the regulation room.
    pub fn room() -> Self {
        Self(Cow::Borrowed("room"))
    }

    /// The record of where the store stood when it was first found to have gone back behind what was acknowledged.
    pub fn apart() -> Self {
        Self(Cow::Borrowed("apart"))
    }

    /// The record of the last restore.
    pub fn restored() -> Self {
        Self(Cow::Borrowed("restored"))
    }

    /// The record of a shift.
    pub fn shift(id: ShiftId) -> Self {
        Self::named("shift/", |name| id.append_to(name))
    }

    /// The record of the sheet of a remarkable patient.
    pub fn sheet(id: SheetId) -> Self {
        Self(Cow::Owned(format!("sheet/{id}")))
    }

    /// How far the reader `name` has read the log.
    pub fn reader(name: &str) -> Self {
        Self(Cow::Owned(format!("reader/{name}")))
    }
}

impl Index {
    /// What is over and may leave the working set, by the names of the records.
    pub fn over() -> Self {
        Self(Cow::Borrowed("over"))
    }

    /// Cases of `stream` that wait for a regulator.
    pub fn queue(stream: &str) -> Self {
        Self(Cow::Owned(["queue/", stream].concat()))
    }

    /// Cases of a stream that wait for a regulator versed in `skill`.
    pub fn queue_for(stream: &str, skill: &Skill) -> Self {
        Self(Cow::Owned(["queue/", stream, "/", skill.as_str()].concat()))
    }

    /// Whether it is a queue of cases that wait for a regulator.
    pub fn is_queue(&self) -> bool {
        self.0.starts_with("queue/")
    }

    /// Open cases by arrival.
    pub fn open() -> Self {
        Self(Cow::Borrowed("open"))
    }

    /// Cases nobody was left for.
    pub fn unanswered() -> Self {
        Self(Cow::Borrowed("unanswered"))
    }

    /// P0 cases that wait for the AMU's acceptance.
    pub fn handovers() -> Self {
        Self(Cow::Borrowed("handovers"))
    }

    /// Cases of hand-overs between territories that are not over on both sides.
    pub fn transfers() -> Self {
        Self(Cow::Borrowed("transfers"))
    }

    /// Cases with an alarm.
    pub fn alarms() -> Self {
        Self(Cow::Borrowed("alarms"))
    }

    /// All slots not withdrawn.
    pub fn supply() -> Self {
        Self(Cow::Borrowed("supply"))
    }

    /// The case of one telephone call, named by the keyed hash of its reference.
    pub fn call(keyed_hash: &str) -> Self {
        Self(Cow::Owned(["call/", keyed_hash].concat()))
    }

    /// Whether it names the case of one telephone call.
    pub fn is_call(&self) -> bool {
        self.0.starts_with("call/")
    }

    /// Claimed cases by lease end.
    pub fn leases() -> Self {
        Self(Cow::Borrowed("leases"))
    }

    /// Cases a regulator holds.
    pub fn claims(regulator: &PersonId) -> Self {
        Self(Cow::Owned(["claims/", regulator.as_str()].concat()))
    }

    /// Whether it lists what one person has taken on: his shifts, or the cases that he holds.
    pub fn is_of_person(&self) -> bool {
        self.0.starts_with("shifts-of/") || self.0.starts_with("claims/")
    }

    /// Free slots of a responder by start.
    pub fn free(responder: &ResponderId) -> Self {
        Self(Cow::Owned(format!("free/{responder}")))
    }

    /// All slots of a responder by start.
    pub fn slots(responder: &ResponderId) -> Self {
        Self(Cow::Owned(format!("slots/{responder}")))
    }

    /// Slots that lie in one hour (counted from 1970) of a doctor who sees one patient at a time, the one published last first.
    pub fn published(responder: &ResponderId, hour: i64) -> Self {
        Self(Cow::Owned(format!("published/{responder}/{hour}")))
    }

    /// Open offers and holds by deadline.
    pub fn offers() -> Self {
        Self(Cow::Borrowed("offers"))
    }

    /// Visits of a sector that wait for a doctor or are under way.
    pub fn visits(sector: &SectorId) -> Self {
        Self(Cow::Owned(format!("visits/{sector}")))
    }

    /// Offers and missions of a responder.
    pub fn missions(responder: &ResponderId) -> Self {
        Self(Cow::Owned(["missions/", responder.as_str()].concat()))
    }

    /// Shifts by end.
    pub fn shifts() -> Self {
        Self(Cow::Borrowed("shifts"))
    }

    /// A doctor's shifts that have not ended, the one entered last first.
    pub fn shifts_of(doctor: &PersonId) -> Self {
        Self(Cow::Owned(format!("shifts-of/{doctor}")))
    }

    /// Everything that falls due.
    pub fn timers() -> Self {
        Self(Cow::Borrowed("timers"))
    }

    /// How far each reader has read the log: trimming stops at the least of them.
    pub fn cursors() -> Self {
        Self(Cow::Borrowed("cursors"))
    }

    /// Sheets of remarkable patients by the end of their life.
    pub fn sheets() -> Self {
        Self(Cow::Borrowed("sheets"))
    }

    /// Sheets of remarkable patients about one person, named by a keyed hash.
    pub fn sheet_of(keyed_hash: &str) -> Self {
        Self(Cow::Owned(format!("sheet-of/{keyed_hash}")))
    }

    /// Cases of one telephone number, patient or address, named by its keyed hash.
    pub fn repeat(keyed_hash: &str) -> Self {
        Self(Cow::Owned(["repeat/", keyed_hash].concat()))
    }

    /// What the names of the records begin with that this index's members stand for (`case/`); `None` when its members
    /// stand for several kinds of record.
    pub fn record_prefix(&self) -> Option<&'static str> {
        match self.0.split('/').next().unwrap_or_default() {
            "queue" | "open" | "unanswered" | "handovers" | "transfers" | "alarms" | "leases" | "claims" | "visits"
            | "missions" | "repeat" | "call" => Some("case/"),
            "free" | "slots" | "supply" | "published" => Some("slot/"),
            "shifts" | "shifts-of" => Some("shift/"),
            "sheets" | "sheet-of" => Some("sheet/"),
            _ => None,
        }
    }

    /// The record that `head` of this index stands for: the prefix and the member up to its first `/`.
    pub fn head_record(&self, head: &super::Member) -> Option<Key> {
        let id = head.0.split('/').next().unwrap_or_default();
        self.record_prefix().map(|prefix| Key(Cow::Owned(format!("{prefix}{id}"))))
    }
}

impl Counter {
    /// Daily case numbers of a local date (`2024-12-26`).
    pub fn case_number(date: chrono::NaiveDate) -> Self {
        Self(Cow::Owned(format!("number/{date}")))
    }
}
