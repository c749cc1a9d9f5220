//! The program `tanist-sentinel`.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    tanist_sentinel::main(std::env::args().collect())
}
