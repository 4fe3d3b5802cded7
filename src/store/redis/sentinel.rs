//! Which server the sentinels call the master. All are asked; the most recent election counts, however many still tell of
//! an earlier one: at first only the sentinel that led it knows, the others hear of it up to two seconds later.

use std::{collections::HashMap, time::Duration};

use ::redis::{ConnectionInfo, ErrorKind, RedisError, RedisResult, pipe};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::timeout;

use super::node::connect;

/// How long those that have not answered are left to tell of a later election, once more than half say the same.
const OTHERS: Duration = Duration::from_millis(50);

/// What one sentinel says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word {
    /// Number of the election; a later one is higher.
    epoch: u64,
    host: String,
    port: u16,
}

/// What was heard so far.
#[derive(Default)]
struct Heard {
    words: Vec<Word>,
    /// Why one did not say.
    why: String,
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
    let mut asked: FuturesUnordered<_> = sentinels
        .iter()
        .map(|sentinel| async move {
            let late = |_| format!("no answer within {} ms", limit.as_millis());
            let answer = timeout(limit, ask(sentinel, name, limit)).await.map_err(late)?;
            answer.map_err(|error| error.to_string())
        })
        .collect();
    let mut heard = Heard::default();
    while !heard.enough(sentinels.len())
        && let Some(answer) = asked.next().await
    {
        heard.note(answer);
    }
    let others = async {
        while let Some(answer) = asked.next().await {
            heard.note(answer);
        }
    };
    // Whoever is later than that has nothing to add.
    timeout(OTHERS, others).await.ok();
    let Heard { words, why } = &heard;
    let latest = latest(words).map(|word| (word.host.clone(), word.port));
    latest.ok_or_else(|| format!("no sentinel names the master ({why})"))
}

impl Heard {
    fn note(&mut self, answer: Result<Word, String>) {
        match answer {
            Ok(word) => self.words.push(word),
            Err(why) => self.why = why,
        }
    }

    /// More than half of all say the same: what is later than that, one of the others alone may know.
    fn enough(&self, sentinels: usize) -> bool {
        self.words.iter().any(|word| 2 * said(&self.words, word) > sentinels)
    }
}

/// How many say this.
fn said(words: &[Word], word: &Word) -> usize {
    words.iter().filter(|other| *other == word).count()
}

/// The word of the latest election; of two about one election that which more say.
fn latest(words: &[Word]) -> Option<&Word> {
    words.iter().max_by_key(|word| (word.epoch, said(words, word)))
}

/// The address and the number of its election. While the sentinel that led an election reconfigures the other replicas, its
/// `SENTINEL MASTER` has the new number and still the old address; what clients are to use is what
/// `GET-MASTER-ADDR-BY-NAME` says.
async fn ask(sentinel: &ConnectionInfo, name: &str, limit: Duration) -> RedisResult<Word> {
    let mut connection = connect(sentinel, limit).await?;
    let mut questions = pipe();
    questions.cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    questions.cmd("SENTINEL").arg("MASTER").arg(name);
    let (address, fields): (Vec<String>, HashMap<String, String>) = questions.query_async(&mut connection).await?;
    let word = word(&address, &fields);
    word.ok_or_else(|| RedisError::from((ErrorKind::UnexpectedReturnType, "SENTINEL MASTER")))
}

fn word(address: &[String], fields: &HashMap<String, String>) -> Option<Word> {
    let [host, port] = address else { return None };
    let epoch = fields.get("config-epoch")?.parse().ok()?;
    Some(Word { epoch, host: host.clone(), port: port.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    fn word_of(epoch: u64, port: u16) -> Word {
        Word { epoch, host: "h".to_owned(), port }
    }

    fn enough(words: &[Word], sentinels: usize) -> bool {
        Heard { words: words.to_vec(), ..Heard::default() }.enough(sentinels)
    }

    #[test]
    fn more_than_half_must_say_the_same() {
        assert!(!enough(&[word_of(1, 1)], 3));
        assert!(!enough(&[word_of(1, 1), word_of(2, 2)], 3));
        assert!(enough(&[word_of(1, 1), word_of(2, 2), word_of(2, 2)], 3));
        assert!(enough(&[word_of(1, 1)], 1));
    }

    #[test]
    fn the_one_that_led_the_latest_election_is_believed_against_all_that_have_not_heard_of_it() {
        assert_eq!(latest(&[]), None);
        assert_eq!(latest(&[word_of(1, 1), word_of(2, 2), word_of(1, 1)]), Some(&word_of(2, 2)));
        assert_eq!(latest(&[word_of(2, 1), word_of(2, 2), word_of(2, 2)]), Some(&word_of(2, 2)));
    }

    #[test]
    fn the_address_is_the_one_that_clients_are_to_use_and_only_the_election_is_of_the_masters_entry() {
        let entry = [("ip", "10.0.0.1"), ("port", "6379"), ("config-epoch", "4")];
        let fields = entry.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let address = ["10.0.0.2", "6380"].map(str::to_owned);
        assert_eq!(word(&address, &fields), Some(Word { epoch: 4, host: "10.0.0.2".to_owned(), port: 6380 }));
        assert_eq!(word(&[], &fields), None, "a sentinel that does not know the name");
    }

    #[tokio::test]
    async fn a_later_word_that_comes_after_the_majority_s_is_waited_for_a_moment() {
        let answered = Arc::new(Semaphore::new(0));
        let sentinel = |epoch, port, behind| sentinel(epoch, port, behind, Arc::clone(&answered));
        let sentinels = [sentinel(1, 7001, 0).await, sentinel(1, 7001, 0).await, sentinel(2, 7002, 2).await];
        let master = master_of(&sentinels, "main", Duration::from_secs(2)).await;
        assert_eq!(master, Ok(("10.0.0.1".to_owned(), 7002)));
    }

    /// Answers the two questions as a sentinel that knows of this election, once so many others have `answered`.
    async fn sentinel(epoch: u64, port: u16, behind: u32, answered: Arc<Semaphore>) -> ConnectionInfo {
        use ::redis::IntoConnectionInfo;
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
        let named = ["*2\r\n".to_owned(), bulk("10.0.0.1"), bulk(&port.to_string())].concat();
        let entry = ["*2\r\n".to_owned(), bulk("config-epoch"), bulk(&epoch.to_string())].concat();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("somebody asks");
            let (mut asked, mut buffer) = (String::new(), [0; 1024]);
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                asked += &String::from_utf8_lossy(&buffer[..read]);
                if asked.contains("CLIENT") {
                    // What a connection says of itself at its beginning.
                    let greetings = asked.matches("SETINFO").count();
                    stream.write_all("+OK\r\n".repeat(greetings).as_bytes()).await.expect("it listens");
                    asked.clear();
                } else if asked.matches("SENTINEL").count() == 2 && asked.contains("MASTER\r\n$4\r\nmain") {
                    answered.acquire_many(behind).await.expect("it stays open").forget();
                    stream.write_all([named.as_str(), &entry].concat().as_bytes()).await.expect("it listens");
                    answered.add_permits(1);
                    asked.clear();
                }
            }
        });
        format!("redis://{address}").into_connection_info().expect("an address")
    }
}
