//! Reading the fields of a request: every fault is collected, none says the value.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

use prost::Message;

use crate::{
    domain::{
        actor::Actor,
        case::{Command, FieldFault, Refusal},
        ids::CommandId,
        person::Private,
        place::Position,
        time::Instant,
    },
    engine::{Failure, Mutation, PageRequest, Target, naming},
    grpc::pb,
    store::{Digest, Version, txn::command_time},
};

use super::{codes::Coded, reply::id_unusable};

/// Items of a page when the request does not say.
const PAGE: usize = 50;
/// Most items of a page.
const LARGEST_PAGE: u32 = 200;
/// Longest note, reason or report, characters.
pub const LONGEST_WORDS: usize = 4_000;
/// Longest name or line of an address, characters.
pub const LONGEST_LINE: usize = 300;

/// A changing request, read.
#[derive(Debug, Clone)]
pub struct Act {
    /// What identifies it.
    pub mutation: Mutation,
    /// What it is about.
    pub target: Target,
    /// What is asked.
    pub command: Command,
    /// What is odd and stopped nothing.
    pub warnings: Vec<pb::Warning>,
}

/// The faults and warnings found so far.
#[derive(Debug, Default)]
pub struct Fields {
    faults: Vec<FieldFault>,
    warnings: Vec<pb::Warning>,
    lenient: bool,
}

/// The path of a part of a field, written out only for who is told of it: most fields are right.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a, 'f>(pub &'a str, pub &'f str);

impl Display for Part<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(whole, part) = self;
        write!(f, "{whole}.{part}")
    }
}

impl Fields {
    /// For an act that is never refused (P0, vital emergency): what is wrong with a field of care drops the field and is
    /// told as a warning, and words that are too long are cut.
    pub fn never_refusing(vital: bool) -> Self {
        Self { lenient: vital, ..Self::default() }
    }

    /// True when faults of fields of care are only told.
    pub fn lenient(&self) -> bool {
        self.lenient
    }

    /// Notes a fault; answers `None` for use in place of a value.
    pub fn fault<T>(&mut self, field: impl Display, problem: impl Into<String>) -> Option<T> {
        if self.lenient {
            self.warn(field, "FIELD_DROPPED", format!("left out, nothing was refused: {}", problem.into()));
        } else {
            self.faults.push(FieldFault::new(field.to_string(), problem));
        }
        None
    }

    /// Notes a fault of what identifies the call: refused whatever the emergency, since it could not be acted on.
    pub fn broken<T>(&mut self, field: impl Display, problem: impl Into<String>) -> Option<T> {
        self.faults.push(FieldFault::new(field.to_string(), problem));
        None
    }

    /// Notes something odd that stops nothing.
    pub fn warn(&mut self, field: impl Display, code: &str, text: impl Into<String>) {
        self.warnings.push(pb::Warning { field: field.to_string(), code: code.to_owned(), text: text.into() });
    }

    /// A text that must be set and have a shape.
    pub fn id<T: FromStr<Err: Display>>(&mut self, field: impl Display, text: &str) -> Option<T> {
        if text.is_empty() {
            return self.fault(field, "must be set");
        }
        self.optional(field, text)
    }

