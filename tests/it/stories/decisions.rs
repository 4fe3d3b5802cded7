//! What goes with a doctor's decision: what was told, what was refused, what was prescribed, who takes over.

use rstest::rstest;
use sas_dispatch::grpc::{
    client::Code,
    pb::{
        self, ActionEnd, ActionKind, AskedState, Capacity, CareLevel, CareType, CaseStatus, Flag, LongestDelay,
        NoteKind, PrescriptionSituation, Priority, Stream, Understanding,
    },
};

use crate::support::room::{
    Ground, Person, Refused, Room, Seen, Story, answered, asked, ill, need, prescription, qualified, safety_net,
};

const STRASBOURG: &str = "67482";

/// A case of an adult, in the hands of a regulator of unscheduled care.
async fn held(
    room: &Room,
    reg: &Person,
    priority: Priority,
) -> Result<pb::CaseView, sas_dispatch::grpc::client::Status> {
    let arm = room.arm("arm-1");
    let case = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&case, qualified(priority, "M03.14")).await?;
    reg.claims(&case).await
}

fn signed(need: pb::Need, dialogue: pb::Dialogue) -> pb::SignNeedRequest {
    pb::SignNeedRequest { need: Some(need), dialogue: Some(dialogue), ..Default::default() }
}

#[rstest]
#[tokio::test]
async fn advice_is_given_in_codes_and_words_and_asked_again_where_it_did_not_arrive(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 19:00").await;
    let (reg, osnp) = (room.regulator("reg-1"), room.coordinator("osnp-1"));
    let told = |understood: Understanding| pb::Dialogue {
        advice: vec!["REST".to_owned(), "DRINK".to_owned()],
        safety_net: Some(safety_net()),
        understood_and_agreed: understood.into(),
        ..Default::default()
    };
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::M30);
    let case = held(&room, &reg, Priority::P2).await?;
    let case = reg.signs(&case, signed(advice.clone(), told(Understanding::Yes))).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid));
    assert_eq!(case.notes_of(NoteKind::SafetyNet), ["Rappeler si elle respire mal"]);
    let kept = case.decision().answer.as_ref().unwrap().dialogue.clone().unwrap();
    assert_eq!((kept.advice.len(), kept.understood_and_agreed()), (2, Understanding::Yes));
    assert_eq!(kept.safety_net.unwrap().words, "", "words are notes");

    // A language barrier: nobody can tell what was understood, so somebody asks again within the hour.
    let case = held(&room, &reg, Priority::P2).await?;
    let case = reg.signs(&case, signed(advice, told(Understanding::Barrier))).await?;
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::FollowUp], CaseStatus::Active));
    assert_eq!(case.action(ActionKind::FollowUp).deadline_unix_ms, room.today("20:00"));
    let case = osnp.ends(&case, ActionKind::FollowUp, ActionEnd::Unreachable).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate], "a bad end is a doctor's");
    room.closes().await
}

#[tokio::test]
async fn a_refusal_needs_capacity_risks_and_a_safety_net_and_is_asked_about_again() -> Story {
    let room = Room::at("fr-67", "2024-12-19 19:00").await;
    let reg = room.regulator("reg-1");
    let case = held(&room, &reg, Priority::P1).await?;
    let ambulance = need(CareType::Ambulance, CareLevel::R2, LongestDelay::M30);
    let refusal = |capacity: Capacity, risks_explained| pb::SignNeedRequest {
        need: Some(ambulance.clone()),
        refusal: Some(pb::PatientRefusal { capacity: capacity.into(), risks_explained }),
        ..Default::default()
    };
    let bare = reg.signs(&case, refusal(Capacity::Impaired, false)).await.refused();
    assert_eq!(bare.fields, ["refusal.capacity", "refusal.risks_explained", "dialogue.safety_net"]);
    assert!(bare.french.contains("dites quoi surveiller et qui rappeler"), "{}", bare.french);
    let unsaid = reg.signs(&case, refusal(Capacity::Unspecified, true)).await.refused();
    assert_eq!((unsaid.code, unsaid.fields), (Code::InvalidArgument, vec!["refusal.capacity".to_owned()]));
    // As a need it makes no sense: what is needed stays what is needed.
    let other = need(CareType::RefusedByPatient, CareLevel::R3, LongestDelay::H4);
    assert_eq!(reg.signs_need(&case, other).await.refused().fields, ["need.care", "refusal"]);

    let dialogue = Some(pb::Dialogue { safety_net: Some(safety_net()), ..Default::default() });
    let whole = pb::SignNeedRequest { dialogue, ..refusal(Capacity::Capable, true) };
    let case = reg.signs(&case, whole).await?;
    let decision = case.decision();
    assert_eq!(decision.need.as_ref().unwrap().care(), CareType::Ambulance);
    let answer = decision.answer.as_ref().unwrap();
    assert_eq!((answer.care(), answer.supply_reason), (CareType::RefusedByPatient, 0));
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::FollowUp], CaseStatus::Active));
    room.closes().await
}

