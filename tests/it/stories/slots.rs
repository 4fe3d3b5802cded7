//! A slot belongs to one patient: held, confirmed, cancelled, missed.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::{
        client::{Code, Status},
        pb::{
            self, ActionKind, Attendance, CareLevel, CareType, CaseStatus, LongestDelay, OfferStatus, Priority,
            RouteCategory, SlotStatus, Stream,
        },
    },
};

use crate::support::room::{Ground, Person, Refused, Room, Seen, Story, ill, need, qualified};

const MAREE: &str = "sas-67-maree";

/// A patient without a GP who should be seen today.
async fn to_be_seen(room: &Room, reg: &Person) -> Result<pb::CaseView, Status> {
    let arm = room.arm("arm-1");
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims(&case).await?;
    let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    reg.answers(&case, CareType::Consultation).await
}

fn slot_of(offer: &pb::Offer) -> Option<&str> {
    match offer.means.as_ref()?.way.as_ref()? {
        pb::means::Way::Slot(slot) => Some(&slot.slot_id),
        _ => None,
    }
}

#[rstest]
#[tokio::test]
async fn a_slot_is_held_then_booked_and_never_twice(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (reg, office) = (room.regulator("reg-1"), room.back_office());
    let (here, there) = (room.coordinator("osnp-1"), room.coordinator("osnp-2"));
    let slot = office.publishes(MAREE, room.today("11:00")).await?;
    let (one, two) = (to_be_seen(&room, &reg).await?, to_be_seen(&room, &reg).await?);

    // Two coordinators reach for the one free slot at the same moment.
    let (first, second) = tokio::join!(here.advances(&one), there.advances(&two));
    let (first, second) = (first?, second?);
    let of = |advanced: &pb::AdvanceResponse| advanced.offer.clone().and_then(|offer| offer.offer);
    let taken: Vec<_> = [&first, &second].map(of).into_iter().flatten().collect();
    let holders = taken.iter().filter(|offer| slot_of(offer) == Some(&slot)).count();
    assert_eq!(holders, 1, "{taken:?}");
    let held = office.slots_of(MAREE).await?;
    assert_eq!(held[0].status(), SlotStatus::Held);

    // The one who has it tells the patient, takes a little longer, and books.
    let (osnp, won, case) = if of(&first).as_ref().and_then(slot_of) == Some(&slot) {
        (&here, first.offer.unwrap(), &one)
    } else {
        (&there, second.offer.unwrap(), &two)
    };
    let until = won.offer.as_ref().unwrap().until_unix_ms;
    assert_eq!(room.clock_at(until), "10:03");
    room.wait(Span::from_mins(2)).await;
    assert_eq!(room.clock_at(osnp.holds_longer(&won).await?), "10:05");
    room.wait(Span::from_mins(2)).await;
    let booked = osnp.confirms(&won).await?;
    assert_eq!((booked.status(), booked.appointment_unix_ms), (OfferStatus::Accepted, room.today("11:00")));
    let slots = office.slots_of(MAREE).await?;
    assert_eq!((slots[0].status(), slots.len()), (SlotStatus::Booked, 1));
    assert_eq!(osnp.reads(case).await?.to_do(), [ActionKind::Appointment]);
    // Its owner cannot take it from the patient unseen.
    let refusal = office.withdraws(&slot).await.refused();
    assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "WRONG_STATE"));
    room.closes().await
}

#[tokio::test]
async fn a_hold_nobody_confirms_ends_and_the_slot_is_free_for_the_next_patient() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (reg, osnp, office) = (room.regulator("reg-1"), room.coordinator("osnp-1"), room.back_office());
    let slot = office.publishes(MAREE, room.today("11:00")).await?;
    let one = to_be_seen(&room, &reg).await?;
    osnp.advances(&one).await?;
    room.wait(Span::from_mins(4)).await;
    let waiting = osnp.reads(&one).await?;
    assert_eq!(waiting.offers[0].status(), OfferStatus::Closed);
    assert_ne!(waiting.to_do(), [], "the first patient is not forgotten");

    let two = to_be_seen(&room, &reg).await?;
    let won = osnp.advances(&two).await?.offer.unwrap().offer.unwrap();
    assert_eq!(slot_of(&won), Some(slot.as_str()));
    room.closes().await
}

#[rstest]
#[tokio::test]
async fn a_cancelled_appointment_frees_its_slot_and_the_patient_is_routed_again(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (reg, osnp, office) = (room.regulator("reg-1"), room.coordinator("osnp-1"), room.back_office());
    office.publishes(MAREE, room.today("11:00")).await?;
    let case = to_be_seen(&room, &reg).await?;
    let held = osnp.advances(&case).await?.offer.unwrap();
    osnp.confirms(&held).await?;
    let case = osnp.reads(&case).await?;
    assert_eq!(osnp.cancels(&case, "").await.refused().fields, ["reason"]);
    osnp.cancels(&case, "Le patient préfère l'après-midi").await?;

    let slots = office.slots_of(MAREE).await?;
    assert_eq!(slots[0].status(), SlotStatus::Free);
    let case = osnp.reads(&case).await?;
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::Route], CaseStatus::Active));
    assert_eq!(case.offer().status(), OfferStatus::Withdrawn);
    room.closes().await
}

#[rstest]
#[tokio::test]
async fn a_patient_who_does_not_come_is_a_doctors_matter_again(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (reg, osnp, office) = (room.regulator("reg-1"), room.coordinator("osnp-1"), room.back_office());
    let chief = room.supervisor("chief-1");
    office.publishes(MAREE, room.today("11:00")).await?;
    let case = to_be_seen(&room, &reg).await?;
    let held = osnp.advances(&case).await?.offer.unwrap();
    assert_eq!(held.offer.as_ref().unwrap().category(), RouteCategory::SasSlot);
    osnp.confirms(&held).await?;

    // Half an hour after the appointment nobody has said a word: an alarm asks.
    room.wait_until("11:40").await;
    assert_eq!(chief.alarms().await?[0].action.as_ref().unwrap().kind(), ActionKind::Appointment);
    osnp.records(&osnp.reads(&case).await?, Attendance::NoShow).await?;
    let case = osnp.reads(&case).await?;
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::Regulate], CaseStatus::Active));
    assert_eq!(reg.claims_next(Stream::Snp).await?.unwrap().case_id, case.case_id);
    room.closes().await
}
