// See micro_interpreter.h.
#pragma once
#include "tensorflow/lite/micro/micro_interpreter.h"

namespace tflite
{

const Model *GetModel(const void *buf);

} // namespace tflite
