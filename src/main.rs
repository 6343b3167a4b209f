//! Parses the command line and calls one function per command.

use apex_billing::cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
