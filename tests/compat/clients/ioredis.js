// What users of ioredis do: pipelines, transactions, own commands, streams, pub/sub, blocking, scans.
import assert from "node:assert/strict";
import Redis from "ioredis";

const port = Number(process.argv[2]);
const redis = new Redis(port, "127.0.0.1", { enableReadyCheck: true, commandTimeout: 10_000 });
const other = redis.duplicate();

assert.equal(await redis.set("k", "v", "EX", 100), "OK");
assert.equal(await redis.get("k"), "v");
assert.deepEqual(await redis.getBuffer("k"), Buffer.from("v"));
await redis.hset("h", { a: 1, b: "two" });
assert.deepEqual(await redis.hgetall("h"), { a: "1", b: "two" });
await redis.zadd("z", 1, "one", 2, "two");
assert.deepEqual(await redis.zrange("z", 0, -1, "WITHSCORES"), ["one", "1", "two", "2"]);

const replies = await redis.pipeline().incr("n").incrby("n", 10).lpush("k", 1).exec();
assert.deepEqual(replies.slice(0, 2), [[null, 1], [null, 11]]);
assert.match(replies[2][0].message, /^WRONGTYPE/);

await redis.watch("n");
await other.set("n", 100);
assert.equal(await redis.multi().incr("n").exec(), null);
assert.deepEqual(await redis.multi().incr("n").get("n").exec(), [[null, 101], [null, "101"]]);

redis.defineCommand("addTo", { numberOfKeys: 1, lua: "return redis.call('incrby', KEYS[1], ARGV[1])" });
assert.equal(await redis.addTo("n", 9), 110);
await redis.script("FLUSH");
assert.equal(await redis.addTo("n", 1), 111);

const popped = redis.duplicate().blpop("queue", 5);
await other.rpush("queue", "job");
assert.deepEqual(await popped, ["queue", "job"]);

const id = await redis.xadd("st", "*", "f", "v");
const read = other.duplicate().xread("BLOCK", 5000, "STREAMS", "st", id);
await redis.xadd("st", "*", "f", "w");
assert.deepEqual((await read)[0][1][0][1], ["f", "w"]);

const sub = redis.duplicate();
const heard = new Promise((resolve) => sub.on("pmessage", (...message) => resolve(message)));
await sub.psubscribe("ch*");
await redis.publish("channel", "hi");
assert.deepEqual(await heard, ["ch*", "channel", "hi"]);

for (let i = 0; i < 500; i++) redis.sadd("members", `m${i}`);
const seen = new Set();
for await (const some of redis.sscanStream("members", { count: 40 })) some.forEach((m) => seen.add(m));
assert.equal(seen.size, 500);

// A connection that is killed comes back by itself and knows its database.
await redis.select(3);
await redis.set("here", "yes");
await other.client("KILL", "ID", await redis.client("ID"));
assert.equal(await redis.get("here"), "yes");
process.exit(0);
