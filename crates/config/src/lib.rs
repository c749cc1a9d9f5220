//! redis.conf and sentinel.conf: syntax, directives, rewrite.
