"""What the extension module holds; see the headers of include/autoprivacy."""

import datetime
import os
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

_Path = Union[str, "os.PathLike[str]"]
_Report = Optional[Callable[["Progress"], None]]

__version__: str

class Progress:
    task: str
    detail: str
    done: int
    total: int
    seconds: float
    last: bool

class Images:
    def __len__(self) -> int: ...
    @property
    def shape(self) -> Tuple[int, int, int]: ...
    @property
    def array(self) -> npt.NDArray[Any]: ...
    @property
    def labels(self) -> npt.NDArray[np.int32]: ...

def images_of_pixels(array: npt.NDArray[np.uint8], labels: Sequence[int]) -> Images: ...
def images_of_numbers(array: npt.NDArray[np.float32], labels: Sequence[int]) -> Images: ...
def load_images(source: str, first: int, count: Optional[int], framing: str) -> Images: ...

class PredictedCost:
    seconds: float
    client_cpu_seconds: float
    server_cpu_seconds: float
    bytes_up: float
    bytes_down: float

class LinearParameters:
    packing: str
    ring_degree: int
    log2_q: float
    primes: List[int]
    log2_p: int
    error_std: float
    ciphertext_error_rate: float
    lambda_bits: float

class Layer:
    name: str
    operation: str
    linear: Optional[LinearParameters]
    activation: str
    predicted_seconds: float
    predicted_bytes: int

class Accuracy:
    in_float: Optional[float]
    clear: Optional[float]
    simulated: Optional[float]
    agreement: float

class Link:
    def __init__(self, bits_per_second: float, round_trip_seconds: float) -> None: ...

class CompileOptions:
    policy: str
    max_accuracy_loss: Optional[float]
    max_seconds: Optional[float]
    activation: str
    reveal: str
    activation_bits: int
    privacy_inferences: int
    strict: bool
    seed: int
    simulations: int
    labels: List[str]
    framing: str
    unit_costs: str
    link: Optional[Link]

class Compiled:
    policy: str
    package_id: str
    layers: List[Layer]
    min_lambda_bits: float
    failure_log2: float
    activation_bits: int
    offline: PredictedCost
    online: PredictedCost
    latency_seconds: float
    accuracy: Accuracy
    notes: List[str]
    search_seconds: float
    seconds: float
    def __init__(self, other: "Compiled") -> None: ...
    @property
    def server_package(self) -> bytes: ...
    @property
    def client_package(self) -> bytes: ...
    def write(self, directory: _Path) -> None: ...

def compile_file(
    model: _Path, calibration: Images, normalize: str, options: CompileOptions, progress: _Report
) -> Compiled: ...
def compile_bytes(
    model: bytes, name: str, calibration: Images, normalize: str, options: CompileOptions, progress: _Report
) -> Compiled: ...

class Interval:
    low: float
    high: float

class Simulation:
    images: int
    seeds: int
    top1: Optional[float]
    top1_clear: Optional[float]
    top1_by_seed: List[float]
    top1_interval: Optional[Interval]
    loss: Optional[float]
    loss_std_error: Optional[float]
    agreement: float
    agreement_interval: Interval
    wrapped: float
    seconds: float

def simulate_file(package: _Path, images: Images, seeds: int, first_seed: int, progress: _Report) -> Simulation: ...
def simulate_bytes(package: bytes, images: Images, seeds: int, first_seed: int, progress: _Report) -> Simulation: ...
def classify_in_clear_file(
    package: _Path, images: Images
) -> Tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]: ...
def classify_in_clear_bytes(
    package: bytes, images: Images
) -> Tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]: ...

class LayerSecurity:
    name: str
    ring_degree: int
    log2_q: float
    lambda_usvp: float
    lambda_bdd: float
    lambda_dual: float
    lambda_bits: float

class CircuitPrivacy:
    method: str
    inferences: int
    bound_bits_per_weight: float
    snr: float
    computed: bool

