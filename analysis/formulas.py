"""The formulas of the catalogue: arithmetic, comparison, log, log1p, sqrt and abs of columns."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.errors import DataError
from analysis.margins import margin_of_proportion

FILE = Path(__file__).with_name("variables.yaml")  # whose formulas they are, for what is told of errors
PROPORTION = re.compile(r"\s*\w+E\s*/\s*\w+E\s*")


def fail(rule: str, remedy: str, file: Path = FILE, column: str | None = None) -> DataError:
    return DataError(rule, file=file, column=column, remedy=remedy)


BINARY: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
COMPARISONS: dict[type, Callable] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
FUNCTIONS: dict[str, Callable] = {"log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "abs": np.abs}


def names_in(formula: str, file: Path = FILE, variable: str | None = None) -> tuple[str, ...]:
    """The columns that a formula reads.

    Raises
    ------
    DataError : anything in it but arithmetic, comparison, log, log1p, sqrt, abs.
    """
    try:
        tree = ast.parse(str(formula).strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise fail(f"the formula {formula!r} is not arithmetic.", "mend it.", file, variable) from error
    return tuple(dict.fromkeys(_names(tree, formula, file, variable)))


def _names(node: ast.AST, formula: str, file: Path, variable: str | None) -> list[str]:
    def inner(*nodes: ast.AST) -> list[str]:
        return [name for each in nodes for name in _names(each, formula, file, variable)]

    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Constant(value=value) if isinstance(value, int | float) and not isinstance(value, bool):
            return []
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return inner(left, right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return inner(operand)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            return inner(left, right)
        case ast.Call(func=ast.Name(id=function), args=[argument], keywords=[]) if function in FUNCTIONS:
            return inner(argument)
    raise fail(
        f"the formula {formula!r} uses more than arithmetic, comparison and {', '.join(FUNCTIONS)}.",
        "compute it in the source module.",
        file,
        variable,
    )


def evaluate(formula: str, columns: Mapping[str, pd.Series]) -> pd.Series:
    """A formula's value on columns of equal index, as float; what is undefined (0/0, log 0) is missing.

    A comparison gives 1 or 0, and is missing where a side is.
    """
    names = names_in(formula)

    def value(node: ast.AST) -> Any:
        match node:
            case ast.Name(id=name):
                return columns[name].astype("float64")
            case ast.Constant(value=int() | float() as number):
                return float(number)
            case ast.BinOp(left=left, op=op, right=right):
                return BINARY[type(op)](value(left), value(right))
            case ast.UnaryOp(operand=operand):
                return -value(operand)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                sides = value(left), value(right)
                return COMPARISONS[type(op)](*sides).astype("float64").mask(pd.isna(sides[0] + sides[1]))
            case ast.Call(func=ast.Name(id=function), args=[argument]):
                return FUNCTIONS[function](value(argument))
        raise AssertionError("names_in lets nothing else through")

    with np.errstate(all="ignore"):
        result = value(ast.parse(str(formula).strip(), mode="eval").body)
    if not names:
        raise fail(f"the formula {formula!r} names no column.", "name at least one.")
    return result.where(np.isfinite(result))


def proportion_margin(formula: str, columns: Mapping[str, pd.Series]) -> pd.Series:
    """The 90 % margin of error of `X_E / Y_E` from the columns `X_M` and `Y_M`, as of a proportion.

    A denominator without a margin is a controlled total, whose margin is zero.
    """
    numerator, denominator = names_in(formula)
    margin = margin_of_proportion(
        columns[numerator],
        columns[f"{numerator[:-1]}M"],
        columns[denominator],
        columns[f"{denominator[:-1]}M"].fillna(0.0),
    )
    return pd.Series(margin, index=columns[numerator].index)
