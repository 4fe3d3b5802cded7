//! From bytes to cases: one message, or a file of them.

use std::fmt;

use serde_json::Value;

use super::{
    fault::{Fault, Limits},
    hub,
    incoming::IncomingCase,
    intake,
    json::{Fallback, Node, Reader},
    request_line, shapes,
};
use crate::domain::regulation::qualification::Priority;

/// Where a message stood in its file; counted from one, as an editor shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file is one document.
    Document,
    /// An entry of a JSON list.
    Entry(usize),
    /// A line of NDJSON.
    Line(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => f.write_str("document"),
            Self::Entry(n) => write!(f, "entry {n}"),
            Self::Line(n) => write!(f, "line {n}"),
        }
    }
}

/// One message of a file: the case, or every fault.
pub type Decoded = Result<IncomingCase, Vec<Fault>>;

/// Decodes one message: an RS-EDA `createCaseHealth`, bare or in its EDXL-DE envelope, or a request line. Any bytes may
/// be given: the answer is a case or at least one fault.
pub fn decode(bytes: &[u8], limits: &Limits) -> Decoded {
    if bytes.len() > limits.max_message_bytes {
        return Err(vec![too_large("a message", limits.max_message_bytes, bytes.len())]);
    }
    let value = parse(bytes)?;
    decode_value(&value, limits)
}

/// A vital emergency, read from a message that is refused for its faults: what can be read of it, for a P0 is never lost
/// for a field. Nothing for any other priority, and nothing for an exercise.
pub fn vital(bytes: &[u8], limits: &Limits, fallback: Fallback) -> Option<IncomingCase> {
    let value = parse(bytes).ok().filter(|_| bytes.len() <= limits.max_message_bytes)?;
    let reader = Reader::lenient(*limits, fallback);
    let read = any_message(&reader.root(&value))?;
    let vital = read.priority == Some(Priority::P0) && !intake::exercise(&read);
    vital.then(|| IncomingCase { warnings: reader.warnings(), ..read })
}

/// Decodes a file: one JSON document, a JSON list of them, or NDJSON (one per line, blank lines skipped). A broken
/// message is refused in its place and the others go on; an empty file is one fault.
pub fn messages(file: impl AsRef<[u8]>, limits: &Limits) -> Vec<(Place, Decoded)> {
    let bytes = file.as_ref();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.len() > limits.max_file_bytes {
        return vec![(Place::Document, Err(vec![too_large("a file", limits.max_file_bytes, bytes.len())]))];
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Array(entries)) if !entries.is_empty() => {
            entries.iter().enumerate().map(|(n, entry)| (Place::Entry(n + 1), decode_entry(entry, limits))).collect()
        }
        Ok(_) => vec![(Place::Document, decode(bytes, limits))],
        Err(_) if is_ndjson(bytes) => lines(bytes).map(|(n, line)| (Place::Line(n), decode(line, limits))).collect(),
        Err(_) => vec![(Place::Document, decode(bytes, limits))],
    }
}

/// Non-blank lines with their numbers.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let numbered = bytes.split(|byte| *byte == b'\n').enumerate().map(|(n, line)| (n + 1, line.trim_ascii()));
    numbered.filter(|(_, line)| !line.is_empty())
}

/// Whether a file that is not one document is a list of lines: some line at the margin is a whole object by itself, or
/// each begins like one. A broken document spread over lines is neither.
fn is_ndjson(bytes: &[u8]) -> bool {
    let several = lines(bytes).nth(1).is_some();
    let whole = |line: &[u8]| line.starts_with(b"{\"") && serde_json::from_slice::<Value>(line).is_ok();
    several && (bytes.split(|byte| *byte == b'\n').any(whole) || lines(bytes).all(|(_, line)| line.starts_with(b"{")))
}

fn decode_entry(entry: &Value, limits: &Limits) -> Decoded {
    let bytes = entry.to_string().len();
    if bytes > limits.max_message_bytes {
        return Err(vec![too_large("a message", limits.max_message_bytes, bytes)]);
    }
    decode_value(entry, limits)
}

fn decode_value(value: &Value, limits: &Limits) -> Decoded {
    let depth = shapes::depth(value);
    if depth > limits.max_depth {
        let expected = format!("at most {} objects and lists within each other", limits.max_depth);
        return Err(vec![Fault { path: String::new(), expected, found: depth.to_string() }]);
    }
    let reader = Reader::new(*limits);
    let read = any_message(&reader.root(value));
    let (mut case, warnings) = reader.finish(read)?;
    case.warnings = warnings;
    Ok(case)
}

/// Tells the formats apart by the property each must have.
fn any_message(node: &Node) -> Option<IncomingCase> {
    if node.has("createCaseHealth") {
        node.object(|o| o.required("createCaseHealth", hub::create_case_health))
    } else if node.has("request") {
        node.object(|o| o.required("request", request_line::request))
    } else if node.has("distributionID") || node.has("content") {
        hub::envelope(node)
    } else {
        node.fault("an object with `createCaseHealth`, an EDXL-DE envelope around one, or `request`");
        None
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Vec<Fault>> {
    // serde_json's words for a document that is no JSON name a token and a place, never the content.
    serde_json::from_slice(bytes)
        .map_err(|error| vec![Fault { path: String::new(), expected: "JSON".into(), found: error.to_string() }])
}

fn too_large(what: &str, most: usize, found: usize) -> Fault {
    Fault { path: String::new(), expected: format!("{what} of at most {most} bytes"), found: format!("{found} bytes") }
}
