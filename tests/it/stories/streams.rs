//! Who regulates what: skills, streams that stand in for one another, re-orientation, surge, roster, relay.

use std::sync::Arc;

use rstest::rstest;
use sas_dispatch::{
    config::Config,
    domain::{regulation::fallback::Stop, time::Span},
    grpc::{
        client::{Code, Status},
        pb::{self, ActionKind, CareLevel, CareType, Fallback, LongestDelay, Priority, Stream},
    },
};

use crate::support::{
    redis::until,
    room::{Ground, Person, Refused, Room, Seen, Story, ask, ill, need, qualified, shipped},
};

/// Bas-Rhin with two skills, and a liberal regulation that stops at midnight.
fn versed() -> Config {
    let mut config = shipped();
    let id = "fr-67".parse().unwrap();
    let ground = config.territories.get(&id).unwrap();
    let (mut territory, directory) = (ground.0.clone(), ground.1.clone());
    territory.regulation.skills = ["pediatrics", "language-ar"].iter().map(|skill| skill.parse().unwrap()).collect();
    let (from, to) = ("00:00".parse().unwrap(), "08:00".parse().unwrap());
    let first = "2024-01-01".parse().unwrap();
    let stream = sas_dispatch::domain::regulation::qualification::Stream::Snp;
    territory.regulation.stops = vec![Stop { stream, from, to, first, last: None }];
    config.territories.insert(id, Arc::new((territory, directory)));
    config
}

async fn waiting(arm: &Person, skill: &str) -> Result<pb::CaseView, Status> {
    let case = arm.opens("67482", ill()).await?;
    let request = pb::QualifyRequest { skill: skill.to_owned(), ..qualified(Priority::P2, "M03.14") };
    arm.qualifies(&case, request).await
}

async fn next(reg: &Person, stream: Stream, skills: &[&str]) -> Result<Option<pb::CaseView>, Status> {
    let skills = skills.iter().map(ToString::to_string).collect();
    let request = pb::ClaimNextRequest { command_id: reg.act(), stream: stream.into(), skills };
    let claimed = ask!(reg, regulation, claim_next, request)?;
    if let Some(case) = &claimed.case {
        reg.holds(case, claimed.claim_no);
    }
    Ok(claimed.case)
}

async fn listed(reg: &Person, page_size: u32) -> Result<Vec<String>, Status> {
    let (mut ids, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListQueueRequest { stream: Stream::Snp.into(), page_size, page_token, at_least_seq: 0 };
        let page = ask!(reg, regulation, list_queue, request)?;
        ids.extend(page.cases.into_iter().map(|case| case.case_id));
        if page.next_page_token.is_empty() {
            return Ok(ids);
        }
        page_token = page.next_page_token;
    }
}

/// Found by a stranger who took a skill out of the configuration: an urgent case was out of everybody's sight for a minute.
#[tokio::test]
async fn what_waits_under_a_skill_that_is_named_no_longer_waits_for_everybody() -> Story {
    let room = Room::configured(versed(), Ground::Redis, "fr-67", "2024-12-19 10:00").await;
    let (urgent, opened) = (waiting(&room.arm("arm-1"), "pediatrics").await?, room.now());
    let id = "fr-67".parse().unwrap();
    let room = room
        .restarts_under(|config| {
            let ground = config.territories.get_mut(&id).unwrap();
            Arc::make_mut(ground).0.regulation.skills.clear();
        })
        .await;
    let reg = room.regulator("reg-1");
    until("the case is in the queue", async || {
        room.wait(Span::from_secs(1)).await;
        listed(&reg, 50).await.unwrap() == [urgent.case_id.clone()]
    })
    .await;
    assert!(room.now() < opened + Span::from_mins(10), "long before it is late");
    let taken = next(&reg, Stream::Snp, &[]).await?.expect("it waits for anybody");
    assert_eq!(taken.case_id, urgent.case_id);
    room.closes().await
}

#[rstest]
#[case(Ground::Embedded)]
#[case(Ground::Redis)]
#[tokio::test]
async fn a_case_that_asks_for_a_skill_waits_for_it_until_it_is_late(#[case] ground: Ground) -> Story {
    let room = Room::configured(versed(), ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, any, versed) = (room.arm("arm-1"), room.regulator("reg-1"), room.regulator("reg-2"));
    let unknown = waiting(&arm, "magic").await.unwrap_err();
    assert_eq!(unknown.code(), Code::InvalidArgument, "{}", unknown.message());
    let child = waiting(&arm, "pediatrics").await?;
    room.wait(Span::from_secs(1)).await;
    let second = waiting(&arm, "pediatrics").await?;
    room.wait(Span::from_secs(1)).await;
    let adult = waiting(&arm, "").await?;
    let order = [&child, &second, &adult].map(|case| case.case_id.clone());
    assert_eq!(listed(&any, 50).await?, order, "the queue shows all of them in one order");
    assert_eq!(listed(&any, 1).await?, order, "and page by page");
    let taken = next(&any, Stream::Snp, &[]).await?.expect("the adult waits for anybody");
    assert_eq!(taken.case_id, adult.case_id);
    let taken = next(&versed, Stream::Snp, &["pediatrics"]).await?.expect("a child waits");
    assert_eq!(taken.case_id, child.case_id);
    assert!(next(&any, Stream::Snp, &["language-ar"]).await?.is_none());
    room.wait(Span::from_mins(16)).await;
    let taken = next(&any, Stream::Snp, &[]).await?.expect("late, it waits for anybody");
    assert_eq!(taken.case_id, child.case_id, "its doctor has gone, and it is the first");
    room.closes().await
}

