//! The `sas-dispatch` binary: parses the command line and calls `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    sas_dispatch::cli::run()
}
