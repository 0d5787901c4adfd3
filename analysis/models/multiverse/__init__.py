"""Every defensible specification at once, and the test of the whole curve."""

from analysis.models.multiverse.curve import specification_curve

__all__ = ["specification_curve"]
