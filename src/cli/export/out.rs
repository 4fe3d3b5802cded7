//! Where lines go: a file that appears under its name only when it is complete, or standard output.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process,
};

use flate2::{Compression, write::GzEncoder};

use super::WrongUse;

/// A file under way. Lines are written here first: a section of a moving territory is taken back and written again.
pub(super) struct Out {
    spool: File,
    /// The name while it is written, and at the end; none for standard output, whose spool has no name.
    names: Option<(PathBuf, PathBuf)>,
}

impl Out {
    /// A file at `path`, or standard output for `-`.
    pub fn create(path: &Path) -> Result<Self, WrongUse> {
        if path.as_os_str() == "-" {
            let name = std::env::temp_dir().join(format!("sas-dispatch-export-{}", process::id()));
            let spool = owned(&name).map_err(|error| failed(&name, &error))?;
            fs::remove_file(&name).map_err(|error| failed(&name, &error))?;
            return Ok(Self { spool, names: None });
        }
        if path.exists() {
            return Err(WrongUse::new(format!("{} is there already: name another file", path.display())));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let spool = owned(&part).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => WrongUse::new(format!(
                "{}: what an export left that was broken off, with patient data; remove it once no export is running, \
                 then begin again",
                part.display()
            )),
            _ => failed(&part, &error),
        })?;
        Ok(Self { spool, names: Some((part, path.to_owned())) })
    }

    /// Writes something whole; what is not ended well is taken back.
    pub async fn section<T, E>(
        &mut self,
        write: impl AsyncFnOnce(&mut BufWriter<&File>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<io::Error>,
    {
        let begin = self.spool.stream_position()?;
        let mut buffer = BufWriter::new(&self.spool);
        let written = write(&mut buffer).await;
        let flushed = buffer.flush();
        drop(buffer);
        if written.is_err() {
            self.spool.set_len(begin)?;
            self.spool.seek(io::SeekFrom::Start(begin))?;
        }
        flushed?;
        written
    }

    /// Gives the file its name, flushed to disk; or pours everything to standard output.
    pub fn finish(mut self) -> Result<(), WrongUse> {
        let Some((part, path)) = self.names.clone() else {
            return self
                .pour()
                .map_err(|error| WrongUse::new(format!("standard output: {error}; what was written is cut short")));
        };
        self.keep(&part, &path).map_err(|error| failed(&path, &error))?;
        self.names = None;
        Ok(())
    }

    /// A reader that went away (a closed pipe) has not got everything either.
    fn pour(&mut self) -> io::Result<()> {
        self.spool.rewind()?;
        let mut out = io::stdout().lock();
        io::copy(&mut BufReader::new(&self.spool), &mut out)?;
        out.flush()
    }

    fn keep(&mut self, part: &Path, path: &Path) -> io::Result<()> {
        if path.extension().is_some_and(|ending| ending == "gz") {
            self.spool.rewind()?;
            let packed = packing(part);
            let mut encoder = GzEncoder::new(owned(&packed)?, Compression::default());
            io::copy(&mut BufReader::new(&self.spool), &mut encoder)?;
            encoder.finish()?.sync_all()?;
            fs::rename(&packed, path)?;
            fs::remove_file(part)?;
        } else {
            self.spool.sync_all()?;
            fs::rename(part, path)?;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        if let Some((part, _)) = &self.names {
            fs::remove_file(part).ok();
            fs::remove_file(packing(part)).ok();
        }
    }
}

/// Where the lines of `part` are packed before they get their name.
fn packing(part: &Path) -> PathBuf {
    let mut name = part.as_os_str().to_owned();
    name.push(".gz");
    PathBuf::from(name)
}

fn owned(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

fn failed(path: &Path, error: &io::Error) -> WrongUse {
    WrongUse::new(format!("{}: {error}", path.display()))
}
