//! What a signature carries beside the care: sentences that were picked, the national words, on whose account it was given.

use std::sync::Arc;

use rstest::rstest;
use sas_dispatch::{
    domain::regulation::advice::{AdviceList, Sentence},
    grpc::{
        client::Status,
        pb::{
            self, Affiliation, CareLevel, CareType, DecisionType, Destination, LongestDelay, Priority, ResourceType,
            SentenceKind, Stream,
        },
    },
};

use crate::support::room::{
    Ground, Person, Refused, Room, Seen, Story, ask, ill, lives_in_ehpad, need, qualified, safety_net,
};

async fn held_of(room: &Room, reg: &Person, patient: pb::Patient) -> Result<pb::CaseView, Status> {
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", patient).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    reg.claims(&case).await
}

async fn offered(reg: &Person, motive: &str, age: &str) -> Result<Vec<pb::AdviceSentence>, Status> {
    let request = pb::ListAdviceRequest { motive: motive.to_owned(), age: age.to_owned(), ..Default::default() };
    Ok(ask!(reg, regulation, list_advice, request)?.sentences)
}

#[tokio::test]
async fn a_doctor_picks_sentences_that_fit_and_signs_their_codes() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let reg = room.regulator("reg-1");
    let codes = |sentences: &[pb::AdviceSentence]| sentences.iter().map(|known| known.code.clone()).collect::<Vec<_>>();
    let (infant, adult) = (offered(&reg, "M03.14", "P10M").await?, offered(&reg, "M03.14", "P40Y").await?);
    assert!(
        codes(&infant).contains(&"FEVER.INFANT".to_owned()) && codes(&infant).contains(&"FEVER.COMFORT".to_owned())
    );
    assert!(!codes(&adult).contains(&"FEVER.INFANT".to_owned()) && codes(&adult).contains(&"REST".to_owned()));
    assert!(!codes(&adult).contains(&"NOSEBLEED".to_owned()), "another motive's");
    assert!(adult.iter().all(|known| !known.text.is_empty() && !known.version.is_empty()));
    let first = pb::ListAdviceRequest { page_size: 2, ..Default::default() };
    let page = ask!(reg, regulation, list_advice, first)?;
    let rest = pb::ListAdviceRequest { page_token: page.next_page_token, page_size: 200, ..Default::default() };
    let rest = ask!(reg, regulation, list_advice, rest)?;
    assert_eq!(codes(&page.sentences).len() + rest.sentences.len(), offered(&reg, "", "").await?.len());

    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    let told = |advice: &str, watch_for: &str| pb::Dialogue {
        advice: vec!["REST".to_owned(), advice.to_owned()],
        safety_net: Some(pb::SafetyNet { watch_for: vec![watch_for.to_owned()], ..safety_net() }),
        ..Default::default()
    };
    let with =
        |dialogue| pb::SignNeedRequest { need: Some(advice.clone()), dialogue: Some(dialogue), ..Default::default() };
    let case = held_of(&room, &reg, ill()).await?;
    let refusal = reg.signs(&case, with(told("RESTT", "REST"))).await.refused();
    assert_eq!(refusal.fields, ["dialogue.advice[1]", "dialogue.safety_net.watch_for[0]"], "{}", refusal.message);
    let case = reg.signs(&case, with(told("DRINK", "PURPURA"))).await?;
    let kept = case.decision().answer.as_ref().unwrap().dialogue.clone().unwrap();
    assert_eq!(kept.advice, ["REST", "DRINK"]);
    assert!(kept.texts[1].starts_with("Buvez souvent"), "{:?}", kept.texts);
    let net = kept.safety_net.unwrap();
    assert!(
        net.texts[0].starts_with("Taches rouges") && adult.iter().any(|known| known.kind() == SentenceKind::SafetyNet)
    );
    room.closes().await
}

