//! Every type at once: many clients write at random, and both nodes end with the same digest.

use super::check;
use crate::client::{Client, Failure};
use crate::server::{Kind, Server, eventually};
use std::thread;
use tanist_resp::{Value, encode_command};
use tanist_types::Rng;

/// Clients that write at the same time, and what each sends before and after the replica comes.
const CLIENTS: u64 = 4;
const COMMANDS: usize = 4000;

/// Keys of each type, few so that they meet.
const KEYS: u64 = 8;

fn pick<'a>(dice: &mut Rng, from: &[&'a str]) -> &'a str {
    from[dice.below(from.len() as u64) as usize]
}

fn element(dice: &mut Rng) -> String {
    match dice.below(8) {
        0..3 => (dice.below(2000) as i64 - 1000).to_string(),
        7 => format!("{}-{}", "long".repeat(20), dice.below(50)),
        _ => format!("e{}", dice.below(150)),
    }
}

/// Forms of commands, by type: `K` is a key of the type, `L` one of any type, `E` an element, `N` a small number.
const FORMS: &[(&str, &[&str])] = &[
    (
        "list",
        &[
            "LPUSH K E E E",
            "RPUSH K E E",
            "LPOP K N",
            "RPOP K",
            "LINSERT K BEFORE E E",
            "LSET K N E",
            "LREM K N E",
            "LTRIM K 0 150",
            "LMOVE K K LEFT RIGHT",
            "RPOPLPUSH K K",
            "SORT K ALPHA LIMIT 0 20 STORE K",
        ],
    ),
    ("hash", &["HSET K E E E E", "HSETNX K E E", "HDEL K E E", "HINCRBY K n N", "HINCRBYFLOAT K f 0.25"]),
    (
        "set",
        &[
            "SADD K E E E",
            "SADD K N N",
            "SREM K E E",
            "SPOP K",
            "SPOP K N",
            "SMOVE K K E",
            "SINTERSTORE K K K",
            "SUNIONSTORE K K K",
            "SDIFFSTORE K K K",
        ],
    ),
    (
        "zset",
        &[
            "ZADD K N E N E",
            "ZADD K GT N E",
            "ZADD K N.125 E",
            "ZINCRBY K N E",
            "ZREM K E E",
            "ZPOPMIN K",
            "ZPOPMAX K N",
            "ZREMRANGEBYRANK K 0 0",
            "ZREMRANGEBYSCORE K 3 4",
            "ZUNIONSTORE K 2 K K WEIGHTS 1 0.5",
            "ZINTERSTORE K 2 K K AGGREGATE MAX",
            "ZRANGESTORE K K 0 60",
        ],
    ),
    (
        "string",
        &[
            "SET K E",
            "SET K N EX 900",
            "APPEND K E",
            "INCRBY K N",
            "INCRBYFLOAT K 0.5",
            "SETRANGE K N E",
            "SETBIT K N 1",
            "BITFIELD K SET u8 N N INCRBY i5 3 N OVERFLOW SAT INCRBY u4 9 N",
            "BITOP XOR K K K",
            "GETEX K PERSIST",
            "GETDEL K",
            "SETRANGE K 300 E",
        ],
    ),
    ("hll", &["PFADD K E E E E", "PFMERGE K K K"]),
    (
        "stream",
        &[
            "XADD K * E E",
            "XADD K MAXLEN 60 * E E E E",
            "XTRIM K MAXLEN ~ 40",
            "XGROUP CREATE K g 0 MKSTREAM",
            "XREADGROUP GROUP g c COUNT 3 STREAMS K >",
            "XREADGROUP GROUP g d NOACK COUNT 2 STREAMS K >",
            "XAUTOCLAIM K g d 0 0 COUNT 2",
            "XGROUP DELCONSUMER K g c",
        ],
    ),
    (
        "any",
        &[
            "DEL L",
            "UNLINK L",
            "RENAME L L",
            "COPY L L REPLACE",
            "EXPIRE L 1000",
            "PEXPIRE L 40",
            "PERSIST L",
            "MOVE L 1",
        ],
    ),
    (
        "script",
        &[
            "EVAL redis.call('RPUSH',KEYS[1],ARGV[1]);redis.call('INCR',KEYS[2]);return{redis.call('SPOP',KEYS[3])} 3 list:1 count set:1 E",
            "EVAL for~i=1,20~do~redis.call('ZADD',KEYS[1],i,ARGV[1]..i)end~return~redis.call('TIME')[1] 1 zset:2 E",
        ],
    ),
];

/// The words of a command of random type; types of which a key may hold another one are met now and then.
fn command(dice: &mut Rng) -> Vec<String> {
    let (kind, forms) = FORMS[dice.below(FORMS.len() as u64) as usize];
    let form = pick(dice, forms);
    let key = |dice: &mut Rng, kind: &str| format!("{kind}:{}", dice.below(KEYS));
    form.split(' ')
        .map(|word| match word {
            "K" => key(dice, kind),
            "L" => {
                let kind = pick(dice, &["list", "hash", "set", "zset", "string", "hll", "stream"]);
                key(dice, kind)
            }
            "E" => element(dice),
            "N" => (1 + dice.below(9)).to_string(),
            "N.125" => format!("{}.125", dice.below(9)),
            // A script is one word.
            other => other.replace('~', " "),
        })
        .collect()
}

