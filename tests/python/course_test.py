"""The examples, the guide, the types and the installed module."""

import ast
import doctest
import inspect
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from support import IMAGES, MODEL, ROOT, needs_images

import autoprivacy

EXAMPLES = ROOT / "examples" / "python"


def output(name, *arguments):
    done = subprocess.run([sys.executable, EXAMPLES / name, *map(str, arguments)], stdout=subprocess.PIPE, text=True,
                          timeout=300)  # fmt: skip
    assert done.returncode == 0, f"{name} ends with {done.returncode}: {done.stdout}"
    return done.stdout


class Course(unittest.TestCase):
    @needs_images
    def test_1_classify_locally(self):
        text = output("1_classify_locally.py", MODEL, IMAGES)
        self.assertRegex(text, r"(?m)^(9|10) of 10 are right$")
        self.assertRegex(text, r"(?m)^image 0: Ankle boot ")

    @needs_images
    def test_2_two_processes(self):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, EXAMPLES / "2_server.py", MODEL, IMAGES, folder]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            with subprocess.Popen(list(map(str, command)), **pipes) as server:
                url = server.stdout.readline().strip()
                text = output("2_client.py", url, f"{folder}/client.apm", f"{folder}/certificate.pem", IMAGES)
                last_words, log = server.communicate(timeout=60)
            self.assertIn("answered 5 inferences", last_words)
            self.assertIn("INFO session 1", log)
        classes = re.findall(r"class (\d), score [\d.]+, right is (\d)", text)
        self.assertEqual(len(classes), 5)
        self.assertTrue(all(found == right for found, right in classes), text)

    def test_3_torch_module(self):
        try:
            import torch  # noqa: F401
        except ImportError:
            self.skipTest("torch cannot be imported; install python3-torch")
        text = output("3_torch_module.py")
        private = [float(value) for value in re.findall(r"top-1 ([\d.]+) private", text)]
        self.assertEqual(len(private), 2)
        self.assertGreater(min(private), 0.95)

    @needs_images
    def test_4_prepare_ahead(self):
        with tempfile.TemporaryDirectory() as folder:
            text = output("4_prepare_ahead.py", MODEL, IMAGES, folder)
        self.assertEqual(re.findall(r"class (\d)", text), ["9", "2", "1", "1"])
        self.assertEqual(text.count("from an earlier session"), 1)


class Guide(unittest.TestCase):
    @needs_images
    def test_examples_of_the_guide(self):
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                names = {"MODEL": str(MODEL), "IMAGES": str(IMAGES)}
                guide = str(ROOT / "docs" / "python.md")
                found = doctest.testfile(guide, module_relative=False, globs=names, optionflags=doctest.ELLIPSIS)
            finally:
                os.chdir(before)
        self.assertGreater(found.attempted, 20)
        self.assertEqual(found.failed, 0)


class Types(unittest.TestCase):
    def test_stub_declares_what_the_extension_has(self):
        folder = pathlib.Path(autoprivacy.__file__).parent
        self.assertTrue((folder / "py.typed").is_file())
        core = autoprivacy._core
        declared = {}
        for node in ast.parse((folder / "_core.pyi").read_text()).body:
            if isinstance(node, ast.ClassDef):
                fields = [n.target.id for n in node.body if isinstance(n, ast.AnnAssign)]
                methods = [n.name for n in node.body if isinstance(n, ast.FunctionDef)]
                declared[node.name] = {name for name in fields + methods if not name.startswith("__")}
            elif isinstance(node, ast.FunctionDef):
                declared[node.name] = None
        present = {}
        for name, value in vars(core).items():
            if inspect.isclass(value):
                present[name] = {n for n in vars(value) if not n.startswith("__") and n != "_pybind11_conduit_v1_"}
            elif callable(value):
                present[name] = None
        self.assertEqual(declared, present)

    def test_types_agree(self):
        if subprocess.run([sys.executable, "-c", "import mypy"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("mypy cannot be imported; install python3-mypy")
        with tempfile.TemporaryDirectory() as cache:
            command = [sys.executable, "-m", "mypy", "--cache-dir", cache, "--ignore-missing-imports",
                       "--disallow-untyped-defs", "--follow-imports", "skip", "-p", "autoprivacy"]  # fmt: skip
            environment = {**os.environ, "MYPYPATH": os.environ["PYTHONPATH"]}
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.assertEqual(done.returncode, 0, done.stdout)


class Installed(unittest.TestCase):
    def test_installed_module_is_complete(self):
        with tempfile.TemporaryDirectory() as prefix:
            command = ["cmake", "--install", os.environ["AUTOPRIVACY_BUILD"], "--prefix", prefix, "--component", "python"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            package = next(pathlib.Path(prefix).rglob("autoprivacy/__init__.py")).parent
            script = "import autoprivacy; print(autoprivacy.__version__, autoprivacy.__file__)"
            done = subprocess.run([sys.executable, "-c", script], cwd=prefix, stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, "PYTHONPATH": str(package.parent)})  # fmt: skip
            self.assertEqual(done.stdout.split(), [autoprivacy.__version__, str(package / "__init__.py")])
            symbols = subprocess.run(["nm", "--dynamic", "--defined-only", next(package.glob("_core*.so"))],
                                     stdout=subprocess.PIPE, text=True).stdout  # fmt: skip
            self.assertIn("PyInit__core", symbols)


if __name__ == "__main__":
    unittest.main()
