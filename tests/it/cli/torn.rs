//! Files of the archive and of `export` that break off or are damaged: only what a killed writer or a power loss leaves at
//! the end of an archive's file is left out, and said.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sas_dispatch::{
    archive::{self, Content, Header, folder::Folder},
    store::{LogEntry, dump::Row},
};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    checking::{Log, two_cases},
    err, out, run,
};

/// A day of the archive: four sections of one entry each.
struct Day {
    dir: TempDir,
    file: PathBuf,
    /// Where each section ends.
    ends: Vec<usize>,
    whole: Vec<u8>,
}

fn header(log: &Log, content: Content, entries: &[LogEntry]) -> Header {
    let seqs = (entries[0].seq, entries.last().unwrap().seq);
    Header::new("fr-67".parse().unwrap(), content, log.head, seqs, log.head.last)
}

impl Day {
    async fn new() -> Self {
        let (log, dir) = (Log::of(&two_cases().await.0).await, tempfile::tempdir().unwrap());
        let (folder, day) = (Folder::new(dir.path()), "2024-12-26".parse().unwrap());
        let (file, mut ends) = (dir.path().join("fr-67/2024-12-26.jsonl.gz"), Vec::new());
        for entry in log.entries(1) {
            let entries = [entry.clone()];
            folder.append(&header(&log, Content::Archive, &entries), day, &[Row::Log(entry)]).unwrap();
            ends.push(fs::read(&file).unwrap().len());
        }
        assert_eq!(ends.len(), 4);
        Self { whole: fs::read(&file).unwrap(), dir, file, ends }
    }

    /// Sections and torn bytes as the service reads them; none when it calls the file damaged.
    fn service(&self, bytes: &[u8]) -> Option<(usize, u64)> {
        fs::write(&self.file, bytes).unwrap();
        let read = Folder::new(self.dir.path()).read(&"fr-67".parse().unwrap(), "2024-12-26".parse().unwrap());
        read.ok().map(|day| (day.pieces.len(), day.torn))
    }

    /// Events and bytes left out as `check` says them; none when it refuses the file.
    fn check(&self, bytes: &[u8]) -> Option<(u64, u64)> {
        fs::write(&self.file, bytes).unwrap();
        let output = run(&["check", self.file.to_str().unwrap(), "--json"]);
        if output.status.code() == Some(2) {
            return None;
        }
        let document: Value = serde_json::from_str(&out(&output)).unwrap();
        let left = document["left_out"].as_array().unwrap();
        let bytes = left.first().map_or(0, |left| left["bytes"].as_u64().unwrap());
        assert_eq!(bytes > 0, err(&output).contains("octets d'une écriture interrompue"), "{}", err(&output));
        Some((document["territories"][0]["events"].as_u64().unwrap(), bytes))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_writer_or_a_power_loss_left_at_the_end_is_left_out_and_said() {
    let day = Day::new().await;
    let before = day.ends[2];
    assert_eq!((day.service(&day.whole), day.check(&day.whole)), (Some((4, 0)), Some((4, 0))));
    let last = day.whole.len() - before;
    for kept in [1, 5, 12, last / 2, last - 9, last - 8, last - 1] {
        for zeros in [0, 4_000] {
            let mut bytes = day.whole[..before + kept].to_vec();
            bytes.resize(bytes.len() + zeros, 0);
            let torn = (bytes.len() - before) as u64;
            // Its last bytes are a length below 2^24: zeros give the last of them back.
            if kept == last - 1 && zeros > 0 {
                assert_eq!(day.service(&bytes), Some((4, zeros as u64 - 1)));
                continue;
            }
            assert_eq!(day.service(&bytes), Some((3, torn)), "{kept} real bytes and {zeros} zeros");
            let (events, left) = day.check(&bytes).unwrap_or_else(|| panic!("{kept} real bytes and {zeros} zeros"));
            // The rows of a section that lacks nothing but the end of its gzip member are all there, by their checksum.
            assert!((events, left) == (3, torn) || kept > last / 2 && (events, left) == (4, torn), "{kept} {zeros}");
        }
    }
    let output = run(&["check", day.file.to_str().unwrap()]);
    assert!(out(&output).contains("octets d'une écriture interrompue, laissés de côté"), "{}", out(&output));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_before_sound_sections_is_refused_however_the_file_goes_on() {
    let day = Day::new().await;
    // Magic, method, flags (an extra field that would reach beyond the end), data, checksum of the third section.
    for at in [day.ends[1], day.ends[1] + 2, day.ends[1] + 3, day.ends[1] + 40, day.ends[2] - 6] {
        let mut bytes = day.whole.clone();
        bytes[at] ^= 0x04;
        assert_eq!((day.service(&bytes), day.check(&bytes)), (None, None), "byte {at}");
    }
    let mut bytes = day.whole.clone();
    bytes[day.ends[1]..day.ends[2]].fill(0);
    assert_eq!((day.service(&bytes), day.check(&bytes)), (None, None), "a section of zeros");
    // The last section, to its end but with another checksum, was no writer's that was killed.
    let mut bytes = day.whole.clone();
    let last = bytes.len() - 6;
    bytes[last] ^= 0x04;
    assert_eq!((day.service(&bytes), day.check(&bytes)), (None, None), "the last checksum");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_that_was_cut_short_is_refused_whatever_its_name() {
    let (log, dir) = (Log::of(&two_cases().await.0).await, tempfile::tempdir().unwrap());
    let (entries, mut lines) = (log.entries(1).collect::<Vec<_>>(), Vec::new());
    for territory in ["fr-67", "fr-89"] {
        let header = Header { territory: territory.parse().unwrap(), ..header(&log, Content::Log, &entries) };
        let mut section = archive::begin(&mut lines, &header).unwrap();
        entries.iter().for_each(|entry| section.row(&Row::Log(entry.clone())).unwrap());
        section.end().unwrap();
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &lines).unwrap();
    let packed = encoder.finish().unwrap();
    let cut = |bytes: &[u8]| bytes[..bytes.len() - bytes.len() / 8].to_vec();
    let whole = dir.path().join("whole.jsonl");
    fs::write(&whole, &lines).unwrap();
    let refused = |file: &Path, command: &[&str]| {
        let output = run(&[command, &[whole.to_str().unwrap(), file.to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(2), "{command:?}: {}", out(&output));
        assert!(err(&output).contains("export again"), "{}", err(&output));
    };
    for (name, bytes) in [("cut.jsonl", cut(&lines)), ("cut.jsonl.gz", cut(&packed))] {
        let file = dir.path().join(name);
        fs::write(&file, bytes).unwrap();
        refused(&file, &["check"]);
        refused(&file, &["indicators", "--territory", "fr-67", "--log"]);
        refused(&file, &["extract", "--territory", "fr-67", "--log"]);
    }
}
