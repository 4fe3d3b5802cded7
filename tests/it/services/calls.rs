//! No call is lost, whatever the exchange tells, in whatever order.

use sas_dispatch::{
    domain::{
        actor::Role,
        case::{ActionKind, Command},
        regulation::qualification::Attribution,
        time::Span,
    },
    grpc::{
        convert::intake::Arrivals,
        pb::{self, CallEventKind, intake_service_server::IntakeService, telephony_service_server::TelephonyService},
        services::{intake::Intake, telephony::Telephony},
    },
    store::due_command,
};
use tonic::Code;

use super::{NOW, Stand, actor, call, missions::qualify};

struct Exchange {
    stand: Stand,
    telephony: Telephony,
}

impl Exchange {
    async fn new() -> Self {
        let stand = Stand::new().await;
        let telephony = Telephony::new(stand.engine.clone());
        Self { stand, telephony }
    }

    fn event(&self, event: CallEventKind) -> pb::ReportCallEventRequest {
        pb::ReportCallEventRequest {
            command_id: self.stand.id(),
            call_id: "pbx-1/77".into(),
            event: event as i32,
            caller_number: "03 53 01 00 01".into(),
            called_line: "116117".into(),
            happened_unix_ms: 0,
        }
    }

    async fn report(&self, event: &pb::ReportCallEventRequest) -> Result<pb::ReportCallEventResponse, tonic::Status> {
        let pbx = actor(Role::Telephony, "pbx-1");
        Ok(self.telephony.report_call_event(call(&pbx, event.clone())).await?.into_inner())
    }

    /// Nobody was ill: nothing is left to do.
    async fn ends(&self, case: &str) {
        let arm = actor(Role::Arm, "arm-1");
        self.stand
            .act(
                &arm,
                Some(case.parse().unwrap()),
                Command::Dismiss { attribution: Attribution::WrongNumber, possible_repeat: false },
            )
            .await;
        assert!(self.open_actions(case).await.is_empty());
    }

    /// A call entered by hand with nothing but its name.
    fn entered(&self, vital: bool) -> pb::OpenCaseRequest {
        let (command_id, call_reference) = (self.stand.id(), "pbx-1/77".into());
        pb::OpenCaseRequest { command_id, call_reference, vital, ..pb::OpenCaseRequest::default() }
    }

    /// The event of a caller with another number than all others here.
    fn of_another(&self, event: CallEventKind) -> pb::ReportCallEventRequest {
        pb::ReportCallEventRequest { caller_number: "03 53 01 00 02".into(), ..self.event(event) }
    }

    /// A caller is answered and qualified, and hangs up: a doctor is to call.
    async fn waits_and_hangs_up(&self) -> String {
        let arm = actor(Role::Arm, "arm-1");
        let rang = self.report(&self.event(CallEventKind::Ringing)).await.unwrap();
        self.report(&self.event(CallEventKind::Answered)).await.unwrap();
        self.stand.act(&arm, Some(rang.case_id.parse().unwrap()), Command::Qualify(Box::new(qualify()))).await;
        self.report(&self.event(CallEventKind::HungUp)).await.unwrap();
        assert!(self.open_actions(&rang.case_id).await.contains(&ActionKind::Regulate));
        rang.case_id
    }

    async fn open_actions(&self, case: &str) -> Vec<ActionKind> {
        let arm = actor(Role::Arm, "arm-1");
        let (view, _) = self.stand.engine.read_case(&arm, case.parse().unwrap(), 0).await.unwrap();
        view.case.open_actions().map(|action| action.kind).collect()
    }
}

fn codes(answer: &pb::ReportCallEventResponse) -> Vec<String> {
    answer.receipt.as_ref().unwrap().warnings.iter().map(|warning| warning.code.clone()).collect()
}

