"""A TCP proxy that breaks connections in the ways networks do. Faults are asked for by the suite, at a moment:

  cut()              every connection is reset
  swallow(s)         half-open for s seconds: what is sent vanishes, nothing is said; then reset
  delay(s, each)     for s seconds every reply comes `each` seconds later
  trickle(s)         for s seconds replies come in pieces of some bytes
  next(what, s)      the next request: "drop_reply": done, its reply lost, the connection reset
                     "late_reply": its reply comes after s seconds; "late_request": it is held for s seconds and then
                     delivered, also if the client has given up meanwhile: what was believed lost happens late
"""
import socket
import struct
import threading
import time

PIECE, PAUSE_S = 7, 0.002
WAIT_S = 30  # no test needs a connection that is silent for longer


def reset(link):
    """RST, and whoever is blocked on it wakes up."""
    try:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.shutdown(socket.SHUT_RD)
    except OSError:
        pass
    link.close()


class Connection:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.reply = None  # what becomes of the next reply: (what, seconds)
        self.gone = False
        for pump in (self.requests, self.replies):
            threading.Thread(target=self.guard, args=(pump,), daemon=True).start()

    def guard(self, pump):
        try:
            pump()
        except OSError:
            pass
        if pump == self.requests:  # what the server still has to do it does; its replies end the connection
            try:
                self.server.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        else:
            self.end()

    def end(self):
        reset(self.client)
        reset(self.server)
        self.proxy.forget(self)

    def requests(self):
        while True:
            data = self.client.recv(65536)
            if not data:
                return
            if self.proxy.vanishes():
                continue
            what, seconds = self.proxy.take_next()
            if what == "late_request":
                time.sleep(seconds)
            elif what:
                self.reply = what, seconds
            self.server.sendall(data)

    def replies(self):
        while True:
            data = self.server.recv(65536)
            if not data:
                return
            if self.proxy.vanishes():
                continue
            (what, seconds), self.reply = self.reply or (None, 0), None
            if what == "drop_reply":
                return
            time.sleep(seconds + self.proxy.slowness())
            self.send(data)

    def send(self, data):
        """A client that has gone is no reason to stop: the server must get to the end of what it was sent."""
        try:
            while data and not self.gone:
                piece = PIECE if time.monotonic() < self.proxy.trickle_until else len(data)
                self.client.sendall(data[:piece])
                data = data[piece:]
                if data:
                    time.sleep(PAUSE_S)
        except OSError:
            self.gone = True


class Proxy:
    """`target` is a function that gives (host, port) as they are now."""

    def __init__(self, target, port=0):
        self.target, self.lock = target, threading.Lock()
        self.connections, self.armed = set(), []
        self.swallow_until = self.delay_until = self.trickle_until = 0
        self.each = 0
        self.listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.connect, args=(client,), daemon=True).start()

    def connect(self, client):
        try:
            server = socket.create_connection(self.target(), timeout=WAIT_S)
            for link in (client, server):
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                link.settimeout(None)
        except OSError:
            reset(client)
            return
        with self.lock:
            self.connections.add(Connection(self, client, server))

    def forget(self, connection):
        with self.lock:
            self.connections.discard(connection)

    def vanishes(self):
        return time.monotonic() < self.swallow_until

    def slowness(self):
        return self.each if time.monotonic() < self.delay_until else 0

    def take_next(self):
        with self.lock:
            return self.armed.pop(0) if self.armed else (None, 0)

    def cut(self):
        with self.lock:
            cut = list(self.connections)
        for connection in cut:
            connection.end()

    def swallow(self, seconds):
        self.swallow_until = time.monotonic() + seconds
        timer = threading.Timer(seconds, self.cut)
        timer.daemon = True
        timer.start()

    def delay(self, seconds, each):
        self.each, self.delay_until = each, time.monotonic() + seconds

    def trickle(self, seconds):
        self.trickle_until = time.monotonic() + seconds

    def next(self, what, seconds=0):
        with self.lock:
            self.armed.append((what, seconds))

    def calm(self):
        """Nothing goes wrong any more."""
        with self.lock:
            self.armed.clear()
        self.delay_until = self.trickle_until = 0
        if self.vanishes():
            self.swallow_until = 0
            self.cut()

    def close(self):
        self.listener.close()
        self.cut()
