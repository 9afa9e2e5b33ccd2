#!/usr/bin/env python3
"""What the client in headless Chromium takes, against a server on the same machine: seconds of preparation and with the
picture, bytes, messages, and what the page loads. Medians, as JSON. Pictures are noise: no figure depends on them.

usage: bench/browser.py BUILD_FOLDER PACKAGE_FOLDER [COUNT]     PACKAGE_FOLDER has server.apm
"""

import gzip
import json
import os
import pathlib
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]

MEASURE = """(async (count) => {
  const { AutoPrivacy } = await import('/client/autoprivacy.js');
  const begun = performance.now();
  const client = await AutoPrivacy.connect('/', { package: '/client.apm' });
  const connected = performance.now() - begun;
  const { width, height } = client.network.input;
  const answers = [];
  for (let i = 0; i < count; ++i) {
    const image = new ImageData(width, height);
    for (let at = 0; at < image.data.length; ++at) image.data[at] = at % 4 === 3 ? 255 : 256 * Math.random();
    const start = performance.now();
    await client.prepare(1);
    const preparation = performance.now() - start;
    answers.push({ ...await client.classify(image), preparation });
  }
  await client.close();
  return { connected, answers };
})"""


def main():
    build, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 9
    os.environ["AUTOPRIVACY_BUILD"] = str(build.resolve())
    sys.path[:0] = [str(ROOT / "tests" / "operation"), str(ROOT / "tests" / "web")]
    import chromium
    from program import serving

    site = build.resolve().parent / "wasm" / "web"
    loaded = {str(file.relative_to(site)): len(gzip.compress(file.read_bytes(), 9)) for file in site.rglob("*") if file.is_file()}
    with tempfile.NamedTemporaryFile(suffix=".pem") as certificate:
        with serving("--web", site, "--write-cert", certificate.name, package=folder / "server.apm") as (_, said):
            with chromium.Chromium(certificate.name) as browser:
                page = browser.page(f"https://{said['address']}/client/frames.js")
                result = page.run(f"{MEASURE}({count})")
                package = page.run("(async () => (await (await fetch('/client.apm')).arrayBuffer(), "
                                   "performance.getEntriesByName(new URL('/client.apm', location.href).href).at(-1).encodedBodySize))()")  # fmt: skip
    # The first inference of a session does the base transfers of it, and finds code that is not optimised yet.
    rest = result["answers"][1:] or result["answers"]
    median = lambda key: statistics.median(map(key, rest))  # noqa: E731
    print(json.dumps({
        "connect_s": result["connected"] / 1e3,
        "first_prepare_s": result["answers"][0]["preparation"] / 1e3,
        "prepare_s": median(lambda a: a["preparation"]) / 1e3,
        "online_s": median(lambda a: a["milliseconds"]) / 1e3,
        "bytes_up": median(lambda a: a["offline"]["up"] + a["online"]["up"]),
        "bytes_down": median(lambda a: a["offline"]["down"] + a["online"]["down"]),
        "online_messages": median(lambda a: a["messages"]["up"] + a["messages"]["down"]),
        "package_compressed_bytes": package,
        "program_compressed_bytes": sum(loaded.values()),
        "inferences": len(rest),
    }, indent=2))  # fmt: skip


if __name__ == "__main__":
    main()
