"""The client in headless Chromium against a server: its answers are the native client's, the server sees the same
messages, and the page keeps its own content policy. AUTOPRIVACY_SCREENSHOTS names a folder for pictures of the page."""

import base64
import gzip
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "operation"))
import chromium  # noqa: E402
from program import IMAGES, PROGRAM, ROOT, compile_into, run, serving  # noqa: E402
from proxy import Proxy  # noqa: E402

SITE = pathlib.Path(os.environ.get("AUTOPRIVACY_WEB", PROGRAM.parent.parent / "wasm" / "web"))
DATA = pathlib.Path(os.environ.get("AUTOPRIVACY_DATA", ROOT.parent / "shared" / "data"))
COUNT = 5

# Classifies pictures (base64 of grey pixels, one after another) with a client of its own.
CLASSIFY = """(async (pixels, side, url) => {
  const { AutoPrivacy } = await import('/client/autoprivacy.js');
  const grey = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));
  const frames = [];
  const client = await AutoPrivacy.connect(url, { package: '/client.apm', onTraffic: (seen) => frames.push(...seen) });
  const answers = [];
  for (let at = 0; at < grey.length; at += side * side) {
    const image = new ImageData(side, side);
    for (let i = 0; i < image.data.length; ++i) image.data[i] = i % 4 === 3 ? 255 : grey[at + (i >> 2)];
    await client.prepare(1);
    answers.push(await client.classify(image));
  }
  await client.close();
  const bytes = (way) => frames.filter((f) => f.direction === way).reduce((sum, f) => sum + f.bytes, 0);
  return { answers, network: client.network, masked: frames.some((f) => f.masked), sent: bytes('up'), received: bytes('down') };
})"""


def pixels_of(folder, count):
    """The first images of an idx file."""
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        _, _, height, width = struct.unpack(">IIII", file.read(16))
        return file.read(count * height * width), width


def needed():
    """What is missing, in words; empty if nothing is."""
    if not chromium.program():
        return "missing chromium, in which the client runs"
    if not (SITE / "client" / "program.wasm").is_file():
        return f"missing {SITE}; build it with: cmake --preset wasm && cmake --build --preset wasm --target web"
    return "" if IMAGES.is_dir() else f"no images in {IMAGES}; install dataset-fashion-mnist"


