"""Example 4: most of the work needs no image. Prepares inferences before the images arrive: in the session that will use
them, and in a store that outlives it.

usage: 4_prepare_ahead.py MODEL.onnx IMAGES DIRECTORY
"""

import pathlib
import sys

import autoprivacy as ap

model, folder, directory = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
train, test = ap.images(f"mnist-train:{folder}"), ap.images(f"mnist:{folder}")


def show(what, answer):
    where = "an earlier session" if answer.report.from_store else "this session"
    print(f"{what:<20} class {answer.label}, {1e3 * answer.report.online.seconds:.1f} ms with the image, from {where}")


plan = ap.compile(model, train.array[:128], "scale=255 mean=0.2860 std=0.3530")
plan.write(directory)
with ap.Server(directory / "server.apm", store=directory / "server-store") as server:
    client = ap.Client(directory / "client.apm")
    options = {"trust": server.fingerprint, "store": directory / "client-store"}
    with client.connect(server.url, **options):
        show("nothing prepared:", client.classify(test.array[0]))
        client.prepare(2)
        print(f"{client.prepared} inferences wait in this session")
        show("prepared ahead:", client.classify(test.array[1]))
        show("prepared ahead:", client.classify(test.array[2]))
        # Each half is used once, whatever crashes: it is taken out of its store before anything is sent.
        print(f"{client.store(1)} inferences are stored")
    with client.connect(server.url, **options):
        show("in a later session:", client.classify(test.array[3]))
