//! `territory.toml` and `protocols.toml`: the rules a territory's board sets.

use std::collections::BTreeMap;

use chrono::{Days, Months, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::{
    room,
    sheet::Table,
    values::{boolean, date, list, parsed, seconds, whole, words},
};
use crate::domain::{
    actor::Role,
    calendar::to_instant,
    ids::{PersonId, SectorId},
    regulation::{
        independence::Exception,
        motives::MOTIVES,
        need::{CareType, Constraints, LongestDelay},
        prescription::{PrescriptionPolicy, is_atc},
        protocol::Protocol,
        protocols::{Age, Book, Committee, PSYCHIATRIC, Seal, psychiatric},
        qualification::DueSpans,
    },
    territory::{
        ActionDeadlines, DatedProtocol, Deferral, LeaseSpans, NationalRecord, NumberForm, ReferralPolicy,
        RegulationPolicy, RepeatPolicy, RouteCategory, RoutingPolicy,
    },
    time::Span,
};

/// The names of the sectors, by id.
pub(super) fn sector_names(root: &Table<'_>) -> BTreeMap<SectorId, String> {
    let read = |table: &Table<'_>| {
        let named = |key: &String| {
            let id = key.parse::<SectorId>().map_err(|error| table.fault(key, error.to_string())).ok();
            let name = table.optional(key, words);
            Some((id?, name?))
        };
        table.keys().iter().filter_map(named).collect()
    };
    root.table("sectors", read).unwrap_or_default()
}

/// The delays, leases, deadlines and exceptions; what is absent has its default. `book`: every triage protocol there is here.
pub(super) fn regulation(root: &Table<'_>, zone: Tz, book: &Book) -> RegulationPolicy {
    let triage = |value: &toml::de::DeValue<'_>| {
        let code = words(value)?;
        let known = book.protocols().iter().any(|protocol| protocol.code == code);
        if known { Ok(code) } else { Err(format!("'{code}' is no triage protocol here")) }
    };
    let default = RegulationPolicy::default();
    let stated = root.table("regulation", |table| RegulationPolicy {
        due: due(table, default.due),
        professional_p2: table.or("p2_professional_due_seconds", default.professional_p2, seconds),
        lease: lease(table, default.lease),
        p3: table.table("p3", deferral).unwrap_or_default(),
        triage: table.optional("triage_protocols", list(triage)),
        may_wait_longest: table.or("may_wait_longest_seconds", default.may_wait_longest, seconds),
        ..room::read(table, default.clone())
    });
    let policy = stated.unwrap_or(default);
    let intake = root.table("intake", intake).unwrap_or_default();
    RegulationPolicy {
        repeats: intake.repeats,
        number_form: intake.number_form,
        longest_sheet: intake.longest_sheet,
        deadlines: root.table("deadlines", deadlines).unwrap_or_default(),
        referral: root.table("referral", referral).unwrap_or_default(),
        independence_exceptions: root.tables("independence_exceptions", |table| exception(table, zone)),
        prescription: root.table("prescription", prescription).unwrap_or_else(|| policy.prescription.clone()),
        archived_after: root.table("life", archived_after).unwrap_or(policy.archived_after),
        ..policy
    }
}

/// When a request may be deferred; what is absent has its default.
fn deferral(table: &Table<'_>) -> Deferral {
    let motives = table.or("motives", Deferral::default().motives, list(motive));
    if motives.iter().any(|motive| psychiatric(motive)) {
        table.fault("motives", format!("{} are never deferred: take them out", PSYCHIATRIC.join(", ")));
    }
    let age_from = table.optional("age_from", parsed);
    let age_below = table.optional("age_below", parsed);
    if age_from.zip(age_below).is_some_and(|(from, below): (Age, Age)| from >= below) {
        table.fault("age_below", "must lie above age_from: nobody has such an age");
    }
    let waiting_from = whole_u32(table, "waiting_from", 0..=100).unwrap_or(Deferral::default().waiting_from);
    Deferral { motives, age_from, age_below, waiting_from }
}

fn prescription(table: &Table<'_>) -> PrescriptionPolicy {
    let default = PrescriptionPolicy::default();
    PrescriptionPolicy {
        longest_days: whole_u32(table, "longest_days", 1..=90).unwrap_or(default.longest_days),
        excluded_classes: table.or("excluded_classes", default.excluded_classes, list(atc)),
    }
}

fn atc(value: &toml::de::DeValue<'_>) -> Result<String, String> {
    let code = words(value)?;
    if is_atc(&code) { Ok(code) } else { Err("expected an ATC code or the beginning of one, such as \"N02A\"".into()) }
}

/// Filed three months after the opening, so archived no earlier.
fn archived_after(table: &Table<'_>) -> Months {
    whole_u32(table, "archived_after_months", 3..=600).map_or(RegulationPolicy::default().archived_after, Months::new)
}

/// What `[intake]` sets.
struct Intake {
    repeats: RepeatPolicy,
    number_form: NumberForm,
    longest_sheet: Span,
}

