"""Example 3: a module of PyTorch, an array of images and a policy that allows errors: what the errors cost and save.

usage: 3_torch_module.py
"""

import numpy as np
import torch
from torch import nn

import autoprivacy as ap

torch.manual_seed(0)
rng = np.random.default_rng(0)

# Bright blobs in one of four quarters of the image: learnt in a moment.
labels = rng.integers(0, 4, 1200)
images = rng.normal(0.2, 0.05, (1200, 1, 12, 12)).astype(np.float32)
for image, label in zip(images, labels):
    row, column = divmod(int(label), 2)
    image[0, 6 * row + 1 : 6 * row + 5, 6 * column + 1 : 6 * column + 5] += 0.4
module = nn.Sequential(
    nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 5 * 5, 4)
)
optimiser = torch.optim.Adam(module.parameters(), 0.01)
for _ in range(60):
    optimiser.zero_grad()
    nn.functional.cross_entropy(module(torch.from_numpy(images[:800])), torch.from_numpy(labels[:800])).backward()
    optimiser.step()

held_out = (images[800:1000], labels[800:1000])
for policy in ("exact", "budget"):
    plan = ap.compile(module, held_out, policy=policy)  # torch's exporter, in evaluation mode
    found = ap.simulate(plan, images[1000:], labels[1000:], progress=False)
    print(f"{policy}: {plan.summary()}; top-1 {found.top1:.3f} private, {found.top1_clear:.3f} in the clear")
print(f"audited: at least {ap.audit(plan).min_lambda_bits:.0f} bits")
