//! 26 December 2024: a public holiday in Strasbourg, an ordinary Thursday in Sens. The same service answers both.

use sas_dispatch::{
    domain::actor::Role,
    grpc::pb::{CareLevel, CareType, LegalPeriod, LegalStatus, LongestDelay, Priority, RouteCategory, Stream, WhyNot},
};

use crate::support::room::{Patient, Refused, Room, Route, Story, ill, need, qualified};

#[tokio::test]
async fn saint_etienne_is_duty_in_strasbourg_and_a_working_day_in_sens() -> Story {
    let room = Room::at("fr-67", "2024-12-26 10:00").await;
    let plan_in = async |territory: &str, commune: &str, gp: &str| {
        let arm = room.elsewhere("arm-1", Role::Arm, territory);
        let reg = room.elsewhere("reg-1", Role::Regulator, territory);
        let case = arm.opens(commune, ill().of(gp)).await?;
        arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
        let case = reg.claims_next(Stream::Snp).await?.expect("a case waits in its own territory's queue");
        assert_eq!(reg.claims_next(Stream::Snp).await?, None, "and none of the other's");
        let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
        Ok::<_, crate::support::room::Stopped>((reg.sees_plan(&case).await?, case))
    };

    let calendar = room.supervisor("chief-1").calendar().await?;
    assert_eq!((calendar.period(), calendar.status()), (LegalPeriod::PdsaSundayHoliday, LegalStatus::Pdsa));
    assert_eq!((calendar.holiday.as_str(), calendar.article.as_str()), ("Saint-Étienne", "R6315-1 2° CSP"));
    let (plan, of_strasbourg) = plan_in("fr-67", "67482", "gp-67-colombage").await?;
    assert_eq!(plan.period(), LegalPeriod::PdsaSundayHoliday);
    assert_eq!(plan.why_not(RouteCategory::OwnGp, "gp-67-colombage"), WhyNot::NotInThisPeriod);
    assert_eq!(plan.kept()[0].0, RouteCategory::FixedPoint);

    let calendar = room.elsewhere("chief-9", Role::Supervisor, "fr-89").calendar().await?;
    assert_eq!((calendar.period(), calendar.status()), (LegalPeriod::OfficeHours, LegalStatus::OfficeHours));
    assert_eq!(calendar.holiday, "");
    let (plan, _) = plan_in("fr-89", "89387", "gp-89-bastion").await?;
    assert_eq!(plan.period(), LegalPeriod::OfficeHours);
    assert_eq!(plan.kept()[0], (RouteCategory::OwnGp, "gp-89-bastion"));

    // A case of Strasbourg does not exist for Sens.
    let refusal = room.elsewhere("reg-1", Role::Regulator, "fr-89").reads(&of_strasbourg).await.refused();
    assert_eq!(refusal.reason, "NOT_FOUND");
    room.closes().await
}
