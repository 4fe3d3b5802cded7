//! A console that loses its connection: nothing is missed, and nothing repeated without saying so.

use rstest::rstest;
use sas_dispatch::grpc::pb::{self, CareLevel, CareType, LongestDelay, Priority, Stream, watch_event::Event};

use crate::support::room::{Console, Ground, Person, Room, Stopped, Story, ill, need, next, qualified};

/// What a console's screen shows, kept as the messages say.
#[derive(Default)]
struct Screen {
    cases: Vec<String>,
    token: Vec<u8>,
    resets: u32,
    /// Cases told of since the last mark that everything was sent or nothing is new.
    told: u32,
}

impl Screen {
    /// Follows the watch until the screen shows `cases`, in any order, with nothing more to come.
    async fn until(&mut self, console: &mut Console, cases: &[&pb::CaseView]) {
        let mut wanted: Vec<_> = cases.iter().map(|case| case.case_id.clone()).collect();
        wanted.sort();
        loop {
            let message = next(console).await;
            if !message.token.is_empty() {
                self.token = message.token;
            }
            match message.event.unwrap() {
                Event::Changed(case) => {
                    self.told += 1;
                    self.cases.retain(|known| *known != case.case_id);
                    self.cases.push(case.case_id);
                }
                Event::GoneCaseId(id) => self.cases.retain(|known| *known != id),
                Event::Stale(_) => {}
                Event::Reset(_) => {
                    self.resets += 1;
                    self.cases.clear();
                }
                Event::SnapshotDone(_) | Event::Bookmark(_) => {
                    self.cases.sort();
                    if self.cases == wanted {
                        return;
                    }
                }
            }
        }
    }
}

async fn waits(arm: &Person) -> Result<pb::CaseView, Stopped> {
    let case = arm.opens("67482", ill()).await?;
    Ok(arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?)
}

#[rstest]
#[tokio::test]
async fn a_console_that_reconnects_misses_nothing(#[values(Ground::Embedded, Ground::Redis)] ground: Ground) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let (arm, reg, watching) = (room.arm("arm-1"), room.regulator("reg-1"), room.regulator("reg-2"));
    let (a, b) = (waits(&arm).await?, waits(&arm).await?);
    let mut console = watching.watches(Stream::Snp, &[]).await?;
    let mut screen = Screen::default();
    screen.until(&mut console, &[&a, &b]).await;
    let c = waits(&arm).await?;
    screen.until(&mut console, &[&a, &b, &c]).await;

    // The line breaks. Meanwhile one case is decided and one is new.
    drop(console);
    let case = reg.claims(&a).await?;
    reg.signs_need_saying(&case, need(CareType::Advice, CareLevel::R4, LongestDelay::H24), "Repos").await?;
    let d = waits(&arm).await?;
    screen.told = 0;
    let mut console = watching.watches(Stream::Snp, &screen.token).await?;
    screen.until(&mut console, &[&b, &c, &d]).await;
    assert_eq!((screen.told, screen.resets), (1, 0), "only the new case is told of, not those it knew");

    // And goes on from there.
    let e = waits(&arm).await?;
    screen.until(&mut console, &[&b, &c, &d, &e]).await;
    room.closes().await
}

#[tokio::test]
async fn a_token_of_somewhere_else_begins_again_and_says_so() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, watching) = (room.arm("arm-1"), room.regulator("reg-2"));
    let a = waits(&arm).await?;
    for foreign in [vec![7; 16], b"not a token".to_vec()] {
        let mut console = watching.watches(Stream::Snp, &foreign).await?;
        let mut screen = Screen { cases: vec!["what the screen showed before".to_owned()], ..Screen::default() };
        screen.until(&mut console, &[&a]).await;
        assert_eq!(screen.resets, 1);
    }
    room.closes().await
}

/// Found with a console that changed its stream and kept its token: a P1 that waited for the AMU was never shown.
#[tokio::test]
async fn a_watch_token_of_another_stream_begins_again_and_shows_who_waits_there() -> Story {
    let room = Room::at("fr-67", "2024-12-19 10:00").await;
    let (arm, watching) = (room.arm("arm-1"), room.regulator("reg-2"));
    let waits_here = waits(&arm).await?;
    let opened = arm.opens("67482", ill()).await?;
    let to_amu = pb::QualifyRequest { stream: Stream::Amu.into(), ..qualified(Priority::P1, "M02.01") };
    let waits_there = arm.qualifies(&opened, to_amu).await?;
    let mut here = Screen::default();
    let mut console = watching.watches(Stream::Snp, &[]).await?;
    here.until(&mut console, &[&waits_here]).await;
    // As a token was before it said of which list it is.
    let old_form = here.token[6..].to_vec();
    for (stream, token, case) in [(Stream::Amu, here.token.clone(), &waits_there), (Stream::Snp, old_form, &waits_here)]
    {
        let mut console = watching.watches(stream, &token).await?;
        let mut screen = Screen { cases: vec!["what the screen showed before".to_owned()], ..Screen::default() };
        screen.until(&mut console, &[case]).await;
        assert_eq!(screen.resets, 1);
    }
    room.closes().await
}
