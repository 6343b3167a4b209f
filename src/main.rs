//! Parses the command line and calls one function per command.

use apex_billing::cli;
use std::process::ExitCode;

/// A request makes and frees hundreds of small values, each on whatever thread is at hand: the C library's allocator took a quarter of the
/// receiver's time, this one a tenth.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
