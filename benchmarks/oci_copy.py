"""Times `copy_image` between two registries beside `skopeo copy --all`, and prints JSON.

Run with `python benchmarks/oci_copy.py [--runs N] [--megabytes N] [--layers N]`. Both tools copy
the same image between the same two registry programs on the loopback, in turns, each time to a
repository that does not exist yet; then from one repository to another of the same registry, where
blobs are mounted. There we read and hash every blob all the same, and skopeo does not.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from promotion.integrity.oci.building import build_image, build_layer  # noqa: E402
from promotion.integrity.oci.copying import copy_image  # noqa: E402
from promotion.integrity.oci.registry import OciRegistry  # noqa: E402
from tests.parts.registry import RunningRegistry, run_registry  # noqa: E402

MEGABYTE = 1_000_000


def main() -> None:
    """Build the image, copy it in turns, print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--layers", type=int, default=10)
    given = parser.parse_args()
    if shutil.which("skopeo") is None:
        sys.exit("skopeo is not installed, so there is nothing to compare with.")
    with tempfile.TemporaryDirectory(prefix="throughline-oci-") as directory:
        root = Path(directory)
        with run_registry(root / "source") as source, run_registry(root / "target") as target:
            digest = fill(source, given.megabytes * MEGABYTE // given.layers, given.layers)
            copied = measure(source, target, digest, given.runs)
            mounted = measure(source, source, digest, given.runs)
    figures = [
        summarise(given, "registry to registry", *copied) | {"goal": "ratio <= 1.0"},
        summarise(given, "mounted inside one registry", *mounted),
    ]
    print(json.dumps(figures, indent=2))


def fill(source: RunningRegistry, layer_size: int, layers: int) -> str:
    """Push an image of random, hence incompressible, layers and return its digest."""
    with OciRegistry(source.base_url) as registry:
        return build_image(
            registry.open_repository("benchmark"),
            layers=[
                build_layer({f"layer-{number}": os.urandom(layer_size)}, compression=0)
                for number in range(layers)
            ],
            tag="latest",
        )


def measure(
    source: RunningRegistry, target: RunningRegistry, digest: str, runs: int
) -> tuple[list[float], list[float]]:
    """Copy in turns, a first unmeasured round of each, and return seconds of both tools."""

    def copy_ours(name: str) -> None:
        with OciRegistry(source.base_url) as origin, OciRegistry(target.base_url) as other:
            copy_image(
                origin.open_repository("benchmark"),
                other.open_repository(name),
                digest,
                tags=["latest"],
            )

    def copy_reference(name: str) -> None:
        subprocess.run(
            [
                *("skopeo", "copy", "--all", "--preserve-digests", "--quiet"),
                *("--src-tls-verify=false", "--dest-tls-verify=false"),
                f"docker://{source.address}/benchmark:latest",
                f"docker://{target.address}/{name}:latest",
            ],
            check=True,
        )

    ours: list[float] = []
    reference: list[float] = []
    for run in range(runs + 1):
        # Who goes first changes, so that neither always finds the machine warmed by the other.
        turns = [(copy_ours, "ours", ours), (copy_reference, "reference", reference)]
        for copy, who, times in turns if run % 2 else reversed(turns):
            taken = time_copy(copy, f"{who}-{run}")
            if target is not source:
                shutil.rmtree(target.storage / "docker")
            if run:
                times.append(taken)
    return ours, reference


def time_copy(copy: Callable[[str], None], name: str) -> float:
    """Return the seconds one copy takes."""
    started = time.perf_counter()
    copy(name)
    return time.perf_counter() - started


def summarise(
    given: argparse.Namespace, what: str, ours: list[float], reference: list[float]
) -> dict[str, object]:
    """Return the figures: seconds, spread as least and most, and the ratio of the medians."""
    return {
        "what": f"oci-copy, {given.megabytes} MB in {given.layers} layers, {what}",
        "n": len(ours),
        "unit": "s",
        "median": round(statistics.median(ours), 3),
        "spread": [round(min(ours), 3), round(max(ours), 3)],
        "reference": "skopeo copy --all",
        "reference_median": round(statistics.median(reference), 3),
        "reference_spread": [round(min(reference), 3), round(max(reference), 3)],
        "ratio": round(statistics.median(ours) / statistics.median(reference), 3),
    }


if __name__ == "__main__":
    main()
