//! The `sas-dispatch` binary: parses the command line and calls `cli`.

use std::process::ExitCode;

// A request makes and drops some hundreds of small texts.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sas_dispatch::cli::run()
}