    /// A text that may be empty; if not, it has a shape.
    pub fn optional<T: FromStr<Err: Display>>(&mut self, field: impl Display, text: &str) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        text.parse().map_err(|error: T::Err| self.fault::<T>(field, error.to_string())).ok()
    }

    /// A value of a closed list that must be set.
    pub fn code<T: Coded>(&mut self, field: impl Display, number: i32) -> Option<T> {
        T::of_wire(number).or_else(|| self.fault(field, format!("must be set to one of {}", T::names())))
    }

    /// A value of a closed list that may be unspecified.
    pub fn optional_code<T: Coded>(&mut self, field: impl Display, number: i32) -> Option<T> {
        if number == 0 { None } else { self.code(field, number) }
    }

    /// Words of a person: must be set, at most `longest` characters.
    pub fn words(&mut self, field: impl Display, text: &str, longest: usize) -> Option<Private<String>> {
        if text.trim().is_empty() {
            return self.fault(field, "must be set: write it in words");
        }
        self.optional_words(field, text, longest)
    }

    /// Words of a person that may be left out, at most `longest` characters.
    pub fn optional_words(&mut self, field: impl Display, text: &str, longest: usize) -> Option<Private<String>> {
        let length = text.chars().count();
        if length > longest && self.lenient {
            let kept = text.chars().take(longest).collect();
            let told = format!("left out, nothing was refused: all after the first {longest} of {length} characters");
            self.warn(field, "FIELD_CUT", told);
            return Some(Private::new(kept));
        }
        if length > longest {
            return self.fault(field, format!("{length} characters: at most {longest}"));
        }
        (!text.trim().is_empty()).then(|| Private::new(text.to_owned()))
    }

    /// Why something is refused: empty where it is accepted, and never blank.
    pub fn refusal(&mut self, field: impl Display, text: &str, longest: usize) -> Option<Private<String>> {
        if !text.is_empty() && text.trim().is_empty() {
            return self.fault(field, "blank: say in words why it is refused, or leave it empty to accept");
        }
        self.optional_words(field, text, longest)
    }

    /// An instant that must be set.
    pub fn instant(&mut self, field: impl Display, unix_ms: i64) -> Option<Instant> {
        if unix_ms == 0 {
            return self.fault(field, "must be set, Unix time in milliseconds");
        }
        self.optional_instant(field, unix_ms)
    }

    /// An instant that may be left out (0).
    pub fn optional_instant(&mut self, field: impl Display, unix_ms: i64) -> Option<Instant> {
        // The years 2000 to 2100: outside it is seconds or microseconds instead of milliseconds.
        const YEARS: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;
        match unix_ms {
            0 => None,
            _ if YEARS.contains(&unix_ms) => Some(Instant::from_unix_ms(unix_ms)),
            _ => self.fault(field, "expected Unix time in milliseconds between the years 2000 and 2100"),
        }
    }

    /// What identifies a changing call: its id and the digest of the whole request.
    pub fn mutation(&mut self, rpc: &str, command_id: &str, request: &impl Message) -> Option<Mutation> {
        let Some(command_id) = named(command_id) else {
            let given = command_id.chars().count();
            let shape = "expected a UUIDv7 of 36 characters that you make once for this act";
            return self.broken("command_id", format!("{shape}, got {given} characters that are none"));
        };
        Some(Mutation { command_id, digest: digest(rpc, request) })
    }

    /// As [`Self::mutation`]: what is never refused is done under an id made here where its own is none.
    pub fn mutation_or_made(
        &mut self,
        rpc: &str,
        command_id: &str,
        request: &impl Message,
        (actor, now): (&Actor, Instant),
    ) -> Option<Mutation> {
        if !self.lenient || named(command_id).is_some() {
            return self.mutation(rpc, command_id, request);
        }
        self.warnings.push(id_unusable());
        Some(naming::unnamed(actor, digest(rpc, request), now))
    }

    /// The case a call is about, and the version read if the caller says it.
    pub fn target(&mut self, case_id: &str, version: &[u8]) -> Option<Target> {
        let case = match case_id.parse() {
            Ok(case) => Some(case),
            Err(_) if case_id.is_empty() => self.broken("case_id", "must be set"),
            Err(error) => self.broken("case_id", crate::domain::ids::BadId::to_string(&error)),
        };
        if version.is_empty() {
            return case.map(Target::case);
        }
        match Version::from_bytes(version) {
            Some(version) => case.map(|case| Target { case: Some(case), version: Some(version) }),
            None if self.lenient => case.map(Target::case),
            None => self.broken("version", format!("{} bytes: give it back as it was read", version.len())),
        }
    }

    /// Which page.
    pub fn page(&mut self, size: u32, token: &str, at_least_seq: u64) -> Option<PageRequest> {
        let size = match size {
            0 => PAGE,
            size if size <= LARGEST_PAGE => size as usize,
            _ => return self.fault("page_size", format!("{size}: at most {LARGEST_PAGE}")),
        };
        Some(PageRequest { size, token: (!token.is_empty()).then(|| token.to_owned()), at_least_seq })
    }

    /// A position, in degrees; absent stays absent.
    pub fn position(&mut self, field: impl Display, given: Option<&pb::Position>) -> Option<Position> {
        let given = given?;
        if given.lat.abs() <= 90.0 && given.lon.abs() <= 180.0 {
            return Some(Position { lat: given.lat, lon: given.lon });
        }
        self.fault(field, "expected lat -90 to 90 and lon -180 to 180, degrees")
    }

    /// The value read, or every fault.
    ///
    /// # Errors
    /// All faults, as one refusal.
    pub fn done<T>(self, value: Option<T>) -> Result<T, Failure> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(Refusal::Fields(self.faults).into()),
        }
    }

    /// The changing request read, or every fault.
    ///
    /// # Errors
    /// All faults, as one refusal.
    pub fn act(
        mut self,
        mutation: Option<Mutation>,
        target: Option<Target>,
        command: Option<Command>,
    ) -> Result<Act, Failure> {
        let warnings = std::mem::take(&mut self.warnings);
        let read = mutation.zip(target).zip(command);
        self.done(read.map(|((mutation, target), command)| Act { mutation, target, command, warnings }))
    }
}

/// A command id that can be one.
fn named(text: &str) -> Option<CommandId> {
    text.parse().ok().filter(|id| command_time(*id).is_some())
}

fn digest(rpc: &str, request: &impl Message) -> Digest {
    let mut bytes = Vec::with_capacity(rpc.len() + request.encoded_len());
    bytes.extend_from_slice(rpc.as_bytes());
    request.encode(&mut bytes).expect("a Vec grows to what is written into it");
    Digest::of(&bytes)
}
