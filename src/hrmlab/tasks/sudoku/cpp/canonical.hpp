// Canonical form of a puzzle by colour refinement and individualisation. Must agree with canonical.py.
//
// Rows, columns and digits carry 64-bit colours that depend on nothing but the puzzle's structure. Where colours tie, each
// tied member is singled out in turn and the least grid wins, so that the form is exact: a colliding hash costs time, never
// truth.
#pragma once
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "maker.hpp"

using Color = std::uint64_t;
using Grid = std::array<std::int8_t, CELLS>;
enum { ROWS, COLS, DIGITS, KINDS };

struct Clue {
    int of[KINDS];  // row, column, digit - 1
    int box;
};

struct Colors {
    Color of[KINDS][N];
};

struct Canonical {
    std::vector<Clue> clues;
    bool used[KINDS][N] = {};
    Grid best;
    bool any = false;

    static void add_siblings(Color* color, int size) {  // lines of one band (stack) learn of each other
        for (int start = 0; start < N; start += size) {
            Color sum = 0;
            for (int i = start; i < start + size; i++) sum += mix(color[i]);
            for (int i = start; i < start + size; i++) color[i] = mix(color[i] * GOLDEN + sum);
        }
    }

    int classes(const Colors& colors) const {
        int n = 0;
        for (const Color* kind : colors.of) {
            Color sorted[N];
            std::copy(kind, kind + N, sorted);
            std::sort(sorted, sorted + N);
            n += int(std::unique(sorted, sorted + N) - sorted);
        }
        return n;
    }

    void refine(Colors& colors) const {
        Color box[N] = {};
        for (int known = classes(colors);;) {
            Color sum[KINDS][N] = {}, boxes[N] = {};
            for (const Clue& clue : clues) {
                Color hash = box[clue.box];
                for (int kind = 0; kind < KINDS; kind++) hash = mix(hash * GOLDEN + colors.of[kind][clue.of[kind]]);
                for (int kind = 0; kind < KINDS; kind++) sum[kind][clue.of[kind]] += hash;
                boxes[clue.box] += hash;
            }
            for (int kind = 0; kind < KINDS; kind++)
                for (int i = 0; i < N; i++) colors.of[kind][i] = mix(colors.of[kind][i] * GOLDEN + sum[kind][i]);
            for (int i = 0; i < N; i++) box[i] = mix(boxes[i]);
            add_siblings(colors.of[ROWS], BOX_ROWS);
            add_siblings(colors.of[COLS], BOX_COLS);
            const int now = classes(colors);
            if (now <= known) return;
            known = now;
        }
    }

    // place[i]: new position of line i. Bands are ordered by their sorted colours, lines within a band by colour. What still
    // ties is empty, and its order does not show.
    static void order_lines(const Color* color, int size, int* place) {
        std::array<std::vector<std::pair<Color, int>>, N> bands;
        const int count = N / size;
        for (int b = 0; b < count; b++) {
            for (int i = 0; i < size; i++) bands[b].push_back({color[b * size + i], b * size + i});
            std::sort(bands[b].begin(), bands[b].end());
        }
        std::sort(bands.begin(), bands.begin() + count, [](const auto& a, const auto& b) {
            return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                                [](const auto& x, const auto& y) { return x.first < y.first; });
        });
        for (int b = 0; b < count; b++)
            for (int i = 0; i < size; i++) place[bands[b][i].second] = b * size + i;
    }

    void leaf(const Colors& colors) {
        int place[KINDS][N];
        order_lines(colors.of[ROWS], BOX_ROWS, place[ROWS]);
        order_lines(colors.of[COLS], BOX_COLS, place[COLS]);
        int digits[N], next = 0;
        for (int d = 0; d < N; d++) digits[d] = d;
        std::sort(digits, digits + N, [&](int a, int b) { return colors.of[DIGITS][a] < colors.of[DIGITS][b]; });
        for (int d : digits)
            if (used[DIGITS][d]) place[DIGITS][d] = ++next;
        Grid grid{};
        for (const Clue& clue : clues)
            grid[place[ROWS][clue.of[ROWS]] * N + place[COLS][clue.of[COLS]]] =
                std::int8_t(place[DIGITS][clue.of[DIGITS]]);
        if (!any || grid < best) best = grid;
        any = true;
    }

    void search(Colors colors) {
        refine(colors);
        for (int kind = 0; kind < KINDS; kind++) {
            Color tied = 0;
            bool found = false;
            for (int i = 0; i < N; i++)
                for (int j = 0; j < i; j++) {
                    const Color color = colors.of[kind][i];
                    if (used[kind][i] && used[kind][j] && color == colors.of[kind][j] && (!found || color < tied)) {
                        tied = color;
                        found = true;
                    }
                }
            if (!found) continue;
            for (int i = 0; i < N; i++)
                if (used[kind][i] && colors.of[kind][i] == tied) {
                    Colors next = colors;
                    next.of[kind][i] = mix(tied + 1);
                    search(next);
                }
            return;
        }
        leaf(colors);
    }

    void run(const std::int8_t* grid, bool transposed) {
        clues.clear();
        std::memset(used, 0, sizeof used);
        for (int cell = 0; cell < CELLS; cell++) {
            if (!grid[cell]) continue;
            const int at = transposed ? col_of(cell) * N + row_of(cell) : cell;
            const Clue clue = {{row_of(at), col_of(at), grid[cell] - 1}, box_of(at)};
            for (int kind = 0; kind < KINDS; kind++) used[kind][clue.of[kind]] = true;
            clues.push_back(clue);
        }
        Colors start;
        for (int kind = 0; kind < KINDS; kind++)
            for (Color& color : start.of[kind]) color = Color(kind + 1);
        search(start);
    }
};
