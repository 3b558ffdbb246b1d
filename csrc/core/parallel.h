// Parallel loops on the OpenMP threads that torch already runs.
//
// The core neither links nor starts a threading runtime. It looks up the entry point of the OpenMP
// runtime that is loaded in the process (torch's), so there is one pool, and where none is found
// the loops are serial.
#pragma once

#include <atomic>
#include <cstdint>

namespace gossamer {

// Run body(context) on up to `threads` threads and wait; may use fewer.
void run_on_threads(int threads, void (*body)(void*), void* context);

// The name of the runtime that run_on_threads uses, for messages.
const char* threading_name();

// Call body(task, worker) for each task; worker < threads. Tasks start in order, each on the next
// idle thread. `body` must not throw.
template <class Body> void parallel_for(int64_t tasks, int threads, const Body& body) {
    if (tasks < threads) threads = static_cast<int>(tasks);
    if (threads <= 1) {
        for (int64_t task = 0; task < tasks; ++task) body(task, 0);
        return;
    }
    struct Context {
        const Body& body;
        int64_t tasks;
        std::atomic<int64_t> next_task{0};
        std::atomic<int> next_worker{0};
    } context{body, tasks};
    run_on_threads(
        threads,
        [](void* pointer) {
            auto& shared = *static_cast<Context*>(pointer);
            const int worker = shared.next_worker.fetch_add(1, std::memory_order_relaxed);
            int64_t task;
            while ((task = shared.next_task.fetch_add(1, std::memory_order_relaxed)) < shared.tasks)
                shared.body(task, worker);
        },
        &context);
}

}  // namespace gossamer
