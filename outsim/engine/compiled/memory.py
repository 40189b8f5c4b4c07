"""How the kernel reaches its arrays: by address, row by row.

All that a run is made of hangs on one row, the platform, which holds the
addresses of the other arrays. A function of the kernel so takes the platform
alone, and compiles in milliseconds: passing the arrays themselves, or a tuple
of them, costs minutes of compilation. Whoever calls the kernel keeps the
arrays alive; see `outsim.engine.compiled.state`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import from_dtype, njit, types
from numba.extending import intrinsic

Row = Any
"""A row of one of the arrays in `outsim.engine.compiled.layout`: its fields are attributes."""

_ADDRESS = ir.IntType(64)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of the kernel when it is first used.

    No function of the kernel raises, so the machine's own arithmetic will do. Only other
    functions of the kernel call it: it needs no door for Python.
    """
    options: dict[str, Any] = {
        "no_cpython_wrapper": True,
        "no_cfunc_wrapper": True,
        "forceinline": True,
    }
    return njit(function, nogil=True, error_model="numpy", **options)


def rare(function: Callable[..., Any]) -> Any:
    """Compile a function of the kernel that is seldom needed: it is no part of its callers."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return njit(function, nogil=True, error_model="numpy", **options)


def _place(builder: Any, arguments: Any, itemsize: int) -> Any:
    address, index = arguments
    wide = builder.sext(index, _ADDRESS) if index.type.width < _ADDRESS.width else index
    return builder.add(address, builder.mul(wide, ir.Constant(_ADDRESS, itemsize)))


def rows_of(dtype: np.dtype[Any]) -> Any:
    """Accessor ``at(address, index)``: a view of that row of an array of this structured type."""
    record = from_dtype(dtype)

    @intrinsic
    def at(_context: Any, _address: Any, index: Any) -> Any:
        def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            place = _place(builder, arguments, dtype.itemsize)
            return builder.inttoptr(place, context.get_value_type(record))

        return record(types.int64, index), code

    return at


def column_of(dtype: type[np.generic]) -> tuple[Any, Any]:
    """Accessors ``read(address, index)`` and ``write(address, index, value)`` of a plain array.

    Integers are read as int64, whatever their size, so that no function is compiled for several
    sizes.
    """
    element = from_dtype(np.dtype(dtype))
    wide = types.float64 if np.issubdtype(dtype, np.floating) else types.int64

    def pointer(context: Any, builder: Any, arguments: Any) -> Any:
        place = _place(builder, arguments, np.dtype(dtype).itemsize)
        return builder.inttoptr(place, context.get_data_type(element).as_pointer())

    @intrinsic
    def read(_context: Any, _address: Any, index: Any) -> Any:
        def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            value = builder.load(pointer(context, builder, arguments))
            return context.cast(builder, value, element, wide)

        return wide(types.int64, index), code

    @intrinsic
    def write(_context: Any, _address: Any, index: Any, value: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = context.cast(builder, arguments[2], signature.args[2], element)
            builder.store(value, pointer(context, builder, arguments[:2]))
            return context.get_dummy_value()

        return types.void(types.int64, index, value), code

    return read, write


@intrinsic
def _fetch(_context: Any, _address: Any, offset: Any) -> Any:
    """Have the processor fetch what is at an address before it is needed."""

    def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(builder.add(*arguments), ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [place.type, *[ir.IntType(32)] * 3])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [place.type], kind)
        # For reading, to be kept in all caches, of data.
        builder.call(prefetch, [place, *(ir.Constant(ir.IntType(32), k) for k in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(types.int64, offset), code


fetch: Any = _fetch

instant_at, set_instant = column_of(np.int64)
number_at, set_number = column_of(np.int32)
code_at, set_code = column_of(np.int8)
flag_at, _ = column_of(np.uint8)
share_at, _ = column_of(np.float64)
small_at, _ = column_of(np.int16)
