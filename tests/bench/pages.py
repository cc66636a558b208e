"""The figures of a process under measurement, from its own pages."""
import urllib.request


def figure(port, name):
    """The sum over all series whose line begins so."""
    with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10) as answer:
        return sum(float(line.rsplit(b" ", 1)[1]) for line in answer.read().splitlines() if line.startswith(name.encode()))


def ready(port):
    try:
        return figure(port, "ticketwatch_ready") == 1
    except OSError:
        return False
