//! Call events of a telephone exchange, to and from the wire.

use uuid::Uuid;

use crate::{
    domain::{
        actor::Actor,
        case::{
            Case,
            command::{CallEvent, CallReport, Open, Particulars},
            fact::Opened,
            sealed::Caller,
            state::{Channel, EXCHANGE_AHEAD, Line},
        },
        ids::{CaseId, CommandId, case_id, derive},
        person::Private,
        time::Instant,
    },
    engine::{CaseView, Done, Failure, Mutation, naming},
    grpc::pb,
    interop::hub::codes::origin_of_line,
    store::Durability,
};

use super::{
    codes::Coded,
    fields::Fields,
    phone::phone,
    reply::{durability, id_unusable},
};

/// The longest reference of a call, characters.
const LONGEST_CALL: usize = 64;
/// The longest name of a line, characters.
const LONGEST_LINE_NAME: usize = 32;

/// What happened to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It rings: a case begins.
    Ringing,
    /// Something happened to a call that has, or should have, its case.
    Later(CallReport),
}

/// One event of one call, read.
#[derive(Debug, Clone)]
pub struct Reported {
    /// What identifies the report.
    pub mutation: Mutation,
    /// The exchange's name for the call.
    pub call: String,
    /// What happened.
    pub happened: Happened,
    /// When, by the clock of the exchange; none: now.
    pub told_at: Option<Instant>,
    /// What opens the case of the call, if it has none yet.
    pub open: Open,
    /// What is odd and stopped nothing.
    pub warnings: Vec<pb::Warning>,
}

/// Reads an event reported at `now`.
///
/// # Errors
/// Every wrong field at once.
pub fn event(request: &pb::ReportCallEventRequest, now: Instant) -> Result<Reported, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("ReportCallEvent", &request.command_id, request);
    let call = reference(&mut fields, &request.call_id);
    let mut warnings = Vec::new();
    let told_at = aside(&mut warnings, "happened_unix_ms", |fields, name| {
        fields.optional_instant(name, request.happened_unix_ms)
    });
    let later = |event| Some(Happened::Later(CallReport { event, happened: told_at }));
    let happened = match pb::CallEventKind::try_from(request.event) {
        Ok(pb::CallEventKind::Ringing) => Some(Happened::Ringing),
        Ok(pb::CallEventKind::Answered) => later(CallEvent::Answered),
        Ok(pb::CallEventKind::HungUp) => later(CallEvent::HungUp),
        Ok(pb::CallEventKind::Reconnected) => later(CallEvent::Reconnected),
        Ok(pb::CallEventKind::Unspecified) | Err(_) => {
            fields.fault("event", "must be set: RINGING, ANSWERED, HUNG_UP or RECONNECTED")
        }
    };
    let phone = aside(&mut warnings, "caller_number", |fields, name| phone(fields, name, &request.caller_number));
    let line_name = aside(&mut warnings, "called_line", |fields, name| line_name(fields, name, &request.called_line));
    if let Some(ahead) = told_at.map(|at| at.since(now)).filter(|ahead| *ahead > EXCHANGE_AHEAD) {
        let text =
            format!("{} s ahead of this service: set the clock of the exchange; it is taken as now", ahead.ms() / 1000);
        warnings.push(warning("happened_unix_ms", "CLOCK_AHEAD", text));
    }
    let heard = Case::heard_at(told_at, now);
    let read = mutation.zip(call).zip(happened).map(|((mutation, call), happened)| {
        let opening = opening(&call, line_name, heard.min(now), phone, happened);
        let open = Open { heard: (heard > now).then_some(heard), ..opening };
        Reported { mutation, call, happened, told_at, open, warnings }
    });
    fields.done(read)
}

fn opening(
    call: &str,
    origin: Option<String>,
    arrived: Instant,
    phone: Option<Private<String>>,
    happened: Happened,
) -> Open {
    let caller = phone.map(|phone| Caller { phone, ..Caller::default() });
    let opened = Opened {
        channel: Channel::Telephony,
        origin,
        arrived,
        call: Some(call.to_owned()),
        number_form: None,
        line: Line::OnLine,
    };
    Open {
        opened,
        answered: matches!(happened, Happened::Later(CallReport { event: CallEvent::Answered, .. })),
        vital: false,
        particulars: Particulars { caller, ..Particulars::default() },
        note: None,
        paper: None,
        heard: None,
    }
}

/// The reference of a call, as an exchange writes it.
pub fn reference(fields: &mut Fields, call: &str) -> Option<String> {
    let given = call.chars().count();
    if given == 0 {
        return fields.fault("call_id", "must be set");
    }
    if given > LONGEST_CALL || call.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return fields.fault("call_id", format!("{given} characters: expected 1 to {LONGEST_CALL} without blanks"));
    }
    Some(call.to_owned())
}

