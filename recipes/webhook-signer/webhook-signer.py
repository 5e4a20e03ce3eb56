"""Written by Kitbag. Signs what Alertmanager posts for a webhook, passes it on, and answers what the receiver answered."""
import hashlib
import hmac
import http.client
import http.server
import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request

MOST_BYTES = 16 * 1024 * 1024
# Seconds for each wait: to be connected, and for the receiver's next byte.
PATIENCE = 15


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is signed goes to the address that it is meant for, and to no other."""

    def redirect_request(self, *_):
        return None


# No proxy but one that somebody names here.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)


def signature(secret, body):
    moment = str(int(time.time()))
    digest = hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def delivered(receiver, content_type, body):
    """Status and words of the receiver; Alertmanager tries again after 5xx, and after nothing else."""
    headers = {
        **receiver["headers"],
        "content-type": content_type,
        "user-agent": "kitbag",
        "x-kitbag-signature": signature(receiver["secret"], body),
    }
    request = urllib.request.Request(receiver["url"], body, headers, method="POST")
    try:
        with OPENER.open(request, timeout=PATIENCE) as answer:
            return 200, answer.read(1000)
    except urllib.error.HTTPError as error:
        with error:
            if error.code < 400:
                return 502, f"it answers {error.code}: redirects are not followed".encode()
            return error.code, error.read(1000)
    except (OSError, http.client.HTTPException) as error:
        return 502, str(getattr(error, "reason", None) or error or type(error).__name__).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    # Of Alertmanager.
    timeout = 30

    def do_POST(self):
        name = self.path[1:]
        receiver = self.server.receivers.get(name)
        if receiver is None:
            return self.answer(name, 404, b"there is no such receiver")
        # Whoever else is on this machine has nothing to sign.
        if not hmac.compare_digest(self.headers.get("authorization", "").encode(), f"Bearer {receiver['key']}".encode()):
            return self.answer(name, 401, b"this is for Alertmanager alone")
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return self.answer(name, 413, f"a length up to {MOST_BYTES} bytes is needed".encode())
        body = self.rfile.read(int(length))
        return self.answer(name, *delivered(receiver, self.headers.get("content-type", "application/json"), body))

    def answer(self, name, status, words):
        print(f"{name!r}: {status}", flush=True)
        self.send_response(status)
        self.send_header("content-length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    def log_request(self, *_):
        """`answer` tells it."""


def tell_systemd(words):
    path = os.environ.get("NOTIFY_SOCKET")
    if path is None:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + path[1:] if path.startswith("@") else path)
        channel.sendall(words)


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    with open(os.path.join(os.environ["CREDENTIALS_DIRECTORY"], "receivers"), encoding="utf-8") as file:
        server.receivers = json.load(file)
    tell_systemd(b"READY=1")
    server.serve_forever()


main()
