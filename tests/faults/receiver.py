"""A receiver of webhooks, Slack's messages and Linear's mutations that counts, and that lies when told to.

Every request is on disk before it is answered. A lie befalls the next so many requests; each delivery meets two at most,
so that storms end. What was answered, and whether the sender can know it, is part of the request.
"""
import json
import os
import random
import socket
import struct
import threading
import time

LIES_EACH = 2
HANG_S = 11  # longer than a request may take


class Told:
    """An alert that a request tells: which outbox entry, and which step of which episode."""

    def __init__(self, post, words):
        self.post = post
        self.entry, self.id, self.state, self.severity, time_ms = words.split(" ")
        self.time_ms = int(time_ms)

    def alert(self):
        return self.id, self.state, self.severity


class Request:
    """`pid` and `told` are what a build with fault points says of itself in X-Fault-Entries; a digest tells several alerts."""

    def __init__(self, sink, headers, body):
        self.at, self.sink, self.headers, self.body = time.time(), sink, headers, body
        pid, *told = headers.get("x-fault-entries", "0,? ? ? ? 0").split(",")
        self.pid, self.told = int(pid), [Told(self, words) for words in told]
        self.entry = self.told[0].entry
        self.answer = "none"  # or "ok", "refused", the name of a lie
        self.clean = False    # accepted, and the answer that says so went out whole
        self.found = False    # accepted, and who asked later was told so

    def is_digest(self):
        return len(self.told) > 1

    def id(self):
        """What a receiver knows a repetition by."""
        return self.headers.get("webhook-id") or self.headers.get("idempotency-key")

    def ident(self):
        """What Linear calls it: the comment, or where there is none the issue."""
        variables = json.loads(self.body)["variables"]
        return (variables.get("comment") or variables.get("issue") or {}).get("id")

    def line(self):
        return json.dumps({"at": self.at, "sink": self.sink, "pid": self.pid, "told": [(t.entry, *t.alert(), t.time_ms) for t in self.told],
                           "id": self.id(), "body": self.body.decode(errors="replace")})


def read_request(link):
    data = b""
    while b"\r\n\r\n" not in data:
        more = link.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers.get("content-length", 0)):
        more = link.recv(65536)
        if not more:
            return None
        body += more
    return Request(lines[0].split(" ")[1].strip("/"), headers, body)


def answer(link, status, body, headers=""):
    link.sendall(b"HTTP/1.1 %d Whatever\r\nContent-Length: %d\r\n%s\r\n" % (status, len(body), headers.encode()) + body)
    return True


def reset(link):
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


class Linear:
    """What it has, by id: creating the same again is a conflict, and changing what is not there an error."""

    def __init__(self):
        self.issues, self.comments = set(), {}  # comments: id -> its issue

    @staticmethod
    def tells(body):
        """Whether the request tells a step; what only reads, or links two issues, may come as often as it likes."""
        return b"TicketwatchFind" not in body and b"TicketwatchLink" not in body

    def found(self, variables):
        def issue(ident):
            return {"id": ident, "identifier": "ENG-1", "url": "https://linear.example.com/" + ident}
        return json.dumps({"data": {
            "issues": {"nodes": [issue(variables["issue"])] if variables["issue"] in self.issues else []},
            "comments": {"nodes": [{"id": c, "issue": issue(self.comments[c])} for c in variables["comments"] if c in self.comments]}}}).encode()

    def take(self, body):
        said = json.loads(body)
        variables, errors = said["variables"], []
        if "TicketwatchFind" in said["query"]:
            return self.found(variables)
        issue, comment = variables.get("issue"), variables.get("comment")
        if issue and issue["id"] in self.issues:
            errors.append("conflict on insert of Issue: %s already exists" % issue["id"])
        elif issue:
            self.issues.add(issue["id"])
        if comment and comment["issueId"] not in self.issues:
            return self.error("Entity not found: Issue")
        if comment and comment["id"] in self.comments:
            errors.append("conflict on insert of Comment")
        elif comment:
            self.comments[comment["id"]] = comment["issueId"]
        if errors:
            return self.error(*errors)
        names = [n for n in ("issueCreate", "issueUpdate", "commentCreate", "issueRelationCreate") if n + "(" in said["query"]]
        return json.dumps({"data": {n: {"success": True} for n in names}}).encode()

    @staticmethod
    def error(*texts):
        return json.dumps({"errors": [{"message": t, "extensions": {"code": "INPUT_ERROR"}} for t in texts]}).encode()


