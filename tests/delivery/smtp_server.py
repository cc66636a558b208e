"""An SMTP server (RFC 5321, 4954, 3207) that says what a test wants. Each step's replies are taken from a list; the last
one stays.

steps: greeting, STARTTLS, AUTH, MAIL, RCPT, DATA, message, QUIT. A reply is a line; or "drop" closes the connection,
"hang" says nothing more until `released`.
"""
import base64
import socket
import threading
import time

GOOD = {"greeting": "220 ready", "STARTTLS": "220 go on", "AUTH": "235 2.7.0 welcome", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok",
        "DATA": "354 go on", "message": "250 2.0.0 queued", "QUIT": "221 bye", "RSET": "250 ok", "NOOP": "250 ok"}


class Mail:
    def __init__(self):
        self.time, self.sender, self.to, self.text, self.login, self.tls, self.taken = time.monotonic(), None, [], None, None, False, False


class Server:
    def __init__(self, tls=None, extensions=("8BITMIME", "AUTH PLAIN"), **replies):
        self.tls, self.extensions = tls, list(extensions) + (["STARTTLS"] if tls else [])
        self.replies = {step: list(r) if isinstance(r, (list, tuple)) else [r] for step, r in replies.items()}
        self.mails, self.commands, self.lock = [], [], threading.Lock()
        self.released = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.released.set()
        self.socket.close()

    def taken(self):
        with self.lock:
            return [m for m in self.mails if m.taken]

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def reply(self, step):
        with self.lock:
            wanted = self.replies.get(step)
            line = (wanted.pop(0) if len(wanted) > 1 else wanted[0]) if wanted else GOOD.get(step, "502 what?")
        if line == "hang":
            self.released.wait(60)
        if line in ("drop", "hang"):
            raise OSError(line)
        return line

    def serve(self, connection):
        try:
            Session(self, connection).run()
        except (OSError, ValueError):
            pass
        finally:
            connection.close()


class Session:
    def __init__(self, server, connection):
        self.server, self.connection, self.mail = server, connection, Mail()
        self.file, self.tls = connection.makefile("rb"), False

    def say(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def answer(self, step):
        line = self.server.reply(step)
        self.say(line)
        return line[0] in "23"

    def run(self):
        self.answer("greeting")
        while True:
            line = self.file.readline()
            if not line:
                return
            if not line.endswith(b"\r\n"):
                raise ValueError("a command without CRLF")
            text = line[:-2].decode("ascii")
            with self.server.lock:
                self.server.commands.append(text)
            if not self.act(text):
                return

    def act(self, text):
        verb = text.split(" ")[0].upper()
        if verb in ("EHLO", "HELO"):
            names = [] if verb == "HELO" else [e for e in self.server.extensions if e != "STARTTLS" or not self.tls]
            lines = ["mail.example.com", *names]
            self.say("\r\n".join("250%s%s" % ("-" if i + 1 < len(lines) else " ", n) for i, n in enumerate(lines)))
        elif verb == "STARTTLS" and self.answer("STARTTLS"):
            self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
            self.file, self.tls = self.connection.makefile("rb"), True
        elif verb == "AUTH":
            word = text.split(" ")[2] if len(text.split(" ")) > 2 else self.ask()
            self.mail.login = base64.b64decode(word).split(b"\0")[1:]
            self.answer("AUTH")
        elif verb == "DATA":
            self.take_message()
        else:
            self.envelope(verb, text)
        return verb != "QUIT"

    def ask(self):
        self.say("334 ")
        return self.file.readline().strip().decode()

    def envelope(self, verb, text):
        taken = self.answer(verb)
        if taken and verb == "MAIL":
            self.mail.sender = text
        elif taken and verb == "RCPT":
            self.mail.to.append(text)

    def take_message(self):
        if not self.answer("DATA"):
            return
        lines = []
        while True:
            line = self.file.readline()
            if not line:
                raise OSError("cut")
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        self.mail.text, self.mail.tls = b"".join(lines), self.tls
        with self.server.lock:
            self.server.mails.append(self.mail)
        self.mail.taken = self.answer("message")
        self.mail = Mail()