class Audit:
    package_id: str
    policy: str
    reveals_label: bool
    layers: List[LayerSecurity]
    min_lambda_bits: float
    cost_model: str
    circuit_privacy: CircuitPrivacy
    flood_bits: int
    label_bound: bool
    lpn_bits: float
    garbling_bits: float
    failure_log2: float
    failure_checked: bool
    target_failure_log2: float
    assumptions: List[str]

def audit_file(package: _Path, cost_model: str, publisher: str) -> Audit: ...
def audit_bytes(package: bytes, cost_model: str, publisher: str) -> Audit: ...

class Network:
    name: str
    package_id: str
    session_bytes: int

class ServerOptions:
    listen: str
    metrics: str
    tls_certificate: _Path
    tls_key: _Path
    max_sessions: int
    queue: int
    queue_wait: datetime.timedelta
    max_prepared: int
    max_memory_bytes: int
    clients: _Path
    ledger: _Path
    count_in_memory: bool
    max_inferences: int
    store: _Path
    store_inferences: int
    store_bytes: int
    store_client_inferences: int
    deadline: datetime.timedelta
    idle: datetime.timedelta
    lifetime: datetime.timedelta
    drain: datetime.timedelta
    share_statistics: Any

class Server:
    def __init__(
        self, package: Union[bytes, _Path], options: ServerOptions, log: Optional[Callable[[str, str], None]]
    ) -> None: ...
    def _start(self) -> None: ...
    def _stop(self) -> None: ...
    @property
    def address(self) -> str: ...
    @property
    def metrics_address(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def certificate_pem(self) -> str: ...
    @property
    def package_id(self) -> str: ...
    @property
    def networks(self) -> List[Network]: ...
    def reload(self) -> None: ...
    @property
    def max_sessions(self) -> int: ...
    @property
    def notes(self) -> List[str]: ...
    @property
    def sessions(self) -> int: ...
    @property
    def inferences(self) -> int: ...

class Cost:
    seconds: float
    client_cpu_seconds: float
    server_cpu_seconds: Optional[float]
    bytes_up: int
    bytes_down: int

class LayerCost:
    name: str
    kind: str
    protocol: str
    offline: Cost
    online: Cost

class Report:
    offline: Cost
    online: Cost
    from_store: bool
    layers: List[LayerCost]

class Classification:
    label: Optional[int]
    name: str
    report: Report
    @property
    def scores(self) -> npt.NDArray[np.float64]: ...

class ConnectOptions:
    trust: str
    authorities: _Path
    token: str
    certificate: _Path
    key: _Path
    connect_wait: datetime.timedelta
    deadline: datetime.timedelta
    place_wait: datetime.timedelta
    store: _Path
    unit_costs: str

class Client:
    def __init__(self, package: Union[bytes, _Path], publisher: str = ...) -> None: ...
    @property
    def input_shape(self) -> Tuple[int, int, int]: ...
    @property
    def classes(self) -> int: ...
    @property
    def labels(self) -> List[str]: ...
    @property
    def framing(self) -> str: ...
    @property
    def reveals_label(self) -> bool: ...
    @property
    def package_id(self) -> str: ...
    @property
    def connected(self) -> bool: ...
    @property
    def prepared(self) -> int: ...
    def _connect(
        self,
        url: str,
        options: ConnectOptions,
        notice: Optional[Callable[[str], None]],
        on_wait: Optional[Callable[[Optional[int], int], None]],
    ) -> None: ...
    def _prepare(self, count: int) -> None: ...
    def _store(self, count: int) -> int: ...
    def _classify(self, images: Images, progress: _Report) -> List[Classification]: ...
    def _close(self) -> None: ...

class PrepareAhead:
    def __init__(
        self,
        package: Union[bytes, _Path],
        url: str,
        count: int,
        options: ConnectOptions,
        notice: Optional[Callable[[str], None]],
    ) -> None: ...
    @property
    def prepared(self) -> int: ...
    @property
    def available(self) -> int: ...
    def _start(self) -> None: ...
    def _stop(self) -> None: ...
