//! A hand-over over two territories of one store, carried by two instances of which one stops between any two steps, or
//! cannot reach the other territory.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sas_dispatch::{
    domain::{
        actor::{Actor, Role},
        case::{
            ActionKind, Case, Command, Refusal,
            transfer::{Side, Step, Transfer, TransferAct, TransferEnd, act, next},
        },
        ids::{CaseId, TerritoryId},
        regulation::qualification::{Priority, Stream},
        time::Span,
    },
    engine::{CaseView, Engine, Failure, List, LookupKey, Options, PageRequest, Place, Target},
    store::{Index, Key, Member, Op, Store, Txn},
    telemetry::Metrics,
};

use super::desk::Desk;
use crate::{
    domain::{
        stage::{arm, bas_rhin, call, qualify, regulator, text, upkeep, yonne},
        transfers::border::{accept, receiver, refuse, take_back, transfer},
    },
    store::{on_every_engine, stand::Stand},
    support::gate::Gate,
};

on_every_engine! {
    whichever_step_an_instance_stops_after_the_other_goes_on
    two_instances_carry_one_hand_over_once
    an_acceptance_that_came_in_time_is_recorded_before_the_deadline_fires
    a_territory_that_cannot_be_reached_holds_no_deadline_up
    a_territory_that_takes_no_commit_stops_no_hand_over_between_two_others
    a_hand_over_leaves_nothing_behind_in_the_index
    a_record_that_cannot_be_read_holds_no_timer_up
    hand_overs_that_cannot_be_listed_hold_no_timer_up
    nobody_is_confirmed_because_a_stale_read_shows_no_sender
    no_acceptance_is_ended_by_a_sender_that_was_read_as_it_was
    what_may_only_be_taken_up_again_is_looked_at_after_what_is_late
    a_step_on_a_vital_case_writes_into_no_store_that_has_gone_back
}

/// The desk of Bas-Rhin, its instances serving the Yonne as well.
pub struct Border {
    pub desk: Desk,
    a: Engine,
    b: Engine,
}

/// A territory beside, after `fr-67` and before `fr-89`.
const THIRD: &str = "fr-68";

fn serving(stand: &Stand, store: Arc<dyn Store>) -> Engine {
    let mut third = bas_rhin().0.clone();
    third.id = THIRD.parse().unwrap();
    let third = Arc::new((third, bas_rhin().1.clone()));
    let places = [bas_rhin(), third, yonne()].map(|ground| {
        let (territory, directory) = (ground.0.clone(), ground.1.clone());
        (territory.id.clone(), Arc::new(Place { territory, directory }))
    });
    let lookup = LookupKey::new(*b"a key for stories");
    let (places, metrics) = (BTreeMap::from(places), Metrics::silent());
    Engine::new(store, stand.clock.clone(), places, lookup, metrics, Options::default())
}

impl Border {
    pub fn new(stand: Stand) -> Self {
        let store = stand.store.clone();
        let (a, b) = (serving(&stand, store.clone()), serving(&stand, store));
        Self { desk: Desk::new(stand), a, b }
    }

    pub async fn sent(&self) -> CaseId {
        let case = self.desk.qualified(Priority::P2).await;
        self.sends(case).await;
        case
    }

    async fn sends(&self, case: CaseId) {
        let (to, reason) = ("fr-89".parse().unwrap(), text("vit à Sens"));
        let send = transfer(TransferAct::Send { claim_no: None, to, reason });
        self.a.act(&arm(), self.desk.mutation(), Target::case(case), send).await.unwrap();
    }

    async fn read(&self, actor: &Actor, case: CaseId) -> Option<CaseView> {
        match self.b.read_case(actor, case, 0).await {
            Ok((view, _)) => Some(view),
            Err(Failure::Refused(_)) => None,
            Err(failure) => panic!("{failure}"),
        }
    }