/// L1111-4: who holds parental authority refuses for a child, and nobody what a vital emergency needs.
#[tokio::test]
async fn a_child_does_not_refuse_and_nobody_refuses_for_another_what_is_vital() -> Story {
    let room = Room::at("fr-67", "2024-12-19 19:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let child = || pb::Patient { age_years: Some(9), ..Default::default() };
    let case = arm.opens(STRASBOURG, child()).await?;
    let case = arm.qualifies(&case, qualified(Priority::P1, "M03.20")).await?;
    let case = reg.claims(&case).await?;
    let refusal = |capacity: Capacity, care, level, delay| pb::SignNeedRequest {
        need: Some(need(care, level, delay)),
        refusal: Some(pb::PatientRefusal { capacity: capacity.into(), risks_explained: true }),
        dialogue: Some(pb::Dialogue { safety_net: Some(safety_net()), ..Default::default() }),
        ..Default::default()
    };
    let ambulance = |capacity| refusal(capacity, CareType::Ambulance, CareLevel::R2, LongestDelay::M30);
    assert_eq!(reg.signs(&case, ambulance(Capacity::Capable)).await.refused().fields, ["refusal.capacity"]);
    let vital = refusal(Capacity::Representative, CareType::Amu, CareLevel::R1, LongestDelay::Immediate);
    let refused = reg.signs(&case, vital).await.refused();
    assert_eq!(refused.fields, ["refusal.capacity"]);
    assert!(refused.french.contains("soins indispensables"), "{}", refused.french);
    reg.signs(&case, ambulance(Capacity::Representative)).await?;
    room.closes().await
}

/// Found by reading: what may not be signed as a need could be signed as its answer.
#[tokio::test]
async fn who_cannot_leave_home_is_not_answered_with_a_consultation() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let reg = room.regulator("reg-1");
    let case = held(&room, &reg, Priority::P2).await?;
    let constraints = Some(pb::Constraints { home_only: true, must_examine: true, ..Default::default() });
    let visit = pb::Need { constraints, ..need(CareType::HomeVisit, CareLevel::R3, LongestDelay::H4) };
    let case = reg.signs_need(&case, visit).await?;
    let answered = |care: CareType| pb::SignAnswerRequest {
        care: care.into(),
        supply_reason: pb::SupplyReason::NoVisit.into(),
        ..Default::default()
    };
    for care in [CareType::Consultation, CareType::EmergencyDepartment, CareType::Teleconsultation] {
        assert_eq!(reg.signs_answer(&case, answered(care)).await.refused().fields, ["care"], "{care:?}");
    }
    let case = reg.signs_answer(&case, answered(CareType::Ambulance)).await?;
    assert!(!case.to_do().is_empty());
    room.closes().await
}

#[tokio::test]
async fn a_visit_that_the_patient_will_not_have_is_answered_with_the_refusal() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let reg = room.regulator("reg-1");
    let case = held(&room, &reg, Priority::P2).await?;
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R3, LongestDelay::H4)).await?;
    let care = CareType::RefusedByPatient.into();
    let bare = pb::SignAnswerRequest { care, ..Default::default() };
    assert_eq!(reg.signs_answer(&case, bare).await.refused().fields, ["refusal"]);
    let whole = pb::SignAnswerRequest {
        care,
        dialogue: Some(pb::Dialogue { safety_net: Some(safety_net()), ..Default::default() }),
        refusal: Some(pb::PatientRefusal { capacity: Capacity::Representative.into(), risks_explained: true }),
        ..Default::default()
    };
    let case = reg.signs_answer(&case, whole).await?;
    assert_eq!(case.to_do(), [ActionKind::FollowUp]);
    room.closes().await
}

