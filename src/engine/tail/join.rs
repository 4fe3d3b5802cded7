//! Whether what a log gives goes on from where it was read last.

use crate::store::LogEntry;

use super::Mark;

/// What was read, beginning with the last entry known, against that entry.
pub(super) enum Joined {
    /// The entries after it, without a gap; none when nothing is new.
    Next(Vec<LogEntry>),
    /// Not even the last entry known is there.
    Missing,
    /// Another command at that place, or a gap after it.
    Other,
}

/// Compares `entries`, read from the place of `mark` on, with `mark`.
pub(super) fn join(mark: Mark, mut entries: Vec<LogEntry>) -> Joined {
    let gapless = entries.windows(2).all(|pair| pair[1].seq == pair[0].seq + 1);
    let Some(first) = entries.first() else {
        return if mark.seq() == 0 { Joined::Next(entries) } else { Joined::Missing };
    };
    let version = first.version();
    if !gapless {
        return Joined::Other;
    }
    if first.seq == mark.seq() && (version == mark.version || mark.version.is_unknown()) {
        entries.remove(0);
        return Joined::Next(entries);
    }
    let next_without_last = first.seq == mark.seq() + 1 && (mark.seq() == 0 || mark.version.is_unknown());
    if next_without_last { Joined::Next(entries) } else { Joined::Other }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::time::Instant,
        store::{Version, due_command},
    };

    fn entry(seq: u64, history: &str) -> LogEntry {
        let at = Instant::from_unix_ms(1_735_200_000_000);
        let command_id = due_command(&format!("{history}/{seq}"), at);
        LogEntry { seq, command_id, at, counts: Vec::new(), event: Vec::new() }
    }

    fn joined(seq: u64, entries: &[LogEntry]) -> Option<Vec<u64>> {
        let version = if seq == 0 { Version::NONE } else { entry(seq, "a").version() };
        match join(Mark { epoch: 1, version }, entries.to_vec()) {
            Joined::Next(new) => Some(new.iter().map(|entry| entry.seq).collect()),
            Joined::Missing | Joined::Other => None,
        }
    }

    #[test]
    fn only_the_same_history_without_a_gap_goes_on() {
        let a = |seqs: &[u64]| seqs.iter().map(|seq| entry(*seq, "a")).collect::<Vec<_>>();
        assert_eq!(joined(0, &[]), Some(vec![]));
        assert_eq!(joined(0, &a(&[1, 2])), Some(vec![1, 2]));
        assert_eq!(joined(0, &a(&[2, 3])), None, "what came before was trimmed away");
        assert_eq!(joined(7, &a(&[7])), Some(vec![]));
        assert_eq!(joined(7, &a(&[7, 8, 9])), Some(vec![8, 9]));
        assert_eq!(joined(7, &a(&[7, 9])), None, "a gap");
        assert_eq!(joined(7, &a(&[8, 9])), None, "the last entry is gone");
        assert_eq!(joined(7, &[]), None, "rolled back");
        assert_eq!(joined(7, &[entry(7, "b"), entry(8, "b")]), None, "another command at the same place");
    }
}
