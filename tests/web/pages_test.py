"""What `serve --web` answers to browsers, without one: pages and their headers beside sessions on the same port."""

import gzip
import http.client
import json
import pathlib
import random
import ssl
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "operation"))
from program import IMAGES, packages, run, serving  # noqa: E402

PROGRAM = b"\0asm" + random.Random(1).randbytes(3_000_000)  # as large as one, and nothing compresses it
INDEX = b"<!doctype html><title>test</title>" + b"<p>something that compresses</p>" * 20


class Pages(unittest.TestCase):
    def setUp(self):
        if not IMAGES.is_dir():
            self.skipTest(f"no images in {IMAGES}; install dataset-fashion-mnist")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "client").mkdir()
        (self.folder / "index.html").write_bytes(INDEX)
        (self.folder / "client" / "program.wasm").write_bytes(PROGRAM)
        (self.folder / "secret.pem").write_bytes(b"of no known kind")
        (self.folder / ".hidden.html").write_bytes(b"hidden")
        (self.folder / "link.html").symlink_to(packages() / "server.apm")

    def ask(self, port, target, method="GET", **headers):
        trust_all = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust_all.check_hostname, trust_all.verify_mode = False, ssl.CERT_NONE  # the certificate is not the matter here
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=trust_all, timeout=20)
        connection.request(method, target, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body

    def test_answers_browsers_and_clients_at_one_address(self):
        with serving("--web", self.folder) as (_, said):
            port = int(said["address"].rsplit(":", 1)[1])
            self.assertEqual(said["web"], f"https://127.0.0.1:{port}/")
            answer, body = self.ask(port, "/")
            self.assertEqual((answer.status, body), (200, INDEX))
            self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")
            for name, value in {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp",
                                "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}.items():  # fmt: skip
                self.assertEqual(answer.headers[name], value)
            policy = answer.headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'", policy)
            self.assertNotIn("unsafe-inline", policy)
            self.assertNotIn("'unsafe-eval'", policy)
            known, body = self.ask(port, "/?again", **{"If-None-Match": answer.headers["ETag"]})
            self.assertEqual((known.status, body), (304, b""))
            packed, body = self.ask(port, "/index.html", **{"Accept-Encoding": "br, gzip"})
            self.assertEqual(packed.headers["Content-Encoding"], "gzip")
            self.assertEqual(gzip.decompress(body), INDEX)
            plain, body = self.ask(port, "/", **{"Accept-Encoding": "gzip;q=0, identity"})
            self.assertEqual((plain.headers["Content-Encoding"], body), (None, INDEX))
            head, body = self.ask(port, "/", "HEAD")
            self.assertEqual((head.status, head.headers["Content-Length"], body), (200, str(len(INDEX)), b""))
            for encodings in ("gzip", "identity"):
                program, body = self.ask(port, "/client/program.wasm", **{"Accept-Encoding": encodings})
                self.assertEqual(program.headers["Content-Type"], "application/wasm")
                self.assertTrue(body == PROGRAM, f"{len(body)} bytes")
            for target in ("/secret.pem", "/.hidden.html", "/link.html", "/../server.apm", "/server.apm", "//", "/client",
                           "/%2e%2e/server.apm", "/index.html/"):  # fmt: skip
                self.assertEqual(self.ask(port, target)[0].status, 404, target)
            posted, _ = self.ask(port, "/", "DELETE")
            self.assertEqual((posted.status, posted.headers["Allow"]), (405, "GET, HEAD"))
            # Sessions are what they were, and the client's package is the one that belongs to the server's.
            package, content = self.ask(port, "/client.apm")
            self.assertEqual(package.status, 200)
            (self.folder / "fetched.apm").write_bytes(content)
            done = run("infer", self.folder / "fetched.apm", "--server", f"wss://127.0.0.1:{port}", "--trust",
                       said["certificate_sha256"], "--data", f"mnist:{IMAGES}", "--first", "1", "--json")  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["labels"], [9])

    def test_without_the_option_browsers_are_refused(self):
        with serving() as (_, said):
            self.assertIsNone(said["web"])
            answer, body = self.ask(int(said["address"].rsplit(":", 1)[1]), "/")
            self.assertEqual(answer.status, 426)
            self.assertIn(b"connect with a WebSocket client", body)

    def test_a_folder_that_is_no_page_is_refused(self):
        (self.folder / "index.html").unlink()
        for folder, words in ((self.folder, "has no index.html"), (self.folder / "none", "there is no folder")):
            done = run("serve", packages() / "server.apm", "--listen", "127.0.0.1:0", "--web", folder)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