#[rstest]
#[case(Ground::Embedded)]
#[case(Ground::Redis)]
#[tokio::test]
async fn from_midnight_the_centre_15_answers_under_the_national_code(#[case] ground: Ground) -> Story {
    let room = Room::configured(versed(), ground, "fr-67", "2024-12-19 23:50").await;
    let (arm, amu) = (room.arm("arm-1"), room.regulator("mru-1"));
    let case = waiting(&arm, "pediatrics").await?;
    assert!(next(&amu, Stream::Amu, &[]).await?.is_none(), "until midnight it waits for the liberal regulator");
    room.wait(Span::from_mins(11)).await;
    let taken = next(&amu, Stream::Amu, &[]).await?.expect("nobody else answers now");
    assert_eq!(
        (taken.case_id.as_str(), taken.claim.as_ref().unwrap().fallback()),
        (&*case.case_id, Fallback::NoLiberal)
    );
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    let decided = amu.signs_need(&taken, advice).await?;
    let signed = decided.decisions[0].signed.as_ref().unwrap();
    assert_eq!(signed.fallback(), Fallback::NoLiberal, "the signature says why");
    room.closes().await
}

#[rstest]
#[case(Ground::Embedded)]
#[case(Ground::Redis)]
#[tokio::test]
async fn what_is_sent_to_the_amu_comes_back_when_nobody_answers(#[case] ground: Ground) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, mrl, mru) = (room.arm("arm-1"), room.regulator("mrl-1"), room.regulator("mru-1"));
    let case = waiting(&arm, "").await?;
    for answered in [false, true] {
        let held = mrl.claims(&case).await?;
        mrl.reorients(&held, Stream::Amu, "Douleur thoracique typique").await?;
        assert!(next(&mrl, Stream::Snp, &[]).await?.is_none(), "it waits before the others");
        if answered {
            let taken = next(&mru, Stream::Amu, &[]).await?.expect("it waits here");
            assert_eq!(taken.qualification.as_ref().unwrap().stream(), Stream::Amu);
            assert!(!taken.to_do().contains(&ActionKind::Reorient));
            continue;
        }
        room.wait(Span::from_mins(6)).await;
        let back = mrl.reads(&case).await?;
        assert_eq!(back.to_do(), [ActionKind::Regulate, ActionKind::ReEvaluate]);
        assert_eq!(listed(&mrl, 50).await?, std::slice::from_ref(&case.case_id));
        assert!(room.supervisor("chief-1").alarms().await?.iter().any(|alarm| alarm.case_id == case.case_id));
    }
    room.closes().await
}

#[rstest]
#[case(Ground::Embedded)]
#[case(Ground::Redis)]
#[tokio::test]
async fn a_surge_opens_both_sides_until_its_end_and_the_relay_shows_it(#[case] ground: Ground) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, mru, chief) = (room.arm("arm-1"), room.regulator("mru-1"), room.supervisor("chief-1"));
    let duty = pb::StartDutyRequest {
        command_id: mru.act(),
        stream: Stream::Amu.into(),
        affiliation: pb::Affiliation::Hospital.into(),
        until_unix_ms: room.today("20:00"),
        ..Default::default()
    };
    ask!(mru, supervision, start_duty, duty)?;
    let mrl = pb::StartDutyRequest {
        command_id: chief.act(),
        person: "mrl-1".to_owned(),
        stream: Stream::Snp.into(),
        affiliation: pb::Affiliation::Liberal.into(),
        until_unix_ms: room.today("12:00"),
        ..Default::default()
    };
    ask!(chief, supervision, start_duty, mrl)?;
    let case = waiting(&arm, "").await?;
    assert!(next(&mru, Stream::Amu, &[]).await?.is_none());
    let (command_id, reason) = (chief.act(), pb::SurgeReason::Epidemic.into());
    let start = pb::StartSurgeRequest { command_id, reason, until_unix_ms: room.today("11:00") };
    ask!(chief, supervision, start_surge, start)?;
    let relay = ask!(chief, supervision, get_relay, pb::GetRelayRequest::default())?;
    assert_eq!(relay.surge.as_ref().unwrap().reason(), pb::SurgeReason::Epidemic);
    assert_eq!((relay.duties.len(), relay.open_cases, relay.next[0].case_id.as_str()), (2, 1, &*case.case_id));
    let taken = next(&mru, Stream::Amu, &[]).await?.expect("the split is suspended");
    mru.releases(&taken).await?;
    room.wait_until("11:01").await;
    assert!(next(&mru, Stream::Amu, &[]).await?.is_none(), "the surge ended by itself");
    room.wait_until("12:01").await;
    let relay = ask!(chief, supervision, get_relay, pb::GetRelayRequest::default())?;
    let snp = relay.streams.iter().find(|state| state.stream() == Stream::Snp).unwrap();
    assert_eq!((snp.waiting, snp.on_duty, snp.fallback()), (1, 0, Fallback::LiberalUnavailable));
    let taken = next(&mru, Stream::Amu, &[]).await?.expect("his stream stands in");
    assert_eq!(taken.claim.unwrap().fallback(), Fallback::LiberalUnavailable);
    let duties = ask!(chief, supervision, list_duties, pb::ListDutiesRequest::default())?;
    assert_eq!(duties.duties.len(), 1, "who is over is not listed");
    room.closes().await
}

