//! RESP2 and RESP3: incremental, bounded, without I/O.
//!
//! Three parts: [`Batch`] reads commands (the server's hot path, no allocation in steady state), [`Reply`]
//! encodes replies straight into a byte buffer, and [`Decoder`] reads replies into a [`Value`] tree for our own
//! clients. The wire's source is the RESP specification; error texts and the corner cases of inline commands
//! are those that Valkey 9.1 shows on the wire.

#![forbid(unsafe_code)]

mod args;
mod batch;
mod decode;
mod encode;
mod error;
mod http;
mod inline;
mod limits;
pub mod number;
mod reply;
mod value;

pub use args::{Args, ArgsIter, OwnedArgs};
pub use batch::{Batch, Progress};
pub use decode::{DecodeError, DecodeLimits, Decoder};
pub use encode::{encode_command, encode_value};
pub use error::ProtocolError;
pub use http::begins_http_line;
pub use limits::Limits;
pub use reply::{Deferred, Proto, Reply};
pub use tanist_text::double;
pub use value::Value;
