"""Example 2, the owner of the network: compiles, writes the packages, and serves until Ctrl-C or end of input.

usage: 2_server.py MODEL.onnx IMAGES DIRECTORY   then 2_client.py with the address that it prints
"""

import logging
import pathlib
import sys

import autoprivacy as ap

model, folder, directory = sys.argv[1:]
logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)  # on standard error

train = ap.images(f"mnist-train:{folder}")
ap.compile(model, train.array[:128], "scale=255 mean=0.2860 std=0.3530").write(directory)

# server.apm holds the weights and stays here; client.apm and the certificate go to the clients. Prepared inferences are
# counted in server.apm.ledger, on which the promise rests that the weights stay private.
with ap.Server(pathlib.Path(directory) / "server.apm") as server:
    (pathlib.Path(directory) / "certificate.pem").write_text(server.certificate_pem)
    print(server.url, flush=True)
    sys.stdin.read()
print(f"answered {server.inferences} inferences")
