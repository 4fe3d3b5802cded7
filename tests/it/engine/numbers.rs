//! The number people say of a case: unique and without a gap, whoever else opens one at the same moment.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use sas_dispatch::{domain::time::Span, grpc::pb};

use crate::support::room::{Ground, Person, Room, Story, ask};

/// How many open a case at once.
const CROWD: usize = 64;

/// Everybody opens a case at once; answers the numbers given.
async fn opened(arms: &[&Person]) -> Vec<String> {
    let open = |n: usize| async move {
        let arm = arms[n % arms.len()];
        let request = pb::OpenCaseRequest { command_id: arm.act(), ..Default::default() };
        ask!(arm, intake, open_case, request).expect("no call is refused").case.unwrap().case_number
    };
    join_all((0..CROWD).map(open)).await
}

/// The day's sequence of each number, by what stands before it (territory, year and day).
fn by_day(numbers: &[String]) -> BTreeMap<&str, Vec<u64>> {
    let mut days: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for number in numbers {
        // DRFR15, three characters of the département, two of the year, three of the day.
        let (day, sequence) = number.split_at(14);
        days.entry(day).or_default().push(sequence.parse().unwrap());
    }
    days.values_mut().for_each(|sequences| sequences.sort_unstable());
    days
}

#[tokio::test]
async fn two_instances_on_one_redis_give_each_number_once_and_begin_again_at_midnight() -> Story {
    let room = Room::on(Ground::Redis, "fr-67", "2024-12-19 23:59").await;
    let beside = room.beside().await;
    let (here, there) = (room.arm("arm-1"), beside.arm("arm-2"));
    let before = opened(&[&here, &there]).await;
    room.wait(Span::from_secs(90)).await;
    let after = opened(&[&here, &there]).await;
    let all: Vec<String> = before.into_iter().chain(after).collect();
    assert!(all.iter().all(|number| number.len() == 19), "{all:?}");
    let whole: Vec<u64> = (1..=CROWD as u64).collect();
    assert_eq!(by_day(&all), BTreeMap::from([("DRFR1567024354", whole.clone()), ("DRFR1567024355", whole)]));
    room.closes().await
}

#[tokio::test]
async fn the_hundred_thousandth_case_of_a_day_has_a_number_as_the_first_has() -> Story {
    let room = Room::on(Ground::Redis, "fr-67", "2024-12-19 10:00").await;
    let arm = room.arm("arm-1");
    let first = opened(&[&arm]).await;
    let url = format!("unix://{}", room.redis_socket().display());
    let mut redis = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut redis).await.unwrap();
    for key in keys.iter().filter(|key| key.ends_with(":counters")) {
        let counted: BTreeMap<String, u64> = redis::cmd("HGETALL").arg(key).query_async(&mut redis).await.unwrap();
        for name in counted.keys().filter(|name| name.starts_with("number/")) {
            let _: () = redis::cmd("HSET").arg(key).arg(name).arg(99_968).query_async(&mut redis).await.unwrap();
        }
    }
    let late = opened(&[&arm]).await;
    let days = by_day(&late);
    let (_, sequences) = days.iter().next().unwrap();
    assert_eq!(*sequences, (99_969..99_969 + CROWD as u64).collect::<Vec<_>>(), "after {:?}", by_day(&first));
    assert!(late.iter().any(|number| number.ends_with("99999") && number.len() == 19));
    assert!(late.iter().any(|number| number.ends_with("100000") && number.len() == 20));
    room.closes().await
}
