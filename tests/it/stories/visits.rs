//! A doctor comes to the patient: on a Sunday night, in an EHPAD, under the programme of Sens.

use std::sync::Arc;

use rstest::rstest;
use sas_dispatch::{
    domain::{directory::Directory, time::Span},
    grpc::{
        client::{Code, Status},
        pb::{
            self, ActionEnd, ActionKind, CareLevel, CareType, CaseStatus, LongestDelay, NoteKind, Priority,
            RouteCategory, Stream, VisitStatus, WhyNot,
        },
    },
};

use crate::support::room::{
    Ground, Patient, Person, Refused, Room, Route, Seen, Story, ill, lives_in_ehpad, need, qualified,
};

const STRASBOURG: &str = "67482";
const SOS: &str = "sos-medecins-strasbourg";

/// A visit of this Sunday night that a doctor of SOS Médecins has taken, and his shift.
async fn taken(
    room: &Room,
    [arm, reg, osnp, doctor]: [&Person; 4],
) -> Result<(pb::CaseView, pb::Mission, String), Status> {
    let shift = doctor.goes_on_duty(SOS, "strasbourg-centre", room.wall("2024-12-23 08:00")).await?;
    let case = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.12")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
    let case = reg.answers(&case, CareType::HomeVisit).await?;
    osnp.advances(&case).await?;
    let [mission] = doctor.missions(SOS).await?.try_into().unwrap();
    let mission = doctor.takes(&mission, &shift).await?;
    Ok((case, mission, shift))
}

#[rstest]
#[tokio::test]
async fn on_a_sunday_night_sos_medecins_drives_out_and_the_own_gp_is_told(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-22 22:40").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let doctor = room.responder("dr-67-sos-aurore");
    let shift = doctor.goes_on_duty(SOS, "strasbourg-centre", room.wall("2024-12-23 08:00")).await?;
    doctor.is_at(&shift, 48.58, 7.75).await?;

    let case = arm.opens(STRASBOURG, ill().of("gp-67-colombage")).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.12")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
    let plan = reg.sees_plan(&case).await?;
    assert_eq!(plan.kept()[0], (RouteCategory::HomeVisit, SOS));
    let case = reg.answers(&case, CareType::HomeVisit).await?;
    osnp.advances(&case).await?;

    // Before anybody has said yes, the terminal shows where and what, not who.
    let [mission] = doctor.missions(SOS).await?.try_into().unwrap();
    assert!(mission.details.is_none() && mission.place.as_ref().unwrap().street.is_empty());
    assert_eq!(mission.commune_name, "Strasbourg");
    room.wait(Span::from_mins(2)).await;
    let mission = doctor.takes(&mission, &shift).await?;
    assert_eq!(mission.details.as_ref().unwrap().patient.as_ref().unwrap().name, "Camille Exemple");

    // DEPART, ARRIVEE, PEC, FINPEC: one act each.
    let steps = [VisitStatus::EnRoute, VisitStatus::Arrived, VisitStatus::WithPatient, VisitStatus::Finished];
    for step in steps {
        room.wait(Span::from_mins(9)).await;
        let moved = doctor.moves(&mission, step).await?;
        assert_eq!(moved.visit.unwrap().status(), step);
    }
    let refusal = doctor.moves(&mission, VisitStatus::Arrived).await.refused();
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
    assert_eq!(osnp.reads(&case).await?.to_do(), [ActionKind::AwaitReport]);
    doctor.reports(&mission, "Angine, amoxicilline six jours.").await?;

    let case = osnp.reads(&case).await?;
    assert_eq!(case.notes_of(NoteKind::Report), ["Angine, amoxicilline six jours."]);
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::ReturnOfInformation], CaseStatus::Active));
    let case = osnp.ends(&case, ActionKind::ReturnOfInformation, ActionEnd::Done).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid));
    room.closes().await
}

