//! Requests of intake as commands.

use prost::Message;

use crate::{
    domain::{
        actor::{Actor, Role},
        case::{
            Command,
            command::{Open, Paper, Particulars},
            fact::Opened,
            state::{Channel, Line},
        },
        ids::CaseId,
        person::Private,
        regulation::motives::Motive,
        time::{Instant, Span},
    },
    engine::{Failure, Mutation, Place, Target},
    grpc::pb,
    interop::hub::codes::{LANGUAGES, ORIGINS},
    store::txn::command_time,
};

use super::{
    fields::{Act, Fields, LONGEST_WORDS},
    particulars::{Ground, LANGUAGE, Parts, listed, particulars},
    regulation,
};

/// Longest reference of a telephone call, characters.
const LONGEST_CALL: usize = 128;
/// How far clocks of consoles may be ahead.
const CLOCK_GAP: Span = Span::from_mins(1);
/// How far ahead a file may be made.
const MADE_IN_ADVANCE: Span = Span::from_hours(366 * 24);

/// What a conversion knows beside the request.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// The acting territory.
    pub ground: &'a Place,
    /// The present instant.
    pub now: Instant,
}

/// How long ago a call may have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrivals {
    /// One that arrived longer ago is entered from paper.
    pub late: Span,
    /// One from paper that arrived longer ago is refused.
    pub paper: Span,
}

impl Default for Arrivals {
    fn default() -> Self {
        Self { late: Span::from_mins(10), paper: Span::from_hours(31 * 24) }
    }
}

impl<'a> Scene<'a> {
    /// Where, by whom and when what is known was said.
    pub(super) fn told_at(&self, now: Instant) -> Ground<'a> {
        Ground { place: self.ground, actor: self.actor, now }
    }

    /// When a command was made, by its own word, so that a repeated one is judged as it was the first time.
    fn made(&self, mutation: Option<Mutation>) -> Instant {
        mutation.and_then(|mutation| command_time(mutation.command_id)).unwrap_or(self.now)
    }

    /// What identifies the opening of a case: a vital emergency is opened whatever it is called.
    pub(super) fn opening(
        &self,
        fields: &mut Fields,
        rpc: &str,
        command_id: &str,
        request: &impl Message,
    ) -> Option<Mutation> {
        fields.mutation_or_made(rpc, command_id, request, (self.actor, self.now))
    }
}

/// Opens a case for a call that arrived at most `late` before the command was made.
///
/// # Errors
/// Every wrong field at once; for a vital emergency none.
pub fn open(request: &pb::OpenCaseRequest, scene: Scene<'_>, late: Span) -> Result<Act, Failure> {
    let mut fields = Fields::never_refusing(request.vital);
    let mutation = scene.opening(&mut fields, "OpenCase", &request.command_id, request);
    let made = scene.made(mutation);
    let arrived = fields.optional_instant("arrived_unix_ms", request.arrived_unix_ms);
    let arrived = arrived.and_then(|arrived| recent(&mut fields, arrived, made, late));
    let telephony = scene.actor.role == Role::Telephony;
    let opened = Opened {
        channel: if telephony { Channel::Telephony } else { Channel::Console },
        origin: listed(&mut fields, "origin", &request.origin, ORIGINS, "HubSante.origine"),
        arrived: arrived.unwrap_or(scene.now).min(scene.now),
        call: call(&mut fields, &request.call_reference),
        number_form: None,
        line: fields.optional_code("line", request.line).unwrap_or(Line::OnLine),
    };
    let parts = Parts {
        caller: request.caller.as_ref(),
        place: request.place.as_ref(),
        safety: request.safety.as_ref(),
        patients: &request.patients,
    };
    let mut particulars = particulars(&mut fields, parts, scene.told_at(scene.now));
    particulars.activates = activates(&mut fields, request.activates_unix_ms, made);
    let note = fields.optional_words("note", &request.note, LONGEST_WORDS);
    let answered = request.answered || !telephony;
    let open = Open { opened, answered, vital: request.vital, particulars, note, paper: None, heard: None };
    fields.act(mutation, Some(Target::default()), Some(Command::Open(Box::new(open))))
}

/// When a file made in advance becomes active.
fn activates(fields: &mut Fields, unix_ms: i64, made: Instant) -> Option<Instant> {
    let at = fields.optional_instant("activates_unix_ms", unix_ms)?;
    if at <= made || at > made + MADE_IN_ADVANCE {
        return fields
            .fault("activates_unix_ms", "in the future and at most a year ahead; leave it out for a call of now");
    }
    Some(at)
}

fn recent(fields: &mut Fields, arrived: Instant, made: Instant, late: Span) -> Option<Instant> {
    if arrived > made + CLOCK_GAP {
        return fields.fault("arrived_unix_ms", "lies in the future: leave it out for a call that comes in now");
    }
    if made.since(arrived) > late {
        let problem = format!("over {} minutes ago: enter it with BackfillCase", late.secs() / 60);
        return fields.fault("arrived_unix_ms", problem);
    }
    Some(arrived)
}

fn call(fields: &mut Fields, reference: &str) -> Option<String> {
    let length = reference.chars().count();
    if length > LONGEST_CALL {
        return fields.fault("call_reference", format!("{length} characters: at most {LONGEST_CALL}"));
    }
    (length > 0).then(|| reference.to_owned())
}

