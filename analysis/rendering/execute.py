"""Running a page's cells in a kernel of this very Python, and what each gave back.

An output is a small dictionary, so that it can be kept as JSON: `kind` (`text`, `stderr`, `markdown`, `svg`,
`png`, `error`; of an expression `value` for Markdown, `plain` for text) and `data` (text; base64 for `png`).
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import json
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from analysis.provenance import root
from analysis.rendering.chunks import Cell, Chunk, Prose
from analysis.rendering.source import NO_TEXT, Line, refuse

Output = dict[str, str]
PACKAGE = Path(__file__).resolve().parents[1]  # cells import the `analysis` that renders them
ANSI = re.compile(r"\x1b\[[0-9;]*m")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{8,}")
KERNEL_FILE = re.compile(r"ipykernel_\d+")
# What plotting calls return, which is not meant to be read where the picture itself is shown.
PLOT_OBJECT = re.compile(r"^[^'\"]*(<matplotlib\.|<\w+ object|<Axes|<Figure size)|^Text\([-\d]")
STREAMS = {"stdout": "text", "stderr": "stderr"}
LONGEST = 300  # seconds that one cell may take
LARGEST = 5_000_000  # characters that one cell may show
LONGEST_PLACE = 70  # letters of a folder that a kernel's sockets lie in: addresses end at 104, names need 29

# Everything here serves equal bytes: no date, no program version and no random id in a picture, no history,
# and warnings without the temporary file's name that Python prints in front of them.
KERNEL_CONFIG = """
c = get_config()
c.HistoryManager.enabled = False
c.InlineBackend.figure_formats = {{{format!r}}}
c.InlineBackend.print_figure_kwargs = {{"bbox_inches": "tight", "metadata": {metadata!r}}}
c.InteractiveShellApp.exec_lines = [
    "__import__('warnings').showwarning = lambda message, category, *_, **__: "
    "print(f'{{category.__name__}}: {{message}}', file=__import__('sys').stderr)",
    "__import__('logging').getLogger('matplotlib.font_manager').setLevel('ERROR')",  # how long it took
    # exit() would end the kernel without a word, and the rest of the page with it.
    "get_ipython().ask_exit = lambda: (_ for _ in ()).throw(RuntimeError('a page cannot exit'))",
]

from ipykernel.iostream import OutStream

def whole_characters(stream, text, write=OutStream.write):
    text.encode("utf-8")  # raises on half a character, which would be lost with what is printed around it
    return write(stream, text)

OutStream.write = whole_characters
"""
PLOT_SETTINGS = """
svg.hashsalt: figure
font.family: DejaVu Sans
figure.figsize: {width}, {height}
figure.dpi: {dpi}
"""
NO_METADATA = {
    "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
    "png": {"Software": None},
}


def run(
    chunks: list[Chunk], folder: Path, figures: Mapping[str, Any], stop: threading.Event | None = None
) -> list[list[Output]]:
    """The outputs of every chunk: of a cell what it showed, of prose the values of its expressions.

    Parameters
    ----------
    folder : the working directory of the cells, the page's own.
    figures : `fig-width`, `fig-height` (inches), `fig-format`, `fig-dpi`.
    stop : once it is set, the kernel is killed.

    Raises
    ------
    RenderError : a cell or an expression raises, takes too long, or shows what a page cannot keep.
    """
    if not any(_runs(chunk) for chunk in chunks):
        return [[] for _ in chunks]
    with (
        tempfile.TemporaryDirectory(prefix="kernel-", dir=_near()) as name,
        _kernel(Path(name), folder, figures, stop) as ask,
    ):
        return [_outputs(chunk, ask, _places(folder), figures) if _runs(chunk) else [] for chunk in chunks]


def _near() -> str:
    """The folder for temporary files, or a nearer one where a socket's address there would be too long."""
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= LONGEST_PLACE else "/tmp"


def _places(folder: Path) -> re.Pattern[str]:
    """The paths by which this machine differs from another, as whole names."""
    named = [folder, root(), Path.home(), tempfile.gettempdir(), sys.prefix, sys.base_prefix, sys.executable]
    paths = {str(form) for place in named for form in (Path(place), Path(place).resolve())} - {"/"}
    return re.compile(rf"(?<![\w.~-])(?:{'|'.join(map(re.escape, sorted(paths)))})(?![\w-])")


def _runs(chunk: Chunk) -> bool:
    if isinstance(chunk, Prose):
        return bool(chunk.expressions)
    return bool(chunk.options.get("eval", True) and chunk.source)


