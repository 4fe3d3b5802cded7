//! A disk of a server's own, whose power can be cut: an ext4 file system in a file, mounted where the machine lets us (root
//! and a loop device).

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use super::spaces::{MOUNTS, run};

/// More than a run writes; the file is sparse.
const BYTES: u64 = 1 << 30;
/// `EXT4_IOC_SHUTDOWN` without flushing the journal: from that instant nothing reaches the disk any more, and what was
/// written and not flushed is forgotten.
const CUT: &str =
    "open(my $disk, '<', $ARGV[0]) or die; my $how = pack('L', 2); ioctl($disk, 0x8004587d, $how) or die;";
/// How often an unmount is tried: a process that was killed lets go of its files a moment later.
const TRIES: usize = 1_000;

/// One disk.
#[derive(Debug)]
pub struct Volume {
    image: PathBuf,
    at: PathBuf,
}

/// Whether servers can have disks of their own here: one is made to see.
pub fn can_cut_power() -> bool {
    tempfile::tempdir().is_ok_and(|folder| Volume::new(&folder.path().join("trial")).is_some())
}

impl Volume {
    /// An empty disk at the folder `at`; none where the machine does not allow it.
    pub fn new(at: &Path) -> Option<Self> {
        if !MOUNTS.entered() {
            return None;
        }
        let image = at.with_extension("img");
        fs::create_dir_all(at).ok()?;
        fs::File::create(&image).and_then(|file| file.set_len(BYTES)).ok()?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image)).ok()?;
        mount(&image, at).ok()?;
        Some(Self { image, at: at.to_owned() })
    }

    /// What was written so far is on the disk.
    pub fn flush(&self) -> io::Result<()> {
        run(Command::new("sync").arg("--file-system").arg(&self.at))
    }

    /// The power goes.
    pub fn cut(&self) -> io::Result<()> {
        run(Command::new("perl").args(["-e", CUT]).arg(&self.at))
    }

    /// The power comes back: only what was flushed is there. Nobody has a file open any more.
    pub fn restore(&self) -> io::Result<()> {
        self.unmount()?;
        mount(&self.image, &self.at)
    }

    fn unmount(&self) -> io::Result<()> {
        let mut last = Ok(());
        for _ in 0..TRIES {
            last = run(Command::new("umount").arg(&self.at));
            if last.is_ok() {
                break;
            }
            std::thread::yield_now();
        }
        last
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.unmount().is_err() {
            let _ = run(Command::new("umount").arg("--lazy").arg(&self.at));
        }
    }
}

fn mount(image: &Path, at: &Path) -> io::Result<()> {
    run(Command::new("mount").args(["-o", "loop,noatime"]).arg(image).arg(at))
}
