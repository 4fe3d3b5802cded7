//! The EDXL-DE envelope and the message header RC-DE around a case.

use super::codes;
use crate::interop::{
    incoming::{IncomingCase, Source},
    json::{Node, Object},
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
        let kind = kind(&o.at("distributionKind"));
        let status = o.required("distributionStatus", |node| node.code(codes::ENVELOPE_STATUSES));
        o.required("descriptor", descriptor);
        let content = o.at("content");
        let mut messages = content.list(1, |node| {
            node.object(|o| {
                o.required("jsonContent", |node| {
                    node.object(|o| o.required("embeddedJsonContent", |node| node.object(embedded)))
                })
            })
        })?;
        if messages.len() > 1 {
            content.fault_found("one message in the envelope", format!("{}", messages.len()));
        }
        let mut case = messages.pop()?;
        if status? == "Exercise" {
            case.source = Source::Hub { exercise: true };
        }
        kind.map(|()| case)
    })
}

/// `Report` brings a case. A cancelled or acknowledged message brings none, and an update is another message.
fn kind(node: &Node) -> Option<()> {
    match node.code(codes::MESSAGE_KINDS)? {
        "Report" => Some(()),
        "Update" => {
            node.warn("the message says it updates a case; it was read as a new one");
            Some(())
        }
        other => {
            node.fault_found("Report or Update around a createCaseHealth", other);
            None
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
    let kind = kind(&o.at("kind"));
    let status = o.required("status", |node| node.code(codes::MESSAGE_STATUSES));
    o.required("recipient", |node| node.list(1, party));
    let case = o.required("createCaseHealth", super::create_case_health);
    let mut case = case?;
    if status? != "Actual" {
        case.source = Source::Hub { exercise: true };
    }
    kind.map(|()| case)
}

fn party(node: &Node) -> Option<()> {
    node.object(|o| {
        o.required("name", Node::text);
        o.required("URI", Node::text);
        Some(())
    })
}
