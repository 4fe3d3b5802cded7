//! P0: handed over accompanied, owned by the ARM until the AMU has accepted, and never refused.

use rstest::rstest;
use sas_dispatch::{
    domain::time::Span,
    grpc::pb::{
        self, ActionEnd, ActionKind, CareLevel, CareType, CaseStatus, Flag, LongestDelay, Priority, Stream, owner::Who,
    },
};

use crate::support::room::{Ground, Refused, Room, Seen, Story, ask, ill, need, qualified};

#[rstest]
#[tokio::test]
async fn a_vital_emergency_is_the_arms_until_the_amu_has_accepted_it(
    #[values(Ground::Embedded, Ground::Redis)] ground: Ground,
) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, amu, chief) = (room.arm("arm-1"), room.regulator("amu-1"), room.supervisor("chief-1"));
    // Somebody shouts and nothing is known yet: one call, one field.
    let open = pb::OpenCaseRequest { command_id: arm.act(), vital: true, ..Default::default() };
    let case = ask!(arm, intake, open_case, open)?.case.unwrap();
    let qualification = case.qualification.as_ref().unwrap();
    assert_eq!((qualification.priority(), qualification.stream()), (Priority::P0, Stream::Amu));
    let hand_over = case.action(ActionKind::HandOver);
    assert_eq!(hand_over.owner.as_ref().unwrap().who, Some(Who::Person("arm-1".to_owned())));

    // Nobody accepts for two minutes: an alarm, and it is still the ARM's.
    assert_eq!(amu.hand_overs().await?.len(), 1);
    room.wait(Span::from_secs(130)).await;
    let alarms = chief.alarms().await?;
    assert_eq!(alarms[0].action.as_ref().unwrap().kind(), ActionKind::HandOver);
    let case = arm.reads(&case).await?;
    assert_eq!(case.to_do(), [ActionKind::HandOver]);

    // The AMU accepts in so many words: it holds the case in the same act.
    let case = amu.accepts_hand_over(&case).await?;
    assert_eq!(case.claim.as_ref().unwrap().by, "amu-1");
    assert_eq!(case.to_do(), [ActionKind::Regulate]);
    assert_eq!(amu.hand_overs().await?, []);
    let smur = need(CareType::Amu, CareLevel::R1, LongestDelay::Immediate);
    let case = amu.signs_need_saying(&case, smur, "SMUR déclenché").await?;
    assert_eq!(case.to_do(), [ActionKind::AwaitReport]);
    let case = amu.ends(&case, ActionKind::AwaitReport, ActionEnd::Done).await?;
    // Nothing was asked then; now the file says what it lacks, and waits for it.
    assert_eq!((case.to_do(), case.status()), (vec![ActionKind::CompleteFile], CaseStatus::Achieved));
    let lacks: Vec<_> = case.missing_for_validation().collect();
    assert_eq!(lacks, [pb::MissingItem::Identity, pb::MissingItem::Motive]);
    let patients = vec![pb::Patient { number: 1, identity_unknown: true, ..Default::default() }];
    let what = pb::AmendCaseRequest { patients, motive: "M01.03".to_owned(), ..Default::default() };
    let case = arm.amends(&case, what).await?;
    assert_eq!((case.to_do(), case.status()), (vec![], CaseStatus::Valid));
    room.closes().await
}

#[tokio::test]
async fn a_vital_emergency_goes_through_whatever_is_wrong_in_the_form() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let garbage = pb::OpenCaseRequest {
        command_id: arm.act(),
        vital: true,
        origin: "?".repeat(500),
        line: 99,
        arrived_unix_ms: 12,
        caller: Some(pb::Caller { phone: "pas un numéro".to_owned(), kind: "???".to_owned(), ..Default::default() }),
        place: Some(pb::Place {
            commune: "Strasbourg".to_owned(),
            position: Some(pb::Position { lat: 480.0, lon: f64::NAN }),
            ..Default::default()
        }),
        patients: vec![pb::Patient {
            own_gp_id: "Dr Untel".to_owned(),
            birth_date: "hier".to_owned(),
            nir: "1".to_owned(),
            age_years: Some(900),
            sex: 77,
            ..Default::default()
        }],
        note: "x".repeat(10_000),
        ..Default::default()
    };
    let opened = ask!(arm, intake, open_case, garbage)?;
    let told: Vec<_> = opened.receipt.unwrap().warnings.into_iter().map(|warning| warning.field).collect();
    for field in ["caller.phone", "place.commune", "patients[0].birth_date"] {
        assert!(told.iter().any(|named| named == field), "{field} is not among {told:?}");
    }
    assert_eq!(opened.case.unwrap().to_do(), [ActionKind::HandOver]);
    room.closes().await
}

#[tokio::test]
async fn a_case_that_turns_vital_is_never_refused_for_an_old_screen() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, reg, amu) = (room.arm("arm-1"), room.regulator("reg-1"), room.regulator("amu-1"));
    let shown = arm.opens("67482", ill()).await?;
    arm.qualifies(&shown, qualified(Priority::P2, "M03.06")).await?;
    let held = reg.claims_next(Stream::Snp).await?.expect("a case waits");

    // While a regulator holds it, the ARM hears the patient collapse; her screen is two changes behind.
    let worse = pb::QualifyRequest {
        version: shown.version.clone(),
        priority: Priority::P0.into(),
        stream: 88,
        motive: "ne respire plus".to_owned(),
        flags: vec![4_000],
        protocol: "?".repeat(400),
        ..Default::default()
    };
    let case = arm.qualifies(&shown, worse).await?;
    assert_eq!(case.to_do(), [ActionKind::HandOver]);
    assert_eq!(case.qualification.as_ref().unwrap().flags().collect::<Vec<_>>(), [Flag::RedFlag]);
    let case = amu.accepts_hand_over(&case).await?;
    assert_eq!(case.claim.as_ref().unwrap().by, "amu-1");
    // The regulator who held it before no longer does.
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    assert_eq!(reg.signs_need(&held, advice).await.refused().reason, "NOT_HOLDER");
    // A version that is not even one.
    let again = pb::QualifyRequest { version: vec![1, 2, 3], priority: Priority::P0.into(), ..Default::default() };
    arm.qualifies(&shown, again).await?;
    room.closes().await
}
