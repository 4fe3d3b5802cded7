//! The one mapping of refusals and failures to gRPC status, with the richer error model.
//!
//! The code follows what the caller does next: UNAVAILABLE retry the same call, ABORTED read again, FAILED_PRECONDITION mend
//! something first, INVALID_ARGUMENT correct every field named. `ErrorInfo.reason` is for programs, `LocalizedMessage` for
//! French screens.
//!
//! All of it travels in trailers, which clients bound: at 8 KiB gRPC core begins to drop them, and a caller is then told
//! nothing but RESOURCE_EXHAUSTED. What is told is cut well below that, and says that it was.

use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt};

use crate::{
    domain::case::{FieldFault, Refusal},
    engine::Failure,
    store::StoreError,
};

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "sas-dispatch";
/// How long a caller waits before it retries.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// Wrong fields named in one answer.
const MOST_FIELDS: usize = 32;
/// Longest list of wrong fields, bytes. With the texts, which the details repeat, and as base64: 5 KiB of trailers at most of
/// plain text, and below 8 where every character is escaped.
const LONGEST_LIST: usize = 1_800;
/// Longest text of one wrong field, bytes.
const LONGEST_PROBLEM: usize = 400;
/// Longest message, bytes.
const LONGEST_MESSAGE: usize = 800;
/// Longest sentence for a screen, bytes.
const LONGEST_FRENCH: usize = 400;

/// What a caller is told, before it becomes a status.
struct Told {
    code: Code,
    reason: &'static str,
    message: String,
    french: String,
    fields: Vec<FieldFault>,
    precondition: Option<PreconditionViolation>,
    metadata: HashMap<String, String>,
}

impl Told {
    fn new(code: Code, reason: &'static str, message: impl Into<String>, french: impl Into<String>) -> Self {
        let (message, french) = (message.into(), french.into());
        Self { code, reason, message, french, fields: Vec::new(), precondition: None, metadata: HashMap::new() }
    }

    fn of(code: Code, refusal: &Refusal) -> Self {
        Self::new(code, refusal.code(), refusal.to_string(), refusal.french())
    }

    fn precondition(mut self, subject: &str) -> Self {
        self.precondition = Some(PreconditionViolation::new(self.reason, subject, self.message.clone()));
        self
    }

    fn fields(mut self, faults: Vec<FieldFault>) -> Self {
        self.fields = faults;
        self
    }

    fn with(mut self, name: &str, value: String) -> Self {
        self.metadata.insert(name.to_owned(), value);
        self
    }