fn line_name(fields: &mut Fields, name: &str, line: &str) -> Option<String> {
    let given = line.chars().count();
    if given > LONGEST_LINE_NAME {
        return fields.fault(name, format!("{given} characters: at most {LONGEST_LINE_NAME}"));
    }
    (given > 0).then(|| origin_of_line(line).unwrap_or(line).to_owned())
}

/// A field beside the call itself. What is wrong with it is told and left out: the call is not lost for it.
fn aside<T>(
    warnings: &mut Vec<pb::Warning>,
    field: &str,
    read: impl FnOnce(&mut Fields, &str) -> Option<T>,
) -> Option<T> {
    let mut fields = Fields::default();
    let value = read(&mut fields, field);
    let told = fields.done(Some(())).err();
    let told = told.map(|failure| warning(field, "FIELD_DROPPED", format!("left out, nothing was refused: {failure}")));
    warnings.extend(told);
    value
}

fn warning(field: &str, code: &str, text: impl Into<String>) -> pb::Warning {
    pb::Warning { field: field.to_owned(), code: code.to_owned(), text: text.into() }
}

/// The same event under an id made here, of `now`: its own cannot be used, and a call is not lost for that. Told again it finds
/// the case by the name of the call.
pub fn under_another_id(reported: &Reported, actor: &Actor, now: Instant) -> Reported {
    let mut warnings = reported.warnings.clone();
    warnings.push(id_unusable());
    Reported { mutation: naming::renamed(actor, reported.mutation, now), warnings, ..reported.clone() }
}

/// The warnings of a report whose call nobody had heard of.
pub fn late(reported: &Reported) -> Vec<pb::Warning> {
    let mut warnings = reported.warnings.clone();
    if reported.happened != Happened::Ringing {
        let text = "no RINGING of this call was reported before: its case was opened now";
        warnings.push(warning("call_id", "CALL_OPENED_LATE", text));
    }
    warnings
}

/// The warnings of an event of a known call: whether the exchange had told of a later moment before, so that it changed nothing.
pub fn in_order(reported: &Reported, done: &Done) -> Vec<pb::Warning> {
    let mut warnings = reported.warnings.clone();
    if let (Happened::Later(report), Some(view)) = (reported.happened, &done.case)
        && view.case.heard_later_than(report)
    {
        let text = "a later event of this call was reported before: this one changes nothing";
        warnings.push(warning("happened_unix_ms", "OUT_OF_ORDER", text));
    }
    warnings
}

/// The receipt of a RINGING that changed nothing: the call has its case.
pub fn known(seq: u64, now: Instant, level: Durability, reported: &Reported) -> pb::Receipt {
    let mut warnings = reported.warnings.clone();
    warnings.push(warning("call_id", "CALL_KNOWN", "this call rang before: nothing was opened, its case is answered"));
    let durability = durability(level) as i32;
    pb::Receipt { seq, at_unix_ms: now.unix_ms(), durability, replayed: false, warnings }
}

/// Whether `command` opened `case`: the random bits of a case id come from its command.
pub fn opened_by(command: CommandId, case: CaseId) -> bool {
    let arrived = i64::try_from(case.0.as_u128() >> 80).map(Instant::from_unix_ms);
    arrived.is_ok_and(|arrived| case_id(command, arrived) == case)
}

/// A second command id for the second act of one report: a UUIDv7 of the same time, always the same for the same id.
pub fn second_id(first: CommandId) -> CommandId {
    const TIME: u128 = 0xffff_ffff_ffff << 80;
    const RANDOM: u128 = 0x0fff_3fff_ffff_ffff_ffff;
    const LAYOUT: u128 = 0x7000_8000_0000_0000_0000;
    let derived = derive(first, "late call", 0).as_u128();
    CommandId(Uuid::from_u128((first.0.as_u128() & TIME) | (derived & RANDOM) | LAYOUT))
}

/// The call a `GetCall` asks for.
///
/// # Errors
/// Every wrong field at once.
pub fn get(request: &pb::GetCallRequest) -> Result<String, Failure> {
    let mut fields = Fields::default();
    let call = reference(&mut fields, &request.call_id);
    fields.done(call)
}

