#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "feature_matrix.hpp"

namespace py = pybind11;

namespace tuile::python {

namespace {

// The stable C interface of DLPack 0.x (the Python array API's "Data interchange"); what all libraries take.
struct Device {
  std::int32_t type, id;
};
struct DataType {
  std::uint8_t code, bits;
  std::uint16_t lanes;
};
struct Tensor {
  void* data;
  Device device;
  std::int32_t dimensions;
  DataType type;
  std::int64_t* shape;
  std::int64_t* strides;  // elements
  std::uint64_t byte_offset;
};
struct ManagedTensor {
  Tensor tensor;
  void* context;
  void (*deleter)(ManagedTensor*);
};

constexpr const char* fresh_name = "dltensor";  // its consumer renames it
constexpr DataType float32{2, 32, 1};
// Page-locked memory, too, is exported as what it is to everybody: the host's. Consumers that care ask the driver about the address.
constexpr Device cpu{1, 0};

/// A managed tensor and what it points at.
struct Export {
  std::shared_ptr<FeatureBlock> block;
  std::array<std::int64_t, 2> shape, strides;
  ManagedTensor managed;
};

}  // namespace

std::pair<int, int> dlpack_device() { return {cpu.type, cpu.id}; }

py::capsule to_dlpack(const FeatureMatrix& matrix) {
  auto shared = std::make_unique<Export>();
  shared->block = matrix.block;
  FeatureBlock& block = *shared->block;
  const auto columns = static_cast<std::int64_t>(block.columns());
  shared->shape = {static_cast<std::int64_t>(block.points), columns};
  shared->strides = {columns, 1};
  shared->managed.tensor = {.data = block.values.data(),
                            .device = cpu,
                            .dimensions = 2,
                            .type = float32,
                            .shape = shared->shape.data(),
                            .strides = shared->strides.data(),
                            .byte_offset = 0};
  shared->managed.context = shared.get();
  // Called by the consumer, from any thread and without the GIL: nothing of Python's is in it.
  shared->managed.deleter = [](ManagedTensor* tensor) { delete static_cast<Export*>(tensor->context); };
  PyObject* capsule = PyCapsule_New(&shared->managed, fresh_name, [](PyObject* object) {
    if (PyCapsule_IsValid(object, fresh_name) == 0) return;  // consumed: it is the consumer's now
    auto* const tensor = static_cast<ManagedTensor*>(PyCapsule_GetPointer(object, fresh_name));
    tensor->deleter(tensor);
  });
  if (capsule == nullptr) throw py::error_already_set();
  shared.release();
  return py::reinterpret_steal<py::capsule>(capsule);
}

}  // namespace tuile::python
