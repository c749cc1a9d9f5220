//! Lists.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::commands::list as run;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("blmove", 6, Group::List, run::blmove)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::BLOCKING))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"]), KeySpec::one(2, KeyAccess::ReadWrite, &["insert"])])
        .since("6.2.0")
        .about("Moves an element from one list to another, and waits for one if need be.", "O(1)")
        .args(&[Arg::key("source", 0), Arg::key("destination", 1), Arg::one_of("wherefrom", &[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")]), Arg::one_of("whereto", &[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")]), Arg::new("timeout", "double")]),
    Command::new("blmpop", -5, Group::List, run::blmpop)
        .flags(Flags::WRITE.and(Flags::BLOCKING).and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec { access: KeyAccess::ReadWrite, flags: &["access", "delete"], begin: KeyBegin::Index(2), find: KeyFind::Count { count: 0, first: 1, step: 1 }, notes: "" }])
        .since("7.0.0")
        .about("Takes elements from the first list that has any, and waits for one if need be.", "O(N+M) where N is the number of provided keys and M is the number of elements returned.")
        .args(&[Arg::new("timeout", "double"), Arg::new("numkeys", "integer"), Arg::key("key", 0).multiple(), Arg::one_of("where", &[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")]), Arg::new("count", "integer").after("COUNT").optional()]),
    Command::new("blpop", -3, Group::List, run::blpop)
        .flags(Flags::WRITE.and(Flags::BLOCKING))
        .keys(&[KeySpec::range(1, -2, 1, KeyAccess::ReadWrite, &["access", "delete"])])
        .since("2.0.0")
        .about("Takes the first element of the first list that has any, and waits for one if need be.", "O(N) where N is the number of provided keys.")
        .args(&[Arg::key("key", 0).multiple(), Arg::new("timeout", "double")]),
    Command::new("brpop", -3, Group::List, run::brpop)
        .flags(Flags::WRITE.and(Flags::BLOCKING))
        .keys(&[KeySpec::range(1, -2, 1, KeyAccess::ReadWrite, &["access", "delete"])])
        .since("2.0.0")
        .about("Takes the last element of the first list that has any, and waits for one if need be.", "O(N) where N is the number of provided keys.")
        .args(&[Arg::key("key", 0).multiple(), Arg::new("timeout", "double")]),
    Command::new("brpoplpush", 4, Group::List, run::brpoplpush)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::BLOCKING))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"]), KeySpec::one(2, KeyAccess::ReadWrite, &["insert"])])
        .since("2.2.0")
        .about("Moves the last element of a list to the front of another, and waits for one if need be.", "O(1)")
        .args(&[Arg::key("source", 0), Arg::key("destination", 1), Arg::new("timeout", "double")]),
    Command::new("lindex", 3, Group::List, run::lindex)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .about("Gives the element at an index of a list.", "O(N) where N is the number of elements to traverse to get to the element at index. This makes asking for the first or the last element of the list O(1).")
        .args(&[Arg::key("key", 0), Arg::new("index", "integer")]),
    Command::new("linsert", 5, Group::List, run::linsert)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["insert"])])
        .since("2.2.0")
        .about("Puts an element before or after another one of a list.", "O(N) where N is the number of elements to traverse before seeing the value pivot. This means that inserting somewhere on the left end on the list (head) can be considered O(1) and inserting somewhere on the right end (tail) is O(N).")
        .args(&[Arg::key("key", 0), Arg::one_of("where", &[Arg::word("before", "BEFORE"), Arg::word("after", "AFTER")]), Arg::new("pivot", "string"), Arg::new("element", "string")]),
    Command::new("llen", 2, Group::List, run::llen)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &[])])
        .about("Gives the number of elements of a list.", "O(1)")
        .args(&[Arg::key("key", 0)]),
    Command::new("lmove", 5, Group::List, run::lmove)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"]), KeySpec::one(2, KeyAccess::ReadWrite, &["insert"])])
        .since("6.2.0")
        .about("Moves an element from one list to another.", "O(1)")
        .args(&[Arg::key("source", 0), Arg::key("destination", 1), Arg::one_of("wherefrom", &[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")]), Arg::one_of("whereto", &[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")])]),
    Command::new("lmpop", -4, Group::List, run::lmpop)
        .flags(Flags::WRITE.and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec { access: KeyAccess::ReadWrite, flags: &["access", "delete"], begin: KeyBegin::Index(1), find: KeyFind::Count { count: 0, first: 1, step: 1 }, notes: "" }])
        .since("7.0.0")
        .about("Takes elements from the first list that has any.", "O(N+M) where N is the number of provided keys and M is the number of elements returned.")
        .args(&[Arg::new("numkeys", "integer"), Arg::key("key", 0).multiple(), Arg::one_of("where", &[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")]), Arg::new("count", "integer").after("COUNT").optional()]),
    Command::new("lpop", -2, Group::List, run::lpop)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"])])
        .about("Takes the first elements of a list.", "O(N) where N is the number of elements returned")
        .args(&[Arg::key("key", 0), Arg::new("count", "integer").since("6.2.0").optional()]),
    Command::new("lpos", -3, Group::List, run::lpos)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("6.0.6")
        .about("Gives the indexes of the elements of a list that equal a given one.", "O(N) where N is the number of elements in the list, for the average case. When searching for elements near the head or the tail of the list, or when the MAXLEN option is provided, the command may run in constant time.")
        .args(&[Arg::key("key", 0), Arg::new("element", "string"), Arg::new("rank", "integer").after("RANK").optional(), Arg::new("num-matches", "integer").after("COUNT").optional(), Arg::new("len", "integer").after("MAXLEN").optional()]),
    Command::new("lpush", -3, Group::List, run::lpush)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["insert"])])
        .about("Puts elements at the front of a list, which is created if it is missing.", "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.")
        .args(&[Arg::key("key", 0), Arg::new("element", "string").multiple()]),
    Command::new("lpushx", -3, Group::List, run::lpushx)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["insert"])])
        .since("2.2.0")
        .about("Puts elements at the front of a list that exists.", "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.")
        .args(&[Arg::key("key", 0), Arg::new("element", "string").multiple()]),
    Command::new("lrange", 4, Group::List, run::lrange)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .about("Gives the elements of a range of indexes of a list.", "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or TAIL) for large lists; and N is the number of elements in the specified range.")
        .args(&[Arg::key("key", 0), Arg::new("start", "integer"), Arg::new("stop", "integer")]),
    Command::new("lrem", 4, Group::List, run::lrem)
        .flags(Flags::WRITE)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .about("Removes elements of a list that equal a given one.", "O(N+M) where N is the length of the list and M is the number of elements removed.")
        .args(&[Arg::key("key", 0), Arg::new("count", "integer"), Arg::new("element", "string")]),
    Command::new("lset", 4, Group::List, run::lset)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .about("Puts an element in the place of the one at an index of a list.", "O(N) where N is the length of the list. Setting either the first or the last element of the list is O(1).")
        .args(&[Arg::key("key", 0), Arg::new("index", "integer"), Arg::new("element", "string")]),
    Command::new("ltrim", 4, Group::List, run::ltrim)
        .flags(Flags::WRITE)
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["delete"])])
        .about("Removes all elements of a list outside a range of indexes.", "O(N) where N is the number of elements to be removed by the operation.")
        .args(&[Arg::key("key", 0), Arg::new("start", "integer"), Arg::new("stop", "integer")]),
    Command::new("rpop", -2, Group::List, run::rpop)
        .flags(Flags::WRITE.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"])])
        .about("Takes the last elements of a list.", "O(N) where N is the number of elements returned")
        .args(&[Arg::key("key", 0), Arg::new("count", "integer").since("6.2.0").optional()]),
    Command::new("rpoplpush", 3, Group::List, run::rpoplpush)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "delete"]), KeySpec::one(2, KeyAccess::ReadWrite, &["insert"])])
        .since("1.2.0")
        .about("Moves the last element of a list to the front of another.", "O(1)")
        .args(&[Arg::key("source", 0), Arg::key("destination", 1)]),
    Command::new("rpush", -3, Group::List, run::rpush)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["insert"])])
        .about("Puts elements at the back of a list, which is created if it is missing.", "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.")
        .args(&[Arg::key("key", 0), Arg::new("element", "string").multiple()]),
    Command::new("rpushx", -3, Group::List, run::rpushx)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["insert"])])
        .since("2.2.0")
        .about("Puts elements at the back of a list that exists.", "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.")
        .args(&[Arg::key("key", 0), Arg::new("element", "string").multiple()]),
];
