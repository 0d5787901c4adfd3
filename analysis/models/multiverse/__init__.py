"""Many specifications at once, and the test of their whole curve."""

from analysis.models.multiverse.curve import specification_curve
from analysis.models.multiverse.inference import curve_test

__all__ = ["curve_test", "specification_curve"]
