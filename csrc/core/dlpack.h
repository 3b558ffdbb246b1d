// DLPack's exchange format (https://dmlc.github.io/dlpack), as far as it is used here: a tensor of
// plain CPU memory with the function that frees it. The layout is the standard's.
#pragma once

#include <cstdint>

namespace gossamer::dlpack {

struct Device {
    int32_t type;  // 1: CPU
    int32_t id;
};

struct DataType {
    uint8_t code;  // 0: signed integer, 2: float, 4: bfloat
    uint8_t bits;
    uint16_t lanes;
};

struct Tensor {
    void* data;
    Device device;
    int32_t ndim;
    DataType dtype;
    int64_t *shape, *strides;  // strides: null for a contiguous tensor
    uint64_t byte_offset;
};

struct ManagedTensor {
    Tensor tensor;
    void* context;
    void (*deleter)(ManagedTensor*);
};

}  // namespace gossamer::dlpack
