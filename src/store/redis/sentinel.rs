//! Which server the sentinels call the master. All are asked; the most recent election counts, however many still tell of
//! an earlier one.

use std::{collections::HashMap, time::Duration};

use ::redis::{ConnectionInfo, RedisResult, cmd};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::timeout;

use super::node::connect;

/// What one sentinel says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// Number of the election; a later one is higher.
    epoch: u64,
    host: String,
    port: u16,
}

/// Host and port of the master.
///
/// # Errors
/// When no sentinel knows it.
pub(super) async fn master_of(
    sentinels: &[ConnectionInfo],
    name: &str,
    limit: Duration,
) -> Result<(String, u16), String> {
    let mut asked: FuturesUnordered<_> =
        sentinels.iter().map(|sentinel| timeout(limit, ask(sentinel, name, limit))).collect();
    let mut words: Vec<Word> = Vec::new();
    let mut why = String::new();
    while let Some(answer) = asked.next().await {
        match answer {
            Ok(Ok(word)) => words.push(word),
            Ok(Err(error)) => why = error.to_string(),
            Err(_) => why = format!("no answer within {} ms", limit.as_millis()),
        }
        if let Some(word) = agreed(&words, sentinels.len()) {
            return Ok((word.host.clone(), word.port));
        }
    }
    let latest = words.into_iter().max_by_key(|word| word.epoch);
    latest.map(|word| (word.host, word.port)).ok_or_else(|| format!("no sentinel names the master ({why})"))
}

/// What more than half of all sentinels say: nobody else can have been elected since.
fn agreed(words: &[Word], sentinels: usize) -> Option<&Word> {
    words.iter().find(|word| 2 * words.iter().filter(|other| other == word).count() > sentinels)
}

async fn ask(sentinel: &ConnectionInfo, name: &str, limit: Duration) -> RedisResult<Word> {
    let mut connection = connect(sentinel, limit).await?;
    let mut master = cmd("SENTINEL");
    master.arg("MASTER").arg(name);
    let fields: HashMap<String, String> = master.query_async(&mut connection).await?;
    let unreadable = || ::redis::RedisError::from((::redis::ErrorKind::UnexpectedReturnType, "SENTINEL MASTER"));
    let number = |field: &str| fields.get(field).and_then(|text| text.parse::<u64>().ok()).ok_or_else(unreadable);
    let port = u16::try_from(number("port")?).map_err(|_| unreadable())?;
    let host = fields.get("ip").cloned().ok_or_else(unreadable)?;
    Ok(Word { epoch: number("config-epoch")?, host, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(epoch: u64, port: u16) -> Word {
        Word { epoch, host: "h".to_owned(), port }
    }

    #[test]
    fn more_than_half_must_say_the_same() {
        assert_eq!(agreed(&[word(1, 1)], 3), None);
        assert_eq!(agreed(&[word(1, 1), word(2, 2)], 3), None);
        assert_eq!(agreed(&[word(1, 1), word(2, 2), word(2, 2)], 3), Some(&word(2, 2)));
        assert_eq!(agreed(&[word(1, 1)], 1), Some(&word(1, 1)));
    }
}
