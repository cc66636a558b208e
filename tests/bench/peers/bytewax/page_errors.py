"""Three identical page errors within an hour, as a Bytewax dataflow. The state of a key: its last three times, and
whether its episode is open."""
import os

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow

from page_error import AT_LEAST, WITHIN_MS, read


def parse(messages):
    errors = (read(m.value) for m in messages)
    return [(key, ms) for key, ms, _ in filter(None, errors)]


def judge(state, ms):
    times, open_ = state or ((), False)
    if times and ms - times[-1] >= WITHIN_MS:
        open_ = False
    times = sorted((*times, ms))[-AT_LEAST:]
    fires = not open_ and len(times) == AT_LEAST and times[0] > times[-1] - WITHIN_MS
    return (times, open_ or fires), [ms] if fires else []


flow = Dataflow("page_errors")
source = KafkaSource([os.environ["KAFKA_BROKERS"]], [os.environ["TOPIC"]], tail=False, batch_size=5000)
messages = op.input("kafka", flow, source)
errors = op.flat_map_batch("parse", messages, parse)
alerts = op.stateful_flat_map("judge", errors, judge)
op.output("out", op.map("text", alerts, lambda a: "alert\t%d\t%s" % (a[1], a[0])), StdOutSink())
