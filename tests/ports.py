"""Ports for servers of a test's own."""
import random
import socket

FIRST, LAST = 12000, 31999  # below Linux's range for outgoing connections: nobody's connection takes a port whose server is away


def free_port():
    while True:
        port = random.SystemRandom().randint(FIRST, LAST)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
