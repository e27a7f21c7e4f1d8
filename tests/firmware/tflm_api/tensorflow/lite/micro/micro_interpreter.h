// What our shim uses of TensorFlow Lite Micro's public interface, declared by hand after its
// documentation (as of 2026): enough to see that the shim is C++ that fits it. No TFLM code.
#pragma once
#include <cstddef>
#include <cstdint>

#define TFLITE_SCHEMA_VERSION (3)

typedef enum {
    kTfLiteOk = 0,
    kTfLiteError = 1
} TfLiteStatus;
typedef enum {
    kTfLiteNoType = 0,
    kTfLiteFloat32 = 1,
    kTfLiteInt32 = 2,
    kTfLiteUInt8 = 3,
    kTfLiteInt16 = 7,
    kTfLiteInt8 = 9
} TfLiteType;
typedef union {
    char *raw;
    void *data;
} TfLitePtrUnion;
typedef struct {
    TfLiteType type;
    TfLitePtrUnion data;
    size_t bytes;
} TfLiteTensor;

namespace tflite
{

struct Model {
    uint32_t version() const;
};

class MicroOpResolver;
class MicroResourceVariables;
class MicroProfilerInterface;

class MicroInterpreter
{
  public:
    MicroInterpreter(const Model *model, const MicroOpResolver &op_resolver, uint8_t *tensor_arena,
                     size_t tensor_arena_size, MicroResourceVariables *resource_variables = nullptr,
                     MicroProfilerInterface *profiler = nullptr, bool preserve_all_tensors = false);
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteStatus Reset();
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
    size_t inputs_size() const;
    size_t outputs_size() const;
    size_t arena_used_bytes() const;

  private:
    void *state_[16];
};

} // namespace tflite
