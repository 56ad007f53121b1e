"""Carving one maze: a random spanning tree of rooms, extra loops, and a start and a goal with one shortest path.

Rooms stand on every second cell of the board with a wall cell between neighbours, so all passages are equally long and
shortest paths of the board are shortest paths between rooms. Random numbers are raw 64-bit words of a Philox stream,
whose values never change between numpy versions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from hrmlab.errors import DataError

PAD, WALL, OPEN, START, GOAL, PATH = range(6)

# How many mazes are carved for one puzzle, and how many starts are tried in each, before `min_path` is out of reach.
CARVINGS = 500
STARTS = 4

# For each room: (neighbouring room, cell of the wall between).
Rooms = tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, eq=False)
class Carved:
    """One maze. inputs, labels: shape (cells,), tokens; steps: length of its shortest path, which is the only one."""

    inputs: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    steps: int


def stream(seed: int, split: int, index: int) -> Iterator[int]:
    """Endless 64-bit words that depend on the seed, the split and the number of the puzzle alone."""
    bits = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(split, index)))
    while True:
        yield from bits.random_raw(256).tolist()


def carve(shape: tuple[int, int], loops: float, min_path: int, words: Iterator[int]) -> Carved:
    """Make one maze.

    Args:
        shape: cells of the board. An odd side has walls at both ends; an even side has one at either end, by
            chance, and the edge of the board closes the other.
        loops: share of the walls left by the spanning tree that are removed.
        min_path: the shortest path is longer than this, in steps.

    Raises:
        DataError: no maze with so long a path was found.
    """
    for _ in range(CARVINGS):
        top, left = ((1 if side % 2 else next(words) % 2) for side in shape)
        cells, rooms = plan(shape, top, left)
        links = _tree(rooms, words)
        _remove_walls(links, rooms, loops, words)
        for _ in range(STARTS):
            start = next(words) % len(rooms)
            distance, ways, parent = _search(links, start)
            goals = [r for r, d in enumerate(distance) if d and 2 * d > min_path and ways[r] == 1]
            if goals:
                goal = goals[next(words) % len(goals)]
                return _fill(shape, cells, links, _trace(parent, goal), 2 * distance[goal])
    raise DataError(
        f"no maze of {shape[0]}x{shape[1]} cells with a shortest path over {min_path} steps in {CARVINGS} attempts; "
        "lower min_path or loops, or make the maze larger"
    )


@lru_cache(maxsize=32)
def plan(shape: tuple[int, int], top: int, left: int) -> tuple[tuple[int, ...], Rooms]:
    """The board cell of each room, and each room's neighbours, for rooms on rows `top`, `top + 2`, ... of the board."""
    height, width = shape
    rows, columns = len(range(top, height, 2)), len(range(left, width, 2))
    cells = tuple((top + 2 * i) * width + left + 2 * j for i in range(rows) for j in range(columns))
    rooms = []
    for i in range(rows):
        for j in range(columns):
            here = i * columns + j
            around = [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
            others = [a * columns + b for a, b in around if 0 <= a < rows and 0 <= b < columns]
            rooms.append(tuple((other, (cells[here] + cells[other]) // 2) for other in others))
    return cells, tuple(rooms)


def _tree(rooms: Rooms, words: Iterator[int]) -> list[list[tuple[int, int]]]:
    """Passages of a random spanning tree, by depth-first search: long winding corridors."""
    links: list[list[tuple[int, int]]] = [[] for _ in rooms]
    here = next(words) % len(rooms)
    seen, trail = {here}, [here]
    while trail:
        here = trail[-1]
        options = [way for way in rooms[here] if way[0] not in seen]
        if not options:
            trail.pop()
            continue
        other, wall = options[next(words) % len(options)] if len(options) > 1 else options[0]
        links[here].append((other, wall))
        links[other].append((here, wall))
        seen.add(other)
        trail.append(other)
    return links


def _remove_walls(links: list[list[tuple[int, int]]], rooms: Rooms, loops: float, words: Iterator[int]) -> None:
    if not loops:
        return
    standing = [
        (room, other, wall)
        for room, ways in enumerate(rooms)
        for other, wall in ways
        if room < other and (other, wall) not in links[room]
    ]
    for _ in range(round(loops * len(standing))):
        room, other, wall = standing.pop(next(words) % len(standing))
        links[room].append((other, wall))
        links[other].append((room, wall))


def _search(links: list[list[tuple[int, int]]], start: int) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """From `start`: each room's distance, its number of shortest paths, and the room before it with the wall."""
    distance, ways, parent = [-1] * len(links), [0] * len(links), [(-1, -1)] * len(links)
    distance[start], ways[start] = 0, 1
    queue = [start]
    for here in queue:
        further = distance[here] + 1
        for other, wall in links[here]:
            if distance[other] < 0:
                distance[other], parent[other] = further, (here, wall)
                queue.append(other)
            if distance[other] == further:
                ways[other] += ways[here]
    return distance, ways, parent


def _trace(parent: list[tuple[int, int]], goal: int) -> list[tuple[int, int]]:
    """The way back from the goal: (room, wall beyond it), the start last with wall -1."""
    trail = [(goal, parent[goal][1])]
    while (before := parent[trail[-1][0]][0]) >= 0:
        trail.append((before, parent[before][1]))
    return trail


def _fill(
    shape: tuple[int, int],
    cells: tuple[int, ...],
    links: list[list[tuple[int, int]]],
    trail: list[tuple[int, int]],
    steps: int,
) -> Carved:
    inputs = np.full(shape[0] * shape[1], WALL, np.uint8)
    inputs[list(cells)] = OPEN
    inputs[[wall for ways in links for _, wall in ways]] = OPEN
    labels = inputs.copy()
    labels[[cells[room] for room, _ in trail] + [wall for _, wall in trail[:-1]]] = PATH
    for grid in (inputs, labels):
        grid[cells[trail[-1][0]]], grid[cells[trail[0][0]]] = START, GOAL
    return Carved(inputs, labels, steps)
