//! Which node of a cluster owns which slot, as all its nodes together say: where they differ, the later configuration
//! counts.

use std::time::Duration;

use ::redis::{ConnectionInfo, RedisResult, cmd};
use tokio::time::timeout;

use super::node::connect;

/// Slots of every cluster.
pub(super) const SLOTS: usize = 16_384;

/// One node as another describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// `None` when a node does not know its own address: it is where it was asked.
    pub host: Option<String>,
    pub port: u16,
    /// Ranges of slots, ends included; empty for a replica.
    pub slots: Vec<(u16, u16)>,
    /// Number of its configuration; a later one is higher.
    pub epoch: u64,
}

/// The slot of a key whose hash tag is `tag`.
pub(super) fn slot_of(tag: &str) -> u16 {
    let crc = tag.bytes().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 })
    });
    crc % 16_384
}

/// What one node says of all, or why it did not.
pub(super) async fn ask(node: &ConnectionInfo, limit: Duration) -> Result<Vec<Row>, String> {
    let asked = async {
        let mut nodes = cmd("CLUSTER");
        nodes.arg("NODES");
        let mut connection = connect(node, limit).await?;
        let text: RedisResult<String> = nodes.query_async(&mut connection).await;
        text
    };
    match timeout(limit, asked).await {
        Ok(Ok(text)) => Ok(rows(&text)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} ms", limit.as_millis())),
    }
}

/// `<id> <ip:port@cport[,hostname]> <flags> <master> <ping> <pong> <epoch> <link> <slot> <slot> …`, a line a node.
fn rows(text: &str) -> Vec<Row> {
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let fields: Vec<&str> = line.split(' ').collect();
    let (address, flags, epoch) = (fields.get(1)?, fields.get(2)?, fields.get(6)?.parse().ok()?);
    if flags.split(',').any(|flag| matches!(flag, "noaddr" | "handshake")) {
        return None;
    }
    let (host, port) = address.split('@').next()?.rsplit_once(':')?;
    let host = Some(host.to_owned()).filter(|host| !host.is_empty());
    let range = |text: &&str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        // A slot on its way stands in brackets and belongs to the node that gives it away.
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    let slots = fields.iter().skip(8).filter_map(range).filter(|(_, last)| usize::from(*last) < SLOTS).collect();
    Some(Row { host, port: port.parse().ok()?, slots, epoch })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_of_a_tag_is_what_redis_computes() {
        assert_eq!(slot_of("123456789"), 0x31C3);
        assert_eq!(slot_of("foo"), 12_182);
        assert_eq!(slot_of(""), 0);
    }

    #[test]
    fn a_row_is_read_with_its_slots_and_without_those_on_their_way() {
        let text = "a 127.0.0.1:7000@17000,host master - 0 1 7 connected 0-5 9 [93->-b] [77-<-c]\n\
                    b 127.0.0.1:7001@17001 slave a 0 1 7 connected\n\
                    c :0@0 slave,noaddr a 0 1 7 disconnected\n\
                    d :7003@17003 myself,master - 0 0 3 connected 100-16383 16384-20000\n";
        let row = |host: Option<&str>, port, slots: &[(u16, u16)], epoch| Row {
            host: host.map(str::to_owned),
            port,
            slots: slots.to_vec(),
            epoch,
        };
        assert_eq!(
            rows(text),
            [
                row(Some("127.0.0.1"), 7_000, &[(0, 5), (9, 9)], 7),
                row(Some("127.0.0.1"), 7_001, &[], 7),
                row(None, 7_003, &[(100, 16_383)], 3),
            ]
        );
    }
}
