// One register function per kernel family; module.cpp calls them.
#pragma once

#include <nanobind/nanobind.h>

namespace gossamer {

void register_memory(nanobind::module_& m);
void register_spmm(nanobind::module_& m);
void register_spmm_backward(nanobind::module_& m);
void register_sddmm(nanobind::module_& m);
void register_softmax(nanobind::module_& m);
void register_attention(nanobind::module_& m);
void register_csr(nanobind::module_& m);
void register_traversal(nanobind::module_& m);
void register_topk(nanobind::module_& m);
void register_grouped_mm(nanobind::module_& m);
void register_spgemm(nanobind::module_& m);
void register_cache(nanobind::module_& m);
void register_reading(nanobind::module_& m);
void register_sampling(nanobind::module_& m);
void register_sampling_candidates(nanobind::module_& m);
void register_sampling_compact(nanobind::module_& m);
void register_sampling_labor(nanobind::module_& m);
void register_sampling_walks(nanobind::module_& m);

}  // namespace gossamer
