"""A child that confines itself, writes down what holds, and runs a file of its scratch folder if it is given one."""

import runpy
import sys
from pathlib import Path

from hrmlab.specialist.sandbox.confine import confine


def begun(arguments: list[str]) -> tuple[Path, str]:
    """Confine this process as its parent asked; its scratch folder, and what holds."""
    scratch, (memory, seconds, disk, needed) = Path(arguments[0]), map(int, arguments[1].split(":"))
    return scratch, confine(scratch, memory=memory, seconds=seconds, file_size=disk, needed=bool(needed))


if __name__ == "__main__":
    place, holds = begun(sys.argv[1:])
    (place / "holds").write_text(holds)
    sys.path.insert(0, str(place))
    for name in sys.argv[3:]:
        runpy.run_path(str(place / name), run_name="__main__")