    async fn here(&self, case: CaseId) -> Arc<Case> {
        self.read(&regulator(), case).await.unwrap().case
    }

    pub async fn transfer(&self, case: CaseId) -> Transfer {
        self.here(case).await.transfers.last().unwrap().clone()
    }

    /// One step, by an instance that does nothing more after it; none when there is none.
    async fn one_step(&self, case: CaseId) -> Option<Step> {
        let there = self.transfer(case).await.there;
        let (sender, copy) = (self.read(&regulator(), case).await, self.read(&receiver(), there).await);
        let known = |view: &Option<CaseView>| view.as_ref().map(|view| view.case.clone());
        let step = next(there, known(&sender).as_deref(), known(&copy).as_deref())?;
        fn told(view: &Option<CaseView>) -> Option<Side<'_>> {
            view.as_ref().map(|view| Side { case: &view.case, number: &view.case_number })
        }
        let asked = act(step, there, told(&sender), told(&copy)).unwrap();
        let (territory, case) = if step.at_sender() { ("fr-67", case) } else { ("fr-89", there) };
        let actor = Actor { territory: territory.parse().unwrap(), ..upkeep() };
        self.a.act(&actor, self.desk.mutation(), Target::case(case), transfer(asked)).await.unwrap();
        Some(step)
    }

    pub async fn accepts(&self, case: CaseId) {
        let there = self.transfer(case).await.there;
        self.a.act(&receiver(), self.desk.mutation(), Target::case(there), accept()).await.unwrap();
    }

    pub async fn carried(&self) {
        while self.b.upkeep_once().await.unwrap() > 0 {}
    }

    async fn waits_there(&self) -> usize {
        let page = PageRequest { size: 10, ..PageRequest::default() };
        self.b.list(&receiver(), List::Queue(Stream::Snp), page).await.unwrap().items.len()
    }

    async fn clean(&self) {
        for territory in ["fr-67", "fr-89"] {
            let report = self.b.check(&territory.parse().unwrap()).await.unwrap();
            assert!(report.clean(), "{territory}: {:#?}", report.violations);
        }
    }
}

async fn whichever_step_an_instance_stops_after_the_other_goes_on(stand: Stand) {
    let border = Border::new(stand);
    for stops_after in 0..4 {
        let case = border.sent().await;
        let mut steps = Vec::new();
        for n in 0..3 {
            if n == stops_after {
                // From here on the first instance does nothing.
                border.carried().await;
            } else if let Some(step) = border.one_step(case).await {
                steps.push(step);
            }
            if n == 0 {
                border.accepts(case).await;
            }
        }
        border.carried().await;
        let sent = border.transfer(case).await;
        assert!(sent.accepted(), "stopped after {steps:?}: {sent:?}");
        let copy = border.read(&receiver(), sent.there).await.unwrap().case;
        assert_eq!(copy.received.as_ref().unwrap().settled.unwrap().1, TransferEnd::Accepted);
        assert!(border.here(case).await.open_actions().next().is_none());
        border.clean().await;
    }
}

async fn two_instances_carry_one_hand_over_once(stand: Stand) {
    let border = Border::new(stand);
    let case = border.sent().await;
    let (a, b) = tokio::join!(border.a.upkeep_once(), border.b.upkeep_once());
    assert!(a.unwrap() + b.unwrap() >= 1);
    border.accepts(case).await;
    let (a, b) = tokio::join!(border.a.upkeep_once(), border.b.upkeep_once());
    assert!(a.unwrap() + b.unwrap() >= 1);
    border.carried().await;
    let yonne: TerritoryId = "fr-89".parse().unwrap();
    let entries = border.desk.stand.store.log(&yonne, 0, 100).await.unwrap();
    let events = entries.iter().map(|entry| sas_dispatch::engine::codec::decode_event(&entry.event).unwrap());
    let names: Vec<String> = events.map(|event| event.command).collect();
    assert_eq!(names, ["ReceiveTransfer", "AnswerTransfer", "TellTransfer"], "each once");
    assert!(border.transfer(case).await.accepted());
    border.clean().await;
}

