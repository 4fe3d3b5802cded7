//! Who may do what. The service's own upkeep fires timers and goes on with routing; nobody else may pose as it.

use crate::domain::{
    actor::Role,
    case::{command::Command, refusal::Refusal, transfer::TransferAct},
};

/// Refuses a command that the role may not give.
pub(super) fn check(role: Role, command: &Command) -> Result<(), Refusal> {
    Refusal::unless(role, allowed(command))
}

fn allowed(command: &Command) -> &'static [Role] {
    use Role::{Arm, BackOffice, Coordinator, Dispatcher, Regulator, Responder, Supervisor, Telephony, Upkeep};
    match command {
        Command::Open(_) => &[Arm, Regulator, Coordinator, Telephony, Supervisor],
        Command::Call(_) => &[Telephony, Arm, Regulator, Coordinator],
        Command::Amend(_) | Command::AddNote(_) | Command::LinkRepeat(_) => &[Arm, Regulator, Coordinator, Supervisor],
        Command::Qualify(_) | Command::Dismiss { .. } => &[Arm, Regulator],
        Command::Claim
        | Command::ClaimNext(_)
        | Command::AnswerReorientation { .. }
        | Command::Release { .. }
        | Command::Resume { .. }
        | Command::AcceptHandOver
        | Command::SignNeed(_)
        | Command::SignAnswer(_)
        | Command::Reorient { .. } => &[Regulator],
        Command::Transfer(act) => match **act {
            TransferAct::Send { .. } | TransferAct::TakeBack { .. } => &[Arm, Regulator],
            TransferAct::Answer { .. } => &[Regulator],
            TransferAct::Receive(_) | TransferAct::Bring(_) | TransferAct::Settle { .. } | TransferAct::Tell(_) => {
                &[Upkeep]
            }
        },
        Command::StartDuty(_) | Command::EndDuty(_) => &[Regulator, Supervisor],
        Command::ForceRelease { .. } | Command::StartSurge { .. } | Command::EndSurge => &[Supervisor],
        Command::Advance { .. } => &[Coordinator, Regulator, Upkeep],
        Command::Cancel { .. } | Command::RenewHold { .. } => &[Coordinator, Regulator],
        Command::AnswerOffer { .. } | Command::Attend { .. } => &[Coordinator, Responder, Dispatcher],
        Command::TakeVisit { .. } | Command::MoveVisit { .. } => &[Responder, Dispatcher],
        Command::ReportVisit { .. } => &[Responder],
        Command::EndAction { .. } => &[Arm, Regulator, Coordinator, Responder, Dispatcher],
        Command::PublishSlot { .. } | Command::WithdrawSlot(_) => &[BackOffice, Responder],
        Command::OpenShift { .. } | Command::EndShift(_) => &[Responder, Dispatcher],
        Command::CallInterpreter { .. } => &[Arm, Regulator, Coordinator],
        Command::PutSheet { .. } | Command::EndSheet(_) => &[BackOffice, Regulator],
        Command::Fire(_) => &[Upkeep],
    }
}
