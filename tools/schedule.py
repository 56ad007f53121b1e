"""Writes docs/schedule.svg, the schedule of `hrm-sudoku-extreme`, from the schedule itself; a test keeps them the same.

python tools/schedule.py
"""

from pathlib import Path

from hrmlab.core.schedule import INPUT, Schedule
from hrmlab.presets import preset

PICTURE = Path(__file__).parent.parent / "docs" / "schedule.svg"
STEP, LANE, BOX, LEFT, TOP = 90, 80, 40, 110, 50
INK, COLOURS = "#1b1f24", ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


def picture(schedule: Schedule, title: str) -> str:
    """A lane for each level and one for the input, a box for each update, an arrow for each state that it reads."""
    lanes = {name: TOP + LANE * at for at, name in enumerate((*schedule.levels, INPUT))}
    colour = {name: COLOURS[at % len(COLOURS)] for at, name in enumerate(schedule.networks)}
    width, height = LEFT + STEP * len(schedule.updates) + 70, TOP + LANE * len(lanes) - 15
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="14" role="img"><title>{title}</title>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{INK}"/></marker></defs>',
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>',
    ]
    for name, y in lanes.items():
        parts.append(f'<text x="16" y="{y + 5}" fill="{INK}">{name}</text>')
        parts.append(f'<path d="M{LEFT - 40} {y}H{width - 30}" stroke="{INK}" stroke-opacity="0.15"/>')
    last = dict.fromkeys(lanes, LEFT - 40)
    boxes = []
    for at, update in enumerate(schedule.updates):
        x, y = LEFT + STEP * at, lanes[update.target]
        for source in (update.target, *update.sources):
            start = (x - 30 if source == INPUT else last[source], lanes[source])
            parts.append(_arrow(start, (x, y)))
        fill, text = (colour[update.network], "#ffffff") if update.grad else ("#ffffff", INK)
        boxes.append(
            f'<rect x="{x - BOX // 2}" y="{y - BOX // 2}" width="{BOX}" height="{BOX}" rx="6" fill="{fill}" '
            f'stroke="{colour[update.network]}" stroke-width="2.5"/>'
            f'<text x="{x}" y="{y + 5}" text-anchor="middle" fill="{text}">{at}</text>'
        )
        last[update.target] = x
    end, y = last[schedule.answer], lanes[schedule.answer]
    parts.append(_arrow((end, y), (end + 60, y), gap=0))
    parts.append(f'<text x="{end + 28}" y="{y - 12}" fill="{INK}">answer</text>')
    calls = schedule.calls()
    words = "; ".join(f"network {name}: {calls[name]} calls" for name in schedule.networks)
    parts.append(f'<text x="16" y="{height - 10}" fill="{INK}" font-size="12">{words}; filled: with gradient</text>')
    return "\n".join([*parts, *boxes, "</svg>", ""])


def _arrow(start: tuple[int, int], end: tuple[int, int], gap: int = BOX // 2 + 3) -> str:
    """A straight arrow that ends before the box."""
    (x, y), (to, down) = start, end
    length = max(((to - x) ** 2 + (down - y) ** 2) ** 0.5, 1.0)
    cut = 1 - gap * (2**0.5 if x != to and y != down else 1) / length
    return (
        f'<path d="M{x} {y}L{x + (to - x) * cut:.1f} {y + (down - y) * cut:.1f}" stroke="{INK}" stroke-width="1.2" '
        f'stroke-opacity="0.6" marker-end="url(#tip)"/>'
    )


def current() -> str:
    """The picture as it must be."""
    name = "hrm-sudoku-extreme"
    return picture(preset(name).make().model.schedule.build(), f"{name}: one segment")


if __name__ == "__main__":
    fresh = PICTURE.with_suffix(".new")
    fresh.write_text(current(), encoding="utf-8")
    fresh.replace(PICTURE)
