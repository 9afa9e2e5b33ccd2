"""Example 2, the owner of the images: another process, as on another machine.

usage: 2_client.py wss://HOST:PORT CLIENT.apm CERTIFICATE.pem IMAGES
"""

import sys

import autoprivacy as ap

url, package, certificate, folder = sys.argv[1:]
test = ap.images(f"mnist:{folder}")
try:
    with ap.Client(package).connect(url, trust=certificate, deadline=30) as client:
        answers = client.classify(test.array[:5])  # a list; a bar appears where a person can see it
    for i, answer in enumerate(answers):
        print(f"image {i}: class {answer.label}, score {answer.scores.max():.2f}, right is {test.labels[i]}")
except ap.Error as error:  # one sentence, and whose fault it is
    print(error, file=sys.stderr)
    sys.exit(error.code)