#[tokio::test]
async fn a_call_rings_is_answered_breaks_and_comes_back_as_one_case() {
    let exchange = Exchange::new().await;
    let ringing = exchange.event(CallEventKind::Ringing);
    let opened = exchange.report(&ringing).await.unwrap();
    assert!(codes(&opened).is_empty());
    assert_eq!(exchange.open_actions(&opened.case_id).await, [ActionKind::AnswerCall]);

    let again = exchange.report(&ringing).await.unwrap();
    assert!(again.receipt.as_ref().unwrap().replayed);
    assert_eq!(
        (again.case_id.as_str(), again.receipt.unwrap().seq),
        (opened.case_id.as_str(), opened.receipt.unwrap().seq)
    );
    let other = exchange.report(&exchange.event(CallEventKind::Ringing)).await.unwrap();
    assert_eq!((other.case_id.as_str(), codes(&other)), (opened.case_id.as_str(), vec!["CALL_KNOWN".to_owned()]));

    for (event, waits) in [
        (CallEventKind::Answered, ActionKind::Qualify),
        (CallEventKind::HungUp, ActionKind::CallBack),
        (CallEventKind::Reconnected, ActionKind::Qualify),
    ] {
        let answer = exchange.report(&exchange.event(event)).await.unwrap();
        assert_eq!(answer.case_id, opened.case_id);
        assert!(exchange.open_actions(&opened.case_id).await.contains(&waits), "{event:?}");
    }
}

#[tokio::test]
async fn a_call_that_was_lost_before_anybody_heard_of_it_is_rung_back() {
    let exchange = Exchange::new().await;
    let lost = exchange.event(CallEventKind::HungUp);
    let answer = exchange.report(&lost).await.unwrap();
    assert_eq!(codes(&answer), ["CALL_OPENED_LATE"]);
    assert_eq!(exchange.open_actions(&answer.case_id).await, [ActionKind::CallBack]);
    let again = exchange.report(&lost).await.unwrap();
    assert_eq!(again.case_id, answer.case_id);
    assert!(again.receipt.unwrap().replayed);
    let pbx = actor(Role::Telephony, "pbx-1");
    let asked = pb::GetCallRequest { call_id: "pbx-1/77".into(), at_least_seq: 0 };
    let found = exchange.telephony.get_call(call(&pbx, asked)).await.unwrap().into_inner();
    assert_eq!((found.case_id.as_str(), found.line()), (answer.case_id.as_str(), pb::LineState::CallBack));
}

#[tokio::test]
async fn a_call_heard_of_when_it_comes_back_waits_for_somebody() {
    let exchange = Exchange::new().await;
    let back = exchange.report(&exchange.event(CallEventKind::Reconnected)).await.unwrap();
    assert_eq!(codes(&back), ["CALL_OPENED_LATE"]);
    assert_eq!(exchange.open_actions(&back.case_id).await, [ActionKind::AnswerCall]);
}

/// Two links of one exchange: what went by the slower one arrives after what happened later.
#[tokio::test]
async fn what_is_told_late_never_puts_a_caller_on_the_line_who_is_gone() {
    let exchange = Exchange::new().await;
    let at = |event, seconds: i64| pb::ReportCallEventRequest {
        happened_unix_ms: NOW.unix_ms() + seconds * 1000,
        ..exchange.event(event)
    };
    let opened = exchange.report(&at(CallEventKind::Ringing, -90)).await.unwrap();
    exchange.report(&at(CallEventKind::HungUp, -30)).await.unwrap();
    for (event, seconds) in [(CallEventKind::Answered, -60), (CallEventKind::Reconnected, -40)] {
        let late = exchange.report(&at(event, seconds)).await.unwrap();
        assert_eq!((late.case_id.as_str(), codes(&late)), (opened.case_id.as_str(), vec!["OUT_OF_ORDER".to_owned()]));
        assert_eq!(exchange.open_actions(&opened.case_id).await, [ActionKind::CallBack], "{event:?}");
    }
    let back = exchange.report(&at(CallEventKind::Reconnected, -20)).await.unwrap();
    assert!(codes(&back).is_empty());
    assert_eq!(exchange.open_actions(&opened.case_id).await, [ActionKind::Qualify]);
    // A clock that was set back must not hide that the caller is gone.
    exchange.report(&at(CallEventKind::HungUp, -3600)).await.unwrap();
    assert!(exchange.open_actions(&opened.case_id).await.contains(&ActionKind::CallBack));
}

