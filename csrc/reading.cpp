// Rows read from a file: many reads at once through io_uring, or one after another.
//
// The caller sorts the rows by position. Neighboring rows, and rows with a small gap between them, are
// one read.
#include <nanobind/nanobind.h>

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "by_name.h"
#include "register.h"

#if defined(__linux__) && __has_include(<linux/io_uring.h>)
#define GOSSAMER_IO_URING
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#endif

namespace nb = nanobind;

namespace gossamer {
namespace {

constexpr int64_t kLongestRun = 256 << 10;
constexpr unsigned kDepth = 64;  // reads at once
constexpr int64_t kTruncated = INT64_MIN;

struct ReadRows {
    int file;
    bool use_ring;
    int64_t start;  // position of row 0
    int64_t row_bytes, count;
    int64_t gap;  // bytes between two rows that are read rather than skipped
    const int64_t* ids;     // ascending
    const int64_t* places;  // row of `out` for each id
    uint8_t* out;
};

// The rows `begin` to `end - 1`, and their bytes once they are read.
struct Run {
    int64_t begin, end, position, size;
    std::vector<uint8_t> bytes;
};

bool next_run(const ReadRows& call, int64_t begin, Run& run) {
    if (begin == call.count) return false;
    int64_t end = begin + 1;
    const auto span = [&](int64_t last) {
        return (call.ids[last] - call.ids[begin] + 1) * call.row_bytes;
    };
    while (end < call.count &&
           (call.ids[end] - call.ids[end - 1] - 1) * call.row_bytes <= call.gap &&
           span(end) <= kLongestRun)
        ++end;
    run.begin = begin;
    run.end = end;
    run.position = call.start + call.ids[begin] * call.row_bytes;
    run.size = span(end - 1);
    if (static_cast<int64_t>(run.bytes.size()) < run.size)
        run.bytes.resize(static_cast<size_t>(run.size));
    return true;
}

// Read what is missing of a run, of which `done` bytes are there; 0, an error number or kTruncated.
int64_t read_rest(const ReadRows& call, Run& run, int64_t done) {
    while (done < run.size) {
        const ssize_t got = pread(call.file, run.bytes.data() + done,
                                  static_cast<size_t>(run.size - done), run.position + done);
        if (got == 0) return kTruncated;
        if (got < 0 && errno != EINTR) return -errno;
        done += std::max<ssize_t>(got, 0);
    }
    return 0;
}

void deal_out(const ReadRows& call, const Run& run) {
    const auto size = static_cast<size_t>(call.row_bytes);
    for (int64_t i = run.begin; i < run.end; ++i)
        std::memcpy(call.out + call.places[i] * call.row_bytes,
                    run.bytes.data() + (call.ids[i] - call.ids[run.begin]) * call.row_bytes, size);
}

int64_t read_in_turn(const ReadRows& call) {
    Run run;
    int64_t total = 0;
    for (int64_t at = 0; next_run(call, at, run); at = run.end) {
        const int64_t error = read_rest(call, run, 0);
        if (error) return error;
        deal_out(call, run);
        total += run.size;
    }
    return total;
}

#ifdef GOSSAMER_IO_URING

// A pair of queues shared with the kernel.
class Ring {
   public:
    explicit Ring(unsigned entries) {
        io_uring_params params{};
        file_ = static_cast<int>(syscall(SYS_io_uring_setup, entries, &params));
        if (file_ < 0 || !(params.features & IORING_FEAT_SINGLE_MMAP)) return;
        size_ = std::max(params.sq_off.array + params.sq_entries * sizeof(unsigned),
                         params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
        queues_ = static_cast<uint8_t*>(map(size_, IORING_OFF_SQ_RING));
        entries_size_ = params.sq_entries * sizeof(io_uring_sqe);
        entries_ = static_cast<io_uring_sqe*>(map(entries_size_, IORING_OFF_SQES));
        if (!queues_ || !entries_) return;
        tail_ = at<unsigned>(params.sq_off.tail);
        mask_ = *at<unsigned>(params.sq_off.ring_mask);
        order_ = at<unsigned>(params.sq_off.array);
        done_head_ = at<unsigned>(params.cq_off.head);
        done_tail_ = at<unsigned>(params.cq_off.tail);
        done_mask_ = *at<unsigned>(params.cq_off.ring_mask);
        done_ = at<io_uring_cqe>(params.cq_off.cqes);
        ready_ = true;
    }
    ~Ring() {
        if (entries_) munmap(entries_, entries_size_);
        if (queues_) munmap(queues_, size_);
        if (file_ >= 0) close(file_);
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    bool ready() const { return ready_; }

    void add(int file, Run& run, uint64_t number) {
        const unsigned tail = *tail_, place = tail & mask_;
        io_uring_sqe& entry = entries_[place];
        entry = io_uring_sqe{};
        entry.opcode = IORING_OP_READ;
        entry.fd = file;
        entry.off = static_cast<uint64_t>(run.position);
        entry.addr = reinterpret_cast<uint64_t>(run.bytes.data());
        entry.len = static_cast<unsigned>(run.size);
        entry.user_data = number;
        order_[place] = place;
        __atomic_store_n(tail_, tail + 1, __ATOMIC_RELEASE);
        ++added_;
    }

    // Hand over what was added and wait for a read; false if the kernel refuses.
    bool wait() {
        for (;;) {
            const long taken = syscall(SYS_io_uring_enter, file_, added_, 1u,
                                       IORING_ENTER_GETEVENTS, nullptr, 0);
            if (taken >= 0) {
                added_ -= static_cast<unsigned>(taken);
                return true;
            }
            if (errno != EINTR) return false;
        }
    }

    // A read that is done: its number and its result.
    bool take(uint64_t& number, int64_t& result) {
        const unsigned head = *done_head_;
        if (head == __atomic_load_n(done_tail_, __ATOMIC_ACQUIRE)) return false;
        const io_uring_cqe& entry = done_[head & done_mask_];
        number = entry.user_data;
        result = entry.res;
        __atomic_store_n(done_head_, head + 1, __ATOMIC_RELEASE);
        return true;
    }

   private:
    void* map(size_t size, off_t what) {
        void* found =
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file_, what);
        return found == MAP_FAILED ? nullptr : found;
    }
    template <class T> T* at(unsigned offset) { return reinterpret_cast<T*>(queues_ + offset); }

    int file_ = -1;
    bool ready_ = false;
    size_t size_ = 0, entries_size_ = 0;
    uint8_t* queues_ = nullptr;
    io_uring_sqe* entries_ = nullptr;
    unsigned *tail_ = nullptr, *order_ = nullptr, *done_head_ = nullptr, *done_tail_ = nullptr;
    unsigned mask_ = 0, done_mask_ = 0, added_ = 0;
    io_uring_cqe* done_ = nullptr;
};

int64_t read_at_once(const ReadRows& call, Ring& ring) {
    auto buffers = std::make_unique<std::vector<Run>>(kDepth);
    std::vector<Run>& runs = *buffers;
    std::vector<uint64_t> free;
    for (unsigned k = 0; k < kDepth; ++k) free.push_back(k);
    int64_t total = 0, at = 0, error = 0;
    size_t under_way = 0;
    for (;;) {
        while (!error && !free.empty() && next_run(call, at, runs[free.back()])) {
            Run& run = runs[free.back()];
            ring.add(call.file, run, free.back());
            at = run.end;
            free.pop_back();
            ++under_way;
        }
        // Buffers must not be freed while the kernel writes to them, so that an error waits as well.
        if (!under_way) return error ? error : total;
        if (!ring.wait()) {
            const int why = errno;
            static_cast<void>(buffers.release());  // the kernel may still write to them
            return -why;
        }
        uint64_t number = 0;
        int64_t result = 0;
        while (ring.take(number, result)) {
            Run& run = runs[number];
            free.push_back(number);
            --under_way;
            if (!error) error = read_rest(call, run, std::max<int64_t>(result, 0));
            if (error) continue;
            deal_out(call, run);
            total += run.size;
        }
    }
}

bool has_ring() {
    static const bool found = Ring(1).ready();
    return found;
}

#else
bool has_ring() { return false; }
#endif

// The number of bytes that were read, a negative error number, or kTruncated.
int64_t read_rows(const ReadRows& call) {
#ifdef GOSSAMER_IO_URING
    constexpr int64_t kWorthARing = 16;
    if (call.use_ring && call.count >= kWorthARing && has_ring()) {
        Ring ring(kDepth);
        if (ring.ready()) return read_at_once(call, ring);
    }
#endif
    return read_in_turn(call);
}

}  // namespace

void register_reading(nb::module_& m) {
    m.def("has_io_uring", has_ring);
    m.attr("read_rows") = by_name<read_rows>("read_rows", {
        GOSSAMER_FIELD(ReadRows, file), GOSSAMER_FIELD(ReadRows, use_ring),
        GOSSAMER_FIELD(ReadRows, start), GOSSAMER_FIELD(ReadRows, row_bytes),
        GOSSAMER_FIELD(ReadRows, count), GOSSAMER_FIELD(ReadRows, gap),
        GOSSAMER_FIELD(ReadRows, ids), GOSSAMER_FIELD(ReadRows, places),
        GOSSAMER_FIELD(ReadRows, out)});
}

}  // namespace gossamer
