"""This file is the relaxation: one step of all gates of sixteen cells, written as vector instructions.

Rows of the kinetics' table belong to voltages and are read per cell, whereas currents are summed for all cells at
once; a loop compiler gathers one or the other number by number. Here sixteen cells are relaxed row by row and then
transposed in registers, which takes a fifth of the time. LLVM splits the vectors where a processor has shorter ones.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from simulators.stg_kinetics import GATES, SLOTS

__all__ = ["relax"]

_FLOAT = ir.FloatType()
_ROW = ir.VectorType(_FLOAT, SLOTS)
_CALCIUM_GATE = GATES.index("m_KCa")


@intrinsic
def relax(
    typing_context: Any,
    table: Any,
    lanes: Any,
    gates: Any,
    lost: Any,
    first: Any,
    place: Any,
    factor: Any,
    into: Any,
) -> Any:
    """Move the gates of sixteen cells by one step, and write them to the lanes.

    Gates carry what rounding took from their last move, since the slowest gain 1e-5 of what is left in a step.

    Args:
        typing_context: Numba's.
        table: As in `simulators.stg_kinetics.table`, float32.
        lanes: Shape (m, n), float32; read and written.
        gates: Shape (n, SLOTS), float32; read and written.
        lost: What rounding took, shape (n, SLOTS), float32; read and written.
        first: First of the sixteen cells.
        place: Row of `lanes` with the place of each voltage in the table, in rows; never beyond its last but one.
        factor: Row of `lanes` with the factor on the steady state of m_KCa.
        into: Row of `lanes` from which the gates are written, one a row.

    Returns:
        Nothing.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        names = signature.args
        arrays = [context.make_array(names[k])(context, builder, arguments[k]) for k in range(4)]
        tables, cells, states, losses = (array.data for array in arrays)
        start, places, factors, target = arguments[4:]
        size = ir.IntType(64)
        width = builder.extract_value(arrays[1].shape, 1)

        def vector(pointer: Any, offset: Any) -> Any:
            return builder.bitcast(builder.gep(pointer, [offset]), _ROW.as_pointer())

        def load(pointer: Any, offset: Any) -> Any:
            return builder.load(vector(pointer, offset), align=4)

        def number(pointer: Any, row: Any, cell: Any) -> Any:
            return builder.load(builder.gep(pointer, [builder.add(builder.mul(row, width), cell)]))

        def spread(value: Any) -> Any:
            one = builder.insert_element(ir.Constant(_ROW, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
            same = ir.Constant(ir.VectorType(ir.IntType(32), SLOTS), [0] * SLOTS)
            return builder.shuffle_vector(one, ir.Constant(_ROW, ir.Undefined), same)

        rows = []
        for k in range(SLOTS):
            cell = builder.add(start, size(k))
            here = number(cells, places, cell)
            whole = builder.fptosi(here, ir.IntType(32))
            way = spread(builder.fsub(here, builder.sitofp(whole, _FLOAT)))
            row = builder.mul(builder.sext(whole, size), size(2 * SLOTS))
            between = []
            for half in range(2):
                low = load(tables, builder.add(row, size(half * SLOTS)))
                high = load(tables, builder.add(row, size((half + 2) * SLOTS)))
                between.append(
                    builder.fadd(
                        low,
                        builder.fmul(way, builder.fsub(high, low), flags=("contract",)),
                        flags=("contract",),
                    )
                )
            goal, part = between
            spot = ir.Constant(ir.IntType(32), _CALCIUM_GATE)
            scaled = builder.fmul(builder.extract_element(goal, spot), number(cells, factors, cell))
            goal = builder.insert_element(goal, scaled, spot)
            offset = builder.mul(cell, size(SLOTS))
            old = load(states, offset)
            move = builder.fsub(builder.fmul(part, builder.fsub(goal, old)), load(losses, offset))
            new = builder.fadd(old, move)
            builder.store(builder.fsub(builder.fsub(new, old), move), vector(losses, offset), align=4)
            builder.store(new, vector(states, offset), align=4)
            rows.append(new)
        for gate, column in enumerate(_transposed(builder, rows)[: len(GATES)]):
            row = builder.add(target, size(gate))
            builder.store(column, vector(cells, builder.add(builder.mul(row, width), start)), align=4)
        return context.get_dummy_value()

    signature = types.void(table, lanes, gates, lost, *[types.intp] * 4)
    return signature, generate


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """Transpose sixteen vectors: in each of four rounds, pairs of rows change halves of their blocks."""
    half = SLOTS // 2
    while half:
        changed = list(rows)
        for k in range(SLOTS):
            if not k & half:
                upper, lower = [], []
                for lane in range(SLOTS):
                    upper.append(SLOTS + lane - half if lane & half else lane)
                    lower.append(SLOTS + lane if lane & half else lane + half)
                masks = (ir.Constant(ir.VectorType(ir.IntType(32), SLOTS), mask) for mask in (upper, lower))
                changed[k], changed[k + half] = (
                    builder.shuffle_vector(rows[k], rows[k + half], mask) for mask in masks
                )
        rows = changed
        half //= 2
    return rows
