"""The chart, drawn with three sets of values: `python -m tests.deploy.chart` keeps what comes out.

Whoever has no Helm tests what was kept; whoever has one also sees that it is what comes out now.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm"
SETS = ("small", "secured", "large")
KEPT = Path(__file__).parent / "drawn"
KUBERNETES = "1.31"
"""The version whose schemas it is held against, and that Helm is told."""
BUILD = "go install helm.sh/helm/v3/cmd/helm@latest"


def helm() -> str | None:
    """The program; None where it can't be had."""
    own = os.environ.get("HELM") or shutil.which("helm")
    built = Path.home() / "go" / "bin" / "helm"
    return own or (str(built) if built.exists() else None)


def draw(program: str, name: str) -> str:
    """What the chart makes of a set of values."""
    argv = [program, "template", "shop", str(CHART), "--namespace", "shop"]
    argv += ["--kube-version", KUBERNETES, "--values", str(CHART / "ci" / f"{name}.yaml")]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return done.stdout


def digest() -> str:
    """Of everything that the chart is made of."""
    files = sorted(path for path in CHART.rglob("*") if path.is_file())
    text = b"".join(
        str(path.relative_to(CHART)).encode() + b"\0" + path.read_bytes() for path in files
    )
    return hashlib.sha256(text).hexdigest()


def main() -> None:
    """Keep what comes out now."""
    program = helm()
    if program is None:
        sys.exit(f"Helm is not here: {BUILD}")
    KEPT.mkdir(exist_ok=True)
    for name in SETS:
        (KEPT / f"{name}.yaml").write_text(f"# {digest()}\n{draw(program, name)}")


if __name__ == "__main__":
    main()
