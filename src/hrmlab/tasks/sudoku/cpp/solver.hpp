// Exact backtracking solver on candidate masks. The board's shape is fixed at compile time (BOX_ROWS, BOX_COLS), so every
// loop has a known length. Must agree with solver.py: same solutions, same guesses.
#pragma once
#include <array>
#include <bit>
#include <cstdint>

constexpr int N = BOX_ROWS * BOX_COLS, CELLS = N * N, UNITS = 3 * N;
using Mask = std::uint32_t;  // bit d-1: digit d is still possible
constexpr Mask FULL = (Mask(1) << N) - 1;

constexpr int row_of(int cell) { return cell / N; }
constexpr int col_of(int cell) { return cell % N; }
constexpr int box_of(int cell) { return row_of(cell) / BOX_ROWS * BOX_ROWS + col_of(cell) / BOX_COLS; }

constexpr int PEERS = 2 * (N - 1) + (BOX_ROWS - 1) * (BOX_COLS - 1);

struct Tables {
    std::uint8_t peers[CELLS][PEERS];
    std::uint8_t unit[UNITS][N];
    std::uint64_t units_of[CELLS];  // bit u: the cell lies in unit u
};

// static, not inline: libraries of several shapes live in one process, and an inline variable would be shared by them all.
static const Tables TABLES = [] {
    Tables t{};
    int filled[UNITS] = {};
    for (int a = 0; a < CELLS; a++) {
        const int own[3] = {row_of(a), N + col_of(a), 2 * N + box_of(a)};
        for (int u : own) {
            t.unit[u][filled[u]++] = std::uint8_t(a);
            t.units_of[a] |= std::uint64_t(1) << u;
        }
        int k = 0;
        for (int b = 0; b < CELLS; b++)
            if (a != b && (row_of(a) == row_of(b) || col_of(a) == col_of(b) || box_of(a) == box_of(b)))
                t.peers[a][k++] = std::uint8_t(b);
    }
    return t;
}();

inline bool single(Mask m) { return (m & (m - 1)) == 0; }

// Candidates of every cell, the cells whose value has yet to be struck from their peers, and the units to look at again.
struct Board {
    Mask cand[CELLS];
    std::uint8_t queue[CELLS];
    int waiting = 0;
    std::uint64_t dirty = 0;

    Board() {
        for (Mask& m : cand) m = FULL;
    }

    // Keep only the candidates in `keep`; false if none is left.
    bool restrict_to(int cell, Mask keep) {
        const Mask was = cand[cell], now = was & keep;
        if (now == was) return true;
        cand[cell] = now;
        if (now == 0) return false;
        dirty |= TABLES.units_of[cell];
        if (single(now)) queue[waiting++] = std::uint8_t(cell);
        return true;
    }

    bool strike_from_peers() {
        while (waiting) {
            const int cell = queue[--waiting];
            const Mask value = cand[cell];
            for (int peer : TABLES.peers[cell])
                if ((cand[peer] & value) && !restrict_to(peer, ~value)) return false;
        }
        return true;
    }

    bool place_hidden_singles(int u) {
        Mask once = 0, twice = 0, settled = 0;
        for (int cell : TABLES.unit[u]) {
            const Mask m = cand[cell];
            twice |= once & m;
            once |= m;
            if (single(m)) settled |= m;
        }
        if (once != FULL) return false;
        const Mask hidden = once & ~twice & ~settled;
        if (!hidden) return true;
        for (int cell : TABLES.unit[u]) {
            const Mask m = cand[cell] & hidden;
            if (m && (!single(m) || !restrict_to(cell, m))) return false;
        }
        return true;
    }

    // Naked and hidden singles to the fixed point, which is the same in whatever order they are found; false if the
    // board contradicts itself.
    bool settle() {
        for (;;) {
            if (!strike_from_peers()) return false;
            if (!dirty) return true;
            const int u = std::countr_zero(dirty);
            dirty &= dirty - 1;
            if (!place_hidden_singles(u)) return false;
        }
    }

    bool load(const std::int8_t* grid) {
        for (int cell = 0; cell < CELLS; cell++)
            if (grid[cell] && !restrict_to(cell, Mask(1) << (grid[cell] - 1))) return false;
        return true;
    }

    // The open cell with fewest candidates, the first of equals; -1 if the board is full.
    int branch_cell() const {
        int best = -1, fewest = N + 1;
        for (int cell = 0; cell < CELLS; cell++) {
            const int k = std::popcount(cand[cell]);
            if (k > 1 && k < fewest) {
                best = cell;
                if ((fewest = k) == 2) break;
            }
        }
        return best;
    }

    void write(std::int8_t* grid) const {
        for (int cell = 0; cell < CELLS; cell++) grid[cell] = std::int8_t(std::countr_zero(cand[cell]) + 1);
    }
};

// Depth-first search for up to `limit` solutions. A guess is one value tried at a branching cell.
struct Search {
    std::int64_t limit, budget;
    std::int64_t found = 0, guesses = 0;
    bool spent = false;
    std::int8_t first[CELLS] = {};

    Search(std::int64_t limit, std::int64_t budget) : limit(limit), budget(budget) {}

    void run(const Board& board) {
        const int cell = board.branch_cell();
        if (cell < 0) {
            if (found++ == 0) board.write(first);
            return;
        }
        for (Mask left = board.cand[cell]; left; left &= left - 1) {
            if (guesses >= budget) {
                spent = true;
                return;
            }
            guesses++;
            Board next = board;
            if (next.restrict_to(cell, left & -left) && next.settle()) run(next);
            if (found >= limit || spent) return;
        }
    }

    void run_from(Board board) {
        if (board.settle()) run(board);
    }
};
