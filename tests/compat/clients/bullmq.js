// BullMQ doing jobs: many at once, delayed, with priorities, failing and tried again, in flows, repeated.
import assert from "node:assert/strict";
import { FlowProducer, Queue, QueueEvents, Worker } from "bullmq";

const connection = { host: "127.0.0.1", port: Number(process.argv[2]), maxRetriesPerRequest: null };
const queue = new Queue("jobs", { connection });
const events = new QueueEvents("jobs", { connection });
const flow = new FlowProducer({ connection });
const order = [];
let failures = 0;
let repeats = 0;

const work = async (job) => {
  if (job.name === "flaky" && job.attemptsMade < 2) {
    failures += 1;
    throw new Error("not yet");
  }
  if (job.name === "parent") return Object.values(await job.getChildrenValues()).reduce((a, b) => a + b, 0);
  if (job.name === "repeated") repeats += 1;
  order.push(job.name);
  await job.updateProgress(50);
  return job.data.n * 2;
};

await events.waitUntilReady();
await queue.pause();
const ranked = await queue.addBulk([3, 1, 2].map((priority) => ({
  name: `p${priority}`, data: { n: priority }, opts: { priority },
})));
const worker = new Worker("jobs", work, { connection, concurrency: 1 });
await worker.waitUntilReady();
await queue.resume();
await Promise.all(ranked.map((job) => job.waitUntilFinished(events, 20_000)));
assert.deepEqual(order, ["p1", "p2", "p3"]);

worker.concurrency = 20;
const many = await queue.addBulk(Array.from({ length: 200 }, (_, n) => ({ name: "many", data: { n } })));
const results = await Promise.all(many.map((job) => job.waitUntilFinished(events, 30_000)));
assert.deepEqual(results, Array.from({ length: 200 }, (_, n) => n * 2));

const began = Date.now();
const delayed = await queue.add("delayed", { n: 1 }, { delay: 400 });
await delayed.waitUntilFinished(events, 20_000);
assert.ok(Date.now() - began >= 400);

const flaky = await queue.add("flaky", { n: 5 }, { attempts: 3, backoff: { type: "fixed", delay: 50 } });
assert.equal(await flaky.waitUntilFinished(events, 20_000), 10);
assert.equal(failures, 2);

const { job: parent } = await flow.add({
  name: "parent", queueName: "jobs", data: {},
  children: [1, 2, 3].map((n) => ({ name: "child", queueName: "jobs", data: { n } })),
});
assert.equal(await parent.waitUntilFinished(events, 20_000), 12);

await queue.upsertJobScheduler("tick", { every: 100, limit: 3 }, { name: "repeated", data: { n: 0 } });
for (let i = 0; i < 100 && repeats < 3; i++) await new Promise((r) => setTimeout(r, 50));
assert.equal(repeats, 3);

const counts = await queue.getJobCounts("completed", "failed", "active", "waiting");
assert.deepEqual([counts.failed, counts.active, counts.waiting], [0, 0, 0]);
assert.ok(counts.completed >= 211, JSON.stringify(counts));
await queue.obliterate({ force: true });
process.exit(0);
