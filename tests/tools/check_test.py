"""Tests of tools/check-layers, tools/check-size and tools/summarise-tests on small trees made for the purpose."""

import json
import pathlib
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
    def check(self):
        return self.run_tool("check-layers", self.root)

    def test_includes_of_lower_levels_and_of_the_own_module_pass(self):
        self.write("src/base/error.h", "#include <string>\n")
        self.write("src/bfv/keys.h", '#include "base/error.h"\n#include "bfv/context.h"\n#include "ring/ntt.h"\n')
        self.write("src/cli/main.cc", '#include "service/server.h"\n')
        self.assertEqual(self.check(), (0, []))

    def test_an_upward_include_is_one_clear_line(self):
        self.write("src/ring/ntt.h", '#include "base/error.h"\n\n  # include "bfv/context.h"\n')
        status, lines = self.check()
        self.assertEqual(status, 1)
        self.assertEqual(
            lines, ['src/ring/ntt.h:3: #include "bfv/context.h": bfv (level 3) stands above ring (level 1)']
        )

    def test_neighbours_are_strangers(self):
        self.write("src/linear/a.cc", '#include "nonlinear/b.h"\n')
        status, lines = self.check()
        self.assertEqual((status, len(lines)), (1, 1))
        self.assertIn("stands beside", lines[0])

    def test_ring_may_use_random_but_not_the_reverse(self):
        self.write("src/ring/a.cc", '#include "random/prng.h"\n')
        self.assertEqual(self.check()[0], 0)
        self.write("src/random/a.cc", '#include "ring/ntt.h"\n')
        self.assertEqual(self.check()[0], 1)

    def test_every_violation_is_reported(self):
        self.write("src/base/a.h", '#include "nn/graph.h"\n#include "cli/main.h"\n')
        self.write("src/noise/b.cc", '#include "plan/plan.h"\n')
        self.assertEqual(len(self.check()[1]), 3)

    def test_unknown_modules_and_bare_includes_are_refused(self):
        self.write("src/attic/a.h", "\n")
        self.write("src/base/b.h", '#include "attic/a.h"\n#include "c.h"\n')
        status, lines = self.check()
        self.assertEqual((status, len(lines)), (1, 3))

    def test_comments_are_not_includes(self):
        self.write("src/base/a.h", '// #include "cli/main.h"\n')
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
