//! Codes and instants of the page, as people read them.

use chrono::SecondsFormat;
use chrono_tz::Tz;

use crate::{
    domain::{
        actor::Role,
        calendar::{local, local_date, wall_time},
        case::ActionKind,
        regulation::{
            fallback::Fallback,
            qualification::{Priority, Stream},
            room::{Affiliation, SurgeReason},
        },
        time::Instant,
    },
    grpc::{convert::codes::Coded, pb},
};

/// In whose zone, and when the page was made.
pub(super) struct Words {
    pub zone: Tz,
    /// Unix milliseconds.
    pub now: i64,
}

impl Words {
    /// The time on the wall, with the date when it is another day's.
    pub fn time(&self, unix_ms: i64) -> String {
        let date = |unix_ms| local_date(self.zone, Instant::from_unix_ms(unix_ms));
        let form = if date(unix_ms) == date(self.now) { "%H:%M" } else { "%d/%m %H:%M" };
        wall_time(self.zone, Instant::from_unix_ms(unix_ms), form)
    }

    /// Date and time.
    pub fn moment(&self, unix_ms: i64) -> String {
        wall_time(self.zone, Instant::from_unix_ms(unix_ms), "%d/%m/%Y %H:%M")
    }

    /// For programs; none for what is not set.
    pub fn rfc3339(&self, unix_ms: i64) -> Option<String> {
        let at = local(self.zone, Instant::from_unix_ms(unix_ms));
        (unix_ms != 0).then(|| at.to_rfc3339_opts(SecondsFormat::AutoSi, false))
    }

    pub fn priority(&self, wire: i32) -> &'static str {
        Priority::of_wire(wire).map_or("", Priority::code)
    }

    pub fn stream(&self, wire: i32) -> &'static str {
        Stream::of_wire(wire).map_or("", Stream::code)
    }

    pub fn stream_label(&self, wire: i32) -> &'static str {
        Stream::of_wire(wire).map_or("", Stream::label)
    }

    pub fn fallback(&self, wire: i32) -> &'static str {
        Fallback::of_wire(wire).map_or("", Fallback::code)
    }

    pub fn kind(&self, wire: i32) -> &'static str {
        ActionKind::of_wire(wire).map_or("?", ActionKind::label)
    }

    pub fn kind_code(&self, wire: i32) -> &'static str {
        ActionKind::of_wire(wire).map_or("?", ActionKind::code)
    }

    pub fn affiliation(&self, wire: i32) -> &'static str {
        Affiliation::of_wire(wire).map_or("", Affiliation::label)
    }

    pub fn affiliation_code(&self, wire: i32) -> &'static str {
        Affiliation::of_wire(wire).map_or("", Affiliation::code)
    }

    pub fn surge(&self, wire: i32) -> &'static str {
        SurgeReason::of_wire(wire).map_or("", SurgeReason::label)
    }

    pub fn surge_code(&self, wire: i32) -> &'static str {
        SurgeReason::of_wire(wire).map_or("", SurgeReason::code)
    }

    /// Who has to do it.
    pub fn owner(&self, action: &pb::Action) -> String {
        use pb::owner::Who;
        match action.owner.as_ref().and_then(|owner| owner.who.as_ref()) {
            Some(Who::Person(who) | Who::ResponderId(who)) => who.clone(),
            Some(Who::Desk(desk)) => {
                let role = Role::of_wire(desk.role).map_or("", Role::label);
                format!("{role} {}", self.stream(desk.stream)).trim_end().to_owned()
            }
            None => String::new(),
        }
    }
}
