"""An independent reference implementation of TensorFlow Lite's integer operators.

Pure Python 3, standard library only, arbitrary-precision integers; written from the published
definition of each operator, and sharing no code with the C kernels that it judges. It trades speed
for being easy to check: every rounding step is a function of its own in fixed.py.
"""
