#include "core/schedule.h"

#include <algorithm>

namespace gossamer {
namespace {

template <class Index> Schedule build(const Index* indptr, int64_t num_rows) {
    Schedule schedule;
    const int64_t total = num_rows + int64_t{indptr[num_rows]};
    const auto start = [&](int64_t row) { return row + int64_t{indptr[row]}; };
    schedule.tasks.reserve(static_cast<size_t>(total / kTaskWork + 1));
    int64_t begin = 0;
    while (begin < num_rows) {
        // The last row of the block starts before the block's end, so only it can be a long one.
        const int64_t goal = start(begin) + kTaskWork;
        int64_t low = begin + 1, high = std::min(num_rows, begin + kTaskWork);
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            if (start(middle) < goal)
                low = middle + 1;
            else
                high = middle;
        }
        const int64_t end = low, last = end - 1;
        const int64_t slot = indptr[last], slot_end = indptr[end];
        const bool is_long = slot_end - slot > kTaskWork;
        if (is_long) {
            // Long rows go first in the queue of this block: they finish last.
            const auto id = static_cast<int32_t>(schedule.long_rows.size());
            const int32_t first = schedule.num_pieces;
            for (int64_t k = slot; k < slot_end; k += kTaskWork)
                schedule.tasks.push_back(
                    {k, std::min(k + kTaskWork, slot_end), id, schedule.num_pieces++});
            schedule.long_rows.push_back({last, first, schedule.num_pieces - first});
        }
        if (begin < end - is_long) schedule.tasks.push_back({begin, end - is_long, -1, -1});
        begin = end;
    }
    const size_t count = schedule.long_rows.size();
    if (count) {
        schedule.pieces_left = std::make_unique<std::atomic<int32_t>[]>(count);
        for (size_t i = 0; i < count; ++i)
            schedule.pieces_left[i].store(schedule.long_rows[i].num_pieces,
                                          std::memory_order_relaxed);
    }
    return schedule;
}

}  // namespace

Schedule make_schedule(const void* indptr, bool wide, int64_t num_rows) {
    return wide ? build(static_cast<const int64_t*>(indptr), num_rows)
                : build(static_cast<const int32_t*>(indptr), num_rows);
}

}  // namespace gossamer
