//! The cases, each with servers of its own.

mod election;
mod follow;
mod tools;
mod types;

use crate::client::Failure;
use crate::server::{Kind, Server};

/// A case: it is given both kinds of server and says what went wrong.
type Case = fn(&Kind, &Kind) -> Result<(), Failure>;

/// Every case with its name.
pub(crate) const ALL: &[(&str, Case)] = &[
    ("ours follows theirs: full sync and stream", |ours, theirs| follow::full_and_stream(theirs, ours)),
    ("theirs follows ours: full sync and stream", |ours, theirs| follow::full_and_stream(ours, theirs)),
    ("ours follows ours: full sync and stream", |ours, _| follow::full_and_stream(ours, ours)),
    ("ours follows theirs: snapshot with its length", |ours, theirs| follow::from_disk(theirs, ours)),
    ("ours follows theirs: partial after a cut link", |ours, theirs| follow::partial(theirs, ours)),
    ("theirs follows ours: partial after a cut link", |ours, theirs| follow::partial(ours, theirs)),
    ("ours follows ours: partial after a cut link", |ours, _| follow::partial(ours, ours)),
    ("ours follows theirs: expiry comes through the log", |ours, theirs| follow::expiry(theirs, ours)),
    ("theirs follows ours: expiry comes through the log", |ours, theirs| follow::expiry(ours, theirs)),
    ("ours follows theirs: transactions", |ours, theirs| follow::transactions(theirs, ours)),
    ("theirs follows ours: transactions", |ours, theirs| follow::transactions(ours, theirs)),
    ("ours follows theirs: written to during the sync", |ours, theirs| follow::under_load(theirs, ours)),
    ("theirs follows ours: written to during the sync", |ours, theirs| follow::under_load(ours, theirs)),
    ("ours follows theirs: password", |ours, theirs| follow::password(theirs, ours)),
    ("theirs follows ours: password", |ours, theirs| follow::password(ours, theirs)),
    ("ours follows theirs: every type under many clients", |ours, theirs| types::every_type(theirs, ours)),
    ("theirs follows ours: every type under many clients", |ours, theirs| types::every_type(ours, theirs)),
    ("ours follows ours: every type under many clients", |ours, _| types::every_type(ours, ours)),
    ("ours follows theirs: WAIT", |ours, theirs| follow::wait(theirs, ours)),
    ("theirs follows ours: WAIT", |ours, theirs| follow::wait(ours, theirs)),
    ("ours follows ours: WAIT", |ours, _| follow::wait(ours, ours)),
    ("theirs follows ours follows theirs: a chain", |ours, theirs| follow::chain(theirs, ours, theirs)),
    ("ours follows theirs follows ours: a chain", |ours, theirs| follow::chain(ours, theirs, ours)),
    ("promotion: theirs goes on partially from ours", |ours, theirs| follow::promotion(theirs, ours, theirs)),
    ("promotion: ours goes on partially from theirs", |ours, theirs| follow::promotion(ours, theirs, ours)),
    ("promotion: ours goes on partially from ours", |ours, _| follow::promotion(ours, ours, ours)),
    ("FAILOVER from ours to ours", |ours, _| follow::failover(ours, ours)),
    ("FAILOVER from theirs to ours", |ours, theirs| follow::failover(theirs, ours)),
    ("FAILOVER from ours to theirs", |ours, theirs| follow::failover(ours, theirs)),
    ("a restarted primary does not wipe its replicas", |ours, _| election::restarted_primary(ours)),
    ("a restarted replica follows again", |ours, theirs| election::restarted_replica(theirs, ours)),
    ("fence, promote, follow", |ours, _| election::elect(ours)),
    ("min-replicas-to-write", |ours, theirs| follow::min_replicas(ours, theirs)),
    ("redis-cli --rdb", tools::rdb),
    ("redis-benchmark with a replica", tools::benchmark),
];

/// A primary and a replica that follows it.
fn pair(primary: &Kind, replica: &Kind) -> Result<(Server, Server), Failure> {
    let primary = Server::start(primary, &[])?;
    let replica = Server::start(replica, &[])?;
    replica.follow(&primary)?;
    Ok((primary, replica))
}

/// Fails with `what` unless it is so.
fn check(is_so: bool, what: impl Into<String>) -> Result<(), Failure> {
    if is_so { Ok(()) } else { Err(what.into()) }
}
