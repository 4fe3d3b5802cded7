//! The EDXL-DE envelope and the message header RC-DE around a case.

use super::codes;
use crate::{
    domain::regulation::qualification::Priority,
    interop::{
        incoming::{IncomingCase, Source},
        json::{Node, Object},
    },
};

/// A case inside its envelope: exactly one message, and it is a `createCaseHealth`.
pub(in crate::interop) fn envelope(node: &Node) -> Option<IncomingCase> {
    node.object(|o| {
        for key in ["senderID", "distributionID"] {
            o.required(key, Node::text);
        }
        for key in ["dateTimeSent", "dateTimeExpires"] {
            o.required(key, Node::date_time);
        }
        let brings = brings_a_case(&o.at("distributionKind"));
        let status = o.required("distributionStatus", |node| node.code(codes::ENVELOPE_STATUSES));
        o.required("descriptor", descriptor);
        let content = o.at("content");
        let messages = content.list(1, |node| {
            node.object(|o| {
                o.required("jsonContent", |node| {
                    node.object(|o| o.required("embeddedJsonContent", |node| node.object(embedded)))
                })
            })
        })?;
        if messages.len() > 1 {
            content.fault_found("one message in the envelope", format!("{}", messages.len()));
        }
        let vital = messages.iter().position(|case| case.priority == Some(Priority::P0));
        let mut case = messages.into_iter().nth(vital.unwrap_or_default())?;
        if status == Some("Exercise") {
            case.source = Source::Hub { exercise: true };
        }
        brings.then_some(case)
    })
}

/// `Report` brings a case. A cancelled or acknowledged message brings none, and an update is another message. Around a case
/// a kind of no list is a fault, and no reason to think that it brings none.
fn brings_a_case(node: &Node) -> bool {
    match node.code(codes::MESSAGE_KINDS) {
        Some("Report") | None => true,
        Some("Update") => {
            node.warn("the message says it updates a case; it was read as a new one");
            true
        }
        Some(other) => {
            node.fault_found("Report or Update around a createCaseHealth", other);
            false
        }
    }
}

fn descriptor(node: &Node) -> Option<()> {
    node.object(|o| {
        o.required("language", Node::text);
        o.required("explicitAddress", |node| {
            node.object(|o| {
                o.required("explicitAddressScheme", Node::text);
                o.required("explicitAddressValue", Node::text);
                Some(())
            })
        })
    })
}

fn embedded(o: &Object) -> Option<IncomingCase> {
    o.required("message", |node| node.object(message))
}

/// The header RC-DE and, beside it, the case.
fn message(o: &Object) -> Option<IncomingCase> {
    o.required("messageId", Node::text);
    o.required("sender", party);
    o.required("sentAt", Node::hub_date_time);
    let brings = brings_a_case(&o.at("kind"));
    let status = o.required("status", |node| node.code(codes::MESSAGE_STATUSES));
    o.required("recipient", |node| node.list(1, party));
    let mut case = o.required("createCaseHealth", super::create_case_health)?;
    if status.is_some_and(|status| status != "Actual") {
        case.source = Source::Hub { exercise: true };
    }
    brings.then_some(case)
}

fn party(node: &Node) -> Option<()> {
    node.object(|o| {
        o.required("name", Node::text);
        o.required("URI", Node::text);
        Some(())
    })
}
