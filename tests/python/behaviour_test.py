"""Errors, threads, Ctrl-C, progress and logs."""

import json
import logging
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy as np
from support import MODEL, NORMALIZE, PROGRAM, needs_images, plan, tests, training

import autoprivacy


def command_line(*arguments):
    """The sentence and the exit status of the program."""
    done = subprocess.run([PROGRAM, *map(str, arguments), "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout)["error"], done.returncode


class Errors(unittest.TestCase):
    def same_as_command_line(self, kind, call, *arguments):
        sentence, status = command_line(*arguments)
        with self.assertRaises(kind) as caught:
            call()
        self.assertEqual(str(caught.exception), sentence)
        self.assertEqual(caught.exception.code, status)

    def test_sentences_and_codes_are_those_of_the_command_line(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "no.apm"
            self.same_as_command_line(autoprivacy.InputError, lambda: autoprivacy.audit(path), "audit", path)
            path.write_bytes(b"nonsense")
            self.same_as_command_line(autoprivacy.InputError, lambda: autoprivacy.audit(path), "audit", path)

    def test_kinds(self):
        self.assertTrue(issubclass(autoprivacy.InputError, ValueError))
        self.assertTrue(issubclass(autoprivacy.PeerError, ConnectionError))
        self.assertEqual([e.code for e in (autoprivacy.InternalError, autoprivacy.InputError, autoprivacy.PeerError,
                                           autoprivacy.SecurityError)], [1, 2, 3, 4])  # fmt: skip

    def test_unknown_policy_is_named_with_those_that_exist(self):
        with self.assertRaisesRegex(autoprivacy.InputError, "polcy.*exact"):
            autoprivacy.compile(MODEL, np.zeros((8, 1, 28, 28), np.uint8), policy="polcy")

    @needs_images
    def test_no_server_and_wrong_certificate(self):
        with plan().server(count_in_memory=True) as server:
            with self.assertRaisesRegex(autoprivacy.SecurityError, "certificate"):
                plan().client().connect(server.url, trust="0" * 64)
            url = server.url
        with self.assertRaises(autoprivacy.PeerError):
            plan().client().connect(url, trust="0" * 64)
        with self.assertRaisesRegex(autoprivacy.InputError, "no session"):
            plan().client().classify(tests()[0][0])

    @needs_images
    def test_package_in_memory_needs_a_place_to_count(self):
        with self.assertRaisesRegex(autoprivacy.InputError, "counted"):
            autoprivacy.Server(plan())

    @needs_images
    def test_package_of_the_other_party_is_refused(self):
        with self.assertRaisesRegex(autoprivacy.InputError, "client.apm"):
            autoprivacy.Client(plan().server_package)


@needs_images
class Threads(unittest.TestCase):
    def test_two_clients_and_python_run_at_once(self):
        images, labels = tests()
        found = {}
        with plan().server(count_in_memory=True) as server:

            def classify(number):
                with plan().client().connect(server.url, trust=server.fingerprint) as client:
                    found[number] = client.predict(images[:4])

            workers = [threading.Thread(target=classify, args=(number,)) for number in range(2)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        for number in range(2):
            np.testing.assert_array_equal(found[number], labels[:4])

    def test_one_client_in_two_threads_takes_turns(self):
        images, labels = tests()
        with plan().server(count_in_memory=True) as server:
            with plan().client().connect(server.url, trust=server.fingerprint) as client:
                found = [None] * 4

                def classify(number):
                    found[number] = client.classify(images[number]).label

                workers = [threading.Thread(target=classify, args=(number,)) for number in range(4)]
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
        self.assertEqual(found, labels[:4].tolist())

    def test_interpreter_runs_while_a_network_is_compiled(self):
        ticks = 0
        done = threading.Event()

        def compile_it():
            autoprivacy.compile(MODEL, training(), NORMALIZE)
            done.set()

        worker = threading.Thread(target=compile_it)
        worker.start()
        while not done.is_set():
            ticks += 1
            time.sleep(0.001)
        worker.join()
        self.assertGreater(ticks, 20, "the lock was held for all of the compilation")


@needs_images
class Interrupts(unittest.TestCase):
    def test_ctrl_c_ends_a_compilation(self):
        pressed = []

        def press(report):
            if not pressed:
                pressed.append(report.task)
                os.kill(os.getpid(), signal.SIGINT)

        with self.assertRaises(KeyboardInterrupt):
            autoprivacy.compile(MODEL, training(), NORMALIZE, policy="dp", simulations=100_000, progress=press)
        self.assertTrue(pressed)

    def test_exception_of_the_progress_callback_ends_the_work_and_comes_through(self):
        def enough(report):
            raise LookupError("enough")

        with self.assertRaisesRegex(LookupError, "enough"):
            autoprivacy.compile(MODEL, training(), NORMALIZE, policy="dp", simulations=100_000, progress=enough)

    def test_ctrl_c_ends_a_call_whose_server_is_silent(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            plan().write(folder)
            command = [PROGRAM, "serve", folder / "server.apm", "--listen", "127.0.0.1:0", "--json", "--quiet"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
                try:
                    lines = iter(child.stdout.readline, "}\n")
                    said = json.loads("".join(lines) + "}")
                    client = plan().client()
                    client.connect("wss://" + said["address"], trust=said["certificate_sha256"])
                    os.kill(child.pid, signal.SIGSTOP)
                    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
                    with self.assertRaises(KeyboardInterrupt):
                        client.classify(tests()[0][0])
                    os.kill(child.pid, signal.SIGCONT)
                    with self.assertRaises(autoprivacy.PeerError):
                        client.classify(tests()[0][0])
                    client.connect("wss://" + said["address"], trust=said["certificate_sha256"])
                    self.assertEqual(client.classify(tests()[0][0]).label, 9)
                    client.close()
                finally:
                    child.kill()

    def test_ctrl_c_ends_a_server(self):
        script = (
            "import autoprivacy, sys, threading\n"
            "server = autoprivacy.Server(sys.argv[1])\n"
            "threading.Timer(0.5, lambda: print(server.url, flush=True)).start()\n"
            "server.serve_forever()\n"
            "print('stopped')\n"
        )
        with tempfile.TemporaryDirectory() as name:
            plan().write(name)
            command = [sys.executable, "-c", script, os.path.join(name, "server.apm")]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
                self.assertTrue(child.stdout.readline().startswith("wss://127.0.0.1:"))
                child.send_signal(signal.SIGINT)
                self.assertEqual(child.stdout.read(), "stopped\n")
            self.assertEqual(child.returncode, 0)

    def test_interpreter_ends_with_a_server_that_nobody_stops(self):
        script = "import autoprivacy, sys; server = autoprivacy.Server(sys.argv[1]); server.start()"
        with tempfile.TemporaryDirectory() as name:
            plan().write(name)
            command = [sys.executable, "-c", script, os.path.join(name, "server.apm")]
            self.assertEqual(subprocess.run(command, timeout=120).returncode, 0)


@needs_images
class Told(unittest.TestCase):
    def test_progress_of_compiling(self):
        told = []
        autoprivacy.compile(MODEL, training(), NORMALIZE, policy="budget", progress=told.append)
        self.assertTrue(told)
        self.assertTrue(all(0 <= report.done <= report.total for report in told))
        self.assertTrue(told[-1].last)

    def test_bar_fits_the_terminal_and_is_erased(self):
        from autoprivacy import _progress

        class Report:
            task, detail, done, total, seconds, last = "search", "layer conv1 of many", 3, 60, 2.0, False

        for width in (20, 40, 59, 120):
            self.assertLessEqual(len(_progress.text_of(Report, width)), width)
        self.assertIn("[###", _progress.text_of(Report, 120))
        import io

        stream = io.StringIO()
        bar = _progress.TerminalBar(stream)
        bar(Report)
        Report.last = True
        bar(Report)
        self.assertTrue(stream.getvalue().endswith("\r\x1b[K"))
        self.assertIsNone(_progress.reporter(False))

    def test_log_goes_to_logging_or_to_the_caller(self):
        with self.assertLogs("autoprivacy.server", logging.INFO) as logs:
            with plan().server(count_in_memory=True) as server:
                with plan().client().connect(server.url, trust=server.fingerprint) as client:
                    client.classify(tests()[0][0])
        self.assertTrue(any("1 inference" in line for line in logs.output), logs.output)
        lines = []
        with plan().server(count_in_memory=True, log=lambda level, line: lines.append((level, line))) as server:
            with plan().client().connect(server.url, trust=server.fingerprint) as client:
                client.classify(tests()[0][0])
        self.assertTrue(any(level == "info" for level, _ in lines), lines)



@needs_images
class Operation(unittest.TestCase):
    def test_folder_of_packages(self):
        with tempfile.TemporaryDirectory() as folder:
            plan().write(pathlib.Path(folder) / "clothes")
            with autoprivacy.Server(folder) as server:
                self.assertEqual([network.name for network in server.networks], ["clothes"])
                self.assertEqual(server.networks[0].package_id, plan().package_id)
                with plan().client().connect(server.url, trust=server.fingerprint) as client:
                    self.assertEqual(client.classify(tests()[0][0]).label, 9)

    def test_client_waits_for_a_place_and_hears_about_it(self):
        heard = []
        with plan().server(count_in_memory=True, max_sessions=1) as server:
            first = plan().client().connect(server.url, trust=server.fingerprint)
            first.prepare()
            second = plan().client()
            with self.assertRaisesRegex(autoprivacy.PeerError, "no free place"):
                second.connect(server.url, trust=server.fingerprint, wait=0)

            def on_wait(before, seconds):
                heard.append((before, seconds))
                if len(heard) == 1:
                    threading.Thread(target=first.close).start()

            with second.connect(server.url, trust=server.fingerprint, on_wait=on_wait):
                self.assertEqual(second.classify(tests()[0][0]).label, 9)
        self.assertEqual(heard[0][0], 0)
        self.assertGreaterEqual(heard[0][1], 1)

    def test_waiting_is_logged(self):
        with plan().server(count_in_memory=True, max_sessions=1) as server:
            first = plan().client().connect(server.url, trust=server.fingerprint)
            first.prepare()
            with self.assertLogs("autoprivacy.client", "WARNING") as logged:
                threading.Timer(1, first.close).start()
                plan().client().connect(server.url, trust=server.fingerprint).close()
        self.assertRegex(logged.output[0], r"waiting for a place at the server: 0 before this client, about \d+ s")

    def test_prepares_ahead(self):
        with tempfile.TemporaryDirectory() as folder:
            ours = os.path.join(folder, "client")
            with plan().server(count_in_memory=True, store=os.path.join(folder, "server")) as server:
                with autoprivacy.PrepareAhead(plan(), server.url, 2, store=ours, trust=server.fingerprint) as preparing:
                    deadline = time.monotonic() + 60
                    while preparing.prepared < 2 and time.monotonic() < deadline:
                        time.sleep(0.05)
                    self.assertEqual((preparing.prepared, preparing.available), (2, 2))
                with plan().client().connect(server.url, trust=server.fingerprint, store=ours) as client:
                    self.assertTrue(client.classify(tests()[0][0]).report.from_store)


if __name__ == "__main__":
    unittest.main()
