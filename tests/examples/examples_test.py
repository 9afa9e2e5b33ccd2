"""Runs one example as its first lines say and looks at what it prints.

usage: examples_test.py NUMBER BUILD_FOLDER IMAGES
Ends with 77 if there are no images.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

MODEL = pathlib.Path(__file__).resolve().parents[2] / "models" / "fashion_mnist.onnx"
SKIPPED = 77
PATIENCE = 240  # seconds for one program


def output(program, *arguments):
    done = subprocess.run([str(program), *map(str, arguments)], stdout=subprocess.PIPE, text=True, timeout=PATIENCE)
    print(done.stdout, flush=True)
    assert done.returncode == 0, f"{program} ends with {done.returncode}"
    return done.stdout


def classify_locally(build, images, _):
    text = output(build / "example_1_classify_locally", MODEL, images)
    # All of the first ten test images but at most one are easy for this network.
    assert int(re.search(r"^(\d+) of 10 are right$", text, re.MULTILINE)[1]) >= 9
    assert re.search(r"^image 0: Ankle boot ", text, re.MULTILINE)


def two_processes(build, images, folder):
    command = [build / "example_2_server", MODEL, images, folder]
    with subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        url = server.stdout.readline().strip()
        assert url.startswith("wss://127.0.0.1:"), url
        text = output(build / "example_2_client", url, folder / "client.apm", folder / "certificate.pem", images)
        last_words, _ = server.communicate(timeout=PATIENCE)
    assert server.returncode == 0 and "answered 5 inferences" in last_words, last_words
    classes = re.findall(r"^image \d: class (\d), score [\d.]+, right is (\d)$", text, re.MULTILINE)
    assert len(classes) == 5 and all(found == right for found, right in classes), text
    assert (folder / "server.apm.ledger").is_file()
    assert (folder / "server.apm").stat().st_mode & 0o077 == 0


def choose_policy(build, images, _):
    text = output(build / "example_3_choose_policy", MODEL, images)
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.startswith(("exact", "budget"))}
    assert set(rows) == {"exact", "budget"}, text
    megabytes = {policy: float(row[3]) for policy, row in rows.items()}
    assert megabytes["budget"] < megabytes["exact"], "errors are allowed for the sake of fewer bytes"
    assert float(rows["exact"][-2]) >= 99, "exact keeps the labels"


def prepare_ahead(build, images, folder):
    text = output(build / "example_4_prepare_ahead", MODEL, images, folder)
    # The first four test images are an ankle boot, a pullover and two trousers.
    assert re.findall(r"class (\d)", text) == ["9", "2", "1", "1"], text
    assert text.count("prepared in an earlier session") == 1 and "1 inferences are stored" in text
    assert not list((folder / "client-store").glob("*.material")), "the stored half is used up"


def main(number, build, images):
    if not images.is_dir():
        print(f"no images in {images}; install dataset-fashion-mnist")
        return SKIPPED
    examples = {"1": classify_locally, "2": two_processes, "3": choose_policy, "4": prepare_ahead}
    with tempfile.TemporaryDirectory(prefix="autoprivacy-example-") as folder:
        examples[number](build, images, pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])))