    fn status(self) -> Status {
        let mut details = ErrorDetails::with_error_info(self.reason, DOMAIN, self.metadata);
        details.set_localized_message("fr", cut(self.french, LONGEST_FRENCH));
        if !self.fields.is_empty() {
            details.set_bad_request(violations(self.fields));
        }
        if let Some(PreconditionViolation { r#type, subject, description }) = self.precondition {
            let description = cut(description, LONGEST_PROBLEM);
            details.set_precondition_failure(vec![PreconditionViolation { r#type, subject, description }]);
        }
        if matches!(self.code, Code::Unavailable | Code::ResourceExhausted) {
            details.set_retry_info(Some(RETRY_AFTER));
        }
        Status::with_error_details(self.code, cut(self.message, LONGEST_MESSAGE), details)
    }
}

/// As many wrong fields as an answer has room for; where that is not all, the last one says how many more there are.
fn violations(faults: Vec<FieldFault>) -> Vec<FieldViolation> {
    let (all, mut told, mut room) = (faults.len(), Vec::new(), LONGEST_LIST);
    for fault in faults {
        let (field, problem) = (cut(fault.field, LONGEST_PROBLEM), cut(fault.problem, LONGEST_PROBLEM));
        let size = field.len() + problem.len();
        if told.len() + 1 >= MOST_FIELDS && told.len() + 1 < all || size > room {
            let more = all - told.len() - 1;
            told.push(FieldViolation::new(field, format!("wrong too, and {more} more: mend those named first")));
            break;
        }
        room -= size;
        told.push(FieldViolation::new(field, problem));
    }
    told
}

/// A text of at most `longest` bytes, cut behind a word.
fn cut(text: String, longest: usize) -> String {
    if text.len() <= longest {
        return text;
    }
    let end = (0..=longest - 4).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    let kept = &text[..end];
    let kept = kept.rfind(' ').filter(|end| *end > longest / 2).map_or(kept, |end| &kept[..end]);
    format!("{kept} …")
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        let told = match failure {
            Failure::Refused(refusal) => refused(refusal),
            Failure::Store(error) => store(&error),
            Failure::Busy => Told::new(
                Code::Aborted,
                "BUSY",
                failure.to_string(),
                "D'autres modifient ce dossier au même moment : relisez-le et recommencez.",
            ),
            Failure::Unavailable(_) => {
                Told::new(Code::Unavailable, "UNAVAILABLE", failure.to_string(), "Service indisponible : réessayez.")
            }
            Failure::TooSlow(ref token) => Told::new(
                Code::ResourceExhausted,
                "WATCH_TOO_SLOW",
                failure.to_string(),
                "L'écran ne suit plus : il se reconnecte là où il en était.",
            )
            .with("resume_token", hex(&token.0)),
        };
        told.status()
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        refused(refusal).status()
    }
}

fn refused(refusal: Refusal) -> Told {
    match &refusal {
        Refusal::Fields(faults) => Told::of(Code::InvalidArgument, &refusal).fields(faults.clone()),
        Refusal::NotFound(_) | Refusal::Archived(_) => Told::of(Code::NotFound, &refusal),
        Refusal::Stale(_) => Told::of(Code::Aborted, &refusal),
        Refusal::NotHolder | Refusal::NotHolderWordless => {
            Told::of(Code::FailedPrecondition, &refusal).precondition("claim")
        }
        Refusal::State { what, .. } => Told::of(Code::FailedPrecondition, &refusal).precondition(what),
        Refusal::Independence => Told::of(Code::FailedPrecondition, &refusal).precondition("responder"),
        Refusal::Role { .. } => Told::of(Code::PermissionDenied, &refusal),
        Refusal::Broken(_) => Told::of(Code::Internal, &refusal),
    }
}

/// There is no room for one more call: nothing of it was read.
pub(super) fn overloaded() -> Status {
    let message = "too many calls are in hand; nothing was done: try again a little later";
    Told::new(Code::Unavailable, "OVERLOADED", message, "Service surchargé, rien n'a été fait : réessayez.").status()
}

/// The longest time of a call is over, and what it was about may happen yet.
pub(super) fn cut_off() -> Status {
    let message = "no answer within the longest time of a call; the outcome is unknown: repeat the same command id";
    let french = "Pas de réponse à temps : renvoyez la même demande, elle ne sera faite qu'une fois.";
    Told::new(Code::Unavailable, "OUTCOME_UNKNOWN", message, french).status()
}

/// Nobody serves what was called. `service`: the one of ours that it was looked for in; what the caller wrote is not repeated.
pub(super) fn unknown_method(service: Option<&str>) -> Status {
    let missing = service.map_or("no such service".to_owned(), |service| format!("no such method of {service}"));
    let message = format!("{missing} is served here: use the proto files of this version, or reflection");
    let french = "Fonction inconnue : la console et le service n'ont pas la même version.";
    Told::new(Code::Unimplemented, "UNKNOWN_METHOD", message, french).status()
}

fn store(error: &StoreError) -> Told {
    let command = |what: &str| vec![FieldFault::new("command_id", what)];
    match error {
        StoreError::Unavailable(_) => Told::new(
            Code::Unavailable,
            "STORE_UNAVAILABLE",
            error.to_string(),
            "Enregistrement indisponible, rien n'a été écrit : réessayez.",
        ),
        StoreError::Unknown(_) => Told::new(
            Code::Unavailable,
            "OUTCOME_UNKNOWN",
            error.to_string(),
            "Pas de réponse de l'enregistrement : renvoyez la même demande, elle ne sera faite qu'une fois.",
        ),
        StoreError::Fenced { .. } => {
            Told::new(Code::Unavailable, "FENCED", error.to_string(), "Le service vient de basculer : réessayez.")
        }
        StoreError::Behind { .. } => Told::new(
            Code::FailedPrecondition,
            "STORE_BEHIND",
            error.to_string(),
            "L'enregistrement est revenu en arrière (sauvegarde ancienne ?) : lecture seule jusqu'à ce que l'informatique \
             remette les bonnes données ou lance « sas-dispatch restore ».",
        )
        .precondition("store"),
        StoreError::OtherPayload(_) => {
            let what = "was used for another request before: make a new UUIDv7 for each act";
            let french = "Identifiant de commande déjà employé pour une autre demande.";
            Told::new(Code::InvalidArgument, "COMMAND_ID_REUSED", error.to_string(), french).fields(command(what))
        }
        StoreError::StaleCommand(_) => {
            let what = "its own time is over 71 h old or more than 5 minutes ahead: make a new UUIDv7, check the clock";
            let french = "Identifiant de commande trop ancien ou en avance : vérifiez l'horloge du poste.";
            Told::new(Code::InvalidArgument, "COMMAND_ID_STALE", error.to_string(), french).fields(command(what))
        }
        StoreError::Newer { .. } => Told::new(
            Code::FailedPrecondition,
            "NEWER_DATA",
            error.to_string(),
            "Données écrites par une version plus récente : rien n'a été modifié ; prévenez l'informatique, qui doit installer \
             cette version ici.",
        )
        .precondition("store"),
        StoreError::Malformed(_) => Told::new(
            Code::Internal,
            "MALFORMED_TRANSACTION",
            error.to_string(),
            "Erreur interne : rien n'a été modifié ; prévenez le support.",
        ),
        StoreError::Corrupt(_) => Told::new(
            Code::DataLoss,
            "UNREADABLE_STATE",
            error.to_string(),
            "Donnée enregistrée illisible : prévenez le support.",
        ),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// No actor, or not a whole one: every wrong header at once.
pub(super) fn unauthenticated(faults: Vec<FieldFault>) -> Status {
    let headers = faults.iter().map(|fault| format!("{}: {}", fault.field, fault.problem)).collect::<Vec<_>>();
    let message = format!("who acts is not known: {}", headers.join("; "));
    let french = "Vous n'êtes pas identifié : reconnectez-vous.";
    Told::new(Code::Unauthenticated, "NO_ACTOR", message, french).fields(faults).status()
}

/// What the transport refused before a handler saw it, in the words of this service. `None` when a handler has told it.
pub(super) fn of_transport(refused: &Status) -> Option<Status> {
    if !refused.details().is_empty() {
        return None;
    }
    let (code, said) = (refused.code(), refused.message());
    let unreadable = code == Code::Internal && said.contains("decode");
    let told = match code {
        Code::OutOfRange | Code::ResourceExhausted => Told::new(
            code,
            "MESSAGE_TOO_LONG",
            format!("the message is too long: shorten its texts or send less at once ({said})"),
            "Message trop long : raccourcissez les textes ou envoyez-le en plusieurs fois.",
        ),
        _ if unreadable => Told::new(
            Code::InvalidArgument,
            "UNREADABLE_MESSAGE",
            format!("the bytes are no message of this call: use the proto files of this version ({said})"),
            "Message illisible : la console et le service n'ont pas la même version.",
        ),
        _ => return None,
    };
    Some(told.status())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_reaches_the_caller_in_one_answer() {
        let faults =
            vec![FieldFault::new("patients[0].nir", "15 characters"), FieldFault::new("caller.phone", "shape")];
        let status = Status::from(Failure::Refused(Refusal::Fields(faults)));
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let named: Vec<_> = details.bad_request().unwrap().field_violations.iter().map(|v| v.field.as_str()).collect();
        assert_eq!(named, ["patients[0].nir", "caller.phone"]);
        assert_eq!(details.localized_message().unwrap().locale, "fr");
    }

    /// Found with a client of gRPC core: 200 wrong patients came back as RESOURCE_EXHAUSTED, without a field.
    #[test]
    fn a_long_list_of_wrong_fields_fits_into_what_a_client_takes_and_says_how_many_more_there_are() {
        let fault = |n: usize| FieldFault::new(format!("patients[{n}].birth_date"), "expected a date as YYYY-MM-DD");
        for (many, longest) in [(200, 0), (32, 0), (3, 5_000)] {
            let mut faults: Vec<FieldFault> = (0..many).map(fault).collect();
            faults[1].problem.push_str(&"é ".repeat(longest));
            let status = Status::from(Refusal::Fields(faults));
            let escaped: usize =
                status.message().bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 }).sum();
            let sent = escaped + status.details().len().div_ceil(3) * 4;
            assert!(sent < 6_000, "{many} faults: {sent} bytes of trailers");
            assert!(
                status.message().starts_with(&format!("{many} wrong field(s): patients[0]")),
                "{}",
                status.message()
            );
            let named = status.get_error_details().bad_request().unwrap().field_violations.clone();
            assert!(named.len() <= MOST_FIELDS && named[0].field == "patients[0].birth_date");
            let told = format!("wrong too, and {} more", many - named.len());
            assert_eq!(named.last().unwrap().description.starts_with(&told), many > named.len(), "{named:?}");
        }
    }

    #[test]
    fn an_unknown_outcome_says_to_repeat_the_same_command() {
        let status = Status::from(Failure::Store(StoreError::Unknown("closed".to_owned())));
        assert_eq!(status.code(), Code::Unavailable);
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("OUTCOME_UNKNOWN", DOMAIN));
        assert!(status.message().contains("repeat the same command id"), "{}", status.message());
        assert!(details.retry_info().is_some());
    }

    #[test]
    fn a_store_that_went_back_names_the_command_that_mends_it() {
        let territory = "fr-67".parse().unwrap();
        let status = Status::from(Failure::Store(StoreError::Behind { territory, acknowledged: 12, head: 7 }));
        assert_eq!(status.code(), Code::FailedPrecondition);
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "STORE_BEHIND");
        assert!(details.localized_message().unwrap().message.contains("« sas-dispatch restore »"));
        assert!(status.message().contains("seq 12 was acknowledged") && status.message().contains("ends at 7"));
    }

    #[test]
    fn what_is_in_the_way_is_named_as_a_precondition() {
        let status = Status::from(Refusal::state("case", "nobody holds it"));
        assert_eq!(status.code(), Code::FailedPrecondition);
        let details = status.get_error_details();
        let violation = &details.precondition_failure().unwrap().violations[0];
        assert_eq!((violation.r#type.as_str(), violation.subject.as_str()), ("WRONG_STATE", "case"));
    }
}
