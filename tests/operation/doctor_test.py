"""Ten faults are planted, and `autoprivacy doctor` finds each and says what to do."""

import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from program import compile_into, needs_images, packages, run, serving


def findings(*arguments, **options):
    """By check, what is no good; and the exit status."""
    done = run("doctor", *arguments, "--json", **options)
    found = json.loads(done.stdout)
    assert found["exit_status"] == done.returncode
    for finding in found["findings"]:
        assert (finding["level"] == "good") == (finding["next"] is None), finding
    return {f["check"]: f for f in found["findings"] if f["level"] != "good"}, done.returncode


@needs_images
class Doctor(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.client = self.folder / "client.apm"
        shutil.copy(packages() / "client.apm", self.client)

    def expect(self, check, words, status, *arguments, **options):
        found, returned = findings(*arguments, **options)
        self.assertIn(check, found)
        self.assertIn(words, found[check]["finding"])
        self.assertTrue(found[check]["next"])
        self.assertEqual(returned, status)

    def test_nothing_is_wrong(self):
        with serving() as (_, said):
            found, status = findings(packages() / "client.apm", "--server", "wss://" + said["address"], "--trust",
                                     said["certificate_sha256"], "--store", self.folder / "new")  # fmt: skip
        self.assertEqual(status, 0)
        self.assertNotIn("server", found)
        self.assertNotIn("package", found)
        self.assertFalse((self.folder / "new").exists())

    def test_1_clock_is_behind(self):
        future = time.time() + 10 * 86_400
        os.utime(self.client, (future, future))
        self.expect("clock", "future", 0, self.client)

    def test_2_vector_instructions_are_capped(self):
        self.expect("vectors", "AUTOPRIVACY_CPU=scalar", 0, environment={"AUTOPRIVACY_CPU": "scalar"})

    def test_3_cores_are_left_out(self):
        if os.cpu_count() < 2:
            self.skipTest("there is only one core")
        self.expect("cores", "1 of", 0, environment={"AUTOPRIVACY_THREADS": "1"})

    def test_4_few_descriptors(self):
        self.expect("descriptors", "only 40 files", 0,
                    limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))  # fmt: skip

    def test_5_damaged_package(self):
        data = bytearray(self.client.read_bytes())
        data[len(data) // 2] ^= 1
        self.client.write_bytes(data)
        self.expect("package", "client.apm", 2, self.client)

    def test_6_weights_that_others_read(self):
        server = self.folder / "server.apm"
        shutil.copy(packages() / "server.apm", server)
        server.chmod(0o644)
        self.expect("package", "other users", 0, server)

    def test_7_store_that_others_read(self):
        store = self.folder / "store"
        store.mkdir()
        store.chmod(0o755)
        self.expect("store", "store", 4, self.client, "--store", store)

    def test_8_no_server_there(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.expect("server", "refused", 3, self.client, "--server", f"wss://127.0.0.1:{port}", "--trust", "0" * 64)

    def test_9_another_certificate(self):
        with serving() as (_, said):
            self.expect("server", "certificate", 4, self.client, "--server", "wss://" + said["address"], "--trust", "0" * 64)

    def test_10_server_of_another_package(self):
        compile_into(self.folder / "other", "--strict")
        with serving() as (_, said):
            self.expect("server", "another package", 3, self.folder / "other" / "client.apm", "--server",
                        "wss://" + said["address"], "--trust", said["certificate_sha256"])  # fmt: skip

    def test_11_certificate_of_another_key(self):
        for name in ("a", "b"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                            "/CN=localhost", "-keyout", self.folder / f"{name}.key", "-out", self.folder / f"{name}.pem"],
                           check=True, stderr=subprocess.DEVNULL)  # fmt: skip
        self.expect("tls", "", 2, "--tls-cert", self.folder / "a.pem", "--tls-key", self.folder / "b.key")

    def test_12_clients_that_others_change(self):
        clients = self.folder / "clients.txt"
        clients.write_text("")
        clients.chmod(0o666)
        self.expect("clients", "clients.txt", 4, "--clients", clients)

    def test_table_for_a_person(self):
        done = run("doctor", self.folder / "none.apm")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stdout, r"(?m)^problem +package +.*none\.apm")
        self.assertIn("next:", done.stdout)
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
