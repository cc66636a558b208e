#!/usr/bin/env python3
"""Prints the alerts that `ticketwatch run -c deploy/local/ticketwatch.yaml` sends: one line each, on port 8099."""
import http.server
import json


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        alert = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        print(alert["time"], alert["state"], alert["severity"], alert["rule"], alert["summary"], flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", 8099), Receiver).serve_forever()
