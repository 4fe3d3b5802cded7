//! Records and receipts as one text each, which costs half of what a hash of fields does. The scripts read and write the
//! same form (`shared.lua`); here it is for what comes past them, whole territories.
//!
//! A record: version (32 hexadecimal digits), number in decimal (empty for none), `|`, bytes. A receipt: digest (32
//! bytes), then `seq|at|written|counts|` in decimal, then the outcome.

use crate::{
    domain::{ids::CommandId, time::Instant},
    store::{Digest, Record, StoreError, dump::KeptReceipt},
};

use super::call::hex;

/// A record as kept.
pub(super) fn record(record: &Record) -> Vec<u8> {
    let number = record.number.map_or_else(String::new, |number| number.to_string());
    let mut text = format!("{}{number}|", hex(record.version)).into_bytes();
    text.extend_from_slice(&record.value);
    text
}

/// A receipt as kept.
pub(super) fn receipt(receipt: &KeptReceipt) -> Vec<u8> {
    let counts = receipt.counts.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let (at, written) = (receipt.at.unix_ms(), receipt.written.unix_ms());
    let mut text = receipt.digest.0.to_vec();
    text.extend_from_slice(format!("{}|{at}|{written}|{counts}|", receipt.seq).as_bytes());
    text.extend_from_slice(&receipt.outcome);
    text
}

/// Reads what [`receipt`] and the script write.
pub(super) fn parse_receipt(command: CommandId, text: &[u8]) -> Result<KeptReceipt, StoreError> {
    let unreadable = || StoreError::Corrupt("a receipt in Redis that does not read as one".to_owned());
    let (digest, mut rest) = text.split_first_chunk::<32>().ok_or_else(unreadable)?;
    let mut field = || {
        let end = rest.iter().position(|byte| *byte == b'|').ok_or_else(unreadable)?;
        let (field, after) = rest.split_at(end);
        rest = &after[1..];
        std::str::from_utf8(field).map_err(|_| unreadable())
    };
    let number = |text: &str| text.parse::<i64>().map_err(|_| unreadable());
    let (seq, at, written, counts) = (field()?, field()?, field()?, field()?);
    let count = |n: &str| n.parse().map_err(|_| unreadable());
    Ok(KeptReceipt {
        command,
        digest: Digest(*digest),
        seq: seq.parse().map_err(|_| unreadable())?,
        at: Instant::from_unix_ms(number(at)?),
        written: Instant::from_unix_ms(number(written)?),
        counts: counts.split(',').filter(|n| !n.is_empty()).map(count).collect::<Result<_, _>>()?,
        outcome: rest.to_vec(),
    })
}
