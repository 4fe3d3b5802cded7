//! Everybody asks at once while the store stands still: the lists are sent away, the regulators' own acts are not.

use futures_util::{StreamExt, stream::FuturesUnordered};
use sas_dispatch::grpc::pb::{CareLevel, CareType, LongestDelay, Priority};

use crate::support::room::{Ground, Refused, Room, Seen, Story, ill, need, qualified, shipped};

const IN_HAND: usize = 12;
const RESERVED: usize = 4;
const ASKED: usize = 20;

#[tokio::test]
async fn a_flood_of_readers_leaves_room_for_a_renewal_and_a_decision() -> Story {
    let mut config = shipped();
    config.settings.server.max_requests_in_hand = IN_HAND;
    config.settings.server.reserved_requests = RESERVED;
    let room = Room::configured(config, Ground::Redis, "fr-67", "2024-12-19 10:00").await;
    let (arm, reg) = (room.arm("arm-1"), room.regulator("reg-1"));
    let case = arm.opens("67482", ill()).await?;
    arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    let case = reg.claims(&case).await?;

    room.redis_stands_still(true);
    let mut readers: FuturesUnordered<_> = (0..ASKED).map(|_| arm.reads(&case)).collect();
    for _ in IN_HAND - RESERVED..ASKED {
        let refused = readers.next().await.expect("those who find no room are answered at once").refused();
        assert_eq!(refused.reason, "OVERLOADED");
        assert!(refused.message.contains("nothing was done"), "{}", refused.message);
    }
    let thawed = async { room.redis_stands_still(false) };
    let renewed = async {
        let renewal = reg.renews(&case);
        tokio::join!(renewal, thawed).0
    };
    renewed.await?;
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    let decided = reg.signs_need(&case, advice).await?;
    assert_eq!(decided.decisions.len(), 1);
    while let Some(read) = readers.next().await {
        assert_eq!(read?.case_id, case.case_id, "those who had found room are answered");
    }
    assert!(decided.to_do().is_empty(), "{:?}", decided.to_do());
    room.closes().await
}
