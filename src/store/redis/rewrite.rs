//! A server that was killed in the middle of an append.
//!
//! A commit is one transaction in the append-only file. When its end is missing, Redis cuts the file behind the last whole
//! command and not before the transaction: the `MULTI` stays open, what is written next joins it, and the load after the
//! next kill runs the half that nobody was told of (up to Redis 8; mended in Valkey by valkey-io/valkey#4342). A rewrite
//! begins another file, before the first commit.

use std::time::Duration;

use ::redis::{RedisResult, aio::MultiplexedConnection, cmd};
use tokio::time::sleep;

use crate::clock::Stopwatch;

use super::{audit::Facts, node::questions};

/// A rewrite waits while the server writes a snapshot, as for a replica that has lost its place: so often it is looked whether
/// it has begun.
const AGAIN: Duration = Duration::from_millis(100);

/// Has the server go on in a new file, and waits so long for it to begin. In French: why it does not, and what to change;
/// `None` when it does.
pub(super) async fn begin(connection: &mut MultiplexedConnection, patience: Duration) -> Option<String> {
    let waited = Stopwatch::start();
    loop {
        let begun: RedisResult<String> = cmd("BGREWRITEAOF").query_async(connection).await;
        let answers = questions().query_async(connection).await.ok();
        let now = answers.and_then(|answers| Facts::of(answers, None).ok());
        match (now, begun) {
            (Some(now), _) if !now.goes_on_behind_its_file() => return None,
            (_, Ok(_)) if waited.elapsed() < patience => sleep(AGAIN).await,
            (_, Ok(said)) => return Some(format!("la réécriture attend ({said})")),
            (_, Err(error)) => {
                return Some(format!(
                    "BGREWRITEAOF refusé ({error}) : donnez « +bgrewriteaof » à l'utilisateur du service, ou mettez \
                     « aof-load-truncated no » et lancez redis-check-aof --fix avant chaque démarrage de Redis"
                ));
            }
        }
    }
}
