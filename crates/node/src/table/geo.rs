//! Places on the earth.

use crate::command::{Arg, Command, Flags, Group, KeyAccess, KeyBegin, KeyFind, KeySpec};
use crate::commands::geo as run;

const UNIT: Arg = Arg::one_of(
    "unit",
    &[Arg::word("m", "M"), Arg::word("km", "KM"), Arg::word("ft", "FT"), Arg::word("mi", "MI")],
);
const ORDER: Arg = Arg::one_of("order", &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")]).optional();
const WITH_PLACE: Arg = Arg::word("withcoord", "WITHCOORD").optional();
const WITH_DISTANCE: Arg = Arg::word("withdist", "WITHDIST").optional();
const WITH_HASH: Arg = Arg::word("withhash", "WITHHASH").optional();
const COUNT: Arg = Arg::block(
    "count-block",
    &[Arg::new("count", "integer").after("COUNT"), Arg::word("any", "ANY").optional()],
)
.optional();
/// [`COUNT`] of the commands by place, which tell since when they know `ANY`.
const COUNT_OR_ANY: Arg = Arg::block(
    "count-block",
    &[Arg::new("count", "integer").after("COUNT"), Arg::word("any", "ANY").since("6.2.0").optional()],
)
.optional();
const STORE: Arg = Arg::one_of(
    "store",
    &[
        Arg::key("storekey", 1).shown("key").after("STORE"),
        Arg::key("storedistkey", 2).shown("key").after("STOREDIST"),
    ],
)
.optional();
const FROM: Arg = Arg::one_of(
    "from",
    &[
        Arg::new("member", "string").after("FROMMEMBER"),
        Arg::block("fromlonlat", &[Arg::new("longitude", "double"), Arg::new("latitude", "double")])
            .after("FROMLONLAT"),
    ],
)
.optional();
const BY: Arg = Arg::one_of(
    "by",
    &[
        Arg::block("circle", &[Arg::new("radius", "double").after("BYRADIUS"), UNIT]),
        Arg::block("box", &[Arg::new("width", "double").after("BYBOX"), Arg::new("height", "double"), UNIT]),
        Arg::block(
            "polygon",
            &[
                Arg::new("num-vertices", "integer").after("BYPOLYGON"),
                Arg::block("vertices", &[Arg::new("longitude", "double"), Arg::new("latitude", "double")])
                    .multiple(),
            ],
        )
        .since("9.0.0"),
    ],
);

/// The key behind a word, if it is there.
const fn stored(word: &'static str, from: isize) -> KeySpec {
    KeySpec {
        access: KeyAccess::Overwrite,
        flags: &["update", "variable_flags"],
        begin: KeyBegin::Keyword(word, from),
        find: KeyFind::Range { last: 0, step: 1, limit: 0 },
        notes: "",
    }
}

pub(super) const COMMANDS: &[Command] = &[
    Command::new("geoadd", -5, Group::Geo, run::geoadd)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[KeySpec::one(1, KeyAccess::ReadWrite, &["update"])])
        .since("3.2.0")
        .about(
            "Adds members with their places, or moves them.",
            "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
        )
        .args(&[
            Arg::key("key", 0),
            Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")])
                .since("6.2.0")
                .optional(),
            Arg::word("change", "CH").since("6.2.0").optional(),
            Arg::block(
                "data",
                &[
                    Arg::new("longitude", "double"),
                    Arg::new("latitude", "double"),
                    Arg::new("member", "string"),
                ],
            )
            .multiple(),
        ]),
    Command::new("geodist", -4, Group::Geo, run::geodist)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("3.2.0")
        .about("Gives the distance of two members.", "O(1)")
        .args(&[
            Arg::key("key", 0),
            Arg::new("member1", "string"),
            Arg::new("member2", "string"),
            UNIT.optional(),
        ]),
    Command::new("geohash", -2, Group::Geo, run::geohash)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("3.2.0")
        .about("Gives the places of members as geohashes.", "O(1) for each member requested.")
        .args(&[Arg::key("key", 0), Arg::new("member", "string").multiple().optional()]),
    Command::new("geopos", -2, Group::Geo, run::geopos)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("3.2.0")
        .about("Gives the longitudes and latitudes of members.", "O(1) for each member requested.")
        .args(&[Arg::key("key", 0), Arg::new("member", "string").multiple().optional()]),
    Command::new("georadius", -6, Group::Geo, run::georadius)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"]), stored("STORE", 6), stored("STOREDIST", 6)])
        .since("3.2.0")
        .about("Finds or stores the members within a distance of a place.", NEAR)
        .args(&[
            Arg::key("key", 0),
            Arg::new("longitude", "double"),
            Arg::new("latitude", "double"),
            Arg::new("radius", "double"),
            UNIT,
            WITH_PLACE,
            WITH_DISTANCE,
            WITH_HASH,
            COUNT_OR_ANY,
            ORDER,
            STORE,
        ]),
    Command::new("georadius_ro", -6, Group::Geo, run::georadius_ro)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("3.2.10")
        .about("Finds the members within a distance of a place.", NEAR)
        .args(&[
            Arg::key("key", 0),
            Arg::new("longitude", "double"),
            Arg::new("latitude", "double"),
            Arg::new("radius", "double"),
            UNIT,
            WITH_PLACE,
            WITH_DISTANCE,
            WITH_HASH,
            COUNT_OR_ANY,
            ORDER,
        ]),
    Command::new("georadiusbymember", -5, Group::Geo, run::georadiusbymember)
        .flags(Flags::WRITE.and(Flags::DENYOOM).and(Flags::MOVABLE_KEYS))
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"]), stored("STORE", 5), stored("STOREDIST", 5)])
        .since("3.2.0")
        .about("Finds or stores the members within a distance of another.", NEAR)
        .args(&[
            Arg::key("key", 0),
            Arg::new("member", "string"),
            Arg::new("radius", "double"),
            UNIT,
            WITH_PLACE,
            WITH_DISTANCE,
            WITH_HASH,
            COUNT,
            ORDER,
            STORE,
        ]),
    Command::new("georadiusbymember_ro", -5, Group::Geo, run::georadiusbymember_ro)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("3.2.10")
        .about("Finds the members within a distance of another.", NEAR)
        .args(&[
            Arg::key("key", 0),
            Arg::new("member", "string"),
            Arg::new("radius", "double"),
            UNIT,
            WITH_PLACE,
            WITH_DISTANCE,
            WITH_HASH,
            COUNT,
            ORDER,
        ]),
    Command::new("geosearch", -7, Group::Geo, run::geosearch)
        .flags(Flags::READONLY)
        .keys(&[KeySpec::one(1, KeyAccess::Read, &["access"])])
        .since("6.2.0")
        .about("Finds the members in a circle, a box or a polygon.", WITHIN)
        .args(&[Arg::key("key", 0), FROM, BY, ORDER, COUNT, WITH_PLACE, WITH_DISTANCE, WITH_HASH]),
    Command::new("geosearchstore", -8, Group::Geo, run::geosearchstore)
        .flags(Flags::WRITE.and(Flags::DENYOOM))
        .keys(&[
            KeySpec::one(1, KeyAccess::Overwrite, &["update"]),
            KeySpec::one(2, KeyAccess::Read, &["access"]),
        ])
        .since("6.2.0")
        .about("Stores the members in a circle, a box or a polygon.", WITHIN)
        .args(&[
            Arg::key("destination", 0),
            Arg::key("source", 1),
            FROM,
            BY,
            ORDER,
            COUNT,
            Arg::word("storedist", "STOREDIST").optional(),
        ]),
];

const NEAR: &str = "O(N+log(M)) where N is the number of elements inside the bounding box of the circular area delimited by \
                    center and radius and M is the number of items inside the index.";
const WITHIN: &str = "O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around the shape \
                      provided as the filter and M is the number of items inside the shape";
