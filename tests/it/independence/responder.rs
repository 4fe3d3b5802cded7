//! Whoever regulated a case gives no care in it, unless a dated convention says so; then the log says so too.

use std::fs;

use sas_dispatch::{
    config::Config,
    domain::case::Fact,
    grpc::{
        client::{Code, Status},
        pb::{self, Attendance, CareLevel, CareType, LongestDelay, Priority, RouteCategory, Stream, WhyNot},
    },
};

use crate::{
    config::Copy,
    support::room::{Ground, Patient, Person, Refused, Room, Route, Story, ill, need, qualified},
};

const SOS: &str = "sos-medecins-strasbourg";
const GP: &str = "gp-67-colombage";
const HOUSE: &str = "sos-point-strasbourg";

/// A case of a patient of Dr Colombage, regulated by `doctor` up to the need.
async fn regulated(room: &Room, doctor: &Person, care: CareType) -> Result<pb::CaseView, Status> {
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill().of(GP)).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = doctor.claims_next(Stream::Snp).await?.unwrap();
    doctor.signs_need(&case, need(care, CareLevel::R3, LongestDelay::H8)).await
}

#[tokio::test]
async fn a_regulator_who_is_also_a_visiting_doctor_does_not_drive_to_his_own_case() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let morning = room.wall("2024-12-23 08:00");
    let (as_regulator, as_doctor) = (room.regulator("dr-67-sos-aurore"), room.responder("dr-67-sos-aurore"));
    let case = regulated(&room, &as_regulator, CareType::HomeVisit).await?;
    let holds = as_doctor.goes_on_duty(SOS, "strasbourg-centre", morning).await.refused();
    assert!(holds.reason == "WRONG_STATE" && holds.message.contains(&case.case_id), "{}", holds.message);
    let case = as_regulator.answers(&case, CareType::HomeVisit).await?;
    let shift = as_doctor.goes_on_duty(SOS, "strasbourg-centre", morning).await?;
    let plan = as_regulator.sees_plan(&case).await?;
    assert_eq!(plan.why_not(RouteCategory::HomeVisit, SOS), WhyNot::RegulatedCase, "the only doctor on duty");

    let other = room.responder("dr-67-sos-brume");
    let others_shift = other.goes_on_duty(SOS, "strasbourg-centre", morning).await?;
    room.coordinator("osnp-1").advances(&case).await?;
    let [mission] = as_doctor.missions(SOS).await?.try_into().unwrap();
    let refusal = as_doctor.takes(&mission, &shift).await.refused();
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "REGULATOR_IS_RESPONDER"));
    let french = "Le médecin qui a régulé ce dossier ne peut pas en être l'effecteur : choisissez-en un autre.";
    assert_eq!(refusal.french, french);
    let by_the_desk = room.dispatcher("desk-1").takes(&mission, &shift).await.refused();
    assert_eq!(by_the_desk.reason, "REGULATOR_IS_RESPONDER", "nor does the desk give it to him");
    let taken = other.takes(&mission, &others_shift).await?;
    assert_eq!(taken.visit.unwrap().doctor, "dr-67-sos-brume");
    room.closes().await
}

#[tokio::test]
async fn at_a_house_of_several_the_regulator_sees_no_patient_of_his_nor_does_who_saw_him_regulate() -> Story {
    let room = Room::at("fr-67", "2024-12-22 18:00").await;
    let (aurore, osnp) = (room.regulator("dr-67-sos-aurore"), room.coordinator("osnp-1"));
    room.back_office().publishes(HOUSE, room.today("19:00")).await?;
    let case = regulated(&room, &aurore, CareType::Consultation).await?;
    let case = aurore.answers(&case, CareType::Consultation).await?;
    let mut put = osnp.advances(&case).await?.offer.unwrap();
    while put.offer.as_ref().unwrap().responder_id != HOUSE {
        osnp.hears_nobody(&put).await?;
        put = osnp.advances(&case).await?.offer.unwrap();
    }
    osnp.confirms(&put).await?;

    let brume = room.responder("dr-67-sos-brume");
    let case = osnp.reads(&case).await?;
    let early = brume.records(&case, Attendance::NoShow).await.refused();
    assert_eq!((early.code, early.reason.as_str()), (Code::FailedPrecondition, "WRONG_STATE"), "it is not 19:00 yet");
    room.wait_until("19:10").await;
    let own = room.responder("dr-67-sos-aurore").records(&case, Attendance::Seen).await.refused();
    assert_eq!((own.code, own.reason.as_str()), (Code::FailedPrecondition, "REGULATOR_IS_RESPONDER"));
    brume.records(&case, Attendance::Seen).await?;
    // The patient calls again.
    room.arm("arm-1").qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let saw_him = room.regulator("dr-67-sos-brume").claims(&case).await.refused();
    assert_eq!((saw_him.code, saw_him.reason.as_str()), (Code::FailedPrecondition, "REGULATOR_IS_RESPONDER"));
    aurore.claims(&case).await?;
    room.closes().await
}