#[tokio::test]
async fn what_was_said_is_shown_as_it_was_said_after_the_list_has_changed() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let reg = room.regulator("reg-1");
    let net = pb::SafetyNet { watch_for: vec!["PURPURA".to_owned()], ..safety_net() };
    let told = pb::Dialogue { advice: vec!["DRINK".to_owned()], safety_net: Some(net), ..Default::default() };
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    let with = pb::SignNeedRequest { need: Some(advice), dialogue: Some(told.clone()), ..Default::default() };
    let case = reg.signs(&held_of(&room, &reg, ill()).await?, with).await?;
    // With the need of a care that is answered later, they are kept as well.
    let seen = need(CareType::Consultation, CareLevel::R3, LongestDelay::H8);
    let with = pb::SignNeedRequest { need: Some(seen), dialogue: Some(told), ..Default::default() };
    let second = reg.signs(&held_of(&room, &reg, ill()).await?, with).await?;
    let texts = |told: &pb::Dialogue| [told.texts[0].clone(), told.safety_net.as_ref().unwrap().texts[0].clone()];
    let said = texts(case.decision().answer.as_ref().unwrap().dialogue.as_ref().unwrap());

    // The next edition words the one otherwise and has the other no more.
    let room = room
        .restarts_under(|config| {
            for ground in config.territories.values_mut() {
                let territory = &mut Arc::make_mut(ground).0;
                let others = territory.advice.iter().filter(|known| known.code != "PURPURA").cloned();
                let reworded = others.map(|known| Sentence {
                    text: if known.code == "DRINK" { "Tout autre chose.".to_owned() } else { known.text.clone() },
                    ..known
                });
                territory.advice = Arc::new(AdviceList::new(reworded));
            }
        })
        .await;
    let reg = room.regulator("reg-1");
    assert!(offered(&reg, "", "").await?.iter().any(|known| known.text == "Tout autre chose."));
    let shown = reg.reads(&case).await?;
    assert_eq!(texts(shown.decision().answer.as_ref().unwrap().dialogue.as_ref().unwrap()), said);
    assert_eq!(texts(reg.reads(&second).await?.decision().dialogue.as_ref().unwrap()), said);
    assert!(said[0].starts_with("Buvez souvent") && said[1].starts_with("Taches rouges"), "{said:?}");
    // The log has them, word for word: an export shows them however long ago it was.
    let told = serde_json::to_string(&room.log().await).unwrap();
    assert!(told.contains(&said[0]) && told.contains(&said[1]));
    Ok(())
}

fn words(case: &pb::CaseView) -> (DecisionType, ResourceType, Destination) {
    let national = case.decision().national.unwrap();
    (national.r#type(), national.resource_type(), national.destination())
}

#[tokio::test]
async fn a_decision_has_its_national_words_stated_where_the_care_leaves_a_choice() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let reg = room.regulator("reg-1");
    let ambulance = need(CareType::Ambulance, CareLevel::R2, LongestDelay::M30);
    let with = |need: &pb::Need, resource_type: ResourceType, destination: Destination| pb::SignNeedRequest {
        need: Some(need.clone()),
        resource_type: resource_type.into(),
        destination: destination.into(),
        ..Default::default()
    };
    let case = held_of(&room, &reg, ill()).await?;
    let refusal = reg.signs(&case, with(&ambulance, ResourceType::Dentist, Destination::Unspecified)).await.refused();
    assert_eq!(refusal.fields, ["resource_type"], "{}", refusal.message);
    let case = reg.signs(&case, with(&ambulance, ResourceType::FireService, Destination::Hospital)).await?;
    assert_eq!(words(&case), (DecisionType::Intervention, ResourceType::FireService, Destination::Hospital));
    assert!(case.decision().national.unwrap().resource_stated);

    // Nothing stated: both follow from the care.
    let case = held_of(&room, &reg, ill()).await?;
    let case = reg.signs(&case, with(&ambulance, ResourceType::Unspecified, Destination::Unspecified)).await?;
    assert_eq!(words(&case), (DecisionType::Intervention, ResourceType::PrivateAmbulance, Destination::Emergency));
    let case = held_of(&room, &reg, ill()).await?;
    let other = need(CareType::OtherResource, CareLevel::R3, LongestDelay::H24);
    let case = reg.signs(&case, with(&other, ResourceType::Dentist, Destination::Practice)).await?;
    assert_eq!(words(&case), (DecisionType::Orientation, ResourceType::Dentist, Destination::Practice));

    // A resource belongs to the answer: the supply was not shown yet.
    let case = held_of(&room, &reg, ill()).await?;
    let seen = need(CareType::Consultation, CareLevel::R3, LongestDelay::H8);
    let early = reg.signs(&case, with(&seen, ResourceType::DutyCentre, Destination::Unspecified)).await.refused();
    assert_eq!(early.fields, ["resource_type"], "{}", early.message);
    let case = reg.signs_need(&case, seen).await?;
    let answer = pb::SignAnswerRequest {
        care: CareType::Consultation.into(),
        resource_type: ResourceType::DutyCentre.into(),
        ..Default::default()
    };
    let case = reg.signs_answer(&case, answer).await?;
    assert_eq!(words(&case), (DecisionType::Orientation, ResourceType::DutyCentre, Destination::Practice));
    room.closes().await
}

