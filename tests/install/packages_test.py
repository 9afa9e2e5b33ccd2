"""Debian packages, the wheel and the list of what they are made of: complete, usable where they are unpacked, and the same
bytes when they are made again.

usage: packages_test.py BUILD_FOLDER
Ends with 77 where Debian's tools are missing.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["AUTOPRIVACY_BUILD"])
SKIPPED = 77


def text_of(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def make():
    """Everything, in BUILD/dist: the sums by name."""
    text = text_of(ROOT / "tools" / "make-packages", BUILD)
    return {name: digest for digest, name in (line.split() for line in text.splitlines())}


class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sums = make()
        cls.dist = BUILD / "dist"

    def named(self, pattern):
        found = sorted(self.dist.glob(pattern))
        self.assertTrue(found, f"no {pattern} among {sorted(self.sums)}")
        return found[0]

    def test_made_again_they_are_the_same_bytes(self):
        self.assertEqual(make(), self.sums)

    def test_program_runs_where_its_package_is_unpacked(self):
        package = self.named("autoprivacy_*.deb")
        fields = text_of("dpkg-deb", "--field", package)
        for name in ("libsodium23", "libssl3", "libtbb12", "libsqlite3-0"):
            self.assertIn(name, fields)
        self.assertNotIn("torch", fields)
        with tempfile.TemporaryDirectory() as name:
            text_of("dpkg-deb", "--extract", package, name)
            program = pathlib.Path(name) / "usr" / "bin" / "autoprivacy"
            self.assertRegex(text_of(program, "--version"), r"\d+\.\d+\.\d+")
            self.assertIn("serve", text_of(program, "--help"))
            self.assertNotIn(str(ROOT).encode(), program.read_bytes(), "a path of the machine that built it")

    def test_library_and_its_headers_are_two_packages(self):
        library, development = self.named("libautoprivacy0*.deb"), self.named("libautoprivacy-dev_*.deb")
        in_library, in_development = (text_of("dpkg-deb", "--contents", p) for p in (library, development))
        self.assertRegex(in_library, r"libautoprivacy\.so\.\d")
        self.assertNotIn(".h\n", in_library)
        self.assertIn("include/autoprivacy/server.h\n", in_development)
        self.assertIn("autoprivacyConfig.cmake", in_development)
        self.assertRegex(text_of("dpkg-deb", "--field", development, "Depends"), r"libautoprivacy0\.\d+ \(= \d")

    def test_list_of_parts(self):
        bill = json.loads(self.named("*.spdx.json").read_text())
        self.assertEqual(bill["spdxVersion"], "SPDX-2.3")
        by_id = {entry["SPDXID"]: entry for entry in bill["packages"]}
        self.assertEqual(len(by_id), len(bill["packages"]), "ids are unique")
        kinds = {}
        for relation in bill["relationships"]:
            ends = {relation["spdxElementId"], relation["relatedSpdxElement"]} - {"SPDXRef-DOCUMENT", "SPDXRef-AutoPrivacy"}
            kinds.setdefault(relation["relationshipType"], set()).update(by_id[end]["name"] for end in ends)
        self.assertLessEqual({"libsodium23", "libssl3", "libtbb12", "libc6"}, kinds["DEPENDS_ON"])
        self.assertLessEqual({"cmake", "libeigen3-dev", "libcli11-dev"}, kinds["BUILD_DEPENDENCY_OF"])
        for entry in bill["packages"]:
            self.assertTrue(entry["versionInfo"], entry["name"])

    def test_sources_are_those_of_git(self):
        names = text_of("tar", "-tzf", self.named("autoprivacy-*.tar.gz")).splitlines()
        tracked = text_of("git", "ls-tree", "-r", "--name-only", "HEAD", cwd=ROOT).splitlines()
        files = {re.sub(r"^autoprivacy-[\d.]+/", "", name) for name in names if not name.endswith("/")}
        self.assertEqual(files, set(tracked))

    @unittest.skipUnless((BUILD.parent / "wasm" / "npm" / "client" / "program.wasm").is_file(), "the client for browsers is not built")
    def test_page_is_a_package_for_every_machine(self):
        package = self.named("autoprivacy-web_*_all.deb")
        content = text_of("dpkg-deb", "--contents", package)
        self.assertIn("./usr/share/autoprivacy/web/client/program.wasm\n", content)
        self.assertIn("./usr/share/autoprivacy/web/index.html\n", content)
        self.assertNotIn("CMake", content)
        self.assertNotIn("cmake", content)

    @unittest.skipUnless((BUILD / "python" / "autoprivacy").is_dir(), "the module for Python is not built (AP_PYTHON)")
    def test_wheel_installs_without_a_network(self):
        wheel = self.named("autoprivacy-*.whl")
        self.assertRegex(wheel.name, r"^autoprivacy-[\d.]+-cp3\d+-cp3\d+-linux_\w+\.whl$")
        with zipfile.ZipFile(wheel) as archive:
            self.assertIsNone(archive.testzip())
            record = archive.read(next(n for n in archive.namelist() if n.endswith("/RECORD"))).decode()
            self.assertEqual(len(record.splitlines()), len(archive.namelist()))
        with tempfile.TemporaryDirectory() as folder:
            text_of("/usr/bin/python3", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", folder, wheel)
            script = "import autoprivacy; print(autoprivacy.__version__)"
            version = text_of("/usr/bin/python3", "-c", script, cwd=folder, env={**os.environ, "PYTHONPATH": folder})
            self.assertRegex(version, r"^\d+\.\d+\.\d+$")


if __name__ == "__main__":
    if not shutil.which("dpkg-shlibdeps") or not shutil.which("dpkg-deb"):
        print("no dpkg-shlibdeps; install dpkg-dev")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1], verbosity=2)
