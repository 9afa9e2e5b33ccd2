"""Tests of tools/check-layers, check-size, check-format and summarise-tests on small trees made for the purpose."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent.parent.parent / "tools"


class ToolTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "src").mkdir()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_tool(self, name, *arguments):
        """The exit status and the lines printed."""
        done = subprocess.run(
            [sys.executable, str(TOOLS / name), *map(str, arguments)], capture_output=True, text=True, check=False
        )
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout.splitlines()


class CheckLayers(ToolTest):
    HOUSE = """# lowest first
ap_module(base fmt::fmt)
ap_module(ring base)
ap_module(he/bfv base ring)
if(AP_TORCH)
  ap_module(app base he/bfv OpenSSL::Crypto
            Threads::Threads)
endif()
"""

    def setUp(self):
        super().setUp()
        self.write("src/CMakeLists.txt", self.HOUSE)
        self.write("src/base/error.h", "#include <string>\n#include <fmt/format.h>\n")
        self.write("src/ring/ntt.h", '#include "base/error.h"\n')
        self.write("src/he/bfv/keys.h", '#include "base/error.h"\n#include "he/bfv/text.h"\n#include "ring/ntt.h"\n')
        self.write("src/app/serve.cc", '#include "base/error.h"\n#include "he/bfv/keys.h"\n#include <openssl/evp.h>\n')

    def check(self):
        return self.run_tool("check-layers", self.root)

    def test_declared_includes_of_lower_folders_pass(self):
        self.assertEqual(self.check(), (0, []))

    def test_an_upward_include_is_one_clear_line(self):
        self.write("src/ring/ntt.h", '#include "base/error.h"\n\n  # include "he/bfv/keys.h"\n')
        self.assertEqual(self.check(), (1, ['src/ring/ntt.h:3: "he/bfv/keys.h": he/bfv stands above ring']))

    def test_what_is_included_is_declared(self):
        self.write("src/app/serve.cc", '#include "base/error.h"\n#include "he/bfv/keys.h"\n#include "ring/ntt.h"\n')
        self.write("src/base/json.h", "#include <nlohmann/json.hpp>\n")
        self.assertEqual(
            self.check(),
            (
                1,
                [
                    'src/app/serve.cc:3: "ring/ntt.h": app does not declare that it uses ring',
                    "src/base/json.h:1: <nlohmann/json.hpp>: base does not declare that it uses "
                    "nlohmann_json::nlohmann_json",
                ],
            ),
        )

    def test_what_is_declared_is_included(self):
        self.write("src/base/error.h", "#include <string>\n")
        self.write("src/he/bfv/keys.h", '#include "base/error.h"\n')
        self.assertEqual(
            self.check(),
            (
                1,
                [
                    "src/CMakeLists.txt: base declares fmt::fmt and includes nothing of it",
                    "src/CMakeLists.txt: he/bfv declares ring and includes nothing of it",
                ],
            ),
        )

    def test_a_folder_uses_only_folders_declared_before_it(self):
        self.write("src/CMakeLists.txt", "ap_module(ring base)\nap_module(base fmt::fmt)\n" + self.HOUSE[62:])
        self.assertIn("src/CMakeLists.txt: ring is declared before base, which it uses", self.check()[1])

    def test_unknown_folders_and_bare_includes_are_refused(self):
        self.write("src/attic/a.h", "#include <string>\n")
        self.write("src/base/b.h", '#include "attic/a.h"\n#include "c.h"\n')
        status, lines = self.check()
        self.assertEqual((status, len(lines)), (1, 3))

    def test_comments_are_not_includes(self):
        self.write("src/base/a.h", '// #include "app/main.h"\n')
        self.assertEqual(self.check(), (0, []))


class CheckSize(ToolTest):
    def check(self, lines):
        self.write("src/base/a.cc", "x\n" * lines)
        return self.run_tool("check-size", self.root)

    def test_limits(self):
        self.assertEqual(self.check(500), (0, []))
        status, lines = self.check(501)
        self.assertEqual((status, len(lines)), (0, 1))
        self.assertEqual(self.check(800)[0], 0)
        status, lines = self.check(801)
        self.assertEqual(status, 1)
        self.assertIn("src/base/a.cc: 801 lines", lines[0])


class CheckFormat(ToolTest):
    def setUp(self):
        super().setUp()
        if not shutil.which("clang-format-14"):
            self.skipTest("clang-format-14 is not installed")
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("src/base/a.h", "int a();\n")

    def test_names_what_is_not_formatted(self):
        self.assertEqual(self.run_tool("check-format", self.root), (0, []))
        self.write("tests/base/a_test.cc", "int  a( );\nint  b( );\n")
        line = "tests/base/a_test.cc: not formatted; run tools/check-format --fix"
        self.assertEqual(self.run_tool("check-format", self.root), (1, [line]))

    def test_fix_formats(self):
        self.write("src/base/b.cc", "int  b( );\n")
        self.assertEqual(self.run_tool("check-format", "--fix", self.root), (0, ["src/base/b.cc: formatted"]))
        self.assertEqual((self.root / "src/base/b.cc").read_text(), "int b();\n")
        self.assertEqual(self.run_tool("check-format", self.root), (0, []))


class SummariseTests(ToolTest):
    def results(self, *tests):
        suites = {"testsuites": [{"name": "Suite", "testsuite": list(tests)}]}
        self.write("release/results/test_x.json", json.dumps(suites))
        return self.run_tool("summarise-tests", self.root / "release/results")

    def test_counts_and_names(self):
        passed = {"name": "A", "status": "RUN", "result": "COMPLETED"}
        skipped = {"name": "B", "status": "RUN", "result": "SKIPPED"}
        failed = {"name": "C", "status": "RUN", "result": "COMPLETED", "failures": [{"failure": "x"}]}
        disabled = {"name": "D", "status": "NOTRUN", "result": "SUPPRESSED"}
        self.assertEqual(
            self.results(passed, passed, skipped, disabled),
            (0, ["skipped: release/test_x: Suite.B", "2 passed, 0 failed, 1 skipped"]),
        )
        self.assertEqual(
            self.results(passed, failed), (1, ["failed: release/test_x: Suite.C", "1 passed, 1 failed, 0 skipped"])
        )

    def test_running_nothing_is_a_failure(self):
        self.assertEqual(self.results(), (1, ["0 passed, 0 failed, 0 skipped"]))


if __name__ == "__main__":
    unittest.main()