#[tokio::test]
async fn a_visit_to_an_ehpad_by_sos_medecins_says_so_once_it_was_accepted() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:00").await;
    let (reg, osnp) = (room.regulator("reg-1"), room.coordinator("osnp-1"));
    let doctor = room.responder("dr-67-sos-aurore");
    let shift =
        doctor.goes_on_duty("sos-medecins-strasbourg", "strasbourg-centre", room.wall("2024-12-23 04:00")).await?;
    let case = held_of(&room, &reg, lives_in_ehpad()).await?;
    let mut visit = need(CareType::HomeVisit, CareLevel::R3, LongestDelay::H4);
    visit.constraints = Some(pb::Constraints { home_only: true, ..Default::default() });
    let case = reg.signs_need(&case, visit).await?;
    let case = reg.answers(&case, CareType::HomeVisit).await?;
    assert_eq!(words(&case), (DecisionType::Intervention, ResourceType::Gp, Destination::NursingHome));
    osnp.advances(&case).await?;
    let mission = doctor.missions("sos-medecins-strasbourg").await?.remove(0);
    doctor.takes(&mission, &shift).await?;
    let case = osnp.reads(&case).await?;
    assert_eq!(words(&case), (DecisionType::Intervention, ResourceType::DutyAssociation, Destination::NursingHome));
    room.closes().await
}

#[rstest]
#[tokio::test]
async fn each_signature_says_on_whose_account_it_was_given(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (mru, mrl) = (room.regulator("mru-1"), room.regulator("mrl-1"));
    let duty = pb::StartDutyRequest {
        command_id: mru.act(),
        stream: Stream::Amu.into(),
        affiliation: Affiliation::Hospital.into(),
        until_unix_ms: room.today("11:00"),
        ..Default::default()
    };
    ask!(mru, supervision, start_duty, duty)?;
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    let source = |case: &pb::CaseView| {
        let decision = case.decision();
        let answer = decision.answer.as_ref().unwrap().signed.as_ref().unwrap().source();
        (decision.signed.as_ref().unwrap().source(), answer)
    };
    let case = held_of(&room, &mru, ill()).await?;
    let case = mru.signs_need(&case, advice.clone()).await?;
    assert_eq!(source(&case), (Affiliation::Hospital, Affiliation::Hospital));
    let case = held_of(&room, &mrl, ill()).await?;
    let case = mrl.signs_need(&case, advice.clone()).await?;
    assert_eq!(source(&case), (Affiliation::Unspecified, Affiliation::Unspecified), "no roster says");
    // Once the duty is over, the same doctor's signature says nothing of it.
    room.wait_until("11:01").await;
    let case = held_of(&room, &mru, ill()).await?;
    let case = mru.signs_need(&case, advice).await?;
    assert_eq!(source(&case).0, Affiliation::Unspecified);
    room.closes().await
}
