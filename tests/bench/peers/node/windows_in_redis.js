// Three identical page errors within an hour: a Node consumer with its windows in Redis, a sorted set each; one pipeline
// for each batch of a partition, and a short one where something is to be said.
"use strict";
const { Kafka, logLevel } = require("kafkajs");
const Redis = require("ioredis");

const WITHIN_MS = 3_600_000, AT_LEAST = 3;

function read(value) {
  const event = JSON.parse(value);
  if (event.type !== "page.error") return null;
  const { type, code, message } = event.error;
  const page = new URL(event.page.url).pathname.replace(/\d+/g, ":id");
  const key = `${page}|${type}|${code}|${message.toLowerCase().replace(/\b[0-9a-f]{8,}\b|\d+/g, "*")}`;
  return { key, ms: Date.parse(event.time), id: event.id };
}

async function count(store, errors) {
  const pipe = store.pipeline();
  for (const { key, ms, id } of errors) {
    pipe.zadd("w:" + key, ms, id);
    pipe.zremrangebyscore("w:" + key, "-inf", ms - WITHIN_MS);
    pipe.zcard("w:" + key);
    pipe.pexpire("w:" + key, WITHIN_MS);
    pipe.set("last:" + key, ms, "PX", WITHIN_MS, "GET");
  }
  return (await pipe.exec()).map(([error, answer]) => { if (error) throw error; return answer; });
}

async function tell(store, errors) {
  const answers = await count(store, errors);
  const pipe = store.pipeline(), firing = [];
  errors.forEach((error, i) => {
    const n = answers[5 * i + 2], last = answers[5 * i + 4];
    if (last !== null && error.ms - last >= WITHIN_MS) pipe.del("open:" + error.key);
    if (n >= AT_LEAST) {
      firing.push([error, pipe.length]);
      pipe.set("open:" + error.key, error.ms, "PX", WITHIN_MS, "NX");
      pipe.pexpire("open:" + error.key, WITHIN_MS);
    }
  });
  if (!pipe.length) return;
  const said = await pipe.exec();
  for (const [error, i] of firing) if (said[i][1]) console.log(`alert\t${error.ms}\t${error.key}`);
}

async function main() {
  const { KAFKA_BROKERS, REDIS_URL, TOPIC, GROUP, EVENTS } = process.env;
  const store = new Redis(REDIS_URL);
  const kafka = new Kafka({ brokers: KAFKA_BROKERS.split(","), logLevel: logLevel.ERROR });
  const consumer = kafka.consumer({ groupId: GROUP, maxBytesPerPartition: 4 << 20 });
  let left = Number(EVENTS), finish;
  const finished = new Promise((resolve) => { finish = resolve; });
  await consumer.connect();
  await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
  await consumer.run({
    partitionsConsumedConcurrently: 4,
    eachBatch: async ({ batch }) => {
      const errors = batch.messages.map((m) => read(m.value)).filter(Boolean);
      if (errors.length) await tell(store, errors);
      left -= batch.messages.length;
      if (left <= 0) finish();
    },
  });
  await finished;
  await consumer.disconnect();
  store.disconnect();
}

main().catch((error) => { console.error(error); process.exit(1); });
