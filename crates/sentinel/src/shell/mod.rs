//! The shell: sockets, files, names, scripts, signals. It decides nothing: what happens outside becomes an
//! [`Input`](crate::core::Input), and each [`Output`](crate::core::Output) is carried out as it says.

mod disk;
mod event_loop;
mod links;
mod scripts;
mod sessions;
mod start;
mod usage;

pub use start::main;
