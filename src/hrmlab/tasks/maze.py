"""Mazes: mark the one shortest path from S to G."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from typing import Literal

import numpy as np
import numpy.typing as npt

from hrmlab.errors import ConfigError, DataError
from hrmlab.spec import Relation, TaskSpec
from hrmlab.tasks.base import TASKS, Examples, Face, Split, Task, Tokens
from hrmlab.tasks.board import MOST_CELLS, dead_ends, dihedral, flood, neighbours
from hrmlab.tasks.carving import GOAL, OPEN, PAD, PATH, START, WALL, Carved, carve, stream

CHARACTERS = "# SGo"  # the public sets' own, tokens 1 to 5
VOCABULARY = 1 + len(CHARACTERS)

# Puzzles in a row that were all seen before: then there are hardly any more.
EXHAUSTED = 2000
# Boards judged in one go.
CHUNK = 2048

Progress = Callable[[int, int], None]


@TASKS.register(source="hrm-lab; form and tokens of Maze-Hard, Wang et al. 2025, arXiv:2506.21734")
@dataclass(frozen=True, kw_only=True)
class Maze(Task):
    """Mazes with one shortest path from S to G, to be marked.

    rows, columns: rooms; the board has 2 * rows + 1 by 2 * columns + 1 cells.
    size: (rows, columns) of the board in cells instead, even sides allowed: `size=[30,30]` with `min_path=110` is the
        form of Maze-Hard.
    loops: share of the walls left standing between rooms that are removed, 0 to 1; the shortest path stays unique.
    min_path: only mazes whose shortest path is longer than this, in steps.
    """

    kind: Literal["maze"] = "maze"
    rows: int = 9
    columns: int = 9
    size: tuple[int, int] | None = None
    loops: float = 0.0
    min_path: int = 0

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1 or min(self.shape) < 1:
            raise ConfigError(f"a maze of {self.rows}x{self.columns} rooms, size {self.size}; wanted at least 1 by 2")
        if prod(self.shape) > MOST_CELLS:
            raise ConfigError(
                f"a maze of {self.shape[0]}x{self.shape[1]} cells came; wanted at most {MOST_CELLS} cells"
            )
        if not 0.0 <= self.loops <= 1.0:
            raise ConfigError(f"loops={self.loops}; wanted a share from 0 to 1, e.g. loops=0.1")
        if self.min_path < 0:
            raise ConfigError(f"min_path={self.min_path}; wanted 0 or more steps")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the board, in cells."""
        return self.size or (2 * self.rows + 1, 2 * self.columns + 1)

    def spec(self) -> TaskSpec:
        rows, columns = self.shape
        relation = Relation("neighbours", neighbours=neighbours(rows, columns))
        return TaskSpec(seq_len=rows * columns, vocab_size=VOCABULARY, shape=(rows, columns), relations=(relation,))

    def generate(self, train: int, test: int, seed: int, *, progress: Progress | None = None) -> Split:
        """Distinct mazes, also under rotation and reflection, within and between the sets. Rating: length of the path.

        The held-out set is made first and does not depend on the number of training mazes.

        Args:
            progress: told (mazes made, mazes wanted) after each maze.

        Raises:
            DataError: not that many distinct mazes were found, none is long enough, or a number is negative.
        """
        if min(train, test, seed) < 0:
            raise DataError(f"train={train}, test={test}, seed={seed}; wanted numbers of 0 or more")
        rooms = [side // 2 if side % 2 else (side + 1) // 2 for side in self.shape]
        longest = 2 * (rooms[0] * rooms[1] - 1)
        if self.min_path >= longest:
            board = f"{self.shape[0]}x{self.shape[1]}"
            raise DataError(f"min_path={self.min_path}, but no path on {board} cells is longer than {max(longest, 0)}")
        seen: set[bytes] = set()
        total, made = train + test, 0
        sets = []
        for split, count in ((1, test), (0, train)):
            mazes = []
            for maze in self._distinct(seed, split, count, seen):
                mazes.append(maze)
                made += 1
                if progress:
                    progress(made, total)
            sets.append(self._examples(mazes))
        return Split(
            train=sets[1],
            test=sets[0],
            protocol=f"mazes of {self.shape[0]}x{self.shape[1]} cells, shortest path unique and over {self.min_path} "
            f"steps, loops {self.loops}; no test maze, nor a rotation or reflection of one, is in the training set",
        )

    def parse(self, text: str) -> Tokens:
        """Tokens of a maze in characters `#`, space or `.` (open), `S`, `G` and `o` (path), in one line or more.

        Raises:
            DataError: wrong number of cells, unknown character, not one S and one G, or no way between them.
        """
        rows, columns = self.shape
        lines = text.strip("\r\n").splitlines() or [""]
        for number, line in enumerate(lines, 1):
            if len(lines) > 1 and len(line) != columns:
                raise DataError(f"line {number} of the maze has {len(line)} cells, wanted {columns}; {self._wanted()}")
        cells = "".join(lines)
        if len(cells) != rows * columns:
            raise DataError(f"the maze has {len(cells)} cells, wanted {rows * columns}; {self._wanted()}")
        tokens = np.array([CHARACTERS.find(c) + 1 for c in cells.replace(".", " ")], np.int32)
        for at in np.flatnonzero(tokens == 0)[:1]:
            place = f"row {at // columns + 1}, column {at % columns + 1}"
            raise DataError(f"unknown character {cells[at]!r} at {place} of the maze; {self._wanted()}")
        for token, name in ((START, "S (start)"), (GOAL, "G (goal)")):
            count = int((tokens == token).sum())
            if count != 1:
                raise DataError(f"the maze has {count} {name}, wanted exactly one")
        if self._steps(tokens[None])[0] < 0:
            raise DataError("no open way leads from S to G in the maze")
        return tokens

    def format(self, tokens: Tokens) -> str:
        """One line of `#`, space, `S`, `G`, `o`; a token that is none of them as `?`."""
        return "".join(CHARACTERS[t - 1] if 0 < t < VOCABULARY else "?" for t in tokens.tolist())

    def check(self, puzzle: Tokens) -> str | None:
        """Why a maze is no fair question: no way, several shortest paths, or a path that is marked already."""
        counts = [int((puzzle == token).sum()) for token in (START, GOAL)]
        if counts != [1, 1]:
            return f"{counts[0]} S and {counts[1]} G, wanted one of each"
        if (puzzle == PATH).any():
            return "a path is marked already; write open cells as '.'"
        steps = int(self._steps(puzzle[None])[0])
        if steps < 0:
            return "no open way leads from S to G"
        ways = self._ways(puzzle)
        return None if ways == 1 else f"{ways} shortest paths of {steps} steps, wanted a single one"

    def valid(self, inputs: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        """Which answers leave the maze as it is and mark exactly one shortest path; shape (n,)."""
        out = np.zeros(len(inputs), bool)
        for at in _chunks(len(inputs)):
            kept, marked, start, goal = self._marks(inputs[at], answers[at])
            steps = _at(flood(start, marked | goal), goal)
            # As many marks as cells on the way: none is off it.
            single = marked.sum((1, 2)) == steps - 1
            out[at] = kept & (steps > 0) & single & (steps == self._steps(inputs[at]))
        return out

    def valid_path(self, inputs: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        """Which answers leave the maze as it is and join S to G by marks, shortest or not; shape (n,).

        No mark may lie apart from the others, and none may be a dead end.
        """
        out = np.zeros(len(inputs), bool)
        for at in _chunks(len(inputs)):
            kept, marked, start, goal = self._marks(inputs[at], answers[at])
            steps = flood(start, marked | goal)
            apart = (marked & (steps < 0)).any((1, 2))
            out[at] = kept & (_at(steps, goal) > 0) & ~apart & ~dead_ends(marked, start | goal).any((1, 2))
        return out

    def draw(self, puzzle: Tokens, answer: Tokens | None = None, before: Tokens | None = None) -> str:
        """The board, two columns a cell. Red: a mark that is not joined to S, or a cell that must not have changed."""
        shown = puzzle if answer is None else answer
        broken = self.broken(puzzle, shown)
        cells = []
        for at, token in enumerate(shown.tolist()):
            face, style = _FACES.get(token, ("??", ""))
            if broken[at]:
                style = "red"
                face = "××" if token == OPEN else face
            if before is not None and before[at] != token:
                style = f"{style} on yellow".strip()
            cells.append(f"[{style}]{face}[/]" if style else face)
        columns = self.shape[1]
        return "\n".join("".join(cells[at : at + columns]) for at in range(0, len(cells), columns))

    def faces(self) -> tuple[Face, ...]:
        start, goal = Face("S", key="S", single=True), Face("G", key="G", single=True)
        return (Face(""), Face("", "ink", key="#"), Face("", key="."), start, goal, Face("•"))

    def broken(self, puzzle: Tokens, answer: Tokens) -> npt.NDArray[np.bool_]:
        """Marks that are not joined to S, and cells that must not have changed; shape (seq_len,)."""
        _, marked, start, goal = self._marks(puzzle[None], answer[None])
        joined = flood(start, marked | goal).reshape(-1) >= 0
        broken: npt.NDArray[np.bool_] = (answer != puzzle) & ~(marked.reshape(-1) & joined)
        return broken

    def augment(self, inputs: Tokens, labels: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        """Each row, of inputs and labels of shape (n, seq_len), under a random symmetry of the board."""
        table = dihedral(*self.shape)
        gather = table[rng.integers(len(table), size=len(inputs))]
        return np.take_along_axis(inputs, gather, 1), np.take_along_axis(labels, gather, 1)

    def _distinct(self, seed: int, split: int, count: int, seen: set[bytes]) -> Iterator[Carved]:
        table, index, misses, found = dihedral(*self.shape), 0, 0, 0
        while found < count:
            maze = carve(self.shape, self.loops, self.min_path, stream(seed, split, index))
            index += 1
            key = blake2b(min(row.tobytes() for row in maze.inputs[table]), digest_size=16).digest()
            if key not in seen:
                seen.add(key)
                found, misses = found + 1, 0
                yield maze
            elif (misses := misses + 1) >= EXHAUSTED:
                raise DataError(
                    f"only {len(seen)} distinct mazes of {self.shape[0]}x{self.shape[1]} cells found; "
                    "ask for fewer, or for larger mazes"
                )

    def _examples(self, mazes: list[Carved]) -> Examples:
        cells = self.shape[0] * self.shape[1]
        return Examples(
            inputs=np.array([m.inputs for m in mazes], np.int32).reshape(-1, cells),
            labels=np.array([m.labels for m in mazes], np.int32).reshape(-1, cells),
            identifiers=np.zeros(len(mazes), np.int32),
            rating=np.array([m.steps for m in mazes], np.int64),
        )

    def _marks(self, inputs: Tokens, answers: Tokens) -> tuple[npt.NDArray[np.bool_], ...]:
        """Whether an answer changes nothing but open cells into path, shape (n,); marks, starts and goals as boards."""
        marked = (inputs == OPEN) & (answers == PATH)
        kept = (marked | (inputs == answers)).all(1)
        for token in (START, GOAL):
            kept &= (inputs == token).sum(1) == 1
        boards = (cells.reshape(-1, *self.shape) for cells in (marked, inputs == START, inputs == GOAL))
        return (kept, *boards)

    def _steps(self, inputs: Tokens) -> npt.NDArray[np.int32]:
        """Length of the shortest path of each maze, -1 without one; shape (n,)."""
        board = inputs.reshape(-1, *self.shape)
        return _at(flood(board == START, (board != WALL) & (board != PAD)), board == GOAL)

    def _ways(self, puzzle: Tokens) -> int:
        """The number of shortest paths from S to G, counted backwards from G along falling distance."""
        board = puzzle.reshape(1, *self.shape)
        steps = flood(board == START, (board != WALL) & (board != PAD)).reshape(-1).tolist()
        around = neighbours(*self.shape).tolist()
        goal = int(np.flatnonzero(puzzle == GOAL)[0])
        ways = {goal: 1}
        for distance in range(steps[goal] - 1, -1, -1):
            nearer: dict[int, int] = {}
            for cell, count in ways.items():
                for other in around[cell]:
                    if other >= 0 and steps[other] == distance:
                        nearer[other] = nearer.get(other, 0) + count
            ways = nearer
        return sum(ways.values())

    def _wanted(self) -> str:
        rows, columns = self.shape
        return f"wanted {rows} rows of {columns} characters: # wall, . or space open, S start, G goal"


_FACES = {
    PAD: ("··", "dim"),
    WALL: ("██", "bold"),
    OPEN: ("  ", ""),
    START: ("S ", "bold green"),
    GOAL: ("G ", "bold magenta"),
    PATH: ("• ", "cyan"),
}


def _at(steps: npt.NDArray[np.int32], goal: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """The steps at each board's goal, -1 where it has none; shape (n,)."""
    reached: npt.NDArray[np.int32] = np.where(goal, steps, -1).max((1, 2))
    return reached


def _chunks(count: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK) for start in range(0, count, CHUNK))
