//! Messages of other systems: what the decoder takes, what it refuses and in which words, and what it keeps to itself.

mod codes;
mod fuzz;
mod published;
mod schema;
mod secrecy;
mod stories;

use std::path::{Path, PathBuf};

use sas_dispatch::interop::{
    fault::{Fault, Limits},
    incoming::IncomingCase,
    messages::{Decoded, decode},
};
use serde_json::Value;

/// A message of our own, wholly made up.
fn own(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/hub").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The richest of them: every object and property of the schema once.
fn rich() -> Value {
    serde_json::from_slice(&own("strasbourg-fever.json")).expect("our own message is JSON")
}

fn decode_own(name: &str) -> Decoded {
    decode(&own(name), &Limits::DEFAULT)
}

fn accepted(message: &Value) -> IncomingCase {
    decode(message.to_string().as_bytes(), &Limits::DEFAULT).unwrap_or_else(|faults| panic!("{}", told(&faults)))
}

fn refused(message: &Value) -> Vec<Fault> {
    decode(message.to_string().as_bytes(), &Limits::DEFAULT).expect_err("the message should be refused")
}

/// The faults as a person reads them.
fn told(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
}

/// The folder of published real inputs, or nothing, said plainly.
fn reference(what: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SAS_REFERENCE_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("SKIPPED: {what}: SAS_REFERENCE_DATA is not set");
    }
    folder.map(|folder| folder.join("hub"))
}

fn reference_json(hub: &Path, name: &str) -> Value {
    let path = hub.join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