@unittest.skipIf(needed(), needed())
class Browser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        compile_into(cls.folder, "--activation", "ot", "--labels", ROOT / "models" / "fashion_mnist.labels")
        certificate = cls.folder / "certificate.pem"
        cls.server, cls.said = cls.enterClassContext(serving_page(cls.folder, certificate))
        cls.browser = cls.enterClassContext(chromium.Chromium(certificate))
        cls.port = int(cls.said["address"].rsplit(":", 1)[1])

    @classmethod
    def enterClassContext(cls, context):  # of Python 3.11, which Debian 12 has, under this name too
        value = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        return value

    def native(self, folder, url, fingerprint, data, count=COUNT):
        done = run("infer", folder / "client.apm", "--server", url, "--trust", fingerprint, "--data", data, "--first", count,
                   "--check", folder / "server.apm", "--json")  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def classify(self, page, images, side, url="/"):
        return page.run(f"{CLASSIFY}({json.dumps(base64.b64encode(images).decode())}, {side}, {json.dumps(url)})")

    def compare(self, answers, native, logit_error):
        """The browser's labels are those of the clear network, its logits as far off as the native client's."""
        self.assertEqual(native["agree_clear"], 1)
        self.assertEqual([answer["label"] for answer in answers], native["labels"])
        for mine, theirs in zip(answers, native["answers"]):
            step = next(s / l for s, l in zip(mine["scores"], mine["logits"]) if l != 0)
            for a, b in zip(mine["scores"], theirs["scores"]):
                self.assertLessEqual(abs(a - b), (logit_error + native["max_abs_logit_error"]) * step * 1.001)

    def test_answers_and_messages_are_those_of_the_native_client(self):
        images, side = pixels_of(IMAGES, COUNT)
        with Proxy(self.port, self.folder / "server.apm.identity") as proxy:
            url = f"wss://127.0.0.1:{proxy.port}"
            native = self.native(self.folder, url, self.said["certificate_sha256"], f"mnist:{IMAGES}")
            page = self.browser.page(f"https://127.0.0.1:{proxy.port}/")
            page.wait_for("document.getElementById('status').textContent.startsWith('Prepared')")
            before = len(proxy.sessions())
            seen = self.classify(page, images, side)
            self.compare(seen["answers"], native, native["max_abs_logit_error"])
            (native_up, native_down), (up, down) = proxy.sessions()[0], proxy.sessions()[before]
            self.assertGreater(len(native_up.messages), 20)
            self.assertEqual(up.messages, native_up.messages)
            self.assertEqual(down.messages, native_down.messages)
            self.assertEqual(seen["received"], sum(size for _, size in down.messages))
            goodbye = 11  # sent when the page has stopped listening, perhaps
            self.assertIn(sum(size for _, size in up.messages) - seen["sent"], (0, goodbye))
            self.assertTrue(seen["masked"])
            for answer, cost in zip(seen["answers"], native["answers"]):
                self.assertGreater(answer["messages"]["up"], 0)
                self.assertEqual(answer["bytes"]["up"], answer["online"]["up"])
                self.assertEqual(answer["offline"]["up"], native["offline"]["bytes_up"])
                self.assertEqual(answer["online"]["down"], native["online"]["bytes_down"])
            self.assertEqual(page.complaints(), [])
            page.close()

    def test_digits(self):
        model, digits = DATA / "models" / "cnn_mnist_relu_maxpool.onnx", DATA / "mnist"
        if not model.is_file():
            self.skipTest(f"no {model}; set AUTOPRIVACY_DATA")
        folder = self.folder / "mnist"
        done = run("compile", model, "--calibrate", f"mnist-train:{digits}", "--normalize", "scale=127.5 mean=1 std=1", "--out",
                   folder, "--json")  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        images, side = pixels_of(digits, COUNT)
        certificate = folder / "certificate.pem"
        with serving_page(folder, certificate) as (_, said), chromium.Chromium(certificate) as browser:
            native = self.native(folder, f"wss://{said['address']}", said["certificate_sha256"], f"mnist:{digits}")
            page = browser.page(f"https://{said['address']}/")
            page.wait_for("document.getElementById('status').textContent.startsWith('Prepared')")
            self.compare(self.classify(page, images, side)["answers"], native, native["max_abs_logit_error"])
            self.assertEqual(page.complaints(), [])
            # A seven, drawn by keyboard.
            page.run("document.getElementById('pad').focus()")
            for key, times in (("ArrowLeft", 5), ("ArrowUp", 8), (" ", 1), ("ArrowRight", 10), ("ArrowDown", 1)):
                for _ in range(times):
                    page.key(key)
            for _ in range(15):
                page.key("ArrowDown")
                if _ % 2:
                    page.key("ArrowLeft")
            page.key("Enter")
            page.wait_for("document.documentElement.dataset.answers === '1'")
            self.assertEqual(page.run("document.getElementById('answer').textContent"), "7")
            self.shoot(page, "digits")

    def test_page_reads_well(self):
        for name, width, dark in (("phone", 390, False), ("desktop", 1280, False), ("dark", 1280, True), ("phone-dark", 390, True)):
            with self.subTest(name):
                page = self.browser.page(f"https://{self.said['address']}/", width, 844, dark)
                page.wait_for("document.getElementById('status').textContent.startsWith('Prepared')")
                images, side = pixels_of(IMAGES, 1)
                picture = f"""(async () => {{
                  const bytes = Uint8Array.from(atob('{base64.b64encode(images).decode()}'), (c) => c.charCodeAt(0));
                  const canvas = new OffscreenCanvas({side}, {side}), image = new ImageData({side}, {side});
                  for (let i = 0; i < image.data.length; ++i) image.data[i] = i % 4 === 3 ? 255 : bytes[i >> 2];
                  canvas.getContext('2d').putImageData(image, 0, 0);
                  const files = new DataTransfer();
                  files.items.add(new File([await canvas.convertToBlob()], 'boot.png', {{ type: 'image/png' }}));
                  document.getElementById('pad').dispatchEvent(new DragEvent('drop', {{ bubbles: true, dataTransfer: files }}));
                }})()"""
                page.run(picture)
                page.wait_for("document.getElementById('input').width > 0 && "
                              "document.getElementById('input').getContext('2d').getImageData(0, 0, 28, 28).data.some((v, i) => i % 4 < 3 && v > 0)")  # fmt: skip
                page.run("document.getElementById('classify').click()")
                page.wait_for("document.documentElement.dataset.answers === '1'")
                self.assertEqual(page.run("document.getElementById('answer').textContent"), "Ankle boot")
                self.assertRegex(page.run("document.getElementById('bytes-up').textContent"), r"^[\d.]+ [kM]B$")
                self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width)
                self.assertEqual(page.run("matchMedia('(prefers-color-scheme: dark)').matches"), dark)
                self.assertGreaterEqual(contrast(page.run("getComputedStyle(document.body).color"),
                                                 page.run("getComputedStyle(document.body).backgroundColor")), 7)  # fmt: skip
                unnamed = page.run("""[...document.querySelectorAll('button, input, canvas, svg[role]')].filter((e) =>
                  !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent)).map((e) => e.outerHTML)""")
                self.assertEqual(unnamed, [])
                small = page.run("""[...document.querySelectorAll('button, .button')].filter((e) =>
                  e.getBoundingClientRect().height < 44).map((e) => e.textContent)""")
                self.assertEqual(small, [])
                page.wait_for("document.querySelectorAll('#chart-online .bar').length > 1")
                self.assertGreater(page.run("document.querySelectorAll('#chart-offline .bar').length"), 1)
                self.assertNotEqual(page.run("document.getElementById('masked').width"), 300, "what was sent is shown")
                self.assertEqual(page.complaints(), [])
                self.shoot(page, name)
                page.close()

    def test_says_what_is_wrong(self):
        page = self.browser.page(f"https://{self.said['address']}/")
        failing = """(async (url, options) => {
          const { AutoPrivacy } = await import('/client/autoprivacy.js');
          try { await AutoPrivacy.connect(url, options); } catch (error) { return [error.code, error.message]; }
        })"""
        code, message = page.run(f"{failing}('/', {{ package: new Uint8Array(100) }})")
        self.assertEqual(code, "input")
        self.assertIn("is not an AutoPrivacy package", message)
        code, message = page.run(f"{failing}('/', {{ package: 'none.apm' }})")
        self.assertEqual(code, "peer")
        self.assertIn("status 404", message)
        code, message = page.run(f"{failing}('wss://127.0.0.1:1/', {{ package: 'client.apm' }})")
        self.assertEqual(code, "peer")
        self.assertIn("no connection to wss://127.0.0.1:1/", message)
        # A package of another compilation, which the server refuses with a sentence.
        other = self.folder / "other"
        compile_into(other, "--activation", "gc", "--uncompressed")
        package = base64.b64encode((other / "client.apm").read_bytes()).decode()
        code, message = page.run(f"{failing}('/', {{ package: Uint8Array.from(atob('{package}'), (c) => c.charCodeAt(0)) }})")
        self.assertEqual(code, "peer")
        self.assertIn("the server serves another package", message)

    def test_npm_package_is_whole(self):
        if not shutil.which("npm"):
            self.skipTest("missing npm, which packs the package")
        packed = subprocess.run(["npm", "pack", "--dry-run", "--json", "--offline", "--cache", self.folder / "npm-cache",
                                 SITE.parent / "npm"], capture_output=True, text=True)  # fmt: skip
        self.assertEqual(packed.returncode, 0, packed.stderr)
        (archive,) = json.loads(packed.stdout)
        files = {file["path"] for file in archive["files"]}
        client = {f"client/{name}" for name in ("autoprivacy.js", "autoprivacy.d.ts", "frames.js", "program.js", "program.wasm",
                                                "session.js", "socket.js")}  # fmt: skip
        self.assertEqual(files, {"package.json", "README.md", "LICENSE"} | client)
        self.assertLess(archive["size"], 3e6)

    def shoot(self, page, name):
        if folder := os.environ.get("AUTOPRIVACY_SCREENSHOTS"):
            page.screenshot(pathlib.Path(folder) / f"{name}.png")


def serving_page(folder, certificate):
    return serving("--web", SITE, "--write-cert", certificate, package=folder / "server.apm")


def contrast(one, other):
    """Of two colours as browsers write them (WCAG 2.1, relative luminance)."""

    def luminance(colour):
        parts = [int(v) / 255 for v in colour[colour.index("(") + 1:-1].split(",")[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


if __name__ == "__main__":
    unittest.main()
