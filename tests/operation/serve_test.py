"""A server as its operator sees it: health, metrics, logs, stopping, and what is the same after a restart."""

import contextlib
import fcntl
import functools
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
import threading
import time
import unittest
import urllib.error
import urllib.request

from program import IMAGES, PROGRAM, ROOT, compile_into, infer, needs_images, packages, run, serving

DATA = ["--data", f"mnist:{IMAGES}", "--first", "2"]


def page(said, path):
    """Status and text."""
    try:
        with urllib.request.urlopen(f"http://{said['metrics']}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def figures(said):
    status, text = page(said, "/metrics")
    assert status == 200
    return {name: float(value) for name, value in re.findall(r"(?m)^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text)}


@needs_images
class Status(unittest.TestCase):
    def test_health_readiness_and_metrics(self):
        with serving("--metrics", "127.0.0.1:0", "--max-sessions", "1") as (process, said):
            self.assertEqual(page(said, "/healthz"), (200, "ok\n"))
            self.assertEqual(page(said, "/readyz"), (200, "ready\n"))
            self.assertEqual(page(said, "/secrets")[0], 404)
            before = figures(said)
            self.assertEqual(before["autoprivacy_sessions_limit"], 1)
            self.assertEqual(infer(said, *DATA).returncode, 0)
            time.sleep(0.5)
            after = figures(said)
            self.assertEqual(after["autoprivacy_inferences_total"] - before["autoprivacy_inferences_total"], 2)
            self.assertEqual(after["autoprivacy_inferences_prepared_total"], 2)
            self.assertEqual(after["autoprivacy_sessions_started_total"], 1)
            self.assertEqual(after["autoprivacy_sessions_failed_total"], 0)
            self.assertGreater(after["process_cpu_seconds_total"], before["process_cpu_seconds_total"])
            process.terminate()

    def test_every_metric_has_a_help_and_a_type_and_names_no_client(self):
        with serving("--metrics", "127.0.0.1:0") as (_, said):
            text = page(said, "/metrics")[1]
        names = set(re.findall(r"(?m)^([a-z_]+)[ {]", text))
        self.assertEqual(names, set(re.findall(r"(?m)^# TYPE ([a-z_]+) (?:gauge|counter)$", text)))
        self.assertEqual(names, set(re.findall(r"(?m)^# HELP ([a-z_]+) \S", text)))
        self.assertNotIn("127.0.0.1", text)

    def test_other_requests_are_answered_and_harm_nothing(self):
        with serving("--metrics", "127.0.0.1:0") as (_, said):
            host, port = said["metrics"].rsplit(":", 1)
            for request, status in ((b"POST /metrics HTTP/1.1\r\n\r\n", b"405"), (b"nonsense\r\n\r\n", b"400"),
                                    (b"\x16\x03\x01" * 4000, b"400"), (b"HEAD /healthz HTTP/1.0\r\n\r\n", b"200")):  # fmt: skip
                with socket.create_connection((host, int(port)), timeout=10) as connection:
                    connection.sendall(request)
                    self.assertIn(status, connection.recv(4096), request[:20])
            silent = [socket.create_connection((host, int(port))) for _ in range(40)]
            self.assertEqual(page(said, "/healthz")[0], 200)
            for connection in silent:
                connection.close()

    def test_a_name_of_a_file_is_text_whatever_its_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(packages() / "server.apm", os.fsencode(folder) + b"/a\xff\x1b[2J.apm")
            with serving("--metrics", "127.0.0.1:0", package=folder) as (_, said):
                text = page(said, "/metrics")[1]
        self.assertNotIn("\x1b", text)
        self.assertIn(r'network="a\\xff\\x1b[2J"', text)


@needs_images
class Stopping(unittest.TestCase):
    def test_session_at_work_finishes_and_no_other_begins(self):
        with serving("--metrics", "127.0.0.1:0") as (process, said):
            found = {}
            client = threading.Thread(
                target=lambda: found.update(done=infer(said, "--data", f"mnist:{IMAGES}", "--first", "60"))
            )
            client.start()
            deadline = time.monotonic() + 60
            while figures(said)["autoprivacy_inferences_total"] < 3 and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            self.assertEqual(infer(said, *DATA).returncode, 3)
            client.join()
            process.wait(timeout=60)
        self.assertEqual(found["done"].returncode, 0, found["done"].stderr)
        self.assertEqual(process.returncode, 0)

    def test_answers_before_a_cut_are_kept(self):
        with serving("--metrics", "127.0.0.1:0", "--drain", "0") as (process, said):
            found = {}
            client = threading.Thread(
                target=lambda: found.update(done=infer(said, "--data", f"mnist:{IMAGES}", "--range", "5:2000"))
            )
            client.start()
            self.assertTrue(soon(lambda: figures(said)["autoprivacy_inferences_total"] >= 3))
            process.terminate()
            client.join()
        done = found["done"]
        self.assertEqual(done.returncode, 3, done.stderr)
        cut = json.loads(done.stdout)
        count = len(cut["answers"])
        self.assertGreaterEqual(count, 2)
        self.assertEqual([cut["images"], cut["answers"][0]["input"], cut["exit_status"]], [count, 5, 3])
        self.assertIn(f"{count} of 1995 images are answered, go on with --range {5 + count}:2000", cut["error"])
        self.assertEqual(done.stderr, f"autoprivacy: {cut['error']}\n")

    def test_nobody_has_to_read_what_a_server_says(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        os.set_blocking(writing, True)
        with tempfile.TemporaryDirectory() as folder:
            certificate = pathlib.Path(folder) / "certificate.pem"
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                address = "127.0.0.1:%d" % free.getsockname()[1]
            with subprocess.Popen([PROGRAM, "serve", packages() / "server.apm", "--listen", address, "--write-cert",
                                   certificate], stdout=writing, stderr=subprocess.DEVNULL) as process:  # fmt: skip
                self.assertTrue(soon(certificate.exists))
                said = {"address": address, "certificate_sha256": certificate}
                self.assertEqual(infer(said, *DATA).returncode, 0)
                process.terminate()
                self.assertEqual(process.wait(timeout=60), 0)
        os.close(reading)
        os.close(writing)

    def test_hangup_reads_packages_again_but_a_lost_terminal_ends_the_server(self):
        with serving() as (process, said):
            process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            self.assertEqual(infer(said, *DATA).returncode, 0)
            process.terminate()
            self.assertEqual(process.wait(timeout=30), 0)
        leader, follower = pty.openpty()
        with subprocess.Popen([PROGRAM, "serve", packages() / "server.apm", "--listen", "127.0.0.1:0"],
                              stdin=follower, stdout=subprocess.PIPE, stderr=follower, start_new_session=True,
                              preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) as process:  # fmt: skip
            process.stdout.readline()
            os.close(follower)
            os.close(leader)
            self.assertEqual(process.wait(timeout=30), 0)


@functools.lru_cache(None)
def _others():
    return tempfile.TemporaryDirectory()


@functools.lru_cache(None)
def other_packages():
    """Those of another plan of the same network."""
    compile_into(_others().name, "--activation", "gc")
    return pathlib.Path(_others().name)


def soon(condition):
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@needs_images
class SeveralNetworks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.put(packages(), "first.apm")

    def put(self, package, name):
        """As an operator does: under a name that is not looked at, then renamed."""
        shutil.copy(package / "server.apm" if package.is_dir() else package, self.folder / ".arriving")
        os.rename(self.folder / ".arriving", self.folder / name)

    def classify(self, said, package):
        return run("infer", package / "client.apm", "--server", "wss://" + said["address"], "--trust",
                   said["certificate_sha256"], "--json", *DATA, "--check", package / "server.apm")  # fmt: skip

    def test_packages_come_and_go(self):
        with serving("--metrics", "127.0.0.1:0", package=self.folder) as (process, said):
            self.assertEqual([network["name"] for network in said["networks"]], ["first"])
            first = said["networks"][0]["package_id"]
            done = self.classify(said, packages())
            self.assertEqual(json.loads(done.stdout)["agree_clear"], 1.0)
            refused = self.classify(said, other_packages())
            self.assertEqual(refused.returncode, 3)
            self.assertIn("none is that of this client.apm", refused.stderr)
            self.assertNotIn(first, refused.stderr)

            self.put(other_packages(), "second.apm")
            self.assertTrue(soon(lambda: "network=\"second\"" in page(said, "/metrics")[1]))
            done = self.classify(said, other_packages())
            self.assertEqual(json.loads(done.stdout)["agree_clear"], 1.0)
            text = page(said, "/metrics")[1]
            counts = dict(re.findall(r'(?m)^autoprivacy_network_inferences_total\{network="(\w+)",.*\} (\d+)$', text))
            self.assertEqual(counts, {"first": "2", "second": "2"})
            self.assertTrue((self.folder / "second.apm.ledger").exists())

            (self.folder / "broken").write_bytes(b"nonsense")
            self.put(self.folder / "broken", "first.apm")
            time.sleep(2.5)
            self.assertEqual(self.classify(said, packages()).returncode, 0)
            (self.folder / "first.apm").unlink()
            self.assertTrue(soon(lambda: "network=\"first\"" not in page(said, "/metrics")[1]))
            self.assertEqual(self.classify(said, packages()).returncode, 3)
            self.assertEqual(page(said, "/readyz")[0], 200)
            process.terminate()
            log = process.stderr.read()
        self.assertIn("second is served now", log)
        self.assertIn("the package that was there before goes on", log)
        self.assertIn("first is gone", log)

    def test_hangup_reads_a_single_package_again(self):
        with serving(package=self.folder / "first.apm") as (process, said):
            self.put(other_packages(), "first.apm")
            self.assertEqual(self.classify(said, packages()).returncode, 0)
            process.send_signal(signal.SIGHUP)
            self.assertTrue(soon(lambda: self.classify(said, other_packages()).returncode == 0))
            process.terminate()

    def test_folder_without_a_package(self):
        with tempfile.TemporaryDirectory() as empty:
            done = run("serve", empty, "--listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no server's package that can be used in", done.stderr)


@needs_images
class Waiting(unittest.TestCase):
    def test_a_client_waits_and_says_so(self):
        with serving("--metrics", "127.0.0.1:0", "--max-sessions", "1", "--queue", "2") as (process, said):
            long = threading.Thread(target=lambda: infer(said, "--data", f"mnist:{IMAGES}", "--first", "60"))
            long.start()
            self.assertTrue(soon(lambda: figures(said)["autoprivacy_inferences_total"] > 0))
            waiting = subprocess.Popen([PROGRAM, "infer", packages() / "client.apm", "--server", "wss://" + said["address"],
                                        "--trust", said["certificate_sha256"], "--json", *DATA], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)  # fmt: skip
            self.assertTrue(soon(lambda: figures(said)["autoprivacy_clients_waiting"] == 1))
            self.assertEqual(page(said, "/readyz"), (503, "all 1 sessions are taken, 1 clients wait\n"))
            impatient = infer(said, *DATA, "--wait", "0")
            self.assertEqual(impatient.returncode, 3)
            self.assertIn("no free place for another session now; try again later", impatient.stderr)
            out, err = waiting.communicate(timeout=120)
            long.join()
            self.assertEqual(waiting.returncode, 0, err)
            self.assertEqual(len(json.loads(out)["answers"]), 2)
            self.assertRegex(err, r"waiting for a place at the server: none before this client, about \d+ s")
            self.assertEqual(figures(said)["autoprivacy_clients_waiting"], 0)
            process.terminate()


@needs_images
class Restarts(unittest.TestCase):
    def test_certificate_is_the_same_after_a_restart(self):
        said = []
        for _ in range(2):
            with serving() as (process, words):
                said.append(words)
                process.terminate()
        self.assertEqual(said[0]["certificate_sha256"], said[1]["certificate_sha256"])
        identity = packages() / "server.apm.identity"
        self.assertEqual(identity.stat().st_mode & 0o777, 0o600)

    def test_published_certificate_has_no_key(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate = pathlib.Path(folder) / "certificate.pem"
            for _ in range(2):
                with serving("--write-cert", certificate) as (process, _):
                    text = certificate.read_text()
                    process.terminate()
                self.assertIn("BEGIN CERTIFICATE", text)
                self.assertNotIn("KEY", text)

    def test_identity_that_others_read_or_that_is_damaged_is_refused(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            shutil.copy(packages() / "server.apm", folder)
            identity = folder / "server.apm.identity"
            identity.write_text("nonsense")
            identity.chmod(0o600)
            done = run("serve", folder / "server.apm", "--listen", "127.0.0.1:0")
            self.assertEqual(done.returncode, 2)
            self.assertIn("server.apm.identity", done.stderr)
            identity.chmod(0o644)
            self.assertEqual(run("serve", folder / "server.apm", "--listen", "127.0.0.1:0").returncode, 4)

    def test_same_inputs_give_the_same_package(self):
        ids = set()
        with tempfile.TemporaryDirectory() as name:
            for number in range(2):  # another machine's unit costs do not show: here, a cache that is measured anew
                cache = pathlib.Path(name) / f"cache{number}"
                found = compile_into(pathlib.Path(name) / f"out{number}", environment={"XDG_CACHE_HOME": str(cache)})
                ids.add(found["package_id"])
                self.assertNotEqual(found["predicted"]["profile"], found["predicted"]["choices"])
            self.assertEqual(len(ids), 1)

    def test_stored_half_is_kept_when_another_server_is_asked(self):
        with tempfile.TemporaryDirectory() as name:
            ours = ["--store", f"{name}/client"]
            with serving("--store", f"{name}/a", "--ledger", f"{name}/a.ledger") as (_, first):
                done = infer(first, *ours, "--prepare-only", "1")
                self.assertEqual(done.returncode, 0, done.stderr)
                with serving("--store", f"{name}/b", "--ledger", f"{name}/b.ledger") as (_, second):
                    done = infer(second, *ours, *DATA)
                    self.assertEqual(json.loads(done.stdout)["from_store"], 0)
                    self.assertEqual(done.stderr.count("is kept for the server that has"), 1, done.stderr)
                found = json.loads(infer(first, *ours, *DATA).stdout)
                self.assertEqual(found["from_store"], 1)
            self.assertFalse(list(pathlib.Path(name).glob("*/*.material")))


@needs_images
class Choices(unittest.TestCase):
    def test_no_file_in_a_cache_changes_the_protocol_and_the_reason_is_told(self):
        with tempfile.TemporaryDirectory() as name:
            compiled = packages() / "client.apm"
            choices = []
            for options in (DATA, ["--prepare-only", "1", "--store", f"{name}/store"]):
                for cache in ("empty", "full"):
                    where = pathlib.Path(name) / cache / "autoprivacy"
                    where.mkdir(parents=True, exist_ok=True)
                    if cache == "full":
                        (where / "profile.json").write_text("{}")
                    done = run("infer", compiled, "--local", packages() / "server.apm", *options, "--json",
                               environment={"XDG_CACHE_HOME": str(where.parent)})  # fmt: skip
                    self.assertEqual(done.returncode, 0, done.stderr)
                    choices.append(json.loads(done.stdout)["activation_choice"])
            for choice in choices:
                self.assertRegex(choice, r"^activations: \d+ by \S+(, \d+ by \S+)*, the faster on .* round trip .* unit costs of typical$")
            # Garbling would be worth its bytes on no link of this machine, whatever a busy moment makes of it.
            self.assertFalse([choice for choice in choices if " by gc" in choice], choices)


@needs_images
class Log(unittest.TestCase):
    def test_lines_of_json_with_time_level_and_session(self):
        with serving("--log-format", "json") as (process, said):
            infer(said, *DATA)
            time.sleep(0.5)
            process.terminate()
            lines = [json.loads(line) for line in process.stderr.read().splitlines()]
        for line in lines:
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$")
            self.assertIn(line["level"], ("info", "warning", "error"))
        ended = [line for line in lines if line.get("session") == 1]
        self.assertEqual(len(ended), 1, lines)
        self.assertRegex(ended[0]["message"], r"ended after 2 inferences \(2 prepared\) in [\d.]+ s, [\d.]+ MB in, .* MB out")


class Deploy(unittest.TestCase):
    def checked(self, tool, *arguments):
        program = shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if not program:
            self.skipTest(f"there is no {tool}")
        done = subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def test_haproxy(self):
        status, text = self.checked("haproxy", "-c", "-f", ROOT / "deploy" / "haproxy.cfg")
        self.assertEqual(status, 0, text)

    def test_nginx(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                            "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
                           check=True, stderr=subprocess.DEVNULL)  # fmt: skip
            shutil.copy(folder / "certificate.pem", folder / "servers.pem")
            shutil.copy(ROOT / "deploy" / "nginx.conf", folder)
            status, text = self.checked("nginx", "-t", "-p", folder, "-c", folder / "nginx.conf", "-g",
                                        f"pid {folder}/nginx.pid; error_log stderr;")  # fmt: skip
        self.assertEqual(status, 0, text)

    def test_systemd_unit(self):
        unit = (ROOT / "deploy" / "autoprivacy@.service").read_text()
        with tempfile.TemporaryDirectory() as name:  # a program that is there
            path = pathlib.Path(name) / "autoprivacy@.service"
            path.write_text(unit.replace("/usr/bin/autoprivacy ", "/bin/true "))
            status, text = self.checked("systemd-analyze", "verify", "--man=no", path)
        self.assertEqual(status, 0, text)
        self.assertNotIn("autoprivacy@.service:", text)


if __name__ == "__main__":
    unittest.main()
