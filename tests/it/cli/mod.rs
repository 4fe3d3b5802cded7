//! The command line as a person or a script uses it: what it prints and how it ends.

mod calendar;
mod check_config;
mod checking;
mod crossing;
mod explain;
mod moving;
mod private;
mod relay;
mod restore;
mod starting;
mod torn;
mod vignettes;

use std::process::{Command, Output};

/// Runs the binary in the project's folder, so that `./config` is the shipped one.
fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sas-dispatch"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
