// The one table of functions that are compiled once per instruction set, and the arguments that they
// take. The loops live in isa/, the scheduling that calls them beside this folder.
#pragma once

#include <string>

#include "core/types.h"

namespace gossamer {

// A piece of the output's features: at most one vector wide, contiguous in output and operands (or
// one repeated value of an operand). Offsets count elements from the start of a row.
struct Entry {
    int64_t lhs, rhs, out;
    int32_t lanes;
};

// One operand of a binary operator. Slot k reads row ids[k], or row k when ids is null.
struct Operand {
    const char* base;  // null: the operator has no such operand
    int64_t stride;    // bytes from row to row
    const void* ids;
    int step;     // between the lanes of an entry: 1, or 0 for one value that meets them all
    double sign;  // +1 or -1, for add
};

// The operands of a kernel over a broadcast feature space that is cut to the vector width. Copies
// read `lhs`; where an operator commutes, the operand with step 0 is `rhs`; a subtraction is an add
// with a sign.
struct Binary {
    Op op;  // copy_lhs, add, mul, div or dot
    Operand lhs, rhs;
    bool wide;  // 64-bit ids
    const Entry* entries;
    int64_t num_entries;
};

struct SpmmArgs {
    Binary message;
    const void* indptr;
    int64_t num_slots;
    bool extreme;  // the largest (after `sign`) and, into `arg`, its slot; not the sum
    bool mean;
    double sign;
    const void* row_scale;  // a factor for each row of a sum, or null
    // A factor of the row of `message.lhs` with the same number, added to the row; null: none. Rows
    // from `self_rows` on have no such row.
    const void* self_scale;
    int64_t self_rows;
    int64_t width;          // features of the output
    void *out, *arg;        // arg: null where the slots are not wanted
};

struct SddmmArgs {
    Binary value;
    const void* out_ids;  // null: slot k writes row k
    // A dot product per block: offsets of its operands, and its length.
    const int64_t *lhs_offsets, *rhs_offsets;
    int64_t blocks, inner;
    int64_t width;
    void* out;
};

struct SoftmaxArgs {
    const void *indptr, *eids;
    bool wide;
    int64_t num_slots, width;
    const void *x, *grad;  // grad: null in the forward pass; x is then the logits, else the output
    void* out;
};

// Attention in three passes. `forward` and `query` walk destinations, whose own key operand is the
// query; `backward` walks sources, whose own key operand is the key. The gradients of the scores are
// computed in both of the latter: a tensor of them is quicker to read, but one of the largest. `query`
// comes first and fills `stats`; after it only the own row reads a value, and so `backward` may
// write a value's gradient in its place.
enum class AttentionPass : int { forward, query, backward };

struct AttentionArgs {
    AttentionPass pass;
    Score score;
    const void *indptr, *indices, *eids;
    bool wide;
    int64_t num_slots, heads, dim, key_dim;  // features of a head: of the value, of the key operands
    double slope;                            // of the activation below 0, for add and add_dot
    // Dropout keeps, scaled up, where a hash of (seed, edge, head) reaches the threshold.
    uint64_t seed, threshold;
    double keep_scale;
    const void *own_key, *far_key;  // of the row and of its neighbours
    const void *weight, *bias;      // weight: of add_dot; bias: per edge and head, or null
    const void* value;              // backward: of the row, else of the neighbours
    const void* out_bias;           // of each head and feature, added to every row; or null
    const void *grad, *result;      // of destinations; result: what forward gave
    // Of destinations, in the accumulator's type: largest score and total of the exponentials; and,
    // for the gradients, largest score, 1 / total, and inner product of gradient and sum.
    void *norms, *stats;
    void *out;         // of the row: result, gradient of the value, or gradient of the query
    void *grad_key;    // of the row
    void* grad_score;  // backward: of each edge and head, in the accumulator's type; null: unwanted
    const Entry *value_entries, *key_entries;  // lhs: offset in the row, rhs: head
    int64_t num_value_entries, num_key_entries;
};

// Functions for one dtype of features. `scratch` belongs to the calling worker.
struct Kernels {
    int lanes;

    int64_t (*spmm_scratch)(const SpmmArgs&);  // bytes
    void (*spmm_prepare)(const SpmmArgs&, char* shared);
    int64_t (*spmm_shared)(const SpmmArgs&);  // bytes
    void (*spmm_rows)(const SpmmArgs&, const char* shared, int64_t begin, int64_t end,
                      char* scratch);
    // One piece of a long row: accumulators and, for an extreme, winning slots.
    void (*spmm_piece)(const SpmmArgs&, const char* shared, int64_t begin, int64_t end,
                       void* partial, int64_t* partial_arg, char* scratch);

    void (*sddmm)(const SddmmArgs&, int64_t begin, int64_t end);

    void (*softmax_rows)(const SoftmaxArgs&, int64_t begin, int64_t end);
    // A long row in two steps. First per piece: its peak and total (backward: only the total);
    // then, with the row's peak and total, its values.
    void (*softmax_piece)(const SoftmaxArgs&, int64_t begin, int64_t end, void* peak, void* total);
    void (*softmax_apply)(const SoftmaxArgs&, int64_t begin, int64_t end, const void* peak,
                          const void* total);

    int64_t (*attention_scratch)(const AttentionArgs&);  // bytes
    // The inner products that fill `stats`, for rows [begin, end) of destinations.
    void (*attention_stats)(const AttentionArgs&, int64_t begin, int64_t end);
    // `weight_sum` is where the task adds up the gradient of the weight; null where it is not wanted.
    void (*attention_rows)(const AttentionArgs&, int64_t begin, int64_t end, void* weight_sum,
                           char* scratch);
    // One piece of a long row, into accumulators of its own; then all its pieces, in order.
    void (*attention_piece)(const AttentionArgs&, int64_t row, int64_t begin, int64_t end,
                            void* partial, void* weight_sum, char* scratch);
    void (*attention_combine)(const AttentionArgs&, int64_t row, void* partials, int64_t pieces);
};

// How many accumulators a row needs in a pass of attention.
static inline int64_t attention_width(const AttentionArgs& a) {
    switch (a.pass) {
        case AttentionPass::forward: return a.heads * (a.dim + 2);
        case AttentionPass::backward: return a.heads * (a.dim + a.key_dim);
        default: return a.heads * a.key_dim;
    }
}

struct KernelTable {
    const char* name;
    Kernels of[kNumDTypes];
};

// The table for this machine's CPU; chosen once. GOSSAMER_ISA can lower the choice.
const KernelTable& kernels();

// Names of the instruction sets that were compiled in and that this CPU has, best first.
std::string available_isas();

inline const Kernels& kernels(DType dtype) { return kernels().of[static_cast<int>(dtype)]; }

}  // namespace gossamer
