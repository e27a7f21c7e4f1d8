// See micro_interpreter.h.
#pragma once
#include "tensorflow/lite/micro/micro_interpreter.h"

namespace tflite
{

class MicroOpResolver
{
  public:
    virtual ~MicroOpResolver()
    {
    }
};

template <unsigned int tOpCount> class MicroMutableOpResolver : public MicroOpResolver
{
  public:
    TfLiteStatus AddAdd();
    TfLiteStatus AddAveragePool2D();
    TfLiteStatus AddConv2D();
    TfLiteStatus AddDepthwiseConv2D();
    TfLiteStatus AddDequantize();
    TfLiteStatus AddFullyConnected();
    TfLiteStatus AddLogistic();
    TfLiteStatus AddMaxPool2D();
    TfLiteStatus AddMean();
    TfLiteStatus AddMul();
    TfLiteStatus AddPad();
    TfLiteStatus AddQuantize();
    TfLiteStatus AddReshape();
    TfLiteStatus AddSoftmax();
};

} // namespace tflite
