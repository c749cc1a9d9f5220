// What users of node-redis do, in the protocol given.
import assert from "node:assert/strict";
import { createClient } from "redis";

const [port, protocol] = process.argv.slice(2).map(Number);
const client = await createClient({ socket: { port, host: "127.0.0.1" }, RESP: protocol }).connect();

assert.equal(await client.ping(), "PONG");
assert.equal(await client.set("k", "v", { expiration: { type: "EX", value: 100 } }), "OK");
assert.equal(await client.get("k"), "v");
assert.equal(await client.hSet("h", { a: "1", b: "2" }), 2);
assert.deepEqual({ ...(await client.hGetAll("h")) }, { a: "1", b: "2" });
await client.zAdd("z", [{ score: 0.5, value: "half" }, { score: 2, value: "two" }]);
assert.deepEqual(await client.zRangeWithScores("z", 0, -1), [
  { value: "half", score: 0.5 },
  { value: "two", score: 2 },
]);
assert.equal(await client.zScore("z", "half"), 0.5);
await client.sAdd("s", ["a", "b"]);
assert.deepEqual([...(await client.sMembers("s"))].sort(), ["a", "b"]);
assert.deepEqual(await client.multi().incr("n").get("n").exec(), [1, "1"]);

await client.xGroupCreate("st", "g", "0", { MKSTREAM: true });
await client.xAdd("st", "*", { f: "v" });
const got = await client.xReadGroup("g", "c", [{ key: "st", id: ">" }], { COUNT: 1 });
assert.deepEqual({ ...got[0].messages[0].message }, { f: "v" });

const sub = await client.duplicate().connect();
const heard = new Promise((resolve) => sub.subscribe("news", resolve));
while ((await client.publish("news", "hi")) === 0) await new Promise((r) => setTimeout(r, 10));
assert.equal(await heard, "hi");

const keys = new Set();
await Promise.all(Array.from({ length: 300 }, (_, i) => client.set(`p:${i}`, `${i}`)));
for await (const some of client.scanIterator({ MATCH: "p:*", COUNT: 30 })) some.forEach((k) => keys.add(k));
assert.equal(keys.size, 300);
await assert.rejects(client.lPush("k", "x"), /WRONGTYPE/);
process.exit(0);
