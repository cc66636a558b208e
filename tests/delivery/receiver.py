"""A receiver of webhooks that misbehaves on purpose: what it does is named by the path of the address.

/ok                 200                                  /status/N      always N
/fail/N             500 N times an id, then 200          /refuse/N/S    status S N times an id, then 200
/limit/S            429, Retry-After: S once an id       /limit_date/S  the same as a date
/hang               reads, never answers                 /hang_once     that once an id, then 200
/slow/MS            200 after a while                    /reset/N       resets the connection N times an id
/close/N            closes without a word, N times       /garbage/N     answers nonsense, N times
/huge               200 and a body without end           /huge_header   a header without end
/redirect           302 to /redirected                   /trickle       200, then a byte at a time
/trickle_header     a header line a byte at a time       /error_body    200 whose body says error
/only/N/S           status S for alert N, 200 for others; /upto/N/S for alerts 1 to N; a Receiver counts how many it serves at a time
"""
import email.utils
import json
import socket
import struct
import threading
import time


class Request:
    def __init__(self, path, headers, body):
        self.time = time.monotonic()
        self.path, self.headers, self.body = path, headers, body
        self.id = headers.get("webhook-id") or headers.get("idempotency-key")

    def alert(self):
        return json.loads(self.body)

    def number(self):
        """That of tests/delivery/delivery_test.py's alert()."""
        return int(self.alert()["id"], 16)


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    while len(body) < int(headers.get("content-length", 0)):
        more = connection.recv(65536)
        if not more:
            return None
        body += more
    return Request(lines[0].split(" ")[1], headers, body)


def answer(connection, status, headers=(), body=b"{}"):
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return True


class Receiver:
    def __init__(self, tls=None):
        self.tls = tls
        self.requests, self.lock = [], threading.Lock()
        self.released = threading.Event()  # lets hanging requests end
        self.bytes_sent = {}  # by those without end
        self.location = None  # of redirects
        self.serving, self.most_served = {}, {}  # path -> at a time
        self.here = threading.local()  # the request that a thread serves
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self):
        self.released.set()
        self.socket.close()

    def of(self, path):
        with self.lock:
            return [r for r in self.requests if r.path == path]

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            while True:
                request = read_request(connection)
                if request is None:
                    break
                with self.lock:
                    earlier = sum(r.path == request.path and r.id == request.id
                                  for r in self.requests)
                    self.requests.append(request)
                if not self.serve_one(connection, request, earlier):
                    break
        except OSError:
            pass
        finally:
            connection.close()

    def serve_one(self, connection, request, earlier):
        with self.lock:
            now = self.serving[request.path] = self.serving.get(request.path, 0) + 1
            self.most_served[request.path] = max(now, self.most_served.get(request.path, 0))
        request.began, self.here.request = time.monotonic(), request
        path = request.path.split("/")[1:]
        if path[0] == "only":
            path = ["status", path[2] if request.number() == int(path[1]) else "200"]
        if path[0] == "upto":
            path = ["status", path[2] if request.number() <= int(path[1]) else "200"]
        try:
            return self.act(connection, path, earlier)
        finally:
            self.served()

    def served(self):
        """Before the answer, where there is one: who hears it may send the next request before we go on."""
        request, self.here.request = self.here.request, None
        if request:
            request.ended = time.monotonic()
            with self.lock:
                self.serving[request.path] -= 1

    def act(self, connection, path, earlier):
        """True: the connection may be used again. `earlier`: requests with the same id."""
        name, args = path[0], [int(a) for a in path[1:] if a.isdigit()]
        if name.startswith("limit"):
            return self.limit(connection, name, args[0], earlier)
        if name in ("hang", "hang_once"):
            return self.hang(connection, name == "hang_once" and earlier > 0)
        if name in ("reset", "close", "garbage") and earlier < args[0]:
            return self.break_off(connection, name)
        if name in ("huge", "huge_header", "trickle", "trickle_header"):
            return self.without_end(connection, name)
        if name == "redirect":
            return answer(connection, 302, [f"Location: {self.location or self.url('/redirected')}"])
        if name == "error_body":
            return answer(connection, 200, body=b'{"error":"invalid_token"}')
        if name == "slow":
            time.sleep(args[0] / 1000)
        status = 200
        if name == "status":
            status = args[0]
        if name in ("fail", "refuse") and earlier < args[0]:
            status = args[1] if name == "refuse" else 500
        self.served()
        return answer(connection, status)

    def limit(self, connection, name, seconds, earlier):
        if earlier:
            return answer(connection, 200)
        wish = str(seconds)
        if name == "limit_date":
            wish = email.utils.formatdate(int(time.time()) + seconds, usegmt=True)
        return answer(connection, 429, [f"Retry-After: {wish}"])

    def hang(self, connection, enough):
        if enough:
            return answer(connection, 200)
        self.released.wait(60)
        return False

    def break_off(self, connection, how):
        if how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if how == "garbage":
            connection.sendall(b"\x00\xff this is not HTTP at all\r\n\r\n")
        return False

    def without_end(self, connection, how):
        head = b"HTTP/1.1 200 OK\r\n"
        piece = b"x" * (1 if how.startswith("trickle") else 65536)
        if how == "huge_header":
            piece = b"X-Long: " + b"y" * 8000 + b"\r\n"
        if how in ("huge", "trickle"):
            head += b"Content-Length: 1000000000\r\n\r\n"
        connection.sendall(head)
        while not self.released.is_set():
            connection.sendall(piece)
            self.bytes_sent[how] = self.bytes_sent.get(how, 0) + len(piece)
            if how.startswith("trickle"):
                time.sleep(0.05)
        return False