#[tokio::test]
async fn a_prescription_by_telephone_says_what_was_asked_and_is_never_for_an_emergency() -> Story {
    let room = Room::at("fr-67", "2024-12-19 19:00").await;
    let (arm, reg, amu) = (room.arm("arm-1"), room.regulator("reg-1"), room.regulator("amu-1"));
    let by_phone = |level| need(CareType::PhonePrescription, level, LongestDelay::H4);
    let with = |level, prescription| pb::SignNeedRequest {
        need: Some(by_phone(level)),
        prescription: Some(prescription),
        ..Default::default()
    };
    let case = held(&room, &reg, Priority::P2).await?;
    let none = pb::SignNeedRequest { need: Some(by_phone(CareLevel::R4)), ..Default::default() };
    assert_eq!(reg.signs(&case, none).await.refused().fields, ["prescription"]);
    assert_eq!(reg.signs(&case, with(CareLevel::R2, prescription())).await.refused().fields, ["need.level"]);
    let mut wrong = pb::Prescription { allergies: None, pharmacy: String::new(), ..prescription() };
    wrong.treatments = asked(AskedState::NotConcerned);
    wrong.lines[0].days = 8;
    wrong.lines.push(pb::DrugLine {
        drug: "Morphine".to_owned(),
        dose: "10 mg".to_owned(),
        days: 1,
        atc: "N02AA01".to_owned(),
    });
    let refusal = reg.signs(&case, with(CareLevel::R4, wrong)).await.refused();
    let fields = ["lines[0].days", "lines[1].atc", "allergies", "treatments", "pharmacy"];
    assert_eq!(refusal.fields, fields.map(|field| format!("prescription.{field}")));
    assert!(!refusal.message.contains("Morphine") && refusal.french.contains("classe exclue"), "{refusal:?}");

    // A tablet that is in the cupboard: nothing is to be delivered.
    let family = pb::Prescription {
        situation: PrescriptionSituation::FamilyPharmacy.into(),
        pharmacy: String::new(),
        ..prescription()
    };
    let case = reg.signs(&case, with(CareLevel::R3, family)).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid));
    let written = case.decision().prescription.clone().unwrap();
    assert_eq!(written.lines[0].dose, "3 g, dose unique");
    let seen = room.supervisor("chief-1").reads(&case).await?;
    assert!(seen.sealed && seen.decision().prescription.is_none(), "sealed for who does not handle the case");

    // An adaptation names who wrote what is adapted; in the AMU's stream there is none.
    let case = held(&room, &reg, Priority::P2).await?;
    let situation = PrescriptionSituation::Adaptation.into();
    let adapted = pb::Prescription { situation, ..prescription() };
    let refusal = reg.signs(&case, with(CareLevel::R4, adapted.clone())).await.refused();
    assert_eq!(refusal.fields, ["prescription.earlier_prescriber"]);
    let adapted = pb::Prescription { earlier_prescriber: answered("Dr Colombage"), ..adapted };
    let case = reg.signs(&case, with(CareLevel::R4, adapted)).await?;
    assert_eq!(case.to_do(), [ActionKind::DeliverPrescription], "a pharmacy is named");
    let case = arm.opens(STRASBOURG, ill()).await?;
    let urgent = pb::QualifyRequest { stream: Stream::Amu.into(), ..qualified(Priority::P2, "M03.14") };
    arm.qualifies(&case, urgent).await?;
    let case = amu.claims(&case).await?;
    assert_eq!(amu.signs(&case, with(CareLevel::R4, prescription())).await.refused().fields, ["need.care"]);
    room.closes().await
}

#[tokio::test]
async fn only_a_regulator_says_that_a_case_may_wait_and_what_is_heard_anew_ends_it() -> Story {
    let room = Room::at("fr-67", "2024-12-19 19:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let earlier = arm.opens(STRASBOURG, ill()).await?;
    let case = held(&room, &reg, Priority::P1).await?;
    let too_long = reg.releases_until(&case, room.today("23:30")).await.refused();
    assert_eq!(too_long.fields, ["may_wait_until_unix_ms"]);
    let until = room.today("21:00");
    let case = reg.releases_until(&case, until).await?;
    let said = case.may_wait.clone().unwrap();
    assert_eq!((said.until_unix_ms, said.signed.unwrap().by.as_str()), (until, "reg-1"));
    let known = case.qualification.as_ref().unwrap();
    assert_eq!((known.priority(), known.due_unix_ms), (Priority::P2, until), "it is no P1 by his word");
    assert_eq!(case.action(ActionKind::Regulate).deadline_unix_ms, until, "the alarm goes by it");
    let newer = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&newer, qualified(Priority::P2, "M03.20")).await?;
    let queue: Vec<_> = reg.queue(Stream::Snp).await?.into_iter().map(|case| case.case_id).collect();
    assert_eq!(queue, [newer.case_id.clone(), case.case_id.clone()]);

    // They call again: his word is over, and the case is regulated now.
    room.wait_until("19:30").await;
    let again = arm.links(&case, &earlier).await?;
    assert!(again.may_wait.is_none());
    assert_eq!(again.action(ActionKind::Regulate).deadline_unix_ms, room.today("19:45"));
    room.closes().await
}