class Receiver:
    LIES = ("status_500", "accepts_500", "reset_before", "reset_after", "error_body", "slow", "too_many", "nonsense", "hang")

    def __init__(self, journal, seed):
        self.requests, self.lock = [], threading.Lock()
        self.journal = open(journal, "wb")
        self.linear, self.random = Linear(), random.Random(seed)
        self.storms, self.told = [], {}
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def lie(self, n, sink, kind):
        """The next n requests of a sink ("" any) are treated so, whenever they come."""
        with self.lock:
            self.storms.append([sink, kind, n])

    def so_far(self):
        with self.lock:
            return list(self.requests)

    def close(self):
        self.socket.close()
        self.journal.close()

    def accept(self):
        while True:
            try:
                link, _ = self.socket.accept()
            except OSError:
                return
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    def serve(self, link):
        try:
            while True:
                request = read_request(link)
                if request is None or not self.take(link, request):
                    break
        except (OSError, ValueError):  # a journal that was closed: the round is over
            pass
        link.close()

    def take(self, link, request):
        """True: the connection may be used again."""
        with self.lock:
            lie = self.choose(request)
            request.answer = lie or "ok"
            if request.sink != "bugs" or self.linear.tells(request.body):
                self.requests.append(request)
                self.journal.write(request.line().encode() + b"\n")
            self.journal.flush()
            os.fsync(self.journal.fileno())
            body = b"{}"
            if request.sink == "chat":
                body = b"ok"
            elif request.sink == "bugs" and lie not in ("status_500", "reset_before", "too_many"):
                body = self.linear.take(request.body)
                if b"Entity not found" in body:
                    request.answer = "refused"
        return self.behave(link, request, lie, body)

    def choose(self, request):
        key = request.sink, request.entry
        if self.told.get(key, 0) >= LIES_EACH:
            return None
        for storm in self.storms:
            if storm[0] in ("", request.sink) and storm[2] > 0:
                storm[2] -= 1
                self.told[key] = self.told.get(key, 0) + 1
                return storm[1]
        return None

    def behave(self, link, request, lie, body):
        if lie in ("status_500", "accepts_500"):
            return answer(link, 500, b"no")
        if lie == "too_many":
            return answer(link, 429, b"later", "Retry-After: 1\r\n")
        if lie in ("reset_before", "reset_after"):
            return reset(link)
        if lie == "nonsense":
            link.sendall(b"\x00\xff this is not HTTP\r\n\r\n")
            return False
        if lie == "hang":
            time.sleep(HANG_S)
            return False
        if lie == "error_body" and request.sink != "ops":  # a webhook's status decides, so there it is no lie
            return answer(link, 200, b'{"errors":[{"message":"oops","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}')
        if lie == "slow":
            time.sleep(self.random.uniform(0.2, 2))
        answer(link, 200, body)
        request.clean = request.answer != "refused"
        if request.sink == "bugs" and not self.linear.tells(request.body):
            self.show(body)
        return True

    def show(self, found):
        """What is there was delivered, whatever was answered then: it is not told again."""
        nodes = [node["id"] for part in json.loads(found).get("data", {}).values() for node in part.get("nodes", ())]
        with self.lock:
            for q in self.requests:
                q.found = q.found or q.sink == "bugs" and q.ident() in nodes
