//! `sas-dispatch replay FILE…`: messages of other systems opened as cases in a store that is thrown away, with where each
//! would go and why. Nothing of the running service is touched, and nobody's name is printed.

mod play;
mod print;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Answer, Outcome, Shared, WrongUse, stop};
use crate::interop::{
    fault::Limits,
    messages::{Decoded, Place, messages},
};

/// Arguments of `replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// RS-EDA messages (JSON), or NDJSON of messages and request lines
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// One message of one file.
struct Message {
    file: String,
    place: Place,
    decoded: Decoded,
}

pub(super) fn run(args: &Args, shared: &Shared) -> Outcome {
    let config = shared.load()?;
    let mut read = Vec::new();
    for file in &args.files {
        let bytes = fs::read(file).map_err(|error| unreadable(file, &error))?;
        let name = file.display().to_string();
        let found = messages(&bytes, &Limits::DEFAULT).into_iter();
        read.extend(found.map(|(place, decoded)| Message { file: name.clone(), place, decoded }));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(WrongUse::new)?;
    let played = runtime.block_on(stop::unless_asked(play::play(&config, &read))).map_err(WrongUse::new)?;
    let Some(played) = played else {
        eprintln!("sas-dispatch: interrompu ; rien n'en est gardé");
        return Ok(Answer::No);
    };
    let played = played.map_err(WrongUse::new)?;
    let refused = played.iter().any(|played| played.result.is_err());
    print::print(&config, &read, &played, args.json);
    Ok(if refused { Answer::No } else { Answer::Done })
}

fn unreadable(file: &Path, error: &io::Error) -> WrongUse {
    WrongUse::new(format!("{}: {error}; name files of messages", file.display()))
}
