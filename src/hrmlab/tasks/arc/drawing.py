"""Grids as lines of text: each cell is its colour's number on that colour, so that it reads with colours off too."""

from hrmlab.tasks.arc.grids import BLACK, COLOURS, END, SIDE, crop, decode
from hrmlab.tasks.base import Face, Tokens

# Background and digit, as the ARC viewers show the colours: black, blue, red, green, yellow, grey, pink, orange, ...
STYLES = (
    "grey50 on #000000",
    "white on #0074d9",
    "white on #d83c31",
    "black on #2ecc40",
    "black on #ffdc00",
    "black on #aaaaaa",
    "white on #d012be",
    "black on #ff851b",
    "black on #7fdbff",
    "white on #870c25",
)


def faces() -> tuple[Face, ...]:
    """How each token looks: nothing for padding, `|` for markers, colours as the viewers show them."""
    return (Face(""), Face("|"), *(Face("", style.partition(" on ")[2]) for style in STYLES))


def draw(puzzle: Tokens, answer: Tokens | None = None, before: Tokens | None = None) -> str:
    """Lines with rich markup; each cell is two columns wide.

    Drawn is the grid that the board encodes; of an answer that encodes none, its part in the top-left corner, or where
    that is nothing either, the whole board. A black cell is a `·`, a marker `|`, padding empty. A cell that differs
    from `before` is led by `›`, one that is no colour is red.
    """
    shown = puzzle if answer is None else answer
    top, left, height, width = _window(shown)
    lines = []
    for row in range(top, top + height):
        cells = []
        for column in range(left, left + width):
            at = row * SIDE + column
            token = int(shown[at])
            changed = before is not None and int(before[at]) != token
            cells.append(_cell(token, changed))
        lines.append("".join(cells))
    return "\n".join(lines)


def _window(tokens: Tokens) -> tuple[int, int, int, int]:
    """Top, left, height and width of what is drawn."""
    found = decode(tokens)
    if found is not None:
        grid, top, left = found
        return top, left, *grid.shape
    heights, widths = crop(tokens[None])
    if heights[0]:
        return 0, 0, int(heights[0]), int(widths[0])
    return 0, 0, SIDE, SIDE


def _cell(token: int, changed: bool) -> str:
    colour = token - BLACK
    lead = "›" if changed else " "
    if 0 <= colour < COLOURS:
        return f"[{STYLES[colour]}]{lead}{colour or '·'}[/]"
    return f"[red]{lead}{'|' if token == END else ' ' if token == 0 else '?'}[/]"