/// Sends random commands, some of them in transactions; how many succeeded.
fn write(port: u16, seed: u64) -> Result<usize, Failure> {
    let mut client = Client::connect(port)?;
    let mut dice = Rng::from_seed(seed);
    let mut good = 0;
    for _ in 0..COMMANDS / 50 {
        let mut bytes = Vec::new();
        let mut replies = 0;
        for at in 0..50 {
            let mut send = |words: &[&str]| {
                let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
                encode_command(&mut bytes, &words);
                replies += 1;
            };
            if at % 10 == 0 {
                send(&["MULTI"]);
            }
            let words = command(&mut dice);
            send(&words.iter().map(String::as_str).collect::<Vec<_>>());
            if at % 10 == 4 {
                send(&["EXEC"]);
            }
        }
        client.send(&bytes)?;
        for _ in 0..replies {
            good += usize::from(!matches!(client.reply()?, Value::Error(_)));
        }
    }
    Ok(good)
}

/// Waits for elements of lists, so that some writes serve a waiting client.
fn wait_for_elements(port: u16, times: usize) -> Result<usize, Failure> {
    let mut client = Client::connect(port)?;
    for at in 0..times {
        let line = match at % 3 {
            0 => "BLPOP list:1 list:2 0.05",
            1 => "BLMOVE list:3 list:4 RIGHT LEFT 0.05",
            _ => "BRPOP list:5 0.05",
        };
        // A key of another type is an error here as elsewhere.
        client.say(line)?;
    }
    Ok(0)
}

/// All clients at once.
fn stress(primary: &Server, round: u64) -> Result<(), Failure> {
    let port = primary.port;
    let writers: Vec<_> =
        (0..CLIENTS).map(|client| thread::spawn(move || write(port, round * 1000 + client))).collect();
    let waiter = thread::spawn(move || wait_for_elements(port, 60));
    let mut good = 0;
    for writer in writers {
        good += writer.join().map_err(|_| "a client failed".to_owned())??;
    }
    waiter.join().map_err(|_| "a client failed".to_owned())??;
    // Most must have done something, or the case shows nothing.
    let least = CLIENTS as usize * COMMANDS / 2;
    check(good > least, format!("only {good} commands succeeded"))
}

fn same_digest(primary: &Server, replica: &Server) -> Result<(), Failure> {
    let digest = |server: &Server| server.must("DEBUG DIGEST");
    eventually("both have the same digest", || Ok(digest(primary)? == digest(replica)?)).map_err(|e| {
        let differ = differing(primary, replica).unwrap_or_else(|e| e);
        format!("{e}\n    {differ}")
    })
}

/// The keys of the first database that differ, for the report.
fn differing(primary: &Server, replica: &Server) -> Result<String, Failure> {
    let (mut a, mut b) = (primary.client()?, replica.client()?);
    let mut out = Vec::new();
    for (kind, _) in FORMS {
        for at in 0..KEYS {
            let line = format!("DEBUG DIGEST-VALUE {kind}:{at}");
            if a.say(&line)? != b.say(&line)? {
                out.push(format!("{kind}:{at} ({})", a.say(&format!("OBJECT ENCODING {kind}:{at}"))?));
            }
        }
    }
    Ok(format!("different: {}; keys: {} and {}", out.join(", "), a.say("DBSIZE")?, b.say("DBSIZE")?))
}

pub(crate) fn every_type(primary: &Kind, replica: &Kind) -> Result<(), Failure> {
    let debug = ["--enable-debug-command", "yes"];
    let (primary, replica) = (Server::start(primary, &debug)?, Server::start(replica, &debug)?);
    stress(&primary, 1)?;
    replica.follow(&primary)?;
    same_digest(&primary, &replica)?;
    stress(&primary, 2)?;
    same_digest(&primary, &replica)?;
    // Eviction is the primary's decision; the replica follows by what is deleted.
    primary.must("CONFIG SET maxmemory-policy allkeys-random")?;
    let mut client = primary.client()?;
    let figure = |field: &str| -> Result<u64, Failure> {
        let text = primary.info("memory", field)?;
        text.parse().map_err(|_| format!("{field} is {text}"))
    };
    // What was freed a moment ago may still be counted, so the limit comes down until it is felt.
    for round in 0..50 {
        let counted = figure("used_memory")?.saturating_sub(figure("mem_not_counted_for_evict")?);
        primary.must(&format!("CONFIG SET maxmemory {}", counted.max(100_001) - 100_000))?;
        for at in 0..500 {
            // Refused for want of memory: nothing that the replica would have to know.
            client.say(&format!("SET more:{round}:{at} {}", "x".repeat(300)))?;
        }
        if primary.info("stats", "evicted_keys")? != "0" {
            break;
        }
    }
    check(primary.info("stats", "evicted_keys")? != "0", "nothing was evicted")?;
    primary.must("CONFIG SET maxmemory 0")?;
    same_digest(&primary, &replica)
}
