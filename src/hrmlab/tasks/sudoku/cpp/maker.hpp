// Random grids, digging to minimal puzzles, and the search for hard ones. Must agree with maker.py draw for draw.
#pragma once
#include <algorithm>
#include <cstring>
#include <utility>

#include "solver.hpp"

constexpr std::int64_t PROOF_BUDGET = N <= 9 ? 20000 : 500, RATING_BUDGET = 10000000, FILL_BUDGET = 10 * CELLS;
constexpr int ATTEMPTS = 1000, CLIMB_STEPS = 200;
constexpr std::uint64_t GOLDEN = 0x9E3779B97F4A7C15u;

inline std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

// splitmix64; puzzle `index` of `seed` has a stream of its own.
struct Stream {
    std::uint64_t state;
    Stream(std::uint64_t seed, std::uint64_t index) : state(mix(mix(seed + GOLDEN) + index * GOLDEN)) {}
    int below(int n) {
        state += GOLDEN;
        return int(((mix(state) >> 32) * std::uint64_t(n)) >> 32);
    }
    template <class T>
    void shuffle(T* items, int n) {
        for (int i = n - 1; i > 0; i--) std::swap(items[i], items[below(i + 1)]);
    }
};

struct Maker {
    Stream rng;
    int givens;  // 0: as few as can be
    std::int64_t lowest, highest;
    std::int8_t solution[CELLS] = {}, puzzle[CELLS] = {};
    std::int8_t witness[CELLS][CELLS] = {};  // [cell]: a full grid that differs from the solution there, 0s if none is known

    bool fill(const Board& board, std::int64_t& budget) {
        const int cell = board.branch_cell();
        if (cell < 0) {
            board.write(solution);
            return true;
        }
        Mask values[N];
        int k = 0;
        for (Mask left = board.cand[cell]; left; left &= left - 1) values[k++] = left & -left;
        rng.shuffle(values, k);
        for (int i = 0; i < k; i++) {
            if (--budget < 0) return false;
            Board next = board;
            if (next.restrict_to(cell, values[i]) && next.settle() && fill(next, budget)) return true;
        }
        return false;
    }

    void random_grid() {
        for (;;) {
            std::int64_t budget = FILL_BUDGET;
            if (fill(Board(), budget)) return;
        }
    }

    bool witnessed(const std::int8_t* grid, int cell) const {
        bool agrees = true;
        for (int i = 0; i < CELLS; i++) agrees &= grid[i] == 0 || grid[i] == witness[cell][i];
        return agrees && witness[cell][0];
    }

    // Whether the clue follows from the others: no solution has another value there. A grid that once showed it does not
    // is kept: while it agrees with the clues it saves the search.
    bool follows(std::int8_t* grid, int cell) {
        const std::int8_t digit = std::exchange(grid[cell], std::int8_t(0));
        if (witnessed(grid, cell)) {
            grid[cell] = digit;
            return false;
        }
        Board board;
        Search search(1, PROOF_BUDGET);
        if (board.load(grid) && board.restrict_to(cell, ~(Mask(1) << (digit - 1)))) search.run_from(board);
        grid[cell] = digit;
        if (search.found) std::memcpy(witness[cell], search.first, CELLS);
        return search.found == 0 && !search.spent;
    }

    // Remove clues in this order wherever the solution stays unique; false if the wanted number of givens is out of reach.
    bool dig(std::int8_t* grid, const int* order, int n) {
        int clues = CELLS - int(std::count(grid, grid + CELLS, 0));
        for (int i = 0; i < n && clues != givens; i++)
            if (follows(grid, order[i])) {
                grid[order[i]] = 0;
                clues--;
            }
        return givens == 0 || clues == givens;
    }

    static std::int64_t rate(const std::int8_t* grid) {
        Board board;
        Search search(2, RATING_BUDGET);
        if (board.load(grid)) search.run_from(board);
        return search.guesses;
    }

    // Give back two to four clues, dig again, keep what is no easier: a walk over the puzzles of one solution grid.
    std::int64_t climb(std::int64_t rating) {
        for (int step = 0; step < CLIMB_STEPS && rating < lowest; step++) {
            std::int8_t next[CELLS];
            int order[CELLS], n = 0;
            std::memcpy(next, puzzle, sizeof next);
            for (int cell = 0; cell < CELLS; cell++)
                if (next[cell]) order[n++] = cell;
            rng.shuffle(order, n);
            for (int back = 2 + rng.below(3); back && n < CELLS; back--) {
                int cell;
                do cell = rng.below(CELLS);
                while (next[cell]);
                next[cell] = solution[cell];
                order[n++] = cell;
            }
            if (!dig(next, order, n)) continue;
            const std::int64_t now = rate(next);
            if (now < rating || now > highest) continue;
            rating = now;
            std::memcpy(puzzle, next, sizeof next);
        }
        return rating;
    }

    // Make `puzzle` and `solution`; its rating, or -1 if no attempt met the wishes.
    std::int64_t make() {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            random_grid();
            std::memset(witness, 0, sizeof witness);
            std::memcpy(puzzle, solution, sizeof puzzle);
            int order[CELLS];
            for (int cell = 0; cell < CELLS; cell++) order[cell] = cell;
            rng.shuffle(order, CELLS);
            if (!dig(puzzle, order, CELLS)) continue;
            std::int64_t rating = rate(puzzle);
            if (rating < lowest) rating = climb(rating);
            if (rating >= lowest && rating <= highest) return rating;
        }
        return -1;
    }
};
