// How rows of a compressed adjacency become tasks of about equal work.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace gossamer {

// Work is counted in slots plus rows. The figure is part of the results: a row with more slots than
// this is summed in pieces of exactly this many, whatever the number of threads.
constexpr int64_t kTaskWork = 4096;

struct Task {
    int64_t begin, end;  // rows, or slots of one long row
    int32_t long_row;    // -1: rows
    int32_t piece;       // which partial result, counted over all long rows
};

struct LongRow {
    int64_t row;
    int32_t first_piece, num_pieces;
};

struct Schedule {
    std::vector<Task> tasks;
    std::vector<LongRow> long_rows;
    std::unique_ptr<std::atomic<int32_t>[]> pieces_left;  // of each long row
    int32_t num_pieces = 0;

    // True for the caller that reports the last piece of a long row: it combines them, in order.
    bool finish_piece(int32_t long_row) {
        return pieces_left[static_cast<size_t>(long_row)].fetch_sub(1, std::memory_order_acq_rel) ==
               1;
    }
};

Schedule make_schedule(const void* indptr, bool wide, int64_t num_rows);

// How many threads are worth starting for `values` elementary operations.
inline int useful_threads(int threads, int64_t values) {
    constexpr int64_t kGrain = 32768;  // below this a serial loop beats waking a thread; torch has the same
    const int64_t most = values / kGrain;
    return most < threads ? static_cast<int>(most < 1 ? 1 : most) : threads;
}

}  // namespace gossamer
