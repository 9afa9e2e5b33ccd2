"""What pip calls to make a wheel from this tree (PEP 517): CMake builds the extension module. Needs no network: what it is
built with are the system's packages (tools/install-dependencies).

AUTOPRIVACY_BUILD names a build folder that is to be used; without it one is made and thrown away.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import wheel as writer

ROOT = pathlib.Path(__file__).resolve().parents[2]


def version():
    return re.search(r"project\(autoprivacy VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


def build(folder):
    """Configures for this Python, and builds the module."""
    options = ["-DAP_PYTHON=ON", "-DAP_TESTS=OFF", "-DAP_BENCH=OFF", "-DAP_LIBRARY=ON", "-DAP_TORCH=OFF"]
    if not (folder / "CMakeCache.txt").exists():
        command = ["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", *options,
                   f"-DPython_EXECUTABLE={sys.executable}"]  # fmt: skip
        subprocess.run(command, check=True)
    subprocess.run(["cmake", "--build", folder, "--target", "python_core"], check=True)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with tempfile.TemporaryDirectory(prefix="autoprivacy-wheel-") as scratch:
        folder = pathlib.Path(os.environ.get("AUTOPRIVACY_BUILD") or scratch)
        build(folder)
        description = (ROOT / "docs" / "python.md").read_text()
        return writer.write(folder / "python", version(), pathlib.Path(wheel_directory), description).name


def build_sdist(sdist_directory, config_settings=None):
    """The sources as git has them."""
    name = f"autoprivacy-{version()}"
    out = pathlib.Path(sdist_directory) / f"{name}.tar.gz"
    subprocess.run(["git", "archive", "--format=tar.gz", f"--prefix={name}/", "-o", out, "HEAD"], cwd=ROOT, check=True)
    return out.name