@contextlib.contextmanager
def _kernel(
    home: Path, folder: Path, figures: Mapping[str, Any], stop: threading.Event | None
) -> Iterator[Any]:
    """A function that runs code in a new kernel and returns the raw outputs (nbformat's)."""
    import nbformat
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from nbclient import NotebookClient

    class ThisPython(KernelSpecManager):
        """One kernel, the running interpreter's, whatever is registered in the user's home."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            return KernelSpec(**get_kernel_dict())

    profile = home / "profile_default"
    profile.mkdir()
    kind = figures["fig-format"]
    config = KERNEL_CONFIG.format(format=kind, metadata=NO_METADATA[kind])
    (profile / "ipython_kernel_config.py").write_text(config, encoding="utf-8")
    rc = PLOT_SETTINGS.format(
        width=figures["fig-width"],
        height=figures["fig-height"],
        dpi=figures["fig-dpi"] if kind == "png" else 72,
    )
    (home / "matplotlibrc").write_text(rc, encoding="utf-8")
    # Unix sockets: no port, and no warning of a kernel that listens on one.
    manager = AsyncKernelManager(
        kernel_spec_manager=ThisPython(), transport="ipc", connection_file=str(home / "kernel.json")
    )
    notebook = nbformat.v4.new_notebook()
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=LONGEST,
        allow_errors=True,
        shutdown_kernel="immediate",  # asking it first takes seconds now and then; it has nothing to save
        resources={"metadata": {"path": str(folder)}},
    )
    client.owns_km = True  # so that leaving the block below ends the kernel

    def ask(code: str) -> list[Any]:
        cell = nbformat.v4.new_code_cell(code)
        notebook.cells.append(cell)
        return client.execute_cell(cell, len(notebook.cells) - 1).outputs

    with client.setup_kernel(env=_environment(home)):
        if stop is not None:
            kill = manager.provisioner.process.kill
            threading.Thread(target=lambda: stop.wait() and kill(), daemon=True).start()
        yield ask


def _environment(home: Path) -> dict[str, str]:
    """The kernel's environment: the project importable, nothing of the user's own settings."""
    own = ("MPL", "IPYTHON", "LC_", "PYTHON")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(own)}
    path = os.pathsep.join([str(PACKAGE.parent), str(root()), *filter(None, [os.environ.get("PYTHONPATH")])])
    return kept | {
        "PYTHONPATH": path,
        "ANALYSIS_ROOT": str(root()),
        "IPYTHONDIR": str(home),
        "MATPLOTLIBRC": str(home / "matplotlibrc"),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "COLUMNS": "80",
        "LC_ALL": "C",
        "TZ": "UTC",
    }


def _outputs(chunk: Chunk, ask: Any, places: re.Pattern[str], figures: Mapping[str, Any]) -> list[Output]:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    line = chunk.line if isinstance(chunk, Cell) else chunk.expressions[0][0]
    try:
        outputs = _cell(chunk, ask, figures) if isinstance(chunk, Cell) else _values(chunk, ask)
    except CellTimeoutError:
        refuse(line, f"the cell took longer than {LONGEST} seconds.")
    except DeadKernelError:
        refuse(line, "the kernel died while this ran; it may have run out of memory.")
    if sum(len(output["data"]) for output in outputs) > LARGEST:
        refuse(line, f"the output is longer than {LARGEST:,} characters.")
    for output in outputs:
        if output["kind"] not in ("png", "svg"):
            _same_everywhere(output["data"], line, places)
    return outputs


def _same_everywhere(data: str, line: Line, places: re.Pattern[str]) -> None:
    """Refuse an output whose bytes differ from machine to machine or from run to run, or are no text."""
    if places.search(data) or KERNEL_FILE.search(data):
        refuse(line, "the output holds a path of this machine; show a path inside the project instead.")
    if ADDRESS.search(data):
        refuse(line, "the output holds an address in memory (`at 0x...`), which differs in every run.")
    if found := NO_TEXT.search(data):
        refuse(line, f"the output holds the character U+{ord(found[0]):04X}, which is no text.")


def _cell(cell: Cell, ask: Any, figures: Mapping[str, Any]) -> list[Output]:
    size = [cell.options.get(key, figures[key]) for key in ("fig-width", "fig-height")]
    own_size = "fig-width" in cell.options or "fig-height" in cell.options
    set_size = "__import__('matplotlib').rcParams.update({{'figure.figsize': {}}})"
    if own_size:
        ask(set_size.format(size))
    outputs = [_output(raw, cell) for raw in ask(cell.source)]
    if own_size:
        ask(set_size.format([figures["fig-width"], figures["fig-height"]]))
    shown = any(output["kind"] in ("svg", "png") for output in outputs)
    return [
        output
        for output in _joined(outputs)
        if not (shown and "result" in output and PLOT_OBJECT.search(output["data"]))
    ]


def _joined(outputs: list[Output]) -> list[Output]:
    """Streams between two other outputs as one each, `stdout` first: how they are cut depends on timing."""
    out: list[Output] = []
    for streams, group in itertools.groupby(outputs, lambda output: "stream" in output):
        pieces = list(group)
        if not streams:
            out += pieces
            continue
        for name in ("stdout", "stderr"):
            if data := "".join(piece["data"] for piece in pieces if piece["stream"] == name):
                out.append({"kind": STREAMS[name], "stream": name, "data": ANSI.sub("", data)})
    return out


def _output(raw: Mapping[str, Any], cell: Cell) -> Output:
    if raw["output_type"] == "stream":
        return {"kind": STREAMS[raw["name"]], "stream": raw["name"], "data": raw["text"]}
    if raw["output_type"] == "error":
        return _error(raw, cell)
    output = _shown(raw["data"], cell.line)
    return output | {"result": "yes"} if raw["output_type"] == "execute_result" else output


def _shown(data: Mapping[str, Any], line: Line) -> Output:
    """The richest of the forms that a page can keep."""
    kinds = {
        "text/markdown": "markdown",
        "image/svg+xml": "svg",
        "image/png": "png",
        "text/latex": "markdown",
    }
    for mime, kind in kinds.items():
        if mime in data:
            return {"kind": kind, "data": "".join(data[mime])}
    if other := sorted(set(data) - {"text/plain"}):
        remedy = "return Markdown, for a table too (IPython.display.Markdown)"
        refuse(line, f"an output of the kind {other[0]} is not honoured; {remedy}.")
    return {"kind": "text", "data": ANSI.sub("", "".join(data["text/plain"]))}


def _error(raw: Mapping[str, Any], cell: Cell) -> Output:
    message = f"{raw['ename']}: {ANSI.sub('', raw['evalue'])}"
    if cell.options.get("error", False):
        return {"kind": "error", "data": message}
    found = re.search(r"Cell In\s?\[\d+\], line (\d+)", ANSI.sub("", "\n".join(raw["traceback"])))
    # The kernel counts from the first line of what it was sent, which starts at the first line with text.
    start = next(i for i, line in enumerate(cell.code) if line.text.strip())
    at = cell.code[min(start + int(found[1]) - 1, len(cell.code) - 1)] if found else cell.line
    refuse(at, f"the cell raised {message}")


def _values(prose: Prose, ask: Any) -> list[Output]:
    """The value of each expression, in one message for all that stand between two cells.

    Values come back in order, each behind whatever its expression printed or showed besides.
    """
    wanted = json.dumps([expression for _, expression in prose.expressions])
    code = (
        "[__import__('IPython').display.publish_display_data("
        "{'application/json': get_ipython().user_expressions({'value': _})})"
        f" for _ in {wanted}];"
    )
    values: list[Output] = []
    for raw in ask(code):
        line, expression = prose.expressions[min(len(values), len(prose.expressions) - 1)]
        reply = raw.get("data", {}).get("application/json")
        if reply is None:
            refuse(line, f"`{expression}` prints, warns or plots besides its value; do that in a cell.")
        values.append(_value(reply["value"], line, expression))
    return values


def _value(reply: Mapping[str, Any], line: Line, expression: str) -> Output:
    if reply["status"] != "ok":
        refuse(line, f"`{expression}` raised {reply['ename']}: {ANSI.sub('', reply['evalue'])}")
    output = _shown(reply["data"], line)
    if output["kind"] not in ("markdown", "text"):
        refuse(line, f"`{expression}` gave a picture; show it from a cell.")
    data = output["data"].strip()
    if output["kind"] == "markdown":
        return {"kind": "value", "data": data}
    # A string arrives as Python writes it, in quotes.
    with contextlib.suppress(SyntaxError, ValueError):
        literal = ast.literal_eval(data)
        data = literal.strip() if isinstance(literal, str) else data
    return {"kind": "plain", "data": data}