/// The alarm of a suicidal call ended with what was told late of before it broke off.
#[tokio::test]
async fn what_is_told_without_an_hour_happens_now_and_what_was_before_it_changes_nothing() {
    for ringing in [0, -20] {
        let exchange = Exchange::new().await;
        let at = |event, seconds: i64| pb::ReportCallEventRequest {
            happened_unix_ms: if seconds == 0 { 0 } else { NOW.unix_ms() + seconds * 1000 },
            ..exchange.event(event)
        };
        let opened = exchange.report(&at(CallEventKind::Ringing, ringing)).await.unwrap();
        exchange.report(&at(CallEventKind::HungUp, 0)).await.unwrap();
        for event in [CallEventKind::Answered, CallEventKind::Reconnected] {
            let late = exchange.report(&at(event, -5)).await.unwrap();
            assert_eq!((&late.case_id, codes(&late)), (&opened.case_id, vec!["OUT_OF_ORDER".to_owned()]));
            assert_eq!(exchange.open_actions(&opened.case_id).await, [ActionKind::CallBack], "{event:?}");
        }
        exchange.report(&at(CallEventKind::Reconnected, 0)).await.unwrap();
        assert_eq!(exchange.open_actions(&opened.case_id).await, [ActionKind::Qualify]);
    }
}

/// The caller was on the line, and his case was over and in no list.
#[tokio::test]
async fn who_is_on_the_line_again_when_nothing_is_left_to_do_comes_to_somebody() {
    for gone in [true, false] {
        let exchange = Exchange::new().await;
        let old = exchange.report(&exchange.event(CallEventKind::Answered)).await.unwrap();
        if gone {
            exchange.report(&exchange.event(CallEventKind::HungUp)).await.unwrap();
        }
        exchange.ends(&old.case_id).await;
        exchange.stand.pass(Span::from_secs(1));
        let back = exchange.report(&exchange.event(CallEventKind::Reconnected)).await.unwrap();
        assert_ne!(back.case_id, old.case_id, "gone {gone}");
        assert_eq!(codes(&back), ["CALL_OPENED_LATE"]);
        assert_eq!(exchange.open_actions(&back.case_id).await, [ActionKind::AnswerCall]);
        let again = exchange.report(&exchange.event(CallEventKind::Reconnected)).await.unwrap();
        assert_eq!(again.case_id, back.case_id, "and is one caller");
        let lost = exchange.report(&exchange.event(CallEventKind::HungUp)).await.unwrap();
        assert_eq!(lost.case_id, back.case_id);
        assert_eq!(exchange.open_actions(&back.case_id).await, [ActionKind::CallBack]);
    }
}

/// An exchange ten minutes ahead makes command ids that are refused, and its calls had no case.
#[tokio::test]
async fn a_call_has_its_case_though_its_command_id_was_made_by_a_wrong_clock() {
    for (event, waits) in [
        (CallEventKind::Ringing, ActionKind::AnswerCall),
        (CallEventKind::Answered, ActionKind::Qualify),
        (CallEventKind::HungUp, ActionKind::CallBack),
    ] {
        let exchange = Exchange::new().await;
        let command_id = due_command("ahead", NOW + Span::from_mins(10)).to_string();
        let ahead = pb::ReportCallEventRequest { command_id, ..exchange.event(event) };
        let opened = exchange.report(&ahead).await.unwrap();
        assert!(codes(&opened).contains(&"COMMAND_ID_UNUSABLE".to_owned()), "{:?}", codes(&opened));
        assert_eq!(exchange.open_actions(&opened.case_id).await, [waits]);
        if event == CallEventKind::Ringing {
            let again = exchange.report(&ahead).await.unwrap();
            assert_eq!((&again.case_id, codes(&again)), (&opened.case_id, vec!["CALL_KNOWN".to_owned()]));
        }
    }
}

