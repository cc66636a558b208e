"""What the two Python peers share: which events count, under which key, and when."""
import datetime
import re

import orjson

WITHIN_MS, AT_LEAST = 3_600_000, 3
PATH = re.compile(r"^[a-z]+://[^/]*([^?#]*)")
DIGITS = re.compile(r"\d+")
VARYING = re.compile(r"\b[0-9a-f]{8,}\b|\d+")


def read(value):
    """(key, time in ms, id) of a page error, None of any other event."""
    event = orjson.loads(value)
    if event["type"] != "page.error":
        return None
    error = event["error"]
    page = DIGITS.sub(":id", PATH.match(event["page"]["url"]).group(1))
    key = "%s|%s|%s|%s" % (page, error["type"], error["code"], VARYING.sub("*", error["message"].lower()))
    return key, int(datetime.datetime.fromisoformat(event["time"]).timestamp() * 1000), event["id"]
