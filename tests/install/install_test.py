"""Installs the library into an empty folder and builds and runs a program against it, outside of this project.

usage: install_test.py BUILD_FOLDER IMAGES
Ends with 77 if there are no images.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODEL = ROOT / "models" / "fashion_mnist.onnx"
SKIPPED = 77
# What a public header may include besides the other public headers.
STANDARD = {"chrono", "cstddef", "cstdint", "filesystem", "functional", "limits", "memory", "optional", "span",
            "stdexcept", "string", "vector"}  # fmt: skip


def run(*command, **options):
    print("$", *command, flush=True)
    return subprocess.run([str(part) for part in command], check=True, **options)


def check_headers(folder):
    headers = sorted(folder.glob("*.h"))
    assert "autoprivacy.h" in [header.name for header in headers], headers
    umbrella = (folder / "autoprivacy.h").read_text()
    for header in headers:
        if header.name not in {"autoprivacy.h"}:
            assert f'"autoprivacy/{header.name}"' in umbrella, f"autoprivacy.h leaves out {header.name}"
        for name in re.findall(r"^\s*#\s*include\s*<([^>]+)>", header.read_text(), re.MULTILINE):
            assert name in STANDARD, f"{header.name} includes <{name}>"
        for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', header.read_text(), re.MULTILINE):
            assert (folder.parent / name).is_file(), f"{header.name} includes {name}, which is not installed"


def check_symbols(library):
    """The library exports the public namespace and nothing else."""
    text = run("nm", "--dynamic", "--defined-only", "--demangle", library, capture_output=True, text=True).stdout
    names = [line.split(" ", 2)[2] for line in text.splitlines()]
    strangers = [n for n in names if not re.match(r"((typeinfo( name)?|vtable) for )?autoprivacy::", n)]
    assert not strangers, f"exported besides: {strangers[:10]}"
    assert "autoprivacy::version()" in names


def main(build, images):
    with tempfile.TemporaryDirectory(prefix="autoprivacy-install-") as name:
        folder = pathlib.Path(name)
        prefix = folder / "prefix"
        for component in ("library", "development"):
            run("cmake", "--install", build, "--prefix", prefix, "--component", component, stdout=subprocess.DEVNULL)
        check_headers(prefix / "include" / "autoprivacy")
        library = next(prefix.rglob("libautoprivacy.so"))
        check_symbols(library)

        run("cmake", "-S", HERE / "consumer", "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}",
            stdout=subprocess.DEVNULL)  # fmt: skip
        run("cmake", "--build", folder / "build", stdout=subprocess.DEVNULL)

        environment = {**os.environ, "PKG_CONFIG_PATH": str(next(prefix.rglob("pkgconfig"))),
                       "LD_LIBRARY_PATH": str(library.parent)}  # fmt: skip
        flags = run("pkg-config", "--cflags", "--libs", "autoprivacy", env=environment, capture_output=True,
                    text=True).stdout.split()  # fmt: skip
        by_pkg_config = folder / "by_pkg_config"
        run("c++", HERE / "consumer" / "main.cc", "-o", by_pkg_config, *flags)

        if not images.is_dir():
            print(f"no images in {images}; install dataset-fashion-mnist")
            return SKIPPED
        run(folder / "build" / "consumer", MODEL, images)
        run(by_pkg_config, MODEL, images, env=environment)
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