/// The ring was taken under an id made here; what followed of the same call was refused for the same clock.
#[tokio::test]
async fn a_call_of_a_wrong_clock_is_heard_to_its_end() {
    let exchange = Exchange::new().await;
    let ahead = |name: &str, event| pb::ReportCallEventRequest {
        command_id: due_command(name, NOW + Span::from_mins(10)).to_string(),
        ..exchange.event(event)
    };
    let opened = exchange.report(&ahead("rings", CallEventKind::Ringing)).await.unwrap();
    exchange.report(&ahead("answered", CallEventKind::Answered)).await.unwrap();
    let gone = exchange.report(&ahead("gone", CallEventKind::HungUp)).await.unwrap();
    assert_eq!((&gone.case_id, codes(&gone)), (&opened.case_id, vec!["COMMAND_ID_UNUSABLE".to_owned()]));
    let open = exchange.open_actions(&opened.case_id).await;
    assert!(open.contains(&ActionKind::CallBack), "{open:?}");
}

#[tokio::test]
async fn a_call_heard_of_when_it_is_answered_is_qualified() {
    let exchange = Exchange::new().await;
    let answered = exchange.report(&exchange.event(CallEventKind::Answered)).await.unwrap();
    assert_eq!(codes(&answered), ["CALL_OPENED_LATE"]);
    assert_eq!(exchange.open_actions(&answered.case_id).await, [ActionKind::Qualify]);
}

#[tokio::test]
async fn a_name_that_the_exchange_uses_again_is_a_new_call_once_the_old_one_is_over() {
    let exchange = Exchange::new().await;
    let old = exchange.report(&exchange.event(CallEventKind::Ringing)).await.unwrap();
    exchange.report(&exchange.event(CallEventKind::Answered)).await.unwrap();
    exchange.ends(&old.case_id).await;
    // Who hangs up when all is said is no new caller.
    let gone = exchange.report(&exchange.event(CallEventKind::HungUp)).await.unwrap();
    assert_eq!((gone.case_id.as_str(), exchange.open_actions(&old.case_id).await.len()), (old.case_id.as_str(), 0));

    exchange.stand.pass(Span::from_mins(30));
    let ringing = exchange.event(CallEventKind::Ringing);
    let new = exchange.report(&ringing).await.unwrap();
    assert_ne!(new.case_id, old.case_id, "somebody is on the line");
    assert_eq!(exchange.open_actions(&new.case_id).await, [ActionKind::AnswerCall]);
    let again = exchange.report(&ringing).await.unwrap();
    assert_eq!((again.case_id.as_str(), again.receipt.unwrap().replayed), (new.case_id.as_str(), true));
    for (event, waits) in
        [(CallEventKind::Answered, ActionKind::Qualify), (CallEventKind::HungUp, ActionKind::CallBack)]
    {
        let answer = exchange.report(&exchange.event(event)).await.unwrap();
        assert_eq!(answer.case_id, new.case_id);
        assert!(exchange.open_actions(&new.case_id).await.contains(&waits), "{event:?}");
    }
    let pbx = actor(Role::Telephony, "pbx-1");
    let asked = pb::GetCallRequest { call_id: "pbx-1/77".into(), at_least_seq: 0 };
    let found = exchange.telephony.get_call(call(&pbx, asked)).await.unwrap().into_inner();
    assert_eq!(found.case_id, new.case_id, "the name stands for the newest");
}

#[tokio::test]
async fn a_name_used_again_whose_ringing_was_lost_is_a_new_call_all_the_same() {
    let exchange = Exchange::new().await;
    let old = exchange.report(&exchange.event(CallEventKind::Answered)).await.unwrap();
    exchange.ends(&old.case_id).await;
    exchange.report(&exchange.event(CallEventKind::HungUp)).await.unwrap();
    exchange.stand.pass(Span::from_mins(30));
    let answered = exchange.report(&exchange.event(CallEventKind::Answered)).await.unwrap();
    assert_ne!(answered.case_id, old.case_id);
    assert_eq!(exchange.open_actions(&answered.case_id).await, [ActionKind::Qualify]);
    exchange.ends(&answered.case_id).await;

    // Closed a day later: then even a call that only ends is another one, and is rung back.
    exchange.stand.pass(Span::from_hours(25));
    let lost = exchange.report(&exchange.event(CallEventKind::HungUp)).await.unwrap();
    assert_ne!(lost.case_id, answered.case_id);
    assert_eq!(exchange.open_actions(&lost.case_id).await, [ActionKind::CallBack]);
}

