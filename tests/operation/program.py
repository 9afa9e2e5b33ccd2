"""The program, the bundled network and its packages, for tests that need no Python module."""

import contextlib
import functools
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ["AUTOPRIVACY_BUILD"]) / "autoprivacy"
MODEL = ROOT / "models" / "fashion_mnist.onnx"
IMAGES = pathlib.Path("/usr/share/datasets/fashion-mnist")

needs_images = unittest.skipUnless(IMAGES.is_dir(), f"no images in {IMAGES}; install dataset-fashion-mnist")


def run(*arguments, environment=None, limits=None):
    """The finished process, with text."""
    return subprocess.run([PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, **(environment or {})}, preexec_fn=limits)  # fmt: skip


def compile_into(folder, *options, environment=None):
    done = run("compile", MODEL, "--calibrate", f"mnist-train:{IMAGES}", "--normalize", "scale=255 mean=0.2860 std=0.3530",
               "--out", folder, "--json", *options, environment=environment)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@functools.lru_cache(None)
def _folder():
    return tempfile.TemporaryDirectory()


@functools.lru_cache(None)
def packages():
    """A folder with server.apm and client.apm."""
    compile_into(_folder().name)
    return pathlib.Path(_folder().name)


@contextlib.contextmanager
def serving(*options, package=None):
    """The process and what it said; killed at the end if it still runs."""
    command = [PROGRAM, "serve", package or packages() / "server.apm", "--listen", "127.0.0.1:0", "--json", *options]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line == "}\n":
                    break
            assert lines, process.stderr.read()
            yield process, json.loads("".join(lines))
        finally:
            if process.poll() is None:
                process.kill()


def infer(said, *options):
    """As a client of that server."""
    return run("infer", packages() / "client.apm", "--server", "wss://" + said["address"], "--trust",
               said["certificate_sha256"], "--json", *options)  # fmt: skip
