//! The `sas-dispatch` binary: parses the command line and calls `cli`.
fn main() {}