/// The first caller has been heard and waits for a doctor when the exchange gives the name of the call to somebody else.
#[tokio::test]
async fn a_new_caller_under_a_name_used_again_has_a_case_while_the_earlier_one_waits() {
    let exchange = Exchange::new().await;
    let first = exchange.waits_and_hangs_up().await;
    let other = exchange.of_another(CallEventKind::Ringing);
    let second = exchange.report(&other).await.unwrap();
    assert_ne!(second.case_id, first, "somebody else is on the line");
    assert_eq!(exchange.open_actions(&second.case_id).await, [ActionKind::AnswerCall]);
    let again = exchange.report(&other).await.unwrap();
    assert_eq!((again.case_id.as_str(), again.receipt.unwrap().replayed), (second.case_id.as_str(), true));
    let before = exchange.open_actions(&first).await;
    let gone = exchange.report(&exchange.event(CallEventKind::HungUp)).await.unwrap();
    assert_eq!(gone.case_id, second.case_id);
    assert_eq!(exchange.open_actions(&second.case_id).await, [ActionKind::CallBack], "and is rung back");
    assert_eq!(exchange.open_actions(&first).await, before);
}

#[tokio::test]
async fn who_has_hung_up_and_rings_again_is_answered_and_a_ringing_told_late_opens_nothing() {
    let exchange = Exchange::new().await;
    let at = |event, seconds: i64| pb::ReportCallEventRequest {
        happened_unix_ms: NOW.unix_ms() + seconds * 1000,
        ..exchange.event(event)
    };
    let first = exchange.report(&at(CallEventKind::Ringing, -90)).await.unwrap();
    exchange.report(&at(CallEventKind::HungUp, -30)).await.unwrap();
    let late = exchange.report(&at(CallEventKind::Ringing, -90)).await.unwrap();
    assert_eq!((late.case_id.as_str(), codes(&late)), (first.case_id.as_str(), vec!["CALL_KNOWN".to_owned()]));
    let anew = exchange.report(&at(CallEventKind::Ringing, -20)).await.unwrap();
    assert_ne!(anew.case_id, first.case_id);
    assert_eq!(exchange.open_actions(&anew.case_id).await, [ActionKind::AnswerCall]);
}

/// An exchange that starts anew counts its calls from the first again, and never told who hung up meanwhile.
#[tokio::test]
async fn a_caller_of_another_number_has_a_case_though_nobody_told_that_the_first_hung_up() {
    let exchange = Exchange::new().await;
    let first = exchange.report(&exchange.event(CallEventKind::Answered)).await.unwrap();
    let other = exchange.of_another(CallEventKind::Ringing);
    let second = exchange.report(&other).await.unwrap();
    assert_ne!(second.case_id, first.case_id);
    assert_eq!(exchange.open_actions(&second.case_id).await, [ActionKind::AnswerCall]);
}

#[tokio::test]
async fn another_caller_is_entered_by_hand_under_a_name_whose_caller_has_hung_up() {
    let exchange = Exchange::new().await;
    let intake = Intake::new(exchange.stand.engine.clone(), Arrivals::default());
    let first = exchange.waits_and_hangs_up().await;
    let arm = actor(Role::Arm, "arm-1");
    let entered = |phone: &str| pb::OpenCaseRequest {
        command_id: exchange.stand.id(),
        call_reference: "pbx-1/77".into(),
        caller: Some(pb::Caller { phone: phone.into(), ..pb::Caller::default() }),
        ..pb::OpenCaseRequest::default()
    };
    let refused = intake.open_case(call(&arm, entered("03 53 01 00 01"))).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "the caller who hung up has his case");
    assert!(refused.message().contains(&first), "and is told which: {}", refused.message());
    let opened = intake.open_case(call(&arm, entered("03 53 01 00 02"))).await.unwrap().into_inner();
    assert_ne!(opened.case.unwrap().case_id, first);
}

