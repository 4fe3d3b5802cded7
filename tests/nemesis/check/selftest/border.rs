//! Two territories and one case between them: a sound hand-over passes, and each way to spoil it is named.

use std::collections::BTreeMap;

use sas_dispatch::domain::{
    case::{
        ActionKind, Fact,
        transfer::{Answered, Ended, Received, Transfer, TransferEnd},
    },
    ids::{ActionId, CommandId, DecisionId, TerritoryId},
    regulation::{
        decision::{Decision, Signature},
        need::{CareLevel, CareType, Constraints, LongestDelay, Need},
        qualification::Priority,
    },
    time::Instant,
};

use super::{super::handovers, AT_MS, Day, Model, TERRITORY, case, claimed, id, levels::qualified, opened};
use crate::history::Queued;

const THERE: &str = "fr-89";
/// The copy there, and the command that sent it.
const COPY: usize = 9;
const SENDING: usize = 3;

fn territory(name: &str) -> TerritoryId {
    name.parse().expect("the texts of a test are ids")
}

fn sent() -> Fact {
    Fact::TransferSent(Box::new(Transfer {
        to: territory(THERE),
        there: case(COPY),
        command: CommandId(id(SENDING)),
        by: "arm-1".parse().expect("the texts of a test are ids"),
        at: Instant::from_unix_ms(AT_MS),
        changed: 0,
        ended: None,
        goes_on: None,
        again: None,
        unknown: Default::default(),
    }))
}

fn ended(how: TransferEnd) -> Fact {
    let (at, by, number) = (Instant::from_unix_ms(AT_MS), None, String::new());
    Fact::TransferEnded { there: case(COPY), ended: Ended { at, how, by, number } }
}

fn received() -> Vec<Fact> {
    let mut facts = opened();
    facts.insert(
        1,
        Fact::TransferReceived(Box::new(Received {
            from: territory(TERRITORY),
            case: case(1),
            number: "1".to_owned(),
            command: CommandId(id(SENDING)),
            by: "arm-1".parse().expect("the texts of a test are ids"),
            sent: Instant::from_unix_ms(AT_MS),
            until: None,
            priority: None,
            here: Default::default(),
            regulators: Default::default(),
            responders: Default::default(),
            as_of: 0,
            answered: None,
            settled: None,
            goes_on: false,
            again: None,
            unknown: Default::default(),
        })),
    );
    facts
}

fn accepted() -> Vec<Fact> {
    let by = "dr-b".parse().expect("the texts of a test are ids");
    let answered = Answered { at: Instant::from_unix_ms(AT_MS), by, refused: None };
    vec![claimed(1, "dr-b"), Fact::TransferAnswered(answered)]
}

fn settled(how: TransferEnd) -> Fact {
    Fact::TransferSettled { how, goes_on: false }
}

fn here() -> Day {
    Day::default().does("OpenCase", "arm-1", 1, opened()).does("TransferCase", "arm-1", 1, vec![sent()])
}

fn there() -> Day {
    Day::default().does("ReceiveTransfer", "upkeep", COPY, received()).does("AnswerTransfer", "dr-b", COPY, accepted())
}

fn wrong(here: &Day, there: &Day) -> Vec<String> {
    let logs = BTreeMap::from([(TERRITORY, Model::of(&here.log)), (THERE, Model::of(&there.log))]);
    handovers::wrong(&logs, AT_MS + 60_000)
}

fn names(here: &Day, there: &Day, word: &str) {
    let wrong = wrong(here, there);
    assert!(wrong.iter().any(|text| text.contains(word)), "{word}: {wrong:?}");
}

pub(super) fn owned() {
    let accepts = || here().does("SettleTransfer", "upkeep", 1, vec![ended(TransferEnd::Accepted)]);
    let confirmed = || there().does("TellTransfer", "upkeep", COPY, vec![settled(TransferEnd::Accepted)]);
    assert_eq!(wrong(&accepts(), &confirmed()), [""; 0]);

    let twice = confirmed().does("ReceiveTransfer", "upkeep", COPY + 1, received());
    names(&accepts(), &twice, "was opened fr-89 at seq 1 and fr-89 at seq 4");
    let expired = here().does("Fire", "upkeep", 1, vec![ended(TransferEnd::Expired)]);
    names(&expired, &confirmed(), "is owned by both");
    let again = accepts().does("Fire", "upkeep", 1, vec![ended(TransferEnd::Expired)]);
    names(&again, &confirmed(), "ended 2 times");
    names(&accepts(), &Day::default(), "is owned by neither");
    let back = there().does("TellTransfer", "upkeep", COPY, vec![settled(TransferEnd::Expired)]);
    names(&accepts(), &back, "is owned by neither");
    names(&here(), &there(), "left half-way: accept was still to be done");
    names(&accepts(), &there(), "left half-way: confirm was still to be done");
    names(&expired, &there(), "left half-way: end was still to be done");
    let lost = Day::default().does("OpenCase", "arm-1", 1, opened());
    names(&lost, &confirmed(), "knows nothing of its sending");
}

/// Nobody signs on an acceptance that the sender has not recorded, nor for what was handed on.
pub(super) fn signed() {
    let signs = |day: Day, case| day.does("SignNeed", "dr-b", case, vec![need()]);
    let accepts = || here().does("SettleTransfer", "upkeep", 1, vec![ended(TransferEnd::Accepted)]);
    let confirms = |day: Day| day.does("TellTransfer", "upkeep", COPY, vec![settled(TransferEnd::Accepted)]);
    assert_eq!(wrong(&accepts(), &signs(confirms(there()), COPY)), [""; 0]);
    names(&accepts(), &confirms(signs(there(), COPY)), "seq 3: a need was signed for case");
    names(&signs(accepts(), 1), &confirms(there()), "seq 4: a need was signed for case");
}

fn need() -> Fact {
    let (at, by) = (Instant::from_unix_ms(AT_MS), "dr-b".parse().expect("the texts of a test are ids"));
    let (care, level, longest_delay) = (CareType::Advice, CareLevel::R4, LongestDelay::H24);
    let (constraints, reasons) = (Constraints::default(), Vec::new());
    let need = Need { patient: 1, care, level, longest_delay, constraints, reasons };
    let signed = Signature { by, at, rules: String::new(), fallback: None, source: None };
    Fact::NeedSigned(Box::new(Decision::needed(DecisionId(id(800)), need, signed)))
}

/// What waits for an answer is in no queue here, and a queue that shows it is wrong.
pub(super) fn queued() {
    let waits = |cases: Vec<String>| {
        let day = Day::default().does("OpenCase", "arm-1", 1, opened());
        let day = day.does("Qualify", "arm-1", 1, vec![qualified(Priority::P2)]);
        let mut action = opened().pop();
        if let Some(Fact::ActionOpened(action)) = &mut action {
            action.kind = ActionKind::Transfer;
            action.id = ActionId(id(700));
        }
        let mut day = day.does("TransferCase", "arm-1", 1, action.into_iter().collect());
        let (territory, stream, instance, seq) = (TERRITORY.to_owned(), "SNP".to_owned(), 0, Some(3));
        day.history.queued.push(Queued { territory, stream, instance, seq, cases });
        day
    };
    assert_eq!(waits(Vec::new()).judged().violations, [""; 0]);
    waits(vec![case(1).to_string()]).names("who was sent away", "which does not wait");
}
