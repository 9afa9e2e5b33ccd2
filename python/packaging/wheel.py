"""Writes a folder of the module as a wheel (PEP 427): the same bytes whenever the same files go in.

usage: wheel.py FOLDER VERSION OUT     FOLDER holds autoprivacy/ with the extension module; prints the wheel's path
"""

import base64
import csv
import hashlib
import io
import os
import pathlib
import sys
import sysconfig
import time
import zipfile

NAME = "autoprivacy"
EPOCH = 315_532_800  # 1980-01-01: a zip knows nothing earlier


def tag():
    """The Python and the system that the extension module is for. It uses the system's libraries, so it is no `manylinux`."""
    python = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    return f"{python}-{python}-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def metadata(version, description):
    return (
        f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n"
        "Summary: Private neural-network inference: the server sees no image, the client no weight\n"
        "License: Apache-2.0\nRequires-Python: >=3.9\nRequires-Dist: numpy\n"
        "Classifier: Operating System :: POSIX :: Linux\nClassifier: Programming Language :: C++\n"
        f"Description-Content-Type: text/markdown\n\n{description}"
    )


def write(folder, version, out, description=""):
    """The path of the wheel."""
    stamp = time.gmtime(max(EPOCH, int(os.environ.get("SOURCE_DATE_EPOCH", EPOCH))))[:6]
    info = f"{NAME}-{version}.dist-info"
    files = {}
    for path in sorted((folder / NAME).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
    if not any(name.startswith(f"{NAME}/_core") and name.endswith(".so") for name in files):
        raise SystemExit(f"wheel.py: there is no extension module in {folder / NAME}; build the target python_core")
    files[f"{info}/METADATA"] = metadata(version, description).encode()
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: {NAME}\nRoot-Is-Purelib: false\nTag: {tag()}\n"
    ).encode()
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.writerow([name, f"sha256={digest}", len(content)])
    rows.writerow([f"{info}/RECORD", "", ""])
    files[f"{info}/RECORD"] = record.getvalue().encode()
    wheel = out / f"{NAME}-{version}-{tag()}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            archive.writestr(entry, content)
    return wheel


if __name__ == "__main__":
    print(write(pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])))