async fn an_acceptance_that_came_in_time_is_recorded_before_the_deadline_fires(stand: Stand) {
    let border = Border::new(stand);
    let case = border.sent().await;
    border.carried().await;
    border.accepts(case).await;
    // No instance runs until after the deadline.
    border.desk.stand.pass(Span::from_secs(330));
    border.carried().await;
    assert!(border.transfer(case).await.accepted());
    border.clean().await;
}

async fn a_territory_that_cannot_be_reached_holds_no_deadline_up(stand: Stand) {
    let border = Border::new(stand);
    let case = border.sent().await;
    border.carried().await;
    border.accepts(case).await;
    let gate = Gate::before(border.desk.stand.store.clone());
    let cut_off = serving(&border.desk.stand, gate.clone());
    gate.set_lost(&["fr-89"], Duration::ZERO);
    border.desk.stand.pass(Span::from_mins(5));
    // The other territory is an error of this round, and no reason to leave this one's deadline alone.
    while cut_off.upkeep_once().await.is_ok_and(|fired| fired > 0) {}
    assert_eq!(border.transfer(case).await.ended.unwrap().how, TransferEnd::Expired);
    assert!(border.here(case).await.open_action(ActionKind::Regulate).unwrap().alarmed().is_some());
    gate.set_lost(&[], Duration::ZERO);
    border.carried().await;
    let there = border.transfer(case).await.there;
    let copy = border.read(&receiver(), there).await.unwrap().case;
    assert!(copy.with_sender() && copy.claim.is_none(), "once it can be reached, it is told");
    border.clean().await;
}

async fn a_territory_that_takes_no_commit_stops_no_hand_over_between_two_others(stand: Stand) {
    let border = Border::new(stand);
    let case = border.sent().await;
    border.carried().await;
    border.accepts(case).await;
    let gate = Gate::before(border.desk.stand.store.clone());
    let beside = serving(&border.desk.stand, gate.clone());
    let there = |actor: Actor| Actor { territory: THIRD.parse().unwrap(), ..actor };
    let open = Command::Open(Box::new(call(border.desk.stand.clock.now())));
    let opened = beside.act(&there(arm()), border.desk.mutation(), Target::default(), open).await.unwrap();
    let other = opened.reply.case.unwrap();
    let qualify = Command::Qualify(Box::new(qualify(Priority::P2)));
    let send =
        transfer(TransferAct::Send { claim_no: None, to: "fr-89".parse().unwrap(), reason: text("vit à Sens") });
    for command in [qualify, send] {
        beside.act(&there(arm()), border.desk.mutation(), Target::case(other), command).await.unwrap();
    }
    gate.set_read_only(&["fr-67"]);
    // The acceptance cannot be recorded in fr-67, which comes first.
    let _ = beside.upkeep_once().await;
    assert_eq!(border.waits_there().await, 1, "the other hand-over has arrived all the same");
}

async fn a_hand_over_leaves_nothing_behind_in_the_index(stand: Stand) {
    let border = Border::new(stand);
    for end in [take_back as fn() -> Command, refuse] {
        let case = border.sent().await;
        border.carried().await;
        assert_eq!(border.waits_there().await, 1);
        let there = border.transfer(case).await.there;
        let (actor, id) = if end().name() == "AnswerTransfer" { (receiver(), there) } else { (arm(), case) };
        border.a.act(&actor, border.desk.mutation(), Target::case(id), end()).await.unwrap();
        border.carried().await;
        assert_eq!(border.waits_there().await, 0);
        for territory in ["fr-67", "fr-89"] {
            let (territory, index) = (territory.parse::<TerritoryId>().unwrap(), Index::transfers());
            let left = border.desk.stand.store.range(&territory, &index, None, 10).await.unwrap().entries;
            assert!(left.is_empty(), "{territory} after {}", end().name());
        }
    }
    let dispatcher = Actor { role: Role::Supervisor, ..receiver() };
    let nobody = border.a.act(&dispatcher, border.desk.mutation(), Target::default(), accept()).await;
    assert!(matches!(nobody, Err(Failure::Refused(Refusal::Role { .. }))));
    border.clean().await;
}

