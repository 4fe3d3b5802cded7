//! Hand-overs between territories: requests into commands.

use crate::{
    domain::case::{
        Command,
        transfer::{OpenTransfer, TransferAct},
    },
    engine::{CaseView, Failure},
    grpc::pb,
};

use super::{
    case::ms,
    codes::Coded,
    fields::{Act, Fields, LONGEST_WORDS},
};

/// Hands a case over to another territory.
///
/// # Errors
/// Every wrong field at once.
pub fn transfer(request: &pb::TransferCaseRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("TransferCase", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let claim_no = (request.claim_no > 0).then_some(request.claim_no);
    let to = fields.id("territory", &request.territory);
    let reason = fields.words("reason", &request.reason, LONGEST_WORDS);
    let act = to.zip(reason).map(|(to, reason)| TransferAct::Send { claim_no, to, reason });
    fields.act(mutation, target, act.map(command))
}

/// Takes back what was sent.
///
/// # Errors
/// Every wrong field at once.
pub fn withdraw(request: &pb::WithdrawTransferRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("WithdrawTransfer", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let reason = fields.words("reason", &request.reason, LONGEST_WORDS);
    fields.act(mutation, target, reason.map(|reason| command(TransferAct::TakeBack { reason })))
}

/// Takes what another territory sent, or sends it back.
///
/// # Errors
/// Every wrong field at once.
pub fn answer(request: &pb::AnswerTransferRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("AnswerTransfer", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let refused = fields.refusal("refused_reason", &request.refused_reason, LONGEST_WORDS);
    fields.act(mutation, target, Some(command(TransferAct::Answer { refused })))
}

/// The hand-overs of a case that are not over on both sides.
pub fn open(known: &CaseView) -> impl Iterator<Item = pb::OpenTransfer> {
    let priority = known.case.qualification.as_ref().map_or(0, |known| known.priority.wire());
    known.case.open_transfers().into_iter().map(move |open| {
        let OpenTransfer { sent, other, there, there_number, by, since, until, state } = open;
        pb::OpenTransfer {
            case_id: known.case.id.to_string(),
            case_number: known.case_number.clone(),
            sent,
            territory: other.to_string(),
            there_case_id: there.to_string(),
            there_case_number: there_number,
            by: by.to_string(),
            since_unix_ms: since.unix_ms(),
            answer_until_unix_ms: ms(until),
            state: state.wire(),
            label: state.label().to_owned(),
            priority,
        }
    })
}

fn command(act: TransferAct) -> Command {
    Command::Transfer(Box::new(act))
}
