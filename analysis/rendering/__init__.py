"""Quarto's sources as standalone HTML and, through Typst, as PDF, with the same bytes everywhere."""

from analysis.rendering.page import render_page
from analysis.rendering.site import render_site

__all__ = ["render_page", "render_site"]