impl Default for Intake {
    fn default() -> Self {
        let RegulationPolicy { repeats, number_form, longest_sheet, .. } = RegulationPolicy::default();
        Self { repeats, number_form, longest_sheet }
    }
}

fn intake(table: &Table<'_>) -> Intake {
    let default = Intake::default();
    let hours = |key: &str, default: Span, most: i64| {
        whole_u32(table, key, 1..=most).map_or(default, |hours| Span::from_hours(i64::from(hours)))
    };
    let days = whole_u32(table, "longest_sheet_days", 1..=3_660);
    Intake {
        repeats: RepeatPolicy {
            window: hours("repeat_window_hours", default.repeats.window, 72),
            threshold: whole_u32(table, "repeat_threshold", 1..=20).unwrap_or(default.repeats.threshold),
        },
        number_form: table.or("case_number", default.number_form, parsed::<NumberForm>),
        longest_sheet: days.map_or(default.longest_sheet, |days| Span::from_hours(24 * i64::from(days))),
    }
}

fn due(table: &Table<'_>, default: DueSpans) -> DueSpans {
    let due = DueSpans {
        p1: table.or("p1_due_seconds", default.p1, seconds),
        p2: table.or("p2_due_seconds", default.p2, seconds),
        p3: table.or("p3_due_seconds", default.p3, seconds),
    };
    if !(due.p1 <= due.p2 && due.p2 <= due.p3) {
        table.fault("p2_due_seconds", "P1 must be due no later than P2, and P2 no later than P3");
    }
    due
}

fn lease(table: &Table<'_>, default: LeaseSpans) -> LeaseSpans {
    let lease = LeaseSpans {
        lease: table.or("lease_seconds", default.lease, seconds),
        renew: table.or("renew_seconds", default.renew, seconds),
        suspect: table.or("suspect_seconds", default.suspect, seconds),
        suspect_on_call: table.or("suspect_on_call_seconds", default.suspect_on_call, seconds),
    };
    if lease.suspect_on_call < lease.suspect {
        table.fault("suspect_on_call_seconds", "must not be shorter than suspect_seconds");
    }
    if !(lease.renew < lease.lease && lease.lease <= lease.suspect) {
        table.fault("lease_seconds", "must be longer than renew_seconds and no longer than suspect_seconds");
    }
    lease
}

fn deadlines(table: &Table<'_>) -> ActionDeadlines {
    let default = ActionDeadlines::default();
    let span = |key: &str, default: Span| table.or(key, default, seconds);
    ActionDeadlines {
        answer_call: span("answer_call_seconds", default.answer_call),
        qualify: span("qualify_seconds", default.qualify),
        hand_over: span("hand_over_seconds", default.hand_over),
        ring_gp: span("ring_gp_seconds", default.ring_gp),
        route: span("route_seconds", default.route),
        appointment_grace: span("appointment_grace_seconds", default.appointment_grace),
        appointment_late: span("appointment_late_seconds", default.appointment_late),
        visit_offer: span("visit_offer_seconds", default.visit_offer),
        visit: span("visit_seconds", default.visit),
        return_of_information: span("return_of_information_seconds", default.return_of_information),
        follow_up: span("follow_up_seconds", default.follow_up),
        prescription: span("prescription_seconds", default.prescription),
        ambulance_report: span("ambulance_report_seconds", default.ambulance_report),
        unanswered: span("unanswered_seconds", default.unanswered),
        call_back: span("call_back_seconds", default.call_back),
        announce: span("announce_seconds", default.announce),
        ask_again: span("ask_again_seconds", default.ask_again),
        counter_regulation: span("counter_regulation_seconds", default.counter_regulation),
        complete_file: span("complete_file_seconds", default.complete_file),
        re_evaluate: span("re_evaluate_seconds", default.re_evaluate),
        reorient_p1: span("reorient_p1_seconds", default.reorient_p1),
        reorient: span("reorient_seconds", default.reorient),
        transfer: span("transfer_seconds", default.transfer),
        interpreter: span("interpreter_seconds", default.interpreter),
        ask_consent: span("ask_consent_seconds", default.ask_consent),
        referral: span("referral_seconds", default.referral),
    }
}

fn referral(table: &Table<'_>) -> ReferralPolicy {
    ReferralPolicy {
        ccas_from: table.or("ccas_from_age", ReferralPolicy::default().ccas_from, parsed),
        national_record: table.table("national_record", national_record).flatten(),
    }
}

fn national_record(table: &Table<'_>) -> Option<NationalRecord> {
    let owner = table.required("owner", parsed::<Role>);
    let deadline = table.required("deadline_seconds", seconds);
    if owner.is_some_and(|role| !matches!(role, Role::Coordinator | Role::Arm)) {
        table.fault("owner", "expected COORDINATOR or ARM: a desk that somebody always sits at");
    }
    Some(NationalRecord { owner: owner?, deadline: deadline? })
}

