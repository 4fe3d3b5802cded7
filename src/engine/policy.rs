//! What a command does when the promised durability cannot be had: wait for it, or go on with an alarm, at D1 or at whatever
//! level there is.

use crate::{
    domain::{
        case::{Case, Command, transfer::TransferAct},
        regulation::qualification::Priority,
    },
    store::{Policy, txn::MAX_RECORD},
};

/// The policy of `command` about `case` as it was before it; `intake` is the configuration's for intake.
///
/// A vital emergency and its hand-over never wait, whatever level can be had, save for what binds a slot or a visit: that is
/// strict whosever it is, and another can be asked meanwhile. What is heard on the telephone follows the configuration: asking
/// the caller again is possible, not answering is worse. What gives somebody exclusively a case, a slot or a visit is
/// strict: two who hold the same are worse than one who waits. What falls due by itself goes on, since a lost tail loses
/// the firing and its mark together, and it fires again.
pub(super) fn policy(command: &Command, case: Option<&Case>, intake: Policy) -> Policy {
    match command {
        Command::AcceptHandOver => Policy::Vital,
        Command::Open(open) if open.vital => Policy::Vital,
        Command::Qualify(qualify) if qualify.priority == Priority::P0 => Policy::Vital,
        Command::Advance { .. }
        | Command::AnswerOffer { .. }
        | Command::RenewHold { .. }
        | Command::TakeVisit { .. } => Policy::Strict,
        _ if case.is_some_and(vital) => Policy::Vital,
        Command::Fire(_) => Policy::Degraded,
        Command::Open(_)
        | Command::Amend(_)
        | Command::AddNote(_)
        | Command::LinkRepeat(_)
        | Command::Call(_)
        | Command::Qualify(_) => intake,
        _ => Policy::Strict,
    }
}

/// The largest record that a command may leave of a case, bytes: what a person adds stops first, then what is decided and
/// looked for anew, and that it has become worse, so that what keeps the case safe has room to the end: a vital emergency and
/// its hand-over, a caller who is gone, an alarm, an end.
pub(super) fn most_bytes(command: &Command) -> usize {
    const ADDED: usize = 176 * 1_024;
    const DECIDED: usize = 216 * 1_024;
    match command {
        Command::Qualify(qualify) if qualify.priority == Priority::P0 => MAX_RECORD,
        Command::Qualify(qualify) if qualify.priority == Priority::P1 => DECIDED,
        Command::Amend(_)
        | Command::AddNote(_)
        | Command::LinkRepeat(_)
        | Command::CallInterpreter { .. }
        | Command::Qualify(_) => ADDED,
        Command::SignNeed(_) | Command::Advance { .. } | Command::Reorient { .. } => DECIDED,
        Command::Transfer(act) if matches!(**act, TransferAct::Send { .. }) => DECIDED,
        _ => MAX_RECORD,
    }
}

/// Whether a case is a vital emergency: nothing about it waits for a replica or a disk.
pub(super) fn vital(case: &Case) -> bool {
    case.qualification.as_ref().is_some_and(|known| known.priority == Priority::P0)
}

/// The policy of renewing a claim on `case`. A regulator may believe that a case is his only as long as nobody can take it
/// elsewhere: one who is told so by a primary that is about to go would go on with a case that another is given. Where the
/// promised level cannot be had he is not told so, and his claim stands still ([`super::outage`]). A vital emergency never
/// waits: its renewals go on at the level that can be had, and say which.
pub(super) fn renewal(case: &Case) -> Policy {
    if vital(case) { Policy::Vital } else { Policy::Strict }
}
