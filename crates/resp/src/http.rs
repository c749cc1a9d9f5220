//! Lines of HTTP that reach a port of ours: a web page can make a browser send them, with commands in the body.

/// Whether a command with this name is the beginning of a line of HTTP: nothing of ours is called `POST` or `Host:`,
/// and every such request has the one or the other before its body. Whoever sends it is to be hung up on, before a
/// line of the body is read as a command (cross-protocol scripting); Redis does the same.
#[must_use]
pub fn begins_http_line(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}
