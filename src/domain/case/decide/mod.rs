//! decide: a command and the records it concerns become facts, or one refusal. Pure; the same input gives the same
//! output, always.

mod beside;
mod brought;
mod claims;
mod conditions;
mod counter;
mod draft;
mod elsewhere;
mod file;
mod intake;
mod offers;
mod paper;
mod qualify;
mod referral;
mod regulate;
mod reorient;
mod roles;
mod room;
mod route;
mod sheets;
mod supply;
mod transfer;
mod triage;
mod upkeep;
mod visit;
mod vital;

use serde::{Deserialize, Serialize};

use crate::domain::{
    actor::{Actor, Role},
    directory::Directory,
    ids::{CaseId, CommandId, DecisionId, DutyId, OfferId, SheetId, ShiftId, SlotId},
    territory::Territory,
    time::Instant,
};

use super::{
    command::Command,
    fact::{Event, Records},
    invariants,
    refusal::Refusal,
};

use draft::Draft;

/// What a decision is a function of, beside the command.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The territory's rules.
    pub territory: &'a Territory,
    /// Who gives care here.
    pub directory: &'a Directory,
    /// Who asks.
    pub actor: &'a Actor,
    /// The command's id, from which new ids are derived.
    pub command_id: CommandId,
    /// The one instant of this act.
    pub now: Instant,
    /// The records it concerns.
    pub records: &'a Records,
    /// The case it concerns; none when it opens one or concerns none.
    pub case: Option<CaseId>,
}

/// What the caller is told; kept in the receipt, so that a repeated command is told the same.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Reply {
    /// The case.
    pub case: Option<CaseId>,
    /// The fencing number given out.
    pub claim_no: Option<u64>,
    /// The decision signed.
    pub decision: Option<DecisionId>,
    /// The offer made or answered.
    pub offer: Option<OfferId>,
    /// The slot published.
    pub slot: Option<SlotId>,
    /// The shift opened.
    pub shift: Option<ShiftId>,
    /// The duty entered or ended.
    pub duty: Option<DutyId>,
    /// The sheet entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<SheetId>,
    /// What the caller should know although nothing was refused: codes.
    pub warnings: Vec<String>,
    /// The refusal that goes with words that were kept all the same.
    pub refused: Option<Refusal>,
}

/// A decided command: the event, the records after it, and the reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What changed.
    pub event: Event,
    /// The records after the event.
    pub after: Records,
    /// What the caller is told.
    pub reply: Reply,
}

/// Whether a role may give a command at all.
///
/// # Errors
/// Who may.
pub fn permitted(role: Role, command: &Command) -> Result<(), Refusal> {
    roles::check(role, command)
}

/// Decides `command`.
///
/// # Errors
/// One typed refusal; nothing is changed then.
pub fn decide(context: &Context<'_>, command: &Command) -> Result<Outcome, Refusal> {
    permitted(context.actor.role, command)?;
    let mut draft = Draft::new(context, command.name());
    match command {
        Command::Open(open) => intake::open(&mut draft, open),
        Command::Amend(particulars) => intake::amend(&mut draft, particulars),
        Command::AddNote(text) => intake::add_note(&mut draft, text),
        Command::LinkRepeat(earlier) => intake::link_repeat(&mut draft, *earlier),
        Command::Call(report) => intake::call(&mut draft, *report),
        Command::Qualify(qualify) => qualify::qualify(&mut draft, qualify),
        Command::Dismiss { attribution, possible_repeat } => {
            qualify::dismiss(&mut draft, *attribution, *possible_repeat)
        }
        Command::Claim => claims::claim(&mut draft),
        Command::ClaimNext(stream) => claims::claim_next(&mut draft, *stream),
        Command::Release { claim_no, may_wait } => claims::release(&mut draft, *claim_no, *may_wait),
        Command::ForceRelease { reason } => claims::force_release(&mut draft, reason),
        Command::Resume { claim_no } => claims::resume(&mut draft, *claim_no),
        Command::AcceptHandOver => claims::accept_hand_over(&mut draft),
        Command::SignNeed(sign) => regulate::sign_need(&mut draft, sign),
        Command::SignAnswer(sign) => regulate::sign_answer(&mut draft, sign),
        Command::Reorient { claim_no, stream, reason } => reorient::send(&mut draft, *claim_no, *stream, reason),
        Command::AnswerReorientation { refused } => reorient::answer(&mut draft, refused.as_ref()),
        Command::Transfer(act) => transfer::act(&mut draft, act),
        Command::Advance { decision, plan } => route::advance(&mut draft, *decision, plan),
        Command::AnswerOffer { offer, answer } => offers::answer(&mut draft, *offer, answer),
        Command::Cancel { offer, reason } => offers::cancel(&mut draft, *offer, reason),
        Command::RenewHold { offer } => offers::renew_hold(&mut draft, *offer),
        Command::Attend { offer, seen, counter } => offers::attend(&mut draft, *offer, *seen, counter.as_deref()),
        Command::TakeVisit { offer, shift } => visit::take(&mut draft, *offer, *shift),
        Command::MoveVisit { visit, status, happened } => visit::step(&mut draft, *visit, *status, *happened),
        Command::ReportVisit { visit, text, counter } => visit::report(&mut draft, *visit, text, counter.as_deref()),
        Command::EndAction { action, end, note } => upkeep::end_action(&mut draft, *action, *end, note.as_ref()),
        Command::PublishSlot { slot, responder, kind, start, end } => {
            supply::publish_slot(&mut draft, *slot, responder, *kind, (*start, *end))
        }
        Command::WithdrawSlot(slot) => supply::withdraw_slot(&mut draft, *slot),
        Command::OpenShift { responder, sectors, start, end, position, doctor } => {
            supply::open_shift(&mut draft, (responder, doctor.as_ref()), sectors, (*start, *end), *position)
        }
        Command::EndShift(shift) => supply::end_shift(&mut draft, *shift),
        Command::StartDuty(duty) => room::start_duty(&mut draft, duty),
        Command::EndDuty(duty) => room::end_duty(&mut draft, *duty),
        Command::StartSurge { reason, until } => room::start_surge(&mut draft, *reason, *until),
        Command::EndSurge => room::end_surge(&mut draft),
        Command::CallInterpreter { language } => intake::call_interpreter(&mut draft, language.as_deref()),
        Command::PutSheet { sheet, kind, expires, words } => sheets::put(&mut draft, *sheet, *kind, *expires, words),
        Command::EndSheet(sheet) => sheets::end(&mut draft, *sheet),
        Command::Fire(timer) => upkeep::fire(&mut draft, *timer),
    }?;
    claims::settle(&mut draft);
    referral::settle(&mut draft);
    file::settle(&mut draft);
    let outcome = draft.finish();
    match invariants::broken(context.records, &outcome) {
        Some(rule) => Err(Refusal::Broken(rule.to_string())),
        None => Ok(outcome),
    }
}
