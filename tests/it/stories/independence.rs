//! Supply never reaches triage or need: the same words, said in a room with everything free and in one with nothing, are
//! answered the same (invariant 6).

use proptest::prelude::*;
use sas_dispatch::grpc::pb::{self, CareLevel, CareType, LongestDelay, Priority, Stream};

use crate::support::room::{Patient, Person, Room, Stopped, Story, ill, need, qualified};

/// What the people say of one call.
#[derive(Debug, Clone)]
struct Call {
    commune: &'static str,
    gp: &'static str,
    hardly_moves: bool,
    priority: Priority,
    motive: &'static str,
    protocol: bool,
    care: CareType,
    delay: LongestDelay,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let communes = prop::sample::select(vec!["67482", "67447", "67180"]);
    let gps = prop::sample::select(vec!["", "gp-67-colombage", "gp-67-houblon", "sos-medecins-strasbourg"]);
    let priorities = prop::sample::select(vec![Priority::P1, Priority::P2, Priority::P3]);
    let motives = prop::sample::select(vec!["M03.14", "M03.20", "M06.02"]);
    let cares = prop::sample::select(vec![CareType::Consultation, CareType::HomeVisit, CareType::Advice]);
    let delays = prop::sample::select(vec![LongestDelay::H1, LongestDelay::H8, LongestDelay::H24]);
    let call = (communes, gps, any::<bool>(), priorities, motives, any::<bool>(), cares, delays).prop_map(
        |(commune, gp, hardly_moves, priority, motive, protocol, care, delay)| Call {
            commune,
            gp,
            hardly_moves,
            priority,
            motive,
            protocol,
            care,
            delay,
        },
    );
    prop::collection::vec(call, 1..6)
}

/// What a room answered to one call, without the ids it gave: triage, order, need.
#[derive(Debug, PartialEq)]
struct Answered {
    qualification: Option<pb::Qualification>,
    warnings: Vec<String>,
    queue: Vec<(i64, i64)>,
    needs: Vec<Option<pb::Need>>,
}

async fn told(room: &Room, calls: &[Call]) -> Result<Vec<Answered>, Stopped> {
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let mut answered = Vec::new();
    for call in calls {
        let patient = pb::Patient { reduced_mobility: call.hardly_moves, ..ill().of(call.gp) };
        let case = arm.opens(call.commune, patient).await?;
        let mut what = qualified(call.priority, call.motive);
        if call.protocol {
            what.protocol = "certificat-ou-ordonnance".to_owned();
        }
        let told = arm.qualifies_with_receipt(&case, what).await?;
        let queue = reg.queue(Stream::Snp).await?;
        let order = |case: &pb::CaseView| {
            let known = case.qualification.as_ref().unwrap();
            (i64::from(known.priority), known.due_unix_ms)
        };
        let queue = queue.iter().map(order).collect();
        let case = signed(&reg, told.case.unwrap(), call).await?;
        answered.push(Answered {
            qualification: case.qualification.clone(),
            warnings: told.receipt.unwrap().warnings.into_iter().map(|warning| warning.code).collect(),
            queue,
            needs: case.decisions.into_iter().map(|decision| decision.need).collect(),
        });
        room.wait(sas_dispatch::domain::time::Span::from_secs(20)).await;
    }
    Ok(answered)
}

/// A case that waits for a doctor gets one.
async fn signed(reg: &Person, case: pb::CaseView, call: &Call) -> Result<pb::CaseView, Stopped> {
    if !case.decisions.is_empty() {
        return Ok(case);
    }
    let case = reg.claims(&case).await?;
    let level = if call.care == CareType::Advice { CareLevel::R4 } else { CareLevel::R3 };
    Ok(reg.signs_need(&case, need(call.care, level, call.delay)).await?)
}

/// Slots on every agenda and doctors on duty.
async fn everything_is_free(room: &Room) -> Story {
    let office = room.back_office();
    for (responder, time) in [("sas-67-maree", "10:15"), ("sas-67-phare", "10:30"), ("gp-67-colombage", "11:00")] {
        office.publishes(responder, room.today(time)).await?;
    }
    for doctor in ["dr-67-sos-aurore", "dr-67-sos-brume"] {
        let until = room.today("20:00");
        room.responder(doctor).goes_on_duty("sos-medecins-strasbourg", "strasbourg-centre", until).await?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_words_get_the_same_triage_and_need_whatever_is_free(calls in calls()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (rich, poor) = runtime.block_on(async {
            let (rich, poor) = (Room::at("fr-67", "2024-12-19 10:00").await, Room::at("fr-67", "2024-12-19 10:00").await);
            everything_is_free(&rich).await.unwrap();
            let answers = (told(&rich, &calls).await.unwrap(), told(&poor, &calls).await.unwrap());
            rich.closes().await.unwrap();
            poor.closes().await.unwrap();
            answers
        });
        prop_assert_eq!(rich, poor);
    }
}