/// Words that are blank took the case over although its doctor had written that he refuses it.
#[tokio::test]
async fn a_refusal_in_blank_words_is_no_acceptance() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, mrl, mru) = (room.arm("arm-1"), room.regulator("mrl-1"), room.regulator("mru-1"));
    let case = mrl.claims(&waiting(&arm, "").await?).await?;
    mrl.reorients(&case, Stream::Amu, "Douleur thoracique typique").await?;
    let answers = |refused_reason: &str| pb::AnswerReorientationRequest {
        command_id: mru.act(),
        case_id: case.case_id.clone(),
        refused_reason: refused_reason.to_owned(),
        ..Default::default()
    };
    let refused = ask!(mru, regulation, answer_reorientation, answers(" \n\u{a0}")).refused();
    assert_eq!(refused.fields, ["refused_reason"]);
    let transfer = pb::AnswerTransferRequest {
        command_id: mru.act(),
        case_id: case.case_id.clone(),
        refused_reason: "  ".to_owned(),
        ..Default::default()
    };
    assert_eq!(ask!(mru, regulation, answer_transfer, transfer).refused().fields, ["refused_reason"]);
    assert!(mru.reads(&case).await?.claim.is_none());
    let taken = ask!(mru, regulation, answer_reorientation, answers(""))?.case.unwrap();
    assert_eq!(taken.claim.unwrap().by, mru.name);
    room.closes().await
}

/// The roster is known to the instance that is asked first for the AMU.
#[rstest]
#[case(Ground::Embedded)]
#[case(Ground::Redis)]
#[tokio::test]
async fn a_vital_case_is_the_amus_while_it_is_there(#[case] ground: Ground) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, mrl, mru) = (room.arm("arm-1"), room.regulator("mrl-1"), room.regulator("mru-1"));
    for (who, stream) in [(&mrl, Stream::Snp), (&mru, Stream::Amu)] {
        let duty = pb::StartDutyRequest {
            command_id: who.act(),
            stream: stream.into(),
            affiliation: pb::Affiliation::Hospital.into(),
            until_unix_ms: room.today("20:00"),
            ..Default::default()
        };
        ask!(who, supervision, start_duty, duty)?;
    }
    let vital = pb::OpenCaseRequest { command_id: arm.act(), vital: true, ..Default::default() };
    let vital = ask!(arm, intake, open_case, vital)?.case.unwrap();
    let refused = mrl.accepts_hand_over(&vital).await.refused();
    assert!(refused.reason == "WRONG_STATE" && refused.message.contains("mru-1"), "{}", refused.message);
    let taken = mru.accepts_hand_over(&vital).await?;
    assert_eq!(taken.claim.unwrap().by, mru.name);
    room.closes().await
}

#[tokio::test]
async fn a_roster_is_read_page_by_page_while_duties_end() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let chief = room.supervisor("chief-1");
    for (person, until) in [("reg-1", "10:30"), ("reg-2", "20:00"), ("reg-3", "20:00")] {
        let duty = pb::StartDutyRequest {
            command_id: chief.act(),
            person: person.to_owned(),
            stream: Stream::Snp.into(),
            affiliation: pb::Affiliation::Liberal.into(),
            until_unix_ms: room.today(until),
            ..Default::default()
        };
        ask!(chief, supervision, start_duty, duty)?;
        room.wait(Span::from_secs(5)).await;
    }
    let page = |token: String| pb::ListDutiesRequest { page_size: 1, page_token: token, ..Default::default() };
    let first = ask!(chief, supervision, list_duties, page(String::new()))?;
    assert_eq!(first.duties[0].person, "reg-1");
    room.wait_until("10:31").await;
    // The first has gone home meanwhile: nobody is skipped for it.
    let second = ask!(chief, supervision, list_duties, page(first.next_page_token))?;
    assert_eq!(second.duties[0].person, "reg-2");
    let third = ask!(chief, supervision, list_duties, page(second.next_page_token))?;
    assert_eq!((third.duties[0].person.as_str(), third.next_page_token.as_str()), ("reg-3", ""));
    room.closes().await
}