#[tokio::test]
async fn a_gp_who_regulates_is_not_offered_his_own_patient() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let doctor = room.regulator("dr-67-colombage");
    let case = regulated(&room, &doctor, CareType::Consultation).await?;
    let plan = doctor.sees_plan(&case).await?;
    assert_eq!(plan.why_not(RouteCategory::OwnGp, GP), WhyNot::RegulatedCase);
    assert!(plan.kept().iter().all(|(_, responder)| *responder != GP), "in no other row either");
    let case = doctor.answers(&case, CareType::Consultation).await?;
    let put = room.coordinator("osnp-1").advances(&case).await?;
    assert_ne!(put.offer.unwrap().offer.unwrap().responder_id, GP);
    // For a regulator of another practice the same patient's GP comes first.
    let other = room.regulator("reg-2");
    let case = regulated(&room, &other, CareType::Consultation).await?;
    assert_eq!(other.sees_plan(&case).await?.kept()[0], (RouteCategory::OwnGp, GP));
    room.closes().await
}

/// The shipped configuration with an exception for Dr Colombage, from and to these days.
fn excepted(from: &str, to: &str) -> Config {
    let copy = Copy::of_shipped();
    let path = copy.path().join("territories/fr-67/territory.toml");
    let exception = format!(
        "\n[[independence_exceptions]]\nperson = \"dr-67-colombage\"\nconvention = \"Convention 2024-03, article 7\"\n\
         from = {from}\nto = {to}\n"
    );
    fs::write(&path, fs::read_to_string(&path).unwrap() + &exception).unwrap();
    copy.load().unwrap()
}

#[tokio::test]
async fn a_dated_exception_works_on_its_days_and_stands_in_the_log() -> Story {
    let config = excepted("2024-12-01", "2024-12-31");
    let room = Room::configured(config, Ground::Embedded, "fr-67", "2024-12-19 10:00").await;
    let doctor = room.regulator("dr-67-colombage");
    let case = regulated(&room, &doctor, CareType::Consultation).await?;
    assert_eq!(doctor.sees_plan(&case).await?.kept()[0], (RouteCategory::OwnGp, GP));
    let case = doctor.answers(&case, CareType::Consultation).await?;
    let put = room.coordinator("osnp-1").advances(&case).await?;
    assert_eq!(put.offer.unwrap().offer.unwrap().responder_id, GP);
    let events = room.log().await;
    let excepted: Vec<_> = events
        .iter()
        .filter(|event| event.case.is_some_and(|id| id.to_string() == case.case_id))
        .flat_map(|event| event.facts.iter().map(move |fact| (event.command.as_str(), fact)))
        .filter_map(|(command, fact)| match fact {
            Fact::Excepted { person, convention } => Some((command, person.as_str(), convention.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(excepted, [("Advance", "dr-67-colombage", "Convention 2024-03, article 7")]);
    Ok(())
}

#[tokio::test]
async fn an_exception_of_other_days_is_none() -> Story {
    let config = excepted("2024-07-01", "2024-12-18");
    let room = Room::configured(config, Ground::Embedded, "fr-67", "2024-12-19 10:00").await;
    let doctor = room.regulator("dr-67-colombage");
    let case = regulated(&room, &doctor, CareType::Consultation).await?;
    assert_eq!(doctor.sees_plan(&case).await?.why_not(RouteCategory::OwnGp, GP), WhyNot::RegulatedCase);
    room.closes().await
}
