"""Operators that keep state from one inference to the next."""

from operator import mul

from .common import LIMITS
from .fixed import clamp, multiply, quantize_multiplier


def svdf(call):
    """Rank-decomposed filters over time; the newest feature enters at the end of each memory row.

    The fused activation is not applied: the integer kernel clamps to int8 and nothing else.
    """
    inp, feature, time, out = call.tensor(0), call.tensor(1), call.tensor(2), call.output()
    state = call.tensor(4)
    rank = call.option(0, 'i')
    filters, depth = feature.shape
    memory = time.shape[1]
    to_state = quantize_multiplier(inp.scale * feature.scale / state.scale)
    to_out = quantize_multiplier(state.scale * time.scale / out.scale)
    low, high = LIMITS[state.type]
    values = call.input(4)
    del values[0]  # everything moves one step to the left, rows into each other
    values.append(0)
    w, t = call.input(1), call.input(2)
    bias = call.input(3) or [0] * (filters // rank)
    result = []
    for b in range(inp.shape[0]):
        x = [v - inp.zero_point for v in call.input(0)[b * depth:(b + 1) * depth]]
        products = []
        for f in range(filters):
            row = (b * filters + f) * memory
            dot = sum(map(mul, x, w[f * depth:(f + 1) * depth]))
            values[row + memory - 1] = clamp(multiply(dot, *to_state) + state.zero_point, low, high)
            history = [v - state.zero_point for v in values[row:row + memory]]
            products.append(sum(map(mul, history, t[f * memory:(f + 1) * memory])))
        for u in range(filters // rank):
            acc = bias[u] + sum(products[u * rank:(u + 1) * rank])
            result.append(clamp(multiply(acc, *to_out) + out.zero_point, -128, 127))
    return [result]
