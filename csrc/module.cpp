// The extension module gossamer._core. It takes addresses and sizes, and does not depend on torch.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <string>

#include "core/parallel.h"
#include "core/table.h"
#include "register.h"

NB_MODULE(_core, m) {
    using namespace gossamer;
    m.def("isa", [] { return std::string(kernels().name); });
    m.def("available_isas", &available_isas);
    m.def("threading", [] { return std::string(threading_name()); });
    register_memory(m);
    register_spmm(m);
    register_spmm_backward(m);
    register_sddmm(m);
    register_softmax(m);
    register_attention(m);
    register_csr(m);
    register_traversal(m);
    register_topk(m);
    register_grouped_mm(m);
    register_spgemm(m);
    register_cache(m);
    register_reading(m);
    register_sampling(m);
    register_sampling_candidates(m);
    register_sampling_compact(m);
    register_sampling_labor(m);
    register_sampling_walks(m);
}
