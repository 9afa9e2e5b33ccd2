"""A relay between a client and a server that notes the sizes of all WebSocket messages: what a server sees of a client."""

import contextlib
import socket
import ssl
import struct
import threading

HEADER_BYTES = 10
FINAL_BINARY, FRAGMENT_BITS = 0x82, 0x80


class Watcher:
    """Reads one direction of a connection as it passes: the HTTP head, then WebSocket messages."""

    def __init__(self):
        self.head = b""
        self.messages = []  # (type of a message's first frame or None, bytes of the frame)
        self._data = b""
        self._open = False
        self._skip = 0  # payload bytes that are of no interest
        self._due = 0  # bytes of the protocol's message under way
        self._payload = None  # of a WebSocket message in fragments: (bytes so far, its first bytes)

    def feed(self, data):
        if self._skip:
            cut = min(self._skip, len(data))
            self._skip -= cut
            data = data[cut:]
        self._data += data
        if not self._open and b"\r\n\r\n" in self._data:
            self.head, self._data = self._data.split(b"\r\n\r\n", 1)
            self._open = True
        while self._open and self._frame():
            pass

    def _frame(self):
        """Takes one WebSocket frame off the data, if its head and the first bytes of its payload are there."""
        data = self._data
        if len(data) < 2:
            return False
        at, size, masked = 2, data[1] & 0x7F, data[1] & 0x80
        for code, form in ((126, ">H"), (127, ">Q")):
            if size == code:
                width = struct.calcsize(form)
                if len(data) < at + width:
                    return False
                size, at = struct.unpack_from(form, data, at)[0], at + width
                break
        mask = data[at:at + 4] if masked else bytes(4)
        at += 4 if masked else 0
        wanted = min(size, HEADER_BYTES)
        if len(data) < at + wanted or (masked and len(mask) < 4):
            return False
        first = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data[at:at + wanted]))
        self._data, self._skip = data[at + size:], max(0, at + size - len(data))
        if data[0] & 0x08 == 0:  # no control frame
            before, start = self._payload or (0, first)
            self._payload = (before + size, start)
            if data[0] & FRAGMENT_BITS:
                self._note(*self._payload)
                self._payload = None
        return self._skip == 0

    def _note(self, size, first):
        kind = None
        if self._due == 0 and len(first) == HEADER_BYTES:
            kind, length = struct.unpack("<HQ", first)
            self._due = HEADER_BYTES + length
        self._due -= size
        self.messages.append((kind, size))


class Proxy:
    """Relays TLS connections at `port` to a server at 127.0.0.1; `seen` has a pair of watchers (up, down) for each."""

    def __init__(self, target, identity):
        self._target = target
        self._inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._inside.load_cert_chain(identity)
        self._outside = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._outside.check_hostname = False
        self._outside.verify_mode = ssl.CERT_NONE  # the next hop is this test's own
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.seen = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def sessions(self):
        """The connections that became WebSockets."""
        return [(up, down) for up, down in self.seen if b"101 " in down.head[:20]]

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            inside = self._inside.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", self._target))
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            outside = self._outside.wrap_socket(server)
            up, down = Watcher(), Watcher()
            self.seen.append((up, down))
            threading.Thread(target=self._pump, args=(inside, outside, up), daemon=True).start()
            self._pump(outside, inside, down)

    @staticmethod
    def _pump(source, target, watcher):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                watcher.feed(data)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
