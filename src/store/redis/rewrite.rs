//! A server that was killed in the middle of an append.
//!
//! A commit is one transaction in the append-only file. When its end is missing, Redis cuts the file behind the last whole
//! command and not before the transaction: the `MULTI` stays open, what is written next joins it, and the load after the
//! next kill runs the half that nobody was told of (up to Redis 8; mended in Valkey by valkey-io/valkey#4342). A rewrite
//! begins another file, before the first commit.

use ::redis::{RedisResult, aio::MultiplexedConnection, cmd};

use super::{audit::Facts, node::questions};

/// Has the server go on in a new file. In French: why it does not, and what to change; `None` when it does.
pub(super) async fn begin(connection: &mut MultiplexedConnection) -> Option<String> {
    let begun: RedisResult<String> = cmd("BGREWRITEAOF").query_async(connection).await;
    let answers = questions().query_async(connection).await.ok();
    let now = answers.and_then(|answers| Facts::of(answers, None).ok());
    match (now, begun) {
        (Some(now), _) if !now.goes_on_behind_its_file() => None,
        (_, Ok(said)) => Some(format!("la réécriture attend ({said})")),
        (_, Err(error)) => Some(format!(
            "BGREWRITEAOF refusé ({error}) : donnez « +bgrewriteaof » à l'utilisateur du service, ou mettez \
             « aof-load-truncated no » et lancez redis-check-aof --fix avant chaque démarrage de Redis"
        )),
    }
}
