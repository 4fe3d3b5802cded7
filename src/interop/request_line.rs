//! A site's own list of requests, one JSON object per line, so that a past day can be replayed without the Hub.
//!
//! ```json
//! {"request": {"at": "2024-12-26T10:00:00+01:00", "insee": "67482", "motive": "M03.14", "age": "P4Y", "sex": "F",
//!   "priority": "P2", "stream": "SNP", "own_gp": "dr-exemple",
//!   "need": {"care_type": "CONSULTATION", "level": "R3", "longest_delay_minutes": 1440}}}
//! ```
//!
//! | property | must | shape |
//! |---|---|---|
//! | `at` | yes | RFC 3339 date and time with an offset or `Z` |
//! | `motive` | yes | code of HubSante.motif; another code is kept with a warning |
//! | `territory`, `insee` | one of them | `fr-67`; INSEE commune code. Both must agree |
//! | `id` | | the site's own name for the request, 1 to 64 of `A-Z a-z 0-9 . _ -` |
//! | `age` | | ISO 8601 duration of one unit: `P65Y`, `P18M`, `P3W`, `P5D` |
//! | `sex` | | `M`, `F`, `O`, `UN` |
//! | `ehpad`, `ald`, `reduced_mobility`, `no_gp` | | true or false, false when missing |
//! | `own_gp` | | responder id of the directory; not together with `no_gp: true` |
//! | `origin`, `priority`, `stream` | | codes of RS-EDA |
//! | `need` | | `care_type` (`CONSULTATION`, `HOME_VISIT` …), `level` R1 to R4, `longest_delay_minutes` (0 to 2880) |
//! | `position` | | `lat` and `lon` in degrees, WGS 84 |
//!
//! An unknown property is a fault. A line holds no name, number or address, on purpose.

use super::{
    hub::{codes, commune, kept_if_foreign},
    incoming::{Flags, IncomingCase, IncomingNeed, IncomingPatient, IncomingPlace, Source},
    json::{Node, Object},
};
use crate::domain::{
    calendar::law_territory,
    ids::TerritoryId,
    person::Private,
    place::{InseeCode, Position},
    regulation::{
        motives::Motive,
        need::{CareLevel, CareType, LongestDelay},
        qualification::{Priority, Stream},
    },
    time::Span,
};

/// 48 hours: care that may wait longer is not unscheduled care.
const MAX_DELAY_MINUTES: u64 = 48 * 60;

/// Reads what stands under `request`.
pub(super) fn request(node: &Node) -> Option<IncomingCase> {
    node.object(|o| {
        let at = o.required("at", Node::date_time);
        let motive = o.required("motive", motive);
        let place = place(o);
        let case_id = o.optional("id", |node| node.matching("1 to 64 letters, digits, '.', '_' or '-'", identifier));
        let origin = o.optional("origin", |node| node.code(codes::ORIGINS));
        let priority = o.optional("priority", |node| node.one(Priority::ALL, Priority::code));
        let stream = o.optional("stream", |node| node.one(Stream::ALL, Stream::code));
        let patient = patient(o);
        let need = o.optional("need", need);
        let position = o.optional("position", position);

        let fallback = node.fallback();
        let (territory, commune) = place.or(fallback.map(|fallback| (fallback.territory.clone(), None)))?;
        let at = at.or(fallback.map(|fallback| fallback.now))?;
        Some(IncomingCase {
            source: Source::RequestLine,
            territory,
            case_id: case_id.map(|id| Private::new(id.to_owned())),
            sender_case_id: None,
            created: at,
            received: at,
            origin,
            caller: None,
            location: IncomingPlace { commune, position, ..IncomingPlace::default() },
            motive,
            what_happened: None,
            location_kind: None,
            risks: Vec::new(),
            priority,
            care_level: need.as_ref().map(|need| need.level),
            stream,
            intervention: None,
            status: None,
            attribution: None,
            patients: vec![patient],
            notes: Vec::new(),
            decisions: Vec::new(),
            owner: None,
            need,
            warnings: Vec::new(),
        })
    })
}

