"""Three identical page errors within an hour: a Python consumer with its windows in Redis, a sorted set each.

windows_in_redis.py poll       one pipeline for each poll, and a short one where something is to be said
windows_in_redis.py message    the same for each message
"""
import os
import sys

import redis
from confluent_kafka import Consumer

from page_error import AT_LEAST, WITHIN_MS, read

AT_ONCE = 5000


def count(store, errors):
    """For each error how many there are within the hour, and when the key was seen last."""
    pipe = store.pipeline(transaction=False)
    for key, ms, ident in errors:
        pipe.zadd("w:" + key, {ident: ms})
        pipe.zremrangebyscore("w:" + key, "-inf", ms - WITHIN_MS)
        pipe.zcard("w:" + key)
        pipe.pexpire("w:" + key, WITHIN_MS)
        pipe.set("last:" + key, ms, px=WITHIN_MS, get=True)
    answers = pipe.execute()
    return answers[2::5], answers[4::5]


def tell(store, errors):
    """One alert an episode: it is over when an hour has passed without an error."""
    pipe, firing = store.pipeline(transaction=False), []
    for (key, ms, _), n, last in zip(errors, *count(store, errors)):
        if last is not None and ms - int(last) >= WITHIN_MS:
            pipe.delete("open:" + key)
        if n >= AT_LEAST:
            firing.append((key, ms, len(pipe)))
            pipe.set("open:" + key, ms, nx=True, px=WITHIN_MS)
            pipe.pexpire("open:" + key, WITHIN_MS)
    if len(pipe):
        answers = pipe.execute()
        for key, ms, i in firing:
            if answers[i]:
                print("alert", ms, key, sep="\t")


def main():
    at_once = AT_ONCE if sys.argv[1] == "poll" else 1
    store = redis.Redis.from_url(os.environ["REDIS_URL"])
    consumer = Consumer({"bootstrap.servers": os.environ["KAFKA_BROKERS"], "group.id": os.environ["GROUP"],
                         "auto.offset.reset": "earliest"})
    consumer.subscribe([os.environ["TOPIC"]])
    left = int(os.environ["EVENTS"])
    while left:
        messages = [m for m in consumer.consume(AT_ONCE, 30) if not m.error()]
        if not messages:
            sys.exit("%d messages are missing" % left)
        left -= len(messages)
        errors = [e for e in (read(m.value()) for m in messages) if e]
        for first in range(0, len(errors), at_once):
            tell(store, errors[first:first + at_once])
    consumer.close()


main()