#[tokio::test]
async fn a_case_handed_to_the_amu_is_the_first_doctors_until_it_is_accepted() -> Story {
    let room = Room::at("fr-67", "2024-12-19 19:00").await;
    let (reg, amu) = (room.regulator("reg-1"), room.regulator("amu-1"));
    let case = held(&room, &reg, Priority::P2).await?;
    let vital = need(CareType::Amu, CareLevel::R1, LongestDelay::Immediate);
    let case = reg.signs_need(&case, vital.clone()).await?;
    assert_eq!(case.to_do(), [ActionKind::HandOver]);
    let owner = case.action(ActionKind::HandOver).owner.clone().unwrap().who;
    assert_eq!(owner, Some(pb::owner::Who::Person("reg-1".to_owned())));
    let known = case.qualification.as_ref().unwrap();
    assert_eq!((known.priority(), known.stream()), (Priority::P0, Stream::Amu));
    let waiting = amu.hand_overs().await?;
    assert_eq!(waiting.len(), 1);
    let case = amu.accepts_hand_over(&waiting[0]).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate]);
    let case = amu.signs_need(&case, vital).await?;
    assert_eq!((case.to_do(), case.decisions.len()), (vec![ActionKind::AwaitReport], 2));
    let case = amu.ends(&case, ActionKind::AwaitReport, ActionEnd::Unreachable).await?;
    assert_eq!(case.to_do(), [ActionKind::Regulate], "no report is a doctor's to look into");
    room.closes().await
}

#[tokio::test]
async fn an_emergency_department_accepts_a_patient_or_a_doctor_hears_of_it() -> Story {
    let room = Room::at("fr-67", "2024-12-19 19:00").await;
    let (reg, osnp) = (room.regulator("reg-1"), room.coordinator("osnp-1"));
    let hospital = need(CareType::EmergencyDepartment, CareLevel::R2, LongestDelay::H2);
    let case = held(&room, &reg, Priority::P2).await?;
    let case = reg.signs_need(&case, hospital.clone()).await?;
    assert_eq!(case.to_do(), [ActionKind::AnnouncePatient]);
    assert_eq!(case.action(ActionKind::AnnouncePatient).deadline_unix_ms, room.today("19:15"));
    let full = osnp.ends(&case, ActionKind::AnnouncePatient, ActionEnd::Refused).await?;
    assert_eq!(full.to_do(), [ActionKind::Regulate]);
    let case = reg.claims(&full).await?;
    let case = reg.signs_need(&case, hospital).await?;
    let case = osnp.ends(&case, ActionKind::AnnouncePatient, ActionEnd::Done).await?;
    assert_eq!(case.to_do(), [ActionKind::AwaitReport], "accepted: did the patient arrive?");
    let case = osnp.ends(&case, ActionKind::AwaitReport, ActionEnd::Done).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid));
    room.closes().await
}

#[tokio::test]
async fn a_call_about_a_valid_file_opens_it_again_and_about_a_closed_one_a_new_file() -> Story {
    let room = Room::at("fr-67", "2024-12-19 08:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::Immediate);
    let case = held(&room, &reg, Priority::P2).await?;
    let case = reg.signs_need(&case, advice.clone()).await?;
    assert_eq!(arm.notes(&case, "La mère rappelle").await?.notes_of(NoteKind::Addendum), ["La mère rappelle"]);
    room.wait_until("20:00").await;
    let again = arm.qualifies(&case, qualified(Priority::P3, "M03.14")).await?;
    assert_eq!((again.status(), again.to_do()), (CaseStatus::Active, vec![ActionKind::Regulate]));
    let flags: Vec<_> = again.qualification.as_ref().unwrap().flags().collect();
    assert_eq!(flags, [Flag::RepeatCall], "a doctor is compulsory");
    let case = reg.claims(&again).await?;
    reg.signs_need(&case, advice).await?;
    room.wait(sas_dispatch::domain::time::Span::from_hours(25)).await;
    let refusal = arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await.refused();
    assert!(refusal.message.contains("open a new case and link it"), "{}", refusal.message);
    let new = arm.opens(STRASBOURG, ill()).await?;
    assert_eq!(arm.links(&new, &case).await?.repeat_of_case_id, case.case_id);
    room.closes().await
}