/// At the console the name of the call is on the screen; the exchange has used it before.
#[tokio::test]
async fn a_call_entered_by_hand_under_a_name_of_a_call_that_is_over_has_its_case() {
    let exchange = Exchange::new().await;
    let intake = Intake::new(exchange.stand.engine.clone(), Arrivals::default());
    let old = exchange.report(&exchange.event(CallEventKind::Answered)).await.unwrap();
    let entered = exchange.entered(false);
    let arm = actor(Role::Arm, "arm-1");
    let refused = intake.open_case(call(&arm, entered.clone())).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "that call has its case, where something is left to do");
    assert!(refused.message().contains(&old.case_id), "{}", refused.message());

    exchange.ends(&old.case_id).await;
    let opened = intake.open_case(call(&arm, entered.clone())).await.unwrap().into_inner().case.unwrap();
    assert_ne!(opened.case_id, old.case_id);
    let told = exchange.report(&exchange.event(CallEventKind::HungUp)).await.unwrap();
    assert_eq!(told.case_id, opened.case_id, "the name stands for the newest");
    let again = intake.open_case(call(&arm, entered)).await.unwrap().into_inner();
    assert!(again.receipt.unwrap().replayed);
}

/// The exchange uses the name again, the new ringing is lost, and who answers knows no number.
#[tokio::test]
async fn a_vital_emergency_without_a_number_is_opened_while_an_earlier_caller_of_its_name_waits() {
    let exchange = Exchange::new().await;
    let intake = Intake::new(exchange.stand.engine.clone(), Arrivals::default());
    let arm = actor(Role::Arm, "arm-1");
    let still_there = exchange.report(&exchange.event(CallEventKind::Answered)).await.unwrap().case_id;
    let vital = exchange.entered(true);
    let opened = intake.open_case(call(&arm, vital)).await.unwrap().into_inner();
    assert_ne!(opened.case.unwrap().case_id, still_there, "nor is it refused while somebody is on the line");

    let exchange = Exchange::new().await;
    let intake = Intake::new(exchange.stand.engine.clone(), Arrivals::default());
    let first = exchange.waits_and_hangs_up().await;
    let before = exchange.open_actions(&first).await;
    let refused = intake.open_case(call(&arm, exchange.entered(false))).await.unwrap_err();
    assert!(refused.message().contains(&first), "what can wait is told where to go on: {}", refused.message());

    exchange.stand.pass(Span::from_secs(1));
    let vital = exchange.entered(true);
    let opened = intake.open_case(call(&arm, vital.clone())).await.unwrap().into_inner();
    let case = opened.case.unwrap().case_id;
    assert_ne!(case, first);
    assert_eq!(exchange.open_actions(&case).await, [ActionKind::HandOver]);
    assert_eq!(exchange.open_actions(&first).await, before);
    let names_the_first = |receipt: &pb::Receipt| {
        receipt.warnings.iter().any(|warning| warning.code == "CALL_KNOWN" && warning.text.contains(&first))
    };
    assert!(names_the_first(&opened.receipt.unwrap()));
    let again = intake.open_case(call(&arm, vital)).await.unwrap().into_inner().receipt.unwrap();
    assert!(again.replayed && names_the_first(&again), "who asks again is told the same");
    let gone = exchange.report(&exchange.event(CallEventKind::HungUp)).await.unwrap();
    assert_eq!(gone.case_id, case, "the name stands for the newest");
}