fn motive(node: &Node) -> Option<Motive> {
    Some(kept_if_foreign(node, node.parsed("a motive code such as M03.14")?))
}

/// The territory, from its own id or from the commune; both must tell the same.
fn place(o: &Object) -> Option<(TerritoryId, Option<InseeCode>)> {
    let neither = !o.here().has("territory") && !o.here().has("insee");
    let territory: Option<TerritoryId> = o.optional("territory", territory);
    let commune: Option<InseeCode> = o.optional("insee", |node| commune(node, "an INSEE commune code such as 67482"));
    match (territory, commune) {
        (Some(territory), Some(commune)) if territory != commune.territory() => {
            o.at("insee").fault_found(format!("a commune of {territory}"), format!("one of {}", commune.territory()));
            None
        }
        (Some(territory), commune) => Some((territory, commune)),
        (None, Some(commune)) => Some((commune.territory(), Some(commune))),
        (None, None) => {
            if neither {
                o.at("territory").fault("a territory id such as fr-67, or `insee` beside it");
            }
            None
        }
    }
}

fn territory(node: &Node) -> Option<TerritoryId> {
    let expected = "a territory id such as fr-67 (fr-01 to fr-95, fr-971 to fr-978)";
    let id: TerritoryId = node.parsed(expected)?;
    if law_territory(&id).is_err() {
        node.fault(expected);
        return None;
    }
    Some(id)
}

fn patient(o: &Object) -> IncomingPatient {
    let flag = |key| o.optional(key, Node::flag).unwrap_or(false);
    let flags = Flags {
        ehpad: flag("ehpad"),
        ald: flag("ald"),
        reduced_mobility: flag("reduced_mobility"),
        no_gp: flag("no_gp"),
    };
    let own_gp_id =
        o.optional("own_gp", |node| node.parsed("a responder id: lower-case letters, digits, '-', '.', '_'"));
    if flags.no_gp && own_gp_id.is_some() {
        o.at("own_gp").fault_found("no own GP beside `no_gp: true`", "a responder id");
    }
    IncomingPatient {
        age: o.optional("age", |node| node.parsed("an age such as P65Y, P18M, P3W or P5D")),
        sex: o.optional("sex", |node| node.code(codes::SEXES)),
        own_gp_id,
        flags,
        ..IncomingPatient::default()
    }
}

fn need(node: &Node) -> Option<IncomingNeed> {
    node.object(|o| {
        let care = o.required("care_type", |node| node.one(CareType::ALL, CareType::code));
        let level = o.required("level", |node| node.one(CareLevel::ALL, CareLevel::code));
        let minutes = o.required("longest_delay_minutes", |node| node.whole(0, MAX_DELAY_MINUTES));
        Some(IncomingNeed { care: care?, level: level?, longest_delay: delay_within(minutes? as i64) })
    })
}

/// The longest delay of the national list that `minutes` allows: rounded down, never a later deadline.
fn delay_within(minutes: i64) -> LongestDelay {
    let allowed = LongestDelay::ALL.iter().copied().filter(|delay| delay.span() <= Span::from_mins(minutes));
    allowed.max_by_key(|delay| delay.span()).unwrap_or(LongestDelay::Immediate)
}

fn position(node: &Node) -> Option<Private<Position>> {
    node.object(|o| {
        let degrees = |node: &Node, most: f64| {
            let number = node.number()?;
            if number.abs() > most {
                node.fault_found(format!("degrees from -{most} to {most}"), "a number beyond them");
            }
            Some(number)
        };
        let lat = o.required("lat", |node| degrees(node, 90.0));
        let lon = o.required("lon", |node| degrees(node, 180.0));
        Some(Private::new(Position { lat: lat?, lon: lon? }))
    })
}

fn identifier(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-".contains(&c))
}
