"""Random one-operator models for single_op.py. One function per operator (generate_*.py) draws shapes,
options and quantisation; case() adds input values and asks the oracle for the outputs.
"""

from . import generate_conv, generate_elementwise, generate_shape, generate_state  # noqa: F401
from .draft import CASES, case, draw  # noqa: F401
