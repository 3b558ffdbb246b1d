"""`gossamer info`, and the environment recorded by every run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any

from gossamer.cli.text import filled, shown

__all__ = ["environment", "print_info"]

_OPTIONAL = (
    "numpy", "scipy", "scikit-learn", "networkx", "pandas", "pyarrow", "safetensors", "tqdm",
    "matplotlib", "pyyaml",
)  # fmt: skip


def environment(device: Any) -> dict[str, Any]:
    """Return versions and properties of the machine, as JSON values.

    Parameters
    ----------
    device : torch.device
        Device of the run.
    """
    import torch

    import gossamer
    from gossamer import kernels

    return {
        "gossamer": gossamer.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": _version("numpy"),
        "platform": platform.platform(),
        "processor": _processor(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "kernels": {k: _plain(value) for k, value in kernels.info().items() if k != "table"},
    }


def print_info() -> None:
    """Print the information for a bug report."""
    import torch

    from gossamer import kernels

    found = environment(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    switches = found.pop("kernels")
    found["torch build"] = _torch_build()
    found["cpu features"] = torch.backends.cpu.get_cpu_capability()
    found["cpu cores"] = os.cpu_count()
    _print_section("gossamer", found)
    _print_section("kernels", switches)
    _print_section("kernel table", _by_backend(kernels.info()))
    _print_section("packages", {name: _version(name) or "not installed" for name in _OPTIONAL})


def _by_backend(found: dict[str, Any]) -> dict[str, list[str]]:
    """Group the names of the kernels by the device types and dtypes with a native kernel."""
    rows: dict[str, list[str]] = {}
    for name, devices in found["table"].items():
        if found["forced"] == "reference":
            devices = {}
        backends = [f"{device} {' '.join(dtypes)}" for device, dtypes in devices.items()]
        rows.setdefault("; ".join(backends) or "reference only", []).append(name)
    return {**rows, "reference": ["all kernels on other devices and dtypes"]}


def _print_section(title: str, values: dict[str, Any]) -> None:
    values = filled(values)
    width = max(len(key) for key in values)
    print(f"{title}:")
    for key, value in values.items():
        print(f"  {key:<{width}}  {shown(value)}")


def _torch_build() -> str:
    import torch

    cuda = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU only"
    openmp = "OpenMP" if torch.backends.openmp.is_available() else "no OpenMP"
    mkl = "MKL" if torch.backends.mkl.is_available() else "no MKL"
    return f"{cuda}, {openmp}, {mkl}"


def _processor() -> str:
    """Return the name of the CPU, which Python provides only on some systems."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _plain(value: Any) -> Any:
    """Return `value` if it is a JSON value, otherwise its text."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
