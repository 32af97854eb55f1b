"""A unit's machine code: made from its text by numba, called through its address without numba.

numba takes a third of a second to import and as long again to restore what it compiled, so a process that
finds all its units in the cache uses LLVM alone.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache
from importlib.abc import InspectLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType
from typing import Any

import llvmlite.binding as llvm
from msgspec import Struct

#: What numba's wrapper of a unit calls only if the unit raises, which it cannot.
_RAISING = re.compile(
    r"Py\w+|NRT_Free|NRT_MemInfo_call_dtor|numba_do_raise|numba_gil_ensure|numba_gil_release|"
    r"numba_runtime_build_excinfo_struct|numba_unpickle"
)
_NAME = re.compile(r'@"?([\w.$]+)"?')


class MachineCode(Struct, frozen=True):
    """An object file, the name of the function in it, and the names that it needs of the process."""

    entry: str
    needs: tuple[str, ...]
    object: bytes


class _Text(InspectLoader):
    def __init__(self, text: str) -> None:
        self._text = text

    def get_source(self, fullname: str) -> str:
        return self._text


def module_of(text: str, name: str) -> ModuleType:
    """The module of a text, compiled by numba: its `unit`, and the functions that this calls."""
    specification = spec_from_loader(name, loader := _Text(text))
    assert specification is not None
    module = module_from_spec(specification)
    loader.exec_module(module)
    return module


def compiled(text: str, name: str) -> MachineCode:
    """Compile a text's unit for this machine."""
    unit = module_of(text, name).unit
    module = llvm.parse_assembly(unit.inspect_llvm())
    declared = {it.name for it in module.functions if it.is_declaration}
    body = "\n".join(line for line in str(module).splitlines() if not line.startswith("declare "))
    needs = sorted(declared & set(_NAME.findall(body)))
    needs = [it for it in needs if not it.startswith("llvm.")]
    missing = [it for it in needs if it.startswith(("NRT_", "numba_")) and not _RAISING.fullmatch(it)]
    assert not missing, f"the unit needs numba's runtime: {missing}; arrays come from `code.scratch`"
    return MachineCode(unit.native_name, tuple(needs), _target_machine().emit_object(module))


def machine() -> str:
    """What machine code is made for: it runs nowhere else."""
    return f"{llvm.get_default_triple()} {llvm.get_host_cpu_name()} {_features()}"


@cache
def _features() -> str:
    try:
        return str(llvm.get_host_cpu_features().flatten())
    except RuntimeError:
        # LLVM does not know this processor's.
        return ""


def _target_machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=_features(), opt=3, jit=True, codemodel="jitdefault"
    )


#: They hold the code of addresses that were given out, as long as the process lives.
_engines: list[Any] = []


def load(code: MachineCode) -> int:
    """The address of machine code, from now on in memory."""
    for name in code.needs:
        if llvm.address_of_symbol(name) is None:
            assert _RAISING.fullmatch(name), f"nothing here is named {name}"
            llvm.add_symbol(name, ctypes.cast(ctypes.CDLL(None).abort, ctypes.c_void_p).value)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code.object))
    engine.finalize_object()
    _engines.append(engine)
    address: int = engine.get_function_address(code.entry)
    assert address, f"{code.entry} is not in its object file"
    return address