#[tokio::test]
async fn whoever_regulated_a_case_does_not_drive_to_it() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let (arm, osnp) = (room.arm("arm-1"), room.coordinator("osnp-1"));
    // Dr Aurore regulates this evening and makes visits after it; Dr Brume is on duty as well.
    let (aurore, brume) = (room.responder("dr-67-sos-aurore"), room.responder("dr-67-sos-brume"));
    let reg = room.regulator("dr-67-sos-aurore");
    let until = room.wall("2024-12-23 08:00");
    let his = brume.goes_on_duty(SOS, "strasbourg-centre", until).await?;
    let case = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.12")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
    let case = reg.answers(&case, CareType::HomeVisit).await?;
    let hers = aurore.goes_on_duty(SOS, "strasbourg-centre", until).await?;
    osnp.advances(&case).await?;

    let [mission] = brume.missions(SOS).await?.try_into().unwrap();
    let refusal = aurore.takes(&mission, &hers).await.refused();
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "REGULATOR_IS_RESPONDER"));
    assert!(refusal.french.contains("effecteur"), "{}", refusal.french);
    brume.takes(&mission, &his).await?;
    room.closes().await
}

#[tokio::test]
async fn a_resident_who_cannot_move_is_visited_once_the_own_gp_could_not_be_reached() -> Story {
    let room = Room::at("fr-67", "2024-12-19 15:00").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let doctor = room.responder("dr-67-sos-brume");
    doctor.goes_on_duty(SOS, "strasbourg-centre", room.today("20:00")).await?;
    let case = arm.opens(STRASBOURG, lives_in_ehpad().of("gp-67-colombage")).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;

    let plan = reg.sees_plan(&case).await?;
    let kept: Vec<_> = plan.kept().into_iter().map(|(category, _)| category).collect();
    assert_eq!(kept, [RouteCategory::OwnGp, RouteCategory::HomeVisit], "in office hours the own GP is asked first");
    assert_eq!(plan.why_not(RouteCategory::SasSlot, ""), WhyNot::PatientCannotLeave);
    let case = reg.answers(&case, CareType::Consultation).await?;
    let rung = osnp.advances(&case).await?.offer.unwrap();
    assert_eq!(rung.offer.as_ref().unwrap().category(), RouteCategory::OwnGp);
    osnp.hears_nobody(&rung).await?;
    let offer = osnp.advances(&case).await?.offer.unwrap().offer.unwrap();
    assert_eq!((offer.category(), offer.responder_id.as_str()), (RouteCategory::HomeVisit, SOS));
    room.closes().await
}

#[rstest]
#[tokio::test]
async fn a_listed_patient_of_sens_has_the_collective_practice_as_own_gp(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-89", "2024-12-19 14:30").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let doctor = room.responder("dr-89-sos-basalte");
    let shift = doctor.goes_on_duty("sos-medecins-sens", "sens", room.today("20:00")).await?;
    let case = arm.opens("89387", ill().of("programme-sens").hardly_moves()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R3, LongestDelay::H8)).await?;
    let plan = reg.sees_plan(&case).await?;
    let own = plan.rows.iter().find(|row| row.category() == RouteCategory::OwnGp).unwrap();
    assert!(own.rank > 0, "the programme answers as own GP: {}", own.text);
    assert_eq!(own.responder_id, "sos-medecins-sens", "through the association that serves it");
    let case = reg.answers(&case, CareType::HomeVisit).await?;

    osnp.advances(&case).await?;
    let [mission] = doctor.missions("sos-medecins-sens").await?.try_into().unwrap();
    let mission = doctor.takes(&mission, &shift).await?;
    doctor.moves(&mission, VisitStatus::Arrived).await?;
    doctor.moves(&mission, VisitStatus::Finished).await?;
    doctor.reports(&mission, "Surinfection bronchique, traitée.").await?;
    let case = osnp.reads(&case).await?;
    assert_eq!(case.visit().history.len(), 4, "steps may be skipped forward: {:?}", case.visit().history);
    room.closes().await
}

