"""Compiling: from a trained network to a plan with its two packages."""

from __future__ import annotations

import html
from typing import Any, List, Optional, Sequence, Tuple

from . import _core
from ._arrays import ArrayLike, Data, as_images
from ._client import Client
from ._errors import InputError
from ._models import model_of
from ._packages import Package, of_party
from ._progress import ProgressArgument, reporter
from ._server import Server

Link = Tuple[float, float]  # bits per second, seconds of a round trip


def _megabytes(count: float) -> str:
    return f"{count / 1e6:.2f} MB"


class Plan(_core.Compiled):
    """A compiled network: what was chosen, what it is predicted to cost, and the packages of both parties."""

    def table(self) -> List[Tuple[str, ...]]:
        """What was chosen for each layer, as rows of text; the first row is the head."""
        rows: List[Tuple[str, ...]] = [("layer", "operation", "N", "log2 q", "log2 p", "bits", "protocol", "bytes")]
        for layer in self.layers:
            linear = layer.linear
            numbers = (
                (f"{linear.ring_degree}", f"{linear.log2_q:.1f}", f"{linear.log2_p}", f"{linear.lambda_bits:.1f}")
                if linear
                else ("", "", "", "")
            )
            way = "he" if linear else layer.activation
            rows.append((layer.name, layer.operation, *numbers, way, _megabytes(layer.predicted_bytes)))
        return rows

    def summary(self) -> str:
        """What matters of it, in a sentence."""
        seconds = self.offline.seconds + self.online.seconds
        total = sum(c.bytes_up + c.bytes_down for c in (self.offline, self.online))
        return (
            f"{len(self.layers)} layers by policy {self.policy}, {self.min_lambda_bits:.1f} bits of security, "
            f"{seconds:.3f} s and {_megabytes(total)} an image"
        )

    def server(self, **options: Any) -> Server:
        """A server of this plan; options as of Server."""
        return Server(self, **options)

    def client(self) -> Client:
        """A client of this plan, which knows the client's package alone."""
        return Client(self)

    def __repr__(self) -> str:
        return f"<Plan {self.package_id[:8]}: {self.summary()}>"

    def _repr_html_(self) -> str:
        head, *rows = self.table()
        lines = ["<tr>" + "".join(f"<th>{html.escape(cell)}</th>" for cell in head) + "</tr>"]
        lines += ["<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
        return f"<p>{html.escape(self.summary())}</p><table>{''.join(lines)}</table>"


def compile(  # noqa: A001 (the word of the command line)
    model: Any,
    calibration: Data,
    normalize: str = "",
    *,
    labels: Optional[ArrayLike] = None,
    channels_last: bool = False,
    policy: str = "exact",
    max_accuracy_loss: Optional[float] = None,
    max_seconds: Optional[float] = None,
    activation: str = "auto",
    reveal: str = "logits",
    activation_bits: int = 0,
    privacy_inferences: int = 1 << 20,
    strict: bool = False,
    seed: int = 1,
    simulations: int = 60,
    class_names: Sequence[str] = (),
    framing: str = "",
    unit_costs: str = "",
    link: Optional[Link] = None,
    progress: ProgressArgument = None,
) -> Plan:
    """Chooses every parameter of a network and makes its two packages.

    `model` is the path or the bytes of an ONNX file, an onnx.ModelProto, or a torch.nn.Module, which torch exports.
    `calibration` are typical images, 128 or more, not those that accuracy is later measured with: an array
    (N x C x H x W, N x H x W of grey images, N x features; with `channels_last` N x H x W x C), a pair of images and
    labels, or the name of a data set such as "mnist-train:DIR". `normalize` says how they become the network's input:
    "scale=255 mean=0.5 std=0.25", input = (value / scale - mean) / std. The scale of floats is 1 unless it is given.
    The options are those of autoprivacy/compile.h. Raises InputError if something cannot be used, SecurityError if
    no parameters reach 128 bits. Takes seconds to minutes; other threads run, and Ctrl-C ends it.
    """
    images = as_images(calibration, labels, channels_last=channels_last, framing=framing)
    options = _core.CompileOptions()
    options.policy = policy
    options.max_accuracy_loss = max_accuracy_loss
    options.max_seconds = max_seconds
    options.activation = activation
    options.reveal = reveal
    options.activation_bits = activation_bits
    options.privacy_inferences = privacy_inferences
    options.strict = strict
    options.seed = seed
    options.simulations = simulations
    options.labels = list(class_names)
    options.framing = framing
    options.unit_costs = unit_costs
    options.link = None if link is None else _core.Link(*link)
    source = model_of(model, images.shape)
    told = reporter(progress)
    if isinstance(source, str):
        return Plan(_core.compile_file(source, images, normalize, options, told))
    data, name = source
    return Plan(_core.compile_bytes(data, name, images, normalize, options, told))


def audit(package: Package, *, cost_model: str = "matzov", publisher: str = "") -> _core.Audit:
    """How secure a package or plan is, computed anew from its parameters.

    Raises SecurityError if a layer has less than 128 bits, or the file is not signed by `publisher`.
    """
    in_memory, content = of_party(package, "client")
    if in_memory and publisher:
        raise InputError("a signature is a file beside a package; give the package's path, not its bytes")
    if in_memory:
        return _core.audit_bytes(content, cost_model, publisher)
    return _core.audit_file(content, cost_model, publisher)


def simulate(
    package: Package,
    data: Data,
    labels: Optional[ArrayLike] = None,
    *,
    seeds: int = 5,
    first_seed: int = 1,
    shape: Optional[Tuple[int, int, int]] = None,
    channels_last: bool = False,
    progress: ProgressArgument = None,
) -> _core.Simulation:
    """How accurate private inferences would be, without cryptography; needs the server's package or a plan."""
    images = as_images(data, labels, shape=shape, channels_last=channels_last)
    in_memory, content = of_party(package, "server")
    if in_memory:
        return _core.simulate_bytes(content, images, seeds, first_seed, reporter(progress))
    return _core.simulate_file(content, images, seeds, first_seed, reporter(progress))


def classify_in_clear(
    package: Package,
    data: Data,
    *,
    shape: Optional[Tuple[int, int, int]] = None,
    channels_last: bool = False,
) -> Tuple[Any, Any]:
    """Labels and scores (N x classes) of the integer network in the clear, to compare private answers with."""
    images = as_images(data, shape=shape, channels_last=channels_last)
    in_memory, content = of_party(package, "server")
    if in_memory:
        return _core.classify_in_clear_bytes(content, images)
    return _core.classify_in_clear_file(content, images)
