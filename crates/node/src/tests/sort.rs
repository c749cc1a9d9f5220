//! `SORT`.

use super::World;

#[test]
fn elements_are_sorted_by_what_is_asked_for() {
    let mut w = World::new();
    let c = w.connect();
    for line in [
        "RPUSH l 3 10 -1 2.5",
        "MSET w3 1 w10 4 w-1 3 name3 three name10 ten",
        "ZADD z 3 b 1 c 2 a",
        "SET text x",
        "RPUSH words b aa c",
        "RPUSH bad 1 x",
        "RPUSH blank 1 ",
        "SADD s 3 1 2",
        "SADD t z y x w v u",
        "HSET h3 f 1 g three",
        "HSET h10 f 0",
    ] {
        w.say(c, line);
    }
    for (line, expected) in [
        ("SORT l", "[-1 2.5 3 10]"),
        ("SORT l DESC", "[10 3 2.5 -1]"),
        ("SORT l ALPHA", "[-1 10 2.5 3]"),
        ("SORT l LIMIT 1 2", "[2.5 3]"),
        ("SORT l LIMIT -5 1", "[-1]"),
        ("SORT l LIMIT 1 -1", "[2.5 3 10]"),
        ("SORT l LIMIT 9 1", "[]"),
        ("SORT l BY w*", "[2.5 3 -1 10]"),
        ("SORT l BY w* DESC GET # GET name*", "[10 ten -1 (nil) 3 three 2.5 (nil)]"),
        ("SORT l BY nosort", "[3 10 -1 2.5]"),
        ("SORT l BY nosort DESC LIMIT 0 2", "[2.5 -1]"),
        ("SORT l BY nosort BY w*", "[3 10 -1 2.5]"),
        ("SORT l BY nosort GET nostar", "[(nil) (nil) (nil) (nil)]"),
        ("SORT l ALPHA BY name*", "[-1 2.5 10 3]"),
        ("SORT words ALPHA DESC", "[c b aa]"),
        // What is equal comes in the order of a list, and of the bytes of a set's members.
        ("SORT l ALPHA BY none*", "[3 10 -1 2.5]"),
        ("SORT t ALPHA BY none*", "[u v w x y z]"),
        ("SORT z ALPHA", "[a b c]"),
        ("SORT z BY nosort", "[c a b]"),
        ("SORT z BY nosort DESC", "[b a c]"),
        ("SORT missing", "[]"),
        ("SORT s DESC", "[3 2 1]"),
        ("SORT t ALPHA LIMIT 1 2", "[v w]"),
        ("SORT t BY nosort STORE to", ":6"),
        ("LRANGE to 0 -1", "[u v w x y z]"),
        ("SORT l BY h*->f GET h*->g GET h*->", "[(nil) (nil) (nil) (nil) (nil) (nil) three (nil)]"),
        ("SORT_RO l", "[-1 2.5 3 10]"),
        ("SORT blank", "-ERR One or more scores can't be converted into double"),
        ("SORT bad", "-ERR One or more scores can't be converted into double"),
        ("SORT text", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SORT l LIMIT 1", "-ERR syntax error"),
        ("SORT_RO l STORE x", "-ERR syntax error"),
        ("SORT l STORE to GET name*", ":4"),
        ("LRANGE to 0 -1", "[  three ten]"),
        ("SORT missing STORE to", ":0"),
        ("EXISTS to", ":0"),
    ] {
        assert_eq!(w.say(c, line), expected, "{line}");
    }
}
