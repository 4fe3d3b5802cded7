//! Hand-overs between territories: requests into commands.

use crate::{
    domain::case::{Command, transfer::TransferAct},
    engine::Failure,
    grpc::pb,
};

use super::fields::{Act, Fields, LONGEST_WORDS};

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
    let refused = fields.optional_words("refused_reason", &request.refused_reason, LONGEST_WORDS);
    fields.act(mutation, target, Some(command(TransferAct::Answer { refused })))
}

fn command(act: TransferAct) -> Command {
    Command::Transfer(Box::new(act))
}
