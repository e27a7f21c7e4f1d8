// TensorFlow Lite Micro as an engine, by its public C++ API only. Compiled when -Dforeign_engine
// names a folder that holds this file as shim.cc beside your own build of TFLM (FOREIGN.md).
//
// The model is the .tflite file itself, in the slot; the arena is TFLM's tensor arena, with the
// interpreter in front of it, so that what is counted is what TFLM needs.
#include <new>

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" {
#include "agents/engines/engine.h"
}

namespace {

// What a tuned user would register: change it to what your models need, it decides the flash.
#ifndef TFLM_OPERATORS
#define TFLM_OPERATORS(r)                                                                          \
    (r).AddConv2D(), (r).AddDepthwiseConv2D(), (r).AddFullyConnected(), (r).AddSoftmax(),          \
        (r).AddReshape(), (r).AddAveragePool2D(), (r).AddMaxPool2D(), (r).AddAdd(), (r).AddMul(),  \
        (r).AddQuantize(), (r).AddDequantize(), (r).AddPad(), (r).AddMean(), (r).AddLogistic()
#define TFLM_OPERATOR_COUNT 14
#endif

struct State {
    tflite::MicroMutableOpResolver<TFLM_OPERATOR_COUNT> resolver;
    alignas(16) unsigned char interpreter[sizeof(tflite::MicroInterpreter)];
};

State *StateOf(const engine_model *m) { return reinterpret_cast<State *>(m->arena); }

tflite::MicroInterpreter *InterpreterOf(const engine_model *m) {
    return reinterpret_cast<tflite::MicroInterpreter *>(StateOf(m)->interpreter);
}

engine_status Load(engine_model *m) {
    const uint32_t state = (sizeof(State) + 15u) & ~15u;
    const tflite::Model *model = tflite::GetModel(m->image);

    m->detail = 0;
    if (model->version() != TFLITE_SCHEMA_VERSION) return ENGINE_BAD_IMAGE;
    if (m->arena_size <= state) return ENGINE_NO_SPACE;
    State *s = new (m->arena) State;
    TFLM_OPERATORS(s->resolver);
    auto *interpreter = new (s->interpreter)
        tflite::MicroInterpreter(model, s->resolver, m->arena + state, m->arena_size - state);
    if (interpreter->AllocateTensors() != kTfLiteOk) return ENGINE_NO_SPACE;
    m->arena_used = state + interpreter->arena_used_bytes();
    m->inputs = static_cast<uint8_t>(interpreter->inputs_size());
    m->outputs = static_cast<uint8_t>(interpreter->outputs_size());
    return ENGINE_OK;
}

uint8_t TypeOf(TfLiteType type) {
    switch (type) {
    case kTfLiteInt8: return ENGINE_INT8;
    case kTfLiteUInt8: return ENGINE_UINT8;
    case kTfLiteInt16: return ENGINE_INT16;
    case kTfLiteInt32: return ENGINE_INT32;
    case kTfLiteFloat32: return ENGINE_FLOAT32;
    default: return ENGINE_BYTES;
    }
}

engine_tensor Tensor(engine_model *m, int output, unsigned index) {
    tflite::MicroInterpreter *interpreter = InterpreterOf(m);
    engine_tensor none = {nullptr, 0, 0};

    if (index >= (output ? interpreter->outputs_size() : interpreter->inputs_size())) return none;
    TfLiteTensor *t = output ? interpreter->output(index) : interpreter->input(index);
    return {t->data.raw, static_cast<uint32_t>(t->bytes), TypeOf(t->type)};
}

engine_status Invoke(engine_model *m) {
    return InterpreterOf(m)->Invoke() == kTfLiteOk ? ENGINE_OK : ENGINE_FAILED;
}

engine_status Reset(engine_model *m) {
    return InterpreterOf(m)->Reset() == kTfLiteOk ? ENGINE_OK : ENGINE_FAILED;
}

}  // namespace

extern "C" const engine engine_foreign = {"tflm", 1, 0, Load, Tensor, Invoke, Reset, nullptr};