/// The deadline of a hand-over passes on an instance that sees the store through a gate.
async fn fires_all_the_same(border: &Border, case: CaseId, gate: &Arc<Gate>) {
    let engine = serving(&border.desk.stand, gate.clone());
    border.desk.stand.pass(Span::from_mins(5));
    for _ in 0..3 {
        // What is wrong is said, once everything else has been done.
        let _ = engine.upkeep_once().await;
    }
    assert_eq!(border.transfer(case).await.ended.map(|ended| ended.how), Some(TransferEnd::Expired));
    let waits = border.here(case).await.open_action(ActionKind::Regulate).cloned();
    assert!(waits.unwrap().alarmed().is_some());
}

async fn a_record_that_cannot_be_read_holds_no_timer_up(stand: Stand) {
    let border = Border::new(stand);
    let case = border.sent().await;
    border.carried().await;
    // A record of which nothing can be made, among what is carried and before all that is late.
    let lost = CaseId(uuid::Uuid::from_u128(7));
    let (member, now) = (Member::from(&lost), border.desk.stand.clock.now().unix_ms());
    let timer = Member(format!("action/{lost}/{}", uuid::Uuid::from_u128(8)));
    let planted = Txn {
        schema: 1,
        ops: vec![
            Op::Put { key: Key::case(lost), value: b"no record".to_vec(), number: None },
            Op::IndexAdd(Index::transfers(), now - 1_000, member.clone()),
            Op::IndexAdd(Index::leases(), now - 1_000, member),
            Op::IndexAdd(Index::timers(), now - 1_000, timer),
        ],
        ..border.desk.stand.touch().await
    };
    border.desk.stand.done(&planted).await;
    fires_all_the_same(&border, case, &Gate::before(border.desk.stand.store.clone())).await;
}

async fn hand_overs_that_cannot_be_listed_hold_no_timer_up(stand: Stand) {
    let border = Border::new(stand);
    let case = border.sent().await;
    border.carried().await;
    let gate = Gate::before(border.desk.stand.store.clone());
    gate.set_lost_index(Some(Index::transfers()));
    serving(&border.desk.stand, gate.clone()).upkeep_once().await.expect_err("it is not passed over in silence");
    fires_all_the_same(&border, case, &gate).await;
}

async fn nobody_is_confirmed_because_a_stale_read_shows_no_sender(stand: Stand) {
    let border = Border::new(stand);
    let case = border.sent().await;
    border.carried().await;
    border.accepts(case).await;
    let there = border.transfer(case).await.there;
    // An instance still reads from a primary that was cut off before the case was opened.
    let gate = Gate::before(border.desk.stand.store.clone());
    let left_behind = serving(&border.desk.stand, gate.clone());
    gate.read_as("fr-67", Key::case(case), None);
    left_behind.upkeep_once().await.unwrap();
    let copy = border.read(&receiver(), there).await.unwrap().case;
    assert_eq!(
        copy.received.as_ref().unwrap().settled,
        None,
        "the doctor there would sign, and the sender has it still"
    );
    // What is truly gone with its territory's state is theirs: a request is never ended for want of its sender.
    let gone = Txn { ops: vec![Op::Delete(Key::case(case))], ..border.desk.stand.touch().await };
    border.desk.stand.done(&gone).await;
    border.carried().await;
    let copy = border.read(&receiver(), there).await.unwrap().case;
    assert_eq!(copy.received.as_ref().unwrap().settled.unwrap().1, TransferEnd::Accepted);
}