#[tokio::test]
async fn what_is_told_of_another_number_under_a_name_used_again_has_its_case_though_its_ringing_was_lost() {
    for (event, waits) in [
        (CallEventKind::Answered, ActionKind::Qualify),
        (CallEventKind::HungUp, ActionKind::CallBack),
        (CallEventKind::Reconnected, ActionKind::AnswerCall),
    ] {
        let exchange = Exchange::new().await;
        let first = exchange.waits_and_hangs_up().await;
        let before = exchange.open_actions(&first).await;
        exchange.stand.pass(Span::from_secs(1));
        let of_another = exchange.of_another(event);
        let second = exchange.report(&of_another).await.unwrap();
        assert_ne!(second.case_id, first, "{event:?}: somebody else called");
        assert_eq!(codes(&second), ["CALL_OPENED_LATE"], "{event:?}");
        assert_eq!(exchange.open_actions(&second.case_id).await, [waits], "{event:?}");
        assert_eq!(exchange.open_actions(&first).await, before, "{event:?}");
        let again = exchange.report(&of_another).await.unwrap();
        assert_eq!((again.case_id.as_str(), again.receipt.unwrap().replayed), (second.case_id.as_str(), true));
        let next = exchange.report(&exchange.of_another(CallEventKind::HungUp)).await.unwrap();
        assert_eq!(next.case_id, second.case_id, "{event:?}");
    }
}

/// A number may be told differently at the two ends of a call, or not at all.
#[tokio::test]
async fn a_caller_on_the_line_or_without_a_number_is_no_other_caller() {
    let exchange = Exchange::new().await;
    let first = exchange.report(&exchange.event(CallEventKind::Answered)).await.unwrap().case_id;
    let gone = exchange.report(&exchange.of_another(CallEventKind::HungUp)).await.unwrap();
    assert_eq!(gone.case_id, first, "whoever is on the line is the one who hangs up");
    let withheld = |event| pb::ReportCallEventRequest { caller_number: String::new(), ..exchange.event(event) };
    for event in [CallEventKind::Reconnected, CallEventKind::HungUp, CallEventKind::Answered] {
        assert_eq!(exchange.report(&withheld(event)).await.unwrap().case_id, first, "{event:?}");
    }
}

#[tokio::test]
async fn who_comes_back_in_a_call_whose_case_is_closed_is_answered() {
    let exchange = Exchange::new().await;
    let old = exchange.report(&exchange.event(CallEventKind::Answered)).await.unwrap();
    exchange.ends(&old.case_id).await;
    exchange.stand.pass(Span::from_hours(25));
    let back = exchange.report(&exchange.event(CallEventKind::Reconnected)).await.unwrap();
    assert_ne!(back.case_id, old.case_id);
    assert_eq!(exchange.open_actions(&back.case_id).await, [ActionKind::AnswerCall]);
}

#[tokio::test]
async fn a_name_stands_for_the_case_entered_last_though_the_clock_of_the_exchange_is_behind() {
    let exchange = Exchange::new().await;
    let intake = Intake::new(exchange.stand.engine.clone(), Arrivals::default());
    let arm = actor(Role::Arm, "arm-1");
    let old = intake.open_case(call(&arm, exchange.entered(false))).await.unwrap().into_inner().case.unwrap().case_id;
    exchange.ends(&old).await;
    exchange.stand.pass(Span::from_mins(30));
    let behind = |event| pb::ReportCallEventRequest {
        happened_unix_ms: NOW.unix_ms() - Span::from_mins(10).ms(),
        ..exchange.event(event)
    };
    let new = exchange.report(&behind(CallEventKind::Ringing)).await.unwrap();
    assert_ne!(new.case_id, old);
    let pbx = actor(Role::Telephony, "pbx-1");
    let asked = pb::GetCallRequest { call_id: "pbx-1/77".into(), at_least_seq: 0 };
    let found = exchange.telephony.get_call(call(&pbx, asked)).await.unwrap().into_inner();
    assert_eq!(found.case_id, new.case_id);
    let answered = exchange.report(&behind(CallEventKind::Answered)).await.unwrap();
    assert_eq!(answered.case_id, new.case_id);
    assert_eq!(exchange.open_actions(&new.case_id).await, [ActionKind::Qualify]);
}
