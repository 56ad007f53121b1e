"""Put a trained run into the package: `python tools/ship.py RUN NAME`.

Copies the configuration, the evaluated weights, their results with protocol, and where they come from.
"""

import json
import shutil
import sys
from pathlib import Path

from hrmlab.training.folder import RunFolder

SHIPPED = Path(__file__).resolve().parent.parent / "src" / "hrmlab" / "shipped"
LARGEST = 2_000_000


def main(run: Path, name: str) -> int:
    weights = RunFolder(run).weights()
    if weights.stat().st_size > LARGEST:
        print(
            f"{weights} has {weights.stat().st_size:,} bytes; shipped models have at most {LARGEST:,}", file=sys.stderr
        )
        return 1
    target = SHIPPED / name
    target.mkdir(parents=True, exist_ok=True)
    for file in (run / "config.json", run / "results.json", weights):
        shutil.copyfile(file, target / file.name)
    origin = json.loads((run / "provenance.json").read_text())
    command = origin["command"]
    if "--out" in command:  # a place on the machine that trained it
        del command[command.index("--out") : command.index("--out") + 2]
    RunFolder(target).write("provenance.json", origin)
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