/// Enters a case from paper with its true times.
///
/// # Errors
/// Every wrong field at once.
pub fn backfill(request: &pb::BackfillCaseRequest, scene: Scene<'_>, oldest: Span) -> Result<Act, Failure> {
    let mut fields = Fields::never_refusing(request.vital);
    let mutation = scene.opening(&mut fields, "BackfillCase", &request.command_id, request);
    let arrived = fields.instant("arrived_unix_ms", request.arrived_unix_ms);
    if arrived.is_some_and(|arrived| arrived > scene.now) {
        fields.fault::<()>("arrived_unix_ms", "lies in the future: a case from paper has its past time");
    }
    let made = scene.made(mutation);
    if arrived.is_some_and(|arrived| made.since(arrived) > oldest) {
        let days = oldest.ms() / Span::from_hours(24).ms();
        fields.fault::<()>("arrived_unix_ms", format!("lies more than {days} days back: look at its year and month"));
    }
    let opened = Opened {
        channel: Channel::Paper,
        origin: listed(&mut fields, "origin", &request.origin, ORIGINS, "HubSante.origine"),
        arrived: arrived.unwrap_or(scene.now).min(scene.now),
        call: None,
        number_form: None,
        line: fields.optional_code("line", request.line).unwrap_or(Line::CallBack),
    };
    let parts = Parts {
        caller: request.caller.as_ref(),
        place: request.place.as_ref(),
        safety: request.safety.as_ref(),
        patients: &request.patients,
    };
    let particulars = particulars(&mut fields, parts, scene.told_at(opened.arrived));
    let note = fields.optional_words("note", &request.note, LONGEST_WORDS);
    let paper = paper(&mut fields, request);
    let open = Open { opened, answered: true, vital: request.vital, particulars, note, paper, heard: None };
    fields.act(mutation, Some(Target::default()), Some(Command::Open(Box::new(open))))
}

/// What was done on paper. A vital emergency that still waits is handed over, whatever the sheet says.
fn paper(fields: &mut Fields, request: &pb::BackfillCaseRequest) -> Option<Box<Paper>> {
    let Some(given) = &request.qualification else {
        if request.decision.is_some() {
            fields.fault::<()>("qualification", "must be set with a decision: priority, stream, motive, at_unix_ms");
        }
        return None;
    };
    if request.vital {
        let text = "not entered: a vital emergency is handed over now; leave vital out for one that was";
        fields.warn("qualification", "PAPER_NOT_ENTERED", text);
        return None;
    }
    let qualify = regulation::on_paper(fields, given);
    let at = fields.instant("qualification.at_unix_ms", given.at_unix_ms);
    let by = fields.optional("qualification.by", &given.by);
    let decision = request.decision.as_ref().map(|given| regulation::decided_on_paper(fields, given));
    let decision = match decision {
        Some(read) => Some(read?),
        None => None,
    };
    Some(Box::new(Paper { qualify: qualify?, at: at?, by, decision }))
}

/// Corrects or completes a case.
///
/// # Errors
/// Every wrong field at once.
pub fn amend(request: &pb::AmendCaseRequest, scene: Scene<'_>) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("AmendCase", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let parts = Parts {
        caller: request.caller.as_ref(),
        place: request.place.as_ref(),
        safety: request.safety.as_ref(),
        patients: &request.patients,
    };
    let mut read = particulars(&mut fields, parts, scene.told_at(scene.now));
    read.motive = fields.optional::<Motive>("motive", &request.motive).map(|motive| motive.code().to_owned());
    if read == Particulars::default() {
        fields.fault::<()>("caller", "nothing is changed: set at least one of caller, place, safety, patients, motive");
    }
    fields.act(mutation, target, Some(Command::Amend(Box::new(read))))
}

/// Adds a note.
///
/// # Errors
/// Every wrong field at once.
pub fn note(request: &pb::AddNoteRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("AddNote", &request.command_id, request);
    let target = fields.target(&request.case_id, &[]);
    let text: Option<Private<String>> = fields.words("text", &request.text, LONGEST_WORDS);
    fields.act(mutation, target, text.map(Command::AddNote))
}

/// Calls for an interpreter.
///
/// # Errors
/// Every wrong field at once.
pub fn interpreter(request: &pb::CallInterpreterRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("CallInterpreter", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let language = listed(&mut fields, "language", &request.language, LANGUAGES, LANGUAGE);
    fields.act(mutation, target, Some(Command::CallInterpreter { language }))
}

/// Links a repeat call to the earlier case.
///
/// # Errors
/// Every wrong field at once.
pub fn link(request: &pb::LinkRepeatCallRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("LinkRepeatCall", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let earlier: Option<CaseId> = fields.id("earlier_case_id", &request.earlier_case_id);
    fields.act(mutation, target, earlier.map(Command::LinkRepeat))
}

/// Ends a file without a doctor.
///
/// # Errors
/// Every wrong field at once.
pub fn dismiss(request: &pb::DismissCaseRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("DismissCase", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let attribution = fields.code("attribution", request.attribution);
    fields.act(
        mutation,
        target,
        attribution.map(|attribution| Command::Dismiss { attribution, possible_repeat: false }),
    )
}

/// Which case is read.
///
/// # Errors
/// A malformed id.
pub fn case_id(text: &str) -> Result<CaseId, Failure> {
    let mut fields = Fields::default();
    let id = fields.id("case_id", text);
    fields.done(id)
}
