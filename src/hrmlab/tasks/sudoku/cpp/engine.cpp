// The functions that Python calls (native.py). Grids are rows of CELLS bytes, 0 = empty, digits from 1.
#include "canonical.hpp"

#pragma GCC visibility push(default)
extern "C" {

// counts: solutions up to the limit, -1 if the budget of guesses ran out first.
void hrm_solve(const std::int8_t* grids, std::int64_t n, std::int64_t limit, std::int64_t budget, std::int64_t* counts,
               std::int8_t* solutions, std::int64_t* guesses) {
    for (std::int64_t i = 0; i < n; i++) {
        Board board;
        Search search(limit, budget);
        if (board.load(grids + i * CELLS)) search.run_from(board);
        counts[i] = search.spent ? -1 : search.found;
        guesses[i] = search.guesses;
        std::memcpy(solutions + i * CELLS, search.first, CELLS);
    }
}

// Puzzles first .. first + n - 1 of the seed. ratings: guesses; where no attempt meets the wishes, -1, and the rest
// is left as it came.
void hrm_generate(std::uint64_t seed, std::int64_t first, std::int64_t n, std::int64_t givens, std::int64_t lowest,
                  std::int64_t highest, std::int8_t* puzzles, std::int8_t* solutions, std::int64_t* ratings) {
    for (std::int64_t i = 0; i < n; i++) {
        Maker maker{Stream(seed, std::uint64_t(first + i)), int(givens), lowest, highest};
        ratings[i] = maker.make();
        if (ratings[i] < 0) return;
        std::memcpy(puzzles + i * CELLS, maker.puzzle, CELLS);
        std::memcpy(solutions + i * CELLS, maker.solution, CELLS);
    }
}

void hrm_canonical(const std::int8_t* grids, std::int64_t n, std::int8_t* forms) {
    for (std::int64_t i = 0; i < n; i++) {
        Canonical canonical;
        canonical.run(grids + i * CELLS, false);
        if (BOX_ROWS == BOX_COLS) canonical.run(grids + i * CELLS, true);
        std::memcpy(forms + i * CELLS, canonical.best.data(), CELLS);
    }
}
}
#pragma GCC visibility pop
