//! Strings as arrays of bits.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::commands::bitmap as run;

pub(super) const COMMANDS: &[Command] = &[
    Command::new("bitcount", -2, Group::Bitmap, run::bitcount)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.6.0")
        .about("Counts the bits that are set in a string.", "O(N)")
        .acl(&["bitmap"])
        .args(&[
            Arg::key("key", 0),
            Arg::block(
                "range",
                &[
                    Arg::new("start", "integer"),
                    Arg::block(
                        "end-unit-block",
                        &[
                            Arg::new("end", "integer"),
                            Arg::one_of("unit", &[Arg::word("byte", "BYTE"), Arg::word("bit", "BIT")])
                                .since("7.0.0")
                                .optional(),
                        ],
                    )
                    .optional(),
                ],
            )
            .optional(),
        ]),
    Command::new("bitfield", -2, Group::Bitmap, run::bitfield)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec {
            access: KeyAccess::ReadWrite,
            flags: &["access", "update", "variable_flags"],
            begin: KeyBegin::Index(1),
            find: KeyFind::Range { last: 0, step: 1, limit: 0 },
            notes: "This command allows both access and modification of the key",
        }])
        .since("3.2.0")
        .about("Reads and writes integers of any width in a string.", "O(1) for each subcommand specified")
        .acl(&["bitmap"])
        .args(&[
            Arg::key("key", 0),
            Arg::one_of(
                "operation",
                &[
                    Arg::block("get-block", &[Arg::new("encoding", "string"), Arg::new("offset", "integer")])
                        .after("GET"),
                    Arg::block(
                        "write",
                        &[
                            Arg::one_of(
                                "overflow-block",
                                &[
                                    Arg::word("wrap", "WRAP"),
                                    Arg::word("sat", "SAT"),
                                    Arg::word("fail", "FAIL"),
                                ],
                            )
                            .after("OVERFLOW")
                            .optional(),
                            Arg::one_of(
                                "write-operation",
                                &[
                                    Arg::block(
                                        "set-block",
                                        &[
                                            Arg::new("encoding", "string"),
                                            Arg::new("offset", "integer"),
                                            Arg::new("value", "integer"),
                                        ],
                                    )
                                    .after("SET"),
                                    Arg::block(
                                        "incrby-block",
                                        &[
                                            Arg::new("encoding", "string"),
                                            Arg::new("offset", "integer"),
                                            Arg::new("increment", "integer"),
                                        ],
                                    )
                                    .after("INCRBY"),
                                ],
                            ),
                        ],
                    ),
                ],
            )
            .optional()
            .multiple(),
        ]),
    Command::new("bitfield_ro", -2, Group::Bitmap, run::bitfield_ro)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("6.0.0")
        .about("Reads integers of any width in a string.", "O(1) for each subcommand specified")
        .acl(&["bitmap"])
        .args(&[
            Arg::key("key", 0),
            Arg::block("get-block", &[Arg::new("encoding", "string"), Arg::new("offset", "integer")])
                .after("GET")
                .optional()
                .multiple_token(),
        ]),
    Command::new("bitop", -4, Group::Bitmap, run::bitop)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[
            KeySpec::one(2, KeyAccess::Overwrite, &["update"]),
            KeySpec::range(3, -1, 1, KeyAccess::Read, &["access"]),
        ])
        .since("2.6.0")
        .about("Combines strings bit by bit and stores the result.", "O(N)")
        .acl(&["bitmap"])
        .args(&[
            Arg::one_of(
                "operation",
                &[
                    Arg::word("and", "AND"),
                    Arg::word("or", "OR"),
                    Arg::word("xor", "XOR"),
                    Arg::word("not", "NOT"),
                ],
            ),
            Arg::key("destkey", 0),
            Arg::key("key", 1).multiple(),
        ]),
    Command::new("bitpos", -3, Group::Bitmap, run::bitpos)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.8.7")
        .about("Finds the first bit that is set, or not, in a string.", "O(N)")
        .acl(&["bitmap"])
        .args(&[
            Arg::key("key", 0),
            Arg::new("bit", "integer"),
            Arg::block(
                "range",
                &[
                    Arg::new("start", "integer"),
                    Arg::block(
                        "end-unit-block",
                        &[
                            Arg::new("end", "integer"),
                            Arg::one_of("unit", &[Arg::word("byte", "BYTE"), Arg::word("bit", "BIT")])
                                .since("7.0.0")
                                .optional(),
                        ],
                    )
                    .optional(),
                ],
            )
            .optional(),
        ]),
    Command::new("getbit", 3, Group::Bitmap, run::getbit)
        .flags(Flags::READONLY.and(Flags::FAST))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("2.2.0")
        .about("Gives one bit of a string.", "O(1)")
        .acl(&["bitmap"])
        .args(&[Arg::key("key", 0), Arg::new("offset", "integer")]),
    Command::new("setbit", 4, Group::Bitmap, run::setbit)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["access", "update"])])
        .since("2.2.0")
        .about("Sets or clears one bit of a string.", "O(1)")
        .acl(&["bitmap"])
        .args(&[Arg::key("key", 0), Arg::new("offset", "integer"), Arg::new("value", "integer")]),
];
