"""The explorer as one file of HTML: libraries, outlines, facts and code in it, and nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template

from analysis.errors import AnalysisError
from analysis.rendering.site import navigation, read_site

HERE = Path(__file__).parent
PAGE = "explorer.html"
THEME = HERE.parent / "rendering" / "theme.css"
# In the order in which they run.
SCRIPTS = ("facts.js", "map.js", "table.js", "jurisdiction.js", "start.js")
EXPORT = re.compile(r"export\s*\{(?:[^}]*,)?\s*(\w+) as default\b[^}]*\};?")


@cache
def vega() -> str:
    """Vega's runtime, as Vega-Altair has it offline: `window.vegaEmbed`."""
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


@cache
def data_tables() -> str:
    """DataTables' bundle from itables, as a script that sets `window.DataTable`.

    Raises
    ------
    AnalysisError : the bundle no longer exports DataTables as its default.
    """
    bundle = files("itables").joinpath("html", "dt_bundle.js").read_text(encoding="utf-8")
    script, replaced = EXPORT.subn(r"window.DataTable = \1;", bundle)
    if replaced != 1:
        raise AnalysisError(
            "itables' bundle of DataTables has no default export. Remedy: pin itables in pyproject.toml."
        )
    return script


def as_json(value: object) -> str:
    """JSON that can stand inside a `script` element and in any line of JavaScript.

    >>> as_json("</script>")
    '"\\\\u003c/script>"'
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def inline(script: str) -> str:
    """A script's text as it can stand in the page: no end tag inside it.

    >>> inline("x = '</script>'")
    "x = '<\\\\/script>'"
    """
    return re.sub(r"<(/script|!--)", r"<\\\1", script, flags=re.I)


def fingerprint(script: str) -> str:
    """A script's place in the content-security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode()}'"


def document(contents: Mapping, outlines: Mapping, reports: Path) -> str:
    """The whole page.

    Parameters
    ----------
    contents : as `contents.contents` gives them. outlines : as `outlines.on_grid` gives them.
    reports : the folder of the site, whose navigation the page has.
    """
    own = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    scripts = [inline(script).strip() for script in (vega(), data_tables(), own)]
    site = read_site(reports)
    around = navigation(site, {}, PAGE)
    styles = THEME.read_text(encoding="utf-8") + (HERE / "explorer.css").read_text(encoding="utf-8")
    template = Template((HERE / "explorer.html").read_text(encoding="utf-8"))
    return template.substitute(
        policy=" ".join(map(fingerprint, scripts)),
        site_title=html.escape(site.title),
        navbar=around.get("navbar", ""),
        footer=around.get("footer", ""),
        styles=styles,
        facts=as_json(contents),
        outlines=as_json(outlines),
        scripts="\n".join(f'<script type="module">{script}</script>' for script in scripts),
        **{name: html.escape(str(contents[name])) for name in ("version", "released")},
        fewest=f"{contents['fewest']:,}",
    )
