//! A `RESTORE` payload with a checksum that is right, taken by a node: an error or a value, and then one that can be
//! read, counted, changed and dumped.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_config::ServerConfig;
use tanist_node::{Identity, Node, Outputs, Peer, Seeds, SessionId, Stopwatch};
use tanist_rdb::Crc64;
use tanist_resp::{Batch, Decoder, Limits, Value, encode_command};
use tanist_types::{Mono, NodeId, Now, Rng, RunId};

const NOW: Now = Now { mono: Mono::from_millis(1000), wall_us: 1_700_000_000_000_000 };

/// Commands that look at every part of one type or another, then some that change it.
const COMMANDS: &[&str] = &[
    "XLEN k",
    "XRANGE k - +",
    "XREVRANGE k + -",
    "XINFO STREAM k FULL COUNT 0",
    "LRANGE k 0 -1",
    "HGETALL k",
    "SMEMBERS k",
    "ZRANGE k 0 -1 WITHSCORES",
    "STRLEN k",
    "DUMP k",
    "OBJECT ENCODING k",
    "XADD k * field value",
    "XTRIM k MAXLEN 2",
    "LPOP k 2",
    "RPUSH k x",
    "HSET k field value",
    "SADD k member",
    "ZADD k 1 member",
    "DUMP k",
];

struct Still;

impl Stopwatch for Still {
    fn read(&self) -> Mono {
        NOW.mono
    }
}

struct World {
    node: Node,
    session: SessionId,
}

impl World {
    fn ask(&mut self, words: &[&[u8]]) -> Value {
        let (mut bytes, mut batch, mut out) = (Vec::new(), Batch::new(), Vec::new());
        encode_command(&mut bytes, words);
        batch.parse(&bytes, &Limits::default(), 1).expect("a command");
        self.node.run(NOW, self.session, &batch, &bytes, 0, &mut out, &mut Outputs::new(), &Still);
        let mut replies = Decoder::new();
        replies.feed(&out);
        replies.next().expect("a well-formed reply").expect("a whole one")
    }

    fn say(&mut self, line: &str) -> Value {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        self.ask(&words)
    }
}

fn count(entries: &Value) -> Option<i64> {
    match entries {
        Value::Array(entries) => Some(entries.len() as i64),
        _ => None,
    }
}

fuzz_target!(|data: &[u8]| {
    let mut rng = Rng::from_seed(1);
    let identity = Identity { run_id: RunId::random(&mut rng), node_id: NodeId::random(&mut rng), pid: 1 };
    let config = ServerConfig { save: Vec::new(), ..ServerConfig::default() };
    let mut node = Node::new(config, identity, Seeds { hash: [1, 2], rng: 3 }, NOW);
    let peer = Peer { local: true, ..Peer::default() };
    let session = node.connect(NOW, peer).expect("a local client is let in");
    let mut world = World { node, session };

    let mut payload = data.to_vec();
    payload.extend_from_slice(&11u16.to_le_bytes());
    let crc = Crc64::of(&payload);
    payload.extend_from_slice(&crc.to_le_bytes());
    if let Value::Error(_) = world.ask(&[b"RESTORE", b"k", b"0", &payload]) {
        return;
    }
    if let Value::Int(len) = world.say("XLEN k") {
        for line in ["XRANGE k - +", "XREVRANGE k + -"] {
            assert_eq!(count(&world.say(line)), Some(len), "{line}");
        }
    }
    for line in COMMANDS {
        world.say(line);
    }
});
