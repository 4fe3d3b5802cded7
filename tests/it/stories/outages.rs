//! Machines stop and start; what was acknowledged stays, and goes on where it was.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::{
        client::Status,
        pb::{
            self, ActionKind, CareLevel, CareType, LongestDelay, OfferStatus, Priority, SlotStatus, Stream, VisitStatus,
        },
    },
};

use crate::support::room::{Ground, Patient, Refused, Room, Seen, Story, ask, ill, need, qualified};

const SOS: &str = "sos-medecins-strasbourg";
const MAREE: &str = "sas-67-maree";

#[rstest]
#[tokio::test]
async fn the_service_restarts_between_any_two_words_of_a_story(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-22 22:40").await;
    let aurore = "dr-67-sos-aurore";
    let until = room.wall("2024-12-23 08:00");
    let shift = room.responder(aurore).goes_on_duty(SOS, "strasbourg-centre", until).await?;
    let case = room.arm("arm-1").opens("67482", ill().of("gp-67-colombage")).await?;
    let room = room.restarts().await;
    room.arm("arm-1").qualifies(&case, qualified(Priority::P2, "M03.12")).await?;
    let room = room.restarts().await;
    let reg = room.regulator("reg-1");
    let case = reg.claims_next(Stream::Snp).await?.expect("it waited through the restart");
    let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
    let case = reg.answers(&case, CareType::HomeVisit).await?;
    let room = room.restarts().await;
    room.coordinator("osnp-1").advances(&case).await?;
    let room = room.restarts().await;
    let doctor = room.responder(aurore);
    let [mission] = doctor.missions(SOS).await?.try_into().unwrap();
    doctor.takes(&mission, &shift).await?;
    let room = room.restarts().await;
    room.wait(Span::from_mins(30)).await;
    room.responder(aurore).moves(&mission, VisitStatus::Finished).await?;
    let room = room.restarts().await;
    room.responder(aurore).reports(&mission, "Vu, traité.").await?;
    let room = room.restarts().await;
    assert_eq!(room.arm("arm-1").reads(&case).await?.to_do(), [ActionKind::ReturnOfInformation]);
    room.closes().await
}

#[tokio::test]
async fn redis_is_killed_in_the_middle_of_a_case_and_nothing_acknowledged_is_lost() -> Story {
    let room = Room::on(Ground::Redis, "fr-67", "2024-12-19 10:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    reg.claims(&case).await?;
    room.redis_dies_and_comes_back();

    // The console does what it is told: it sends the same request again until there is an answer.
    let sign = pb::SignNeedRequest {
        command_id: reg.act(),
        case_id: case.case_id.clone(),
        claim_no: reg.claim_no(&case),
        need: Some(need(CareType::Advice, CareLevel::R4, LongestDelay::H24)),
        note: "Repos".to_owned(),
        ..Default::default()
    };
    let mut answer = ask!(reg, regulation, sign_need, sign.clone());
    for _ in 0..50 {
        match &answer {
            Err(refused) if refused.code() == sas_dispatch::grpc::client::Code::Unavailable => {
                answer = ask!(reg, regulation, sign_need, sign.clone());
            }
            _ => break,
        }
    }
    let signed = answer?.case.unwrap();
    assert_eq!(signed.decisions.len(), 1);
    room.closes().await
}

/// A patient without a GP who should be seen today, at one instance.
async fn to_be_seen(room: &Room) -> Result<pb::CaseView, Status> {
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims(&case).await?;
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    reg.answers(&case, CareType::Consultation).await
}

#[tokio::test]
async fn two_instances_are_one_room() -> Story {
    let here = Room::on(Ground::Redis, "fr-67", "2024-12-19 10:00").await;
    let there = here.beside().await;
    // What one instance was told, the other knows at once; each has seen the case before and remembers it.
    let case = here.arm("arm-1").opens("67482", ill()).await?;
    there.arm("arm-2").reads(&case).await?;
    here.arm("arm-1").qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let (mine, yours) = (here.regulator("reg-1"), there.regulator("reg-2"));
    let (one, other) = tokio::join!(mine.claims_next(Stream::Snp), yours.claims_next(Stream::Snp));
    let taken: Vec<_> = [one?, other?].into_iter().flatten().collect();
    assert_eq!(taken.len(), 1, "one case, one holder");

    // One slot, two coordinators at two instances.
    let slot = here.back_office().publishes(MAREE, here.today("11:00")).await?;
    let (one, two) = (to_be_seen(&here).await?, to_be_seen(&there).await?);
    let (osnp, other) = (here.coordinator("osnp-1"), there.coordinator("osnp-2"));
    let (first, second) = tokio::join!(osnp.advances(&one), other.advances(&two));
    let offers = [first?, second?].map(|advanced| advanced.offer.and_then(|offer| offer.offer));
    let holds = |offer: &&pb::Offer| format!("{:?}", offer.means).contains(&slot);
    assert_eq!(offers.iter().flatten().filter(holds).count(), 1, "{offers:?}");
    assert_eq!(there.back_office().slots_of(MAREE).await?[0].status(), SlotStatus::Held);

    // Both run upkeep; the hold ends once, and the patient is put to the next one once.
    let (a, b) = (here.wait(Span::from_mins(4)), there.wait(Span::from_mins(4)));
    tokio::join!(a, b);
    for case in [&one, &two] {
        let case = osnp.reads(case).await?;
        let open = case.offers.iter().filter(|offer| offer.status() == OfferStatus::Open).count();
        assert!(open <= 1, "{:?}", case.offers);
    }
    there.closes().await?;
    here.closes().await
}

#[tokio::test]
async fn a_coordinator_whose_reply_was_lost_asks_again_and_rings_one_practice() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let osnp = room.coordinator("osnp-1");
    let case = to_be_seen(&room).await?;
    room.back_office().publishes(MAREE, room.today("11:00")).await?;
    let advance = pb::AdvanceRequest {
        command_id: osnp.act(),
        case_id: case.case_id.clone(),
        decision_id: case.decision().decision_id.clone(),
        ..Default::default()
    };
    let once = ask!(osnp, routing, advance, advance.clone())?;
    let again = ask!(osnp, routing, advance, advance.clone())?;
    assert!(again.receipt.as_ref().unwrap().replayed);
    assert_eq!(once.offer.as_ref().unwrap().offer, again.offer.as_ref().unwrap().offer);
    // A second hand that does the same is told that it is done.
    assert_eq!(osnp.advances(&case).await.refused().reason, "WRONG_STATE");
    // And the lost reply once more, after everything has moved on.
    osnp.confirms(once.offer.as_ref().unwrap()).await?;
    let late = ask!(osnp, routing, advance, advance)?;
    assert!(late.receipt.unwrap().replayed);
    assert_eq!(osnp.reads(&case).await?.offers.len(), 1);
    room.closes().await
}
