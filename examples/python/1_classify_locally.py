"""Example 1: everything in one process. Compiles a network, serves it on this machine, and classifies ten images that the
server never sees.

usage: 1_classify_locally.py MODEL.onnx IMAGES   (models/fashion_mnist.onnx /usr/share/datasets/fashion-mnist)
"""

import sys

import autoprivacy as ap

NAMES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]

model, folder = sys.argv[1:]
train, test = ap.images(f"mnist-train:{folder}"), ap.images(f"mnist:{folder}")

# Compiling needs typical images and how their pixels become numbers, as models/README.md says of this network. All
# cryptographic parameters are chosen here.
plan = ap.compile(model, train.array[:128], "scale=255 mean=0.2860 std=0.3530", class_names=NAMES)
print(f"compiled in {plan.seconds:.1f} s: {plan.summary()}")

# The server holds the weights. Inferences are counted in a file (example 2); here a restart may forget them, because the
# only client is the owner of the network. The client holds what is public, and trusts this server's certificate alone.
with ap.Server(plan, count_in_memory=True) as server:
    with ap.Client(plan).connect(server.url, trust=server.fingerprint) as client:
        right = 0
        for i, (image, label) in enumerate(zip(test.array[:10], test.labels)):
            answer = client.classify(image)
            cost = [answer.report.offline, answer.report.online]
            right += answer.label == label
            print(
                f"image {i}: {answer.name:<11}  {sum(c.seconds for c in cost):.3f} s, "
                f"{sum(c.bytes_up + c.bytes_down for c in cost) / 1e6:.2f} MB"
            )
print(f"{right} of 10 are right")
