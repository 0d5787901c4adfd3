"""Which rows a model may use: those of its sample that miss no value, and a sentence on the others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from analysis.errors import ModelError, nearest
from analysis.models.selection import Selection
from analysis.models.spec import Model
from analysis.sources.states import STATES

STATE = "state"  # the column by which missing values are told, where the data have it
MOST_STATES = 6


def sample_rows(model: Model, data: pd.DataFrame) -> np.ndarray:
    """(n,) bool: the rows that the model's query keeps.

    Raises
    ------
    ModelError : the query cannot be answered on these data, or keeps no row.
    """
    if model.sample is None:
        return np.ones(len(data), bool)
    start = f"Model {model.name!r}: the sample {model.sample!r} is no query on these data: "
    if why := _endless(model.sample):
        raise ModelError(f"{start}{why}.")
    try:
        answer = data.eval(model.sample)
    except pd.errors.UndefinedVariableError as error:
        found = re.search(r"'(.*)'", str(error))
        raise ModelError(f"{start}{error}.{nearest(found[1] if found else '', data.columns)}") from error
    except SyntaxError as error:
        raise ModelError(
            f"{start}it cannot be read ({error.msg}). Write it as \"state == 'IL' and population > 10000\"."
        ) from error
    except Exception as error:
        raise ModelError(f"{start}{error}") from error
    if not (
        isinstance(answer, pd.Series | np.ndarray) and len(answer) == len(data) and _is_condition(answer)
    ):
        equals = " Equality is written ==." if re.search(r"[^=!<>]=[^=]", model.sample) else ""
        raise ModelError(
            f"{start}it gives no True or False for each row. Compare a column with a value.{equals}"
        )
    inside = pd.Series(answer).to_numpy(dtype=bool, na_value=False)
    if not inside.any():
        hints = "".join(_not_held(model.sample, data))
        raise ModelError(f"Model {model.name!r}: no row is in the sample {model.sample!r}.{hints}")
    return inside


def _endless(query: str) -> str:
    """Why a query might be reckoned without end: it asks for a number's power, or for a text many times."""
    try:
        tree = ast.parse(re.sub("`[^`]*`", "column", query.strip()), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ""  # which is told by what answers it
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(left=base, op=ast.Pow()):
                if not any(isinstance(part, ast.Name) for part in ast.walk(base)):
                    return "a number's power must be written as the number that it is"
            case (
                ast.BinOp(left=ast.Constant(value=str()), op=ast.Mult())
                | ast.BinOp(op=ast.Mult(), right=ast.Constant(value=str()))
            ):
                return "a text cannot be multiplied"
    return ""


def _is_condition(answer: pd.Series | np.ndarray) -> bool:
    """Whether all values are True or False, or missing where a type of pandas knows that."""
    return pd.api.types.is_bool_dtype(answer) or all(isinstance(value, bool | np.bool_) for value in answer)


def _not_held(query: str, data: pd.DataFrame) -> Iterator[str]:
    """A sentence for each text that the query compares with a column which does not hold it."""
    try:
        tree = ast.parse(query.strip(), mode="eval")
    except SyntaxError:  # what pandas alone reads, as a name in backticks
        return
    for node in ast.walk(tree):
        match node:
            case ast.Compare(ast.Name(id=name), [ast.Eq()], [ast.Constant(value=str(text))]):
                if name in data.columns and not data[name].eq(text).any():
                    known = data[name].dropna().astype(str).unique()
                    called = {full.casefold(): short for short, (_, full) in STATES.items()}
                    meant = called.get(text.casefold())
                    hint = f" Nearest: {meant!r}." if meant in known else nearest(text, known)
                    yield f" The column {name!r} never holds {text!r}.{hint}"


def drop_missing(work: Selection, missing: Mapping[str, np.ndarray], data: pd.DataFrame) -> str:
    """Drops incomplete rows, the reason naming each column that the row lacks; returns what to say of them.

    Parameters
    ----------
    missing : for each column needed, (rows of data,) bool. data : of which `state` is told, if it has one.

    Raises
    ------
    ModelError : no row is complete.
    """
    lacking = np.column_stack(list(missing.values()))
    names = np.array(list(missing), dtype=object)
    candidates = work.keep.copy()
    incomplete = candidates & lacking.any(axis=1)
    for row in np.flatnonzero(incomplete):
        work.reason[row] = f"missing {', '.join(names[lacking[row]])}"
    work.keep &= ~incomplete
    if not incomplete.any() and work.keep.any():
        return ""
    told = describe(missing, candidates, data)
    if not work.keep.any():
        raise ModelError(
            f"Model {work.model.name!r}: none of {candidates.sum()} rows is complete; missing values: "
            f"{told or 'none'}."
        )
    return f"{incomplete.sum():,} of {candidates.sum():,} rows left out for missing values: {told}"


def describe(missing: Mapping[str, np.ndarray], rows: np.ndarray, data: pd.DataFrame) -> str:
    """Each column with the number of rows that miss it, and in which states.

    >>> frame = pd.DataFrame({"state": ["AK", "AK", "CT"], "x": [np.nan, np.nan, 1.0]})
    >>> describe({"x": frame["x"].isna().to_numpy()}, np.ones(3, bool), frame)
    'x (2) in AK 2'
    """
    states = data[STATE] if STATE in data.columns else None
    parts = []
    for name, gone in missing.items():
        here = gone & rows
        if not here.any():
            continue
        where = ""
        if isinstance(states, pd.Series) and name != STATE:
            counts = states[here].astype(str).value_counts().sort_index(kind="stable")
            counts = counts.sort_values(ascending=False, kind="stable")
            shown = [f"{state} {count}" for state, count in counts.head(MOST_STATES).items()]
            more = len(counts) - len(shown)
            where = f" in {', '.join(shown)}" + (f" and {more} states more" if more > 0 else "")
        parts.append(f"{name} ({here.sum()}){where}")
    return "; ".join(parts)