#[tokio::test]
async fn a_visit_ends_at_a_closed_door_and_a_regulator_hears_of_it() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let doctor = room.responder("dr-67-sos-aurore");
    let (case, mission, shift) = taken(&room, [&arm, &reg, &osnp, &doctor]).await?;
    doctor.moves(&mission, VisitStatus::Arrived).await?;

    let case = doctor.reads(&case).await?;
    doctor.ends(&case, ActionKind::Visit, ActionEnd::Absent).await?;
    let case = reg.reads(&case).await?;
    assert_eq!((case.status(), case.to_do()), (CaseStatus::Active, vec![ActionKind::Regulate]));
    assert_eq!(reg.queue(Stream::Snp).await?.len(), 1);
    // The doctor is free for the next one.
    let other = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&other, qualified(Priority::P1, "M03.12")).await?;
    let other = reg.claims(&other).await?;
    let other = reg.signs_need(&other, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
    let other = reg.answers(&other, CareType::HomeVisit).await?;
    osnp.advances(&other).await?;
    let missions = doctor.missions(SOS).await?;
    let next = missions.iter().find(|mission| mission.case_id == other.case_id).unwrap();
    doctor.takes(next, &shift).await?;
    room.closes().await
}

#[tokio::test]
async fn the_dispatch_desk_speaks_for_a_doctor_whose_terminal_is_dead() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let (doctor, desk) = (room.responder("dr-67-sos-aurore"), room.dispatcher("desk-1"));
    let colleague = room.responder("dr-67-sos-brume");
    let shift = doctor.goes_on_duty(SOS, "strasbourg-centre", room.wall("2024-12-23 08:00")).await?;
    let case = arm.opens(STRASBOURG, ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.12")).await?;
    let case = reg.claims_next(Stream::Snp).await?.expect("a case waits");
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
    let case = reg.answers(&case, CareType::HomeVisit).await?;
    osnp.advances(&case).await?;

    let [mission] = desk.missions(SOS).await?.try_into().unwrap();
    // A colleague may not answer for her; the desk may.
    assert_eq!(colleague.takes(&mission, &shift).await.refused().code, Code::PermissionDenied);
    let mission = desk.takes(&mission, &shift).await?;
    assert_eq!(mission.visit.as_ref().unwrap().doctor, "dr-67-sos-aurore");
    room.wait(Span::from_mins(20)).await;
    desk.moves(&mission, VisitStatus::Finished).await?;
    // The words are the doctor's own.
    assert_eq!(desk.reports(&mission, "Vu.").await.refused().code, Code::PermissionDenied);
    doctor.reports(&mission, "Vu, traité.").await?;
    assert_eq!(osnp.reads(&case).await?.status(), CaseStatus::Valid);
    room.closes().await
}

#[tokio::test]
async fn a_doctor_on_duty_goes_on_duty_a_second_time_only_for_other_hours() -> Story {
    let room = Room::at("fr-67", "2024-12-22 22:40").await;
    let doctor = room.responder("dr-67-sos-aurore");
    let shift = doctor.goes_on_duty(SOS, "strasbourg-centre", room.wall("2024-12-23 08:00")).await?;
    let twice = doctor.goes_on_duty(SOS, "strasbourg-centre", room.wall("2024-12-23 04:00")).await.refused();
    assert_eq!((twice.code, twice.reason.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
    doctor.end_duty(&shift).await?;
    doctor.goes_on_duty(SOS, "strasbourg-centre", room.wall("2024-12-23 04:00")).await?;
    room.closes().await
}

/// Found by a stranger who took a structure out of the directory: its terminal lost a visit under way.
#[tokio::test]
async fn a_structure_that_left_the_directory_goes_on_with_its_visit_under_way() -> Story {
    let room = Room::on(Ground::Redis, "fr-67", "2024-12-22 22:40").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    taken(&room, [&arm, &reg, &osnp, &room.responder("dr-67-sos-aurore")]).await?;
    let (id, sos) = ("fr-67".parse().unwrap(), SOS.parse().unwrap());
    let room = room
        .restarts_under(|config| {
            let ground = Arc::make_mut(config.territories.get_mut(&id).unwrap());
            ground.1 = Directory::new(ground.1.iter().filter(|known| known.id != sos).cloned());
        })
        .await;
    let doctor = room.responder("dr-67-sos-aurore");
    let [mission] = doctor.missions(SOS).await?.try_into().unwrap();
    doctor.moves(&mission, VisitStatus::EnRoute).await?;
    let unknown = doctor.missions("sos-medecins-nulle-part").await.refused();
    assert_eq!(unknown.code, Code::NotFound);
    room.closes().await
}