async fn no_acceptance_is_ended_by_a_sender_that_was_read_as_it_was(stand: Stand) {
    let border = Border::new(stand);
    let fr67: TerritoryId = "fr-67".parse().unwrap();
    let case = border.desk.qualified(Priority::P2).await;
    let key = Key::case(case);
    let before = border.desk.stand.store.read(&fr67, std::slice::from_ref(&key), None).await.unwrap();
    border.sends(case).await;
    border.carried().await;
    border.accepts(case).await;
    let gate = Gate::before(border.desk.stand.store.clone());
    let left_behind = serving(&border.desk.stand, gate.clone());
    gate.read_as("fr-67", key.clone(), before.records[&key].clone());
    left_behind.upkeep_once().await.unwrap();
    border.carried().await;
    let sent = border.transfer(case).await;
    let copy = border.read(&receiver(), sent.there).await.unwrap().case;
    assert!(sent.accepted() && copy.claim.is_some(), "both say that it is theirs: {sent:?}");
    assert_eq!(copy.received.as_ref().unwrap().settled.unwrap().1, TransferEnd::Accepted);
    border.clean().await;
}

async fn what_may_only_be_taken_up_again_is_looked_at_after_what_is_late(stand: Stand) {
    let border = Border::new(stand);
    let (waiting, accepted) = (border.sent().await, border.sent().await);
    border.carried().await;
    border.accepts(accepted).await;
    border.carried().await;
    let gate = Gate::before(border.desk.stand.store.clone());
    serving(&border.desk.stand, gate.clone()).upkeep_once().await.unwrap();
    let calls = gate.calls();
    let first = |what: String| calls.iter().position(|call| *call == what).unwrap_or_else(|| panic!("no {what}"));
    let timers = first(format!("range fr-89 {}", Index::timers()));
    let copy = |case: Transfer| first(format!("read fr-89 {}", Key::case(case.there)));
    assert!(copy(border.transfer(waiting).await) < timers, "an answer in time goes before its deadline");
    assert!(copy(border.transfer(accepted).await) > timers, "what nobody waits for holds no deadline up");
    // And it is looked at: the sender takes it up again.
    let again = Command::Qualify(Box::new(qualify(Priority::P1)));
    border.desk.done(&arm(), accepted, again).await;
    border.carried().await;
    let there = border.transfer(accepted).await.there;
    assert!(border.read(&receiver(), there).await.unwrap().case.received.as_ref().unwrap().again.is_some());
    border.clean().await;
}

async fn a_step_on_a_vital_case_writes_into_no_store_that_has_gone_back(stand: Stand) {
    let border = Border::new(stand);
    let case = border.sent().await;
    border.carried().await;
    let there = border.transfer(case).await.there;
    let gate = Gate::before(border.desk.stand.store.clone());
    let engine = serving(&border.desk.stand, gate.clone());
    // Found vital there, and taken back here.
    let vital = || Command::Qualify(Box::new(qualify(Priority::P0)));
    let lea = Actor { territory: "fr-89".parse().unwrap(), ..arm() };
    engine.act(&lea, border.desk.mutation(), Target::case(there), vital()).await.unwrap();
    assert!(gate.calls().contains(&"commit fr-89 even behind".to_owned()), "a caller waits for no operator");
    border.a.act(&arm(), border.desk.mutation(), Target::case(case), take_back()).await.unwrap();
    border.desk.done(&arm(), case, vital()).await;
    while engine.upkeep_once().await.unwrap() > 0 {}
    let copy = border.read(&receiver(), there).await.unwrap().case;
    assert!(copy.received.as_ref().unwrap().goes_on && border.transfer(case).await.goes_on.is_some());
    let behind: Vec<String> = gate.calls().into_iter().filter(|call| call.ends_with("even behind")).collect();
    assert!(behind.is_empty(), "what upkeep does waits for the operator: {behind:?}");
    border.clean().await;
}
