//! The calendar, alarms and open cases as a supervisor sees them; nothing personal.

use chrono::{DateTime, FixedOffset, SecondsFormat};

use crate::{
    domain::{
        calendar::{Legal, Status, local},
        case::Command,
        territory::Territory,
        time::Instant,
    },
    engine::{CaseView, Failure, PageRequest},
    grpc::pb,
};

use super::{
    case,
    codes::Coded,
    fields::{Act, Fields, LONGEST_WORDS},
};

/// The instant a `GetCalendar` asks about, and its text as it is echoed; `now` when it asks about none.
///
/// # Errors
/// Every wrong field at once.
pub fn instant(request: &pb::GetCalendarRequest, now: Instant) -> Result<(Instant, String), Failure> {
    let mut fields = Fields::default();
    if request.at.is_empty() {
        return fields.done(Some((now, now.to_string())));
    }
    let parsed: Option<DateTime<FixedOffset>> = DateTime::parse_from_rfc3339(&request.at).ok();
    if parsed.is_none() {
        let given = request.at.chars().count();
        let shape = "write RFC 3339 with its offset, such as 2024-12-26T10:00:00+01:00";
        fields.fault::<()>("at", format!("{given} characters that are no instant: {shape}"));
    }
    fields.done(parsed.map(|at| (at.to_utc().into(), request.at.clone())))
}

/// The legal period at `at`, which was written `written`.
pub fn calendar(territory: &Territory, at: Instant, written: String, legal: &Legal) -> pb::GetCalendarResponse {
    let zone = territory.calendar.zone();
    let rfc3339 = |at: Instant| local(zone, at).to_rfc3339_opts(SecondsFormat::AutoSi, false);
    let status = match legal.status {
        Status::Pdsa => pb::LegalStatus::Pdsa,
        Status::OfficeHours => pb::LegalStatus::OfficeHours,
    };
    pb::GetCalendarResponse {
        territory: territory.id.to_string(),
        at: written,
        local: rfc3339(at),
        period: legal.period.wire(),
        status: status as i32,
        band: legal.band.map_or(0, Coded::wire),
        holiday: legal.holiday.clone().unwrap_or_default(),
        article: legal.article.to_owned(),
        next_change: rfc3339(legal.next_change),
        next_period: legal.next_period.wire(),
        period_label: legal.period.label().to_owned(),
        seq: 0,
    }
}

/// The alarms of a case: one for each open action whose deadline has passed.
pub fn alarms(view: &CaseView) -> Vec<pb::Alarm> {
    let late = view.case.open_actions().filter(|action| action.alarmed().is_some());
    late.map(|action| pb::Alarm {
        case_id: view.case.id.to_string(),
        case_number: view.case_number.clone(),
        version: view.version.to_bytes().to_vec(),
        priority: view.case.qualification.as_ref().map_or(0, |known| known.priority.wire()),
        action: Some(case::action(action)),
    })
    .collect()
}

/// An open case without anything personal.
pub fn open_case(view: &CaseView) -> pb::OpenCase {
    let known = &view.case;
    pb::OpenCase {
        case_id: known.id.to_string(),
        case_number: view.case_number.clone(),
        version: view.version.to_bytes().to_vec(),
        status: view.status.wire(),
        opened_unix_ms: known.opened.unix_ms(),
        line: known.line.wire(),
        priority: known.qualification.as_ref().map_or(0, |known| known.priority.wire()),
        stream: known.qualification.as_ref().map_or(0, |known| known.stream.wire()),
        claim: known.claim.as_ref().map(|held| case::claim(held, known.connected())),
        actions: known.open_actions().map(case::action).collect(),
    }
}

/// A case to take back.
///
/// # Errors
/// Every wrong field at once.
pub fn force_release(request: &pb::ForceReleaseRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("ForceRelease", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let reason = fields.words("reason", &request.reason, LONGEST_WORDS);
    fields.act(mutation, target, reason.map(|reason| Command::ForceRelease { reason }))
}

/// Which page of a list without filters.
///
/// # Errors
/// Every wrong field at once.
pub fn page(size: u32, token: &str, at_least_seq: u64) -> Result<PageRequest, Failure> {
    let mut fields = Fields::default();
    let page = fields.page(size, token, at_least_seq);
    fields.done(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::TerritoryId;

    #[test]
    fn the_calendar_answers_as_the_command_line_does() {
        let id: TerritoryId = "fr-67".parse().expect("an id");
        let territory = Territory::from_law(&id).expect("the law knows it");
        let written = "2024-12-26T10:00:00+01:00";
        let request = pb::GetCalendarRequest { at: written.into(), at_least_seq: 0 };
        let (at, echoed) = instant(&request, Instant::from_unix_ms(0)).expect("an instant");
        let answer = calendar(&territory, at, echoed, &territory.period_at(at).expect("a year of the law"));
        assert_eq!((answer.territory.as_str(), answer.at.as_str()), ("fr-67", written));
        assert_eq!(answer.local, written);
        assert_eq!(answer.period(), pb::LegalPeriod::PdsaSundayHoliday);
        assert_eq!(answer.status(), pb::LegalStatus::Pdsa);
        assert_eq!(answer.band(), pb::NightBand::Unspecified);
        assert_eq!(answer.holiday, "Saint-Étienne");
        assert_eq!(answer.article, "R6315-1 2° CSP");
        assert_eq!(
            (answer.next_change.as_str(), answer.next_period()),
            ("2024-12-26T20:00:00+01:00", pb::LegalPeriod::PdsaNight)
        );
    }

    #[test]
    fn an_instant_without_offset_is_refused_with_its_shape() {
        let request = pb::GetCalendarRequest { at: "2024-12-26 10:00".into(), at_least_seq: 0 };
        let told = instant(&request, Instant::from_unix_ms(0)).expect_err("no offset").to_string();
        assert!(told.contains("at: 16 characters") && told.contains("2024-12-26T10:00:00+01:00"), "{told}");
    }
}