/// From the first local date to the end of the last, both included.
fn exception(table: &Table<'_>, zone: Tz) -> Option<Exception> {
    let person = table.required("person", parsed::<PersonId>);
    let convention = table.required("convention", words);
    let from = table.required("from", date);
    let to = table.required("to", date);
    let (from, to) = (from?, to?);
    if to < from {
        table.fault("to", "must not lie before 'from'");
    }
    let midnight = |day: NaiveDate| to_instant(zone, day.and_time(NaiveTime::MIN));
    Some(Exception {
        person: person?,
        convention: convention?,
        from: midnight(from),
        until: midnight(to + Days::new(1)),
    })
}

/// The order of search, spans and distances; what is absent has its default.
pub(super) fn routing(root: &Table<'_>) -> RoutingPolicy {
    root.table("routing", |table| {
        let default = RoutingPolicy::default();
        let order = |key: &str, default: Vec<RouteCategory>| order(table, key, default);
        RoutingPolicy {
            office_hours: order("office_hours", default.office_hours),
            pdsa: order("pdsa", default.pdsa),
            must_stay_home: order("must_stay_home", default.must_stay_home),
            gp_offer: table.or("gp_offer_seconds", default.gp_offer, seconds),
            hold: table.or("hold_seconds", default.hold, seconds),
            visit_offer: table.or("visit_offer_seconds", default.visit_offer, seconds),
            max_distance_metres: table.table("max_distance_metres", distances).unwrap_or(default.max_distance_metres),
            weekly_snp_cap: whole_u32(table, "weekly_snp_cap", 0..=1_000).unwrap_or(default.weekly_snp_cap),
        }
    })
    .unwrap_or_default()
}

fn order(table: &Table<'_>, key: &str, default: Vec<RouteCategory>) -> Vec<RouteCategory> {
    let order = table.or(key, default, list(parsed::<RouteCategory>));
    let repeated = order.iter().enumerate().any(|(at, category)| order[..at].contains(category));
    if repeated {
        table.fault(key, "names one category twice");
    }
    if order.is_empty() {
        table.fault(key, "names no category, so every case would end unanswered");
    }
    order
}

fn distances(table: &Table<'_>) -> BTreeMap<RouteCategory, u32> {
    let metres = |category: &RouteCategory| {
        let metres = whole_u32(table, category.code(), 1..=1_000_000)?;
        Some((*category, metres))
    };
    RouteCategory::ALL.iter().filter_map(metres).collect()
}

pub(super) fn whole_u32(table: &Table<'_>, key: &str, range: std::ops::RangeInclusive<i64>) -> Option<u32> {
    let number = table.optional(key, whole(range))?;
    Some(u32::try_from(number).expect("the range asked for lies within u32"))
}

/// The protocols of `protocols.toml`.
pub(super) fn protocols(root: &Table<'_>) -> Vec<DatedProtocol> {
    let mut names = Vec::new();
    root.tables("protocol", |table| {
        let protocol = protocol(table);
        if let Some(dated) = &protocol {
            if names.contains(&dated.protocol.name) {
                table.fault("name", "stands twice; each protocol has its own name");
            }
            names.push(dated.protocol.name.clone());
        }
        protocol
    })
}

fn protocol(table: &Table<'_>) -> Option<DatedProtocol> {
    let name = table.required("name", words);
    let motives = table.required("motives", list(motive));
    let care = table.required("care", parsed::<CareType>);
    if care.is_some_and(|care| !care.needs_supply()) {
        table.fault("care", "a protocol only sends to a coordinator: CONSULTATION, HOME_VISIT or TELECONSULTATION");
    }
    let longest_delay = table.required("longest_delay", parsed::<LongestDelay>);
    let constraints = Constraints {
        must_examine: table.or("must_examine", false, boolean),
        home_only: table.or("home_only", false, boolean),
        transport: table.or("transport", false, boolean),
        isolation: table.or("isolation", false, boolean),
    };
    let from = table.required("from", date);
    let to = table.optional("to", date);
    if to.zip(from).is_some_and(|(to, from)| to < from) {
        table.fault("to", "must not lie before 'from'");
    }
    let committee = table.table("committee", signature);
    let (name, motives, care, longest_delay) = (name?, motives?, care?, longest_delay?);
    let protocol = Protocol { name, motives, care, longest_delay, constraints };
    let content = protocol.digest(from?, to);
    let seal = committee.flatten().map_or(Seal::Unsigned, |(committee, digest)| Seal::of(committee, &digest, &content));
    Some(DatedProtocol { protocol, from: from?, to, seal })
}

/// Who signed, when, and the digest of what was signed.
pub(super) fn signature(table: &Table<'_>) -> Option<(Committee, String)> {
    let name = table.required("name", words);
    let date = table.required("date", date);
    let digest = table.required("digest", words);
    Some((Committee { name: name?, date: date? }, digest?))
}

pub(super) fn motive(value: &toml::de::DeValue<'_>) -> Result<String, String> {
    let code = words(value)?;
    let known = MOTIVES.iter().any(|entry| entry.code == code);
    if known { Ok(code) } else { Err("expected a motive code of the national list, such as \"M06.02\"".into()) }
}
