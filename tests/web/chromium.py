"""Headless Chromium, driven over a pipe by its DevTools protocol: no package of Python is needed for that."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 180  # seconds for one answer


def program():
    return next((path for path in map(shutil.which, NAMES) if path), None)


def key_pin(certificate):
    """What --ignore-certificate-errors-spki-list takes: the base64 SHA-256 of a PEM certificate's public key."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=key, check=True, capture_output=True).stdout
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-binary"], input=der, check=True, capture_output=True).stdout
    return base64.b64encode(digest).decode()


class Chromium:
    """A browser that trusts one self-signed certificate, as a person does who accepts it."""

    def __init__(self, certificate):
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        into_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        command = [program(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
                   f"--user-data-dir={self._folder.name}",
                   f"--ignore-certificate-errors-spki-list={key_pin(certificate)}", "about:blank"]  # fmt: skip
        # The pipe's ends are descriptors 3 and 4 of the browser.
        shell = f'exec "$@" 3<&{into_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(["bash", "-c", shell, "bash", *command], pass_fds=(into_browser, from_browser),
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        os.close(into_browser)
        os.close(from_browser)
        self._buffer = b""
        self._next = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        os.close(self._write)
        self._folder.cleanup()

    def call(self, method, session=None, **parameters):
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data):]
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._message(until)
            if answer.get("id") == self._next:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _message(self, until):
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, until - time.monotonic()))
            assert ready, f"Chromium did not answer within {PATIENCE} s"
            block = os.read(self._read, 1 << 20)
            assert block, "Chromium has ended"
            self._buffer += block
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def page(self, url, width=1280, height=900, dark=False):
        return Page(self, url, width, height, dark)


class Page:
    """A tab of a size and a colour scheme; `violations` and `errors` are what the browser complains of."""

    def __init__(self, browser, url, width, height, dark):
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._target = target
        for domain in ("Page", "Runtime", "Log", "Audits"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])  # fmt: skip
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def run(self, expression):
        """The value of an expression of JavaScript, awaited if it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, condition, seconds=60):
        until = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < until, f"not within {seconds} s: {condition}\n{self.run('document.body?.innerText')}"
            time.sleep(0.02)

    def key(self, key, code=None, text=None):
        names = {"key": key, "code": code or key, **({"text": text} if text else {})}
        self.call("Input.dispatchKeyEvent", type="keyDown", **names)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code or key)

    def screenshot(self, file):
        height = self.run("document.documentElement.scrollHeight")
        width = self.run("document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        file.write_bytes(base64.b64decode(data))

    def complaints(self):
        """Violations of the content policy, exceptions and errors of the console, as text."""
        self.run("1")  # whatever is under way has arrived
        found = []
        for event in self._browser.events:
            if event.get("sessionId") != self._session:
                continue
            details = event.get("params", {})
            if event["method"] == "Audits.issueAdded":
                found.append(details["issue"])
            elif event["method"] == "Runtime.exceptionThrown":
                found.append(details["exceptionDetails"])
            elif event["method"] == "Log.entryAdded" and details["entry"]["level"] == "error":
                found.append(details["entry"])
        return [json.dumps(item) for item in found]

    def close(self):
        self._browser.call("Target.closeTarget", targetId=self._target)
