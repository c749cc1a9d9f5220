//! A hostile client: any bytes, through parser, dispatch and every command. Replies must be well-formed RESP.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tanist_config::ServerConfig;
use tanist_node::{Identity, Input, Next, Node, Outputs, Peer, Seeds, Stopwatch};
use tanist_resp::{Batch, Decoder, Limits};
use tanist_types::{Mono, NodeId, Now, Rng, RunId};

struct Still;

impl Stopwatch for Still {
    fn read(&self) -> Mono {
        Mono::from_millis(1000)
    }
}

fuzz_target!(|data: &[u8]| {
    let mut now = Now { mono: Mono::from_millis(1000), wall_us: 1_700_000_000_000_000 };
    let mut rng = Rng::from_seed(1);
    let identity = Identity { run_id: RunId::random(&mut rng), node_id: NodeId::random(&mut rng), pid: 1 };
    let config = ServerConfig { save: Vec::new(), proto_max_bulk_len: 1 << 20, ..ServerConfig::default() };
    let mut node = Node::new(config, identity, Seeds { hash: [1, 2], rng: 3 }, now);
    let mut outs = Outputs::new();
    let peer = Peer { local: true, ..Peer::default() };
    let id = node.connect(now, peer).expect("a local client is let in");
    let mut batch = Batch::new();
    let (mut start, mut replies) = (0, Decoder::new());
    loop {
        batch.clear();
        let Ok(progress) = batch.parse(&data[start..], &Limits::default(), 16) else { break };
        if progress.consumed == 0 {
            break;
        }
        let mut out = Vec::new();
        let ran = node.run(now, id, &batch, &data[start..], 0, &mut out, &mut outs, &Still);
        replies.feed(&out);
        while replies.next().expect("replies are well-formed").is_some() {}
        start += progress.consumed;
        now.mono = now.mono + std::time::Duration::from_millis(7);
        now.wall_us += 7000;
        node.step(now, Input::Tick, &mut outs);
        outs.drain();
        if ran.next != Next::Go {
            break;
        }
    }
});
