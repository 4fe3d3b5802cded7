//! Bad input, and the error a person reads: what is wrong, what to do, in English and French; never the value given.

mod hub;
mod intake;
mod limits;
mod metadata;
mod particulars;
mod regulation;
mod vital;

use sas_dispatch::grpc::client::Status;
use tonic_types::StatusExt;

/// A word that stands in every wrong value below: an error that repeats a value holds it.
const CANARY: &str = "Zqcanari";

/// An error as its reader sees it: code and reason, the message, the French sentence, then each field with its problem.
#[track_caller]
fn read<T>(answer: Result<T, Status>) -> String {
    let Err(status) = answer else { panic!("it was to be refused") };
    let details = status.get_error_details();
    let info = details.error_info().expect("every error has a reason for programs");
    let french = details.localized_message().expect("every error has a sentence for French screens");
    assert_eq!((info.domain.as_str(), french.locale.as_str()), ("sas-dispatch", "fr"));
    let mut lines = vec![format!("{:?} {}", status.code(), info.reason), status.message().to_owned()];
    lines.push(french.message.clone());
    let fields = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    lines.extend(fields.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.description)));
    if let Some(failure) = details.precondition_failure() {
        lines.extend(failure.violations.iter().map(|wrong| format!("{} {}", wrong.r#type, wrong.subject)));
    }
    let everything = format!("{}{}", lines.concat(), String::from_utf8_lossy(status.details()));
    assert!(!everything.to_lowercase().contains(&CANARY.to_lowercase()), "a value was repeated: {everything}");
    lines.join("\n")
}

/// What an answer of WRONG_FIELDS reads like: every field with its problem, once in the message and once for the form.
fn wrong(faults: &[(&str, &str)]) -> String {
    let told: Vec<_> = faults.iter().map(|(field, problem)| format!("{field}: {problem}")).collect();
    let names: Vec<_> = faults.iter().map(|(field, _)| *field).collect();
    format!(
        "InvalidArgument WRONG_FIELDS\n{} wrong field(s): {}\nChamps à corriger : {}.\n{}",
        faults.len(),
        told.join("; "),
        names.join(", "),
        told.join("\n")
    )
}
