//! Who is asked for care sees what the need was signed with.

use sas_dispatch::grpc::pb::{self, CareLevel, CareType, LongestDelay, Priority};

use crate::support::room::{Patient, Person, Room, Stopped, Story, ask, ill, need, qualified};

const TRANSPORT: &str = "transport";
const APART: &str = "l'écart";

async fn signed(room: &Room, care: CareType, delay: LongestDelay) -> Result<pb::AdvanceResponse, Stopped> {
    let (arm, reg, osnp): (Person, Person, Person) =
        (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let case = arm.opens("67482", ill().of("gp-67-colombage")).await?;
    let case = arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims(&case).await?;
    let constraints = Some(pb::Constraints { transport: true, isolation: true, ..Default::default() });
    let case = reg.signs_need(&case, pb::Need { constraints, ..need(care, CareLevel::R3, delay) }).await?;
    let case = reg.answers(&case, care).await?;
    Ok(osnp.advances(&case).await?)
}

#[tokio::test]
async fn a_responder_sees_that_the_patient_must_be_brought_and_kept_apart() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let put = signed(&room, CareType::Consultation, LongestDelay::H8).await?;
    let codes = put.receipt.iter().flat_map(|receipt| &receipt.warnings).map(|warning| warning.code.as_str());
    assert!(codes.eq(["TRANSPORT_NEEDED", "ISOLATION_NEEDED"]));
    let doctor = room.responder("dr-67-colombage");
    let list = pb::ListOffersRequest { responder_id: "gp-67-colombage".to_owned(), ..Default::default() };
    let offers = ask!(doctor, routing, list_offers, list)?.offers;
    let told = &offers[0].conditions;
    assert!(told[0].contains(TRANSPORT) && told[1].contains(APART), "{told:?}");

    room.wait_until("21:00").await;
    room.responder("dr-67-sos-aurore")
        .goes_on_duty("sos-medecins-strasbourg", "strasbourg-centre", room.wall("2024-12-20 08:00"))
        .await?;
    signed(&room, CareType::HomeVisit, LongestDelay::H2).await?;
    let missions = room.responder("dr-67-sos-aurore").missions("sos-medecins-strasbourg").await?;
    let told = &missions[0].conditions;
    assert!(told.len() == 1 && told[0].contains(APART), "to a visit nobody is brought: {told:?}");
    room.closes().await
}

/// What a coordinator must see to before he rings was told to whoever had pressed the button: the service presses it itself.
#[tokio::test]
async fn that_the_patient_is_asked_first_stands_with_the_offer_for_those_who_ring_and_nobody_on_the_road() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg, osnp) = (room.arm("arm-1"), room.regulator("reg-1"), room.coordinator("osnp-1"));
    let case = arm.opens("67482", ill().of("gp-67-colombage")).await?;
    let safety = Some(pb::ContactSafety { risk: pb::ContactRisk::Violence.into(), ..Default::default() });
    let amend =
        pb::AmendCaseRequest { command_id: arm.act(), case_id: case.case_id.clone(), safety, ..Default::default() };
    ask!(arm, intake, amend_case, amend)?;
    let case = arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims(&case).await?;
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    let case = reg.answers(&case, CareType::Consultation).await?;
    osnp.advances(&case).await?;
    let asks = |told: &[String]| told.iter().any(|told| told.contains("l'accord du patient"));
    let [offer] = osnp.open_offers().await?.try_into().unwrap();
    assert!(asks(&offer.conditions) && asks(&offer.offer.unwrap().conditions), "{:?}", offer.conditions);
    assert!(asks(&osnp.reads(&case).await?.offers[0].conditions));
    let list = pb::ListOffersRequest { responder_id: "gp-67-colombage".to_owned(), ..Default::default() };
    let at_the_practice = ask!(room.responder("dr-67-colombage"), routing, list_offers, list)?.offers;
    assert!(at_the_practice.iter().all(|offer| !asks(&offer.conditions)), "he is the one who is not to hear of it");
    room.closes().await
}