/// The case of a call.
pub fn call(view: &CaseView, seq: u64) -> pb::GetCallResponse {
    pb::GetCallResponse {
        case_id: view.case.id.to_string(),
        case_number: view.case_number.clone(),
        line: view.case.line.wire(),
        opened_unix_ms: view.case.opened.unix_ms(),
        version: view.version.to_bytes().to_vec(),
        seq,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::txn::command_time;

    const NOW: Instant = Instant::from_unix_ms(1_735_200_000_000);

    fn ringing() -> pb::ReportCallEventRequest {
        pb::ReportCallEventRequest {
            command_id: "0193ff2a-1c00-7000-8000-000000000001".into(),
            call_id: "pbx-7/42".into(),
            event: pb::CallEventKind::Ringing as i32,
            caller_number: "03 88 00 00 00".into(),
            called_line: "116117".into(),
            happened_unix_ms: 0,
        }
    }

    #[test]
    fn a_ringing_call_becomes_a_case_of_its_line() {
        let reported = event(&ringing(), NOW).expect("a whole event");
        assert_eq!(reported.happened, Happened::Ringing);
        assert_eq!(reported.open.opened.origin.as_deref(), Some("116117"));
        assert_eq!(reported.open.opened.call.as_deref(), Some("pbx-7/42"));
        assert_eq!(reported.open.opened.arrived, NOW);
        assert!(!reported.open.answered);
        let caller = reported.open.particulars.caller.expect("the number was given");
        assert_eq!(caller.phone.reveal(), "+33388000000");
        assert!(reported.warnings.is_empty());
    }

    #[test]
    fn a_call_with_a_number_of_no_known_shape_is_not_lost() {
        for number in ["anonyme", "1234", "+33 (0)3", "06 12"] {
            let reported = event(&pb::ReportCallEventRequest { caller_number: number.into(), ..ringing() }, NOW);
            let reported = reported.expect("the number alone refuses nothing");
            assert!(reported.open.particulars.caller.is_none());
            assert_eq!(reported.warnings[0].field, "caller_number");
            assert!(!reported.warnings[0].text.contains(number), "{}", reported.warnings[0].text);
        }
    }

    #[test]
    fn a_call_of_another_time_than_ours_or_of_a_line_with_a_long_name_is_not_lost() {
        let microseconds = NOW.unix_ms() * 1_000;
        for happened_unix_ms in [microseconds, 4_133_980_800_000, 1, -1, i64::MAX] {
            let reported = event(&pb::ReportCallEventRequest { happened_unix_ms, ..ringing() }, NOW);
            let reported = reported.expect("the hour alone refuses nothing");
            assert_eq!((reported.told_at, reported.open.opened.arrived), (None, NOW), "it is taken as now");
            let [told] = &*reported.warnings else { panic!("{:?}", reported.warnings) };
            assert_eq!((told.field.as_str(), told.code.as_str()), ("happened_unix_ms", "FIELD_DROPPED"));
        }
        let reported = event(&pb::ReportCallEventRequest { called_line: "1".repeat(33), ..ringing() }, NOW);
        let reported = reported.expect("the line alone refuses nothing");
        assert_eq!(reported.open.opened.origin, None);
        assert_eq!((&*reported.warnings[0].field, &*reported.warnings[0].code), ("called_line", "FIELD_DROPPED"));
    }

    #[test]
    fn a_call_whose_exchange_is_ahead_of_us_is_taken_as_of_now() {
        let ahead = |ms: i64| pb::ReportCallEventRequest { happened_unix_ms: NOW.unix_ms() + ms, ..ringing() };
        let reported = event(&ahead(40), NOW).expect("a whole event");
        assert_eq!((reported.open.opened.arrived, reported.warnings.len()), (NOW, 0));
        let reported = event(&ahead(90_000), NOW).expect("no call is lost for a clock");
        assert_eq!(reported.open.opened.arrived, NOW);
        assert_eq!(reported.warnings[0].code, "CLOCK_AHEAD");
    }

    #[test]
    fn an_event_without_call_is_refused_field_by_field() {
        let request = pb::ReportCallEventRequest { call_id: "a b".into(), event: 0, ..ringing() };
        let told = event(&request, NOW).expect_err("wrong").to_string();
        for field in ["call_id: 3 characters", "event: must be set"] {
            assert!(told.contains(field), "{told}");
        }
    }

    #[test]
    fn the_second_id_of_a_late_call_is_a_v7_of_the_same_time_and_always_the_same() {
        let first: CommandId = "0193ff2a-1c00-7000-8000-000000000001".parse().expect("an id");
        let second = second_id(first);
        assert_ne!(second, first);
        assert_eq!(second, second_id(first));
        assert_eq!(command_time(second), command_time(first));
        assert_eq!(second.0.get_variant(), uuid::Variant::RFC4122);
    }

    #[test]
    fn a_case_knows_the_command_that_opened_it() {
        let command: CommandId = "0193ff2a-1c00-7000-8000-000000000001".parse().expect("an id");
        assert!(opened_by(command, case_id(command, NOW)));
        assert!(!opened_by(second_id(command), case_id(command, NOW)));
    }
}
