"""Finding the members of a family of modules: one file, or one entry point of an installed package, each."""

import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from types import MappingProxyType, ModuleType

from archsim.config.diagnostics import InputError, Position, fail
from archsim.config.validation import unknown_choice


@dataclass(frozen=True, slots=True)
class Family:
    """The modules of `package` that name a `KIND`, and those that are entry points of `group` in installed packages.

    `called` is what files and options call a kind of this family; "<family> kind" where left out.
    """

    package: str
    group: str
    called: str = ""

    def members(self) -> Mapping[str, ModuleType]:
        """The modules by kind; raise `InputError` where two claim one kind, or an entry point can't be loaded."""
        return _members(self.package, self.group)

    def kinds(self) -> tuple[str, ...]:
        """Every kind there is, sorted."""
        return tuple(sorted(self.members()))

    def get(self, kind: str, position: Position | None = None) -> ModuleType:
        """The module of a kind; raise `InputError` for an unknown one.

        A module of the package that bears the name of its kind is found without loading the others.
        """
        named = _named(self.package, kind)
        if named is not None:
            return named
        members = self.members()
        if kind not in members:
            what = self.called or f"{self.package.rpartition('.')[2].removesuffix('s')} kind"
            raise InputError([unknown_choice(what, kind, self.kinds(), position)])
        return members[kind]


@cache
def _named(package: str, kind: str) -> ModuleType | None:
    name = f"{package}.{kind}"
    if not kind.isidentifier() or find_spec(name) is None:
        return None
    module = import_module(name)
    return module if getattr(module, "KIND", None) == kind else None


@cache
def _members(package: str, group: str) -> Mapping[str, ModuleType]:
    members: dict[str, ModuleType] = {}
    for module in (*_own(package), *_installed(group)):
        kind = getattr(module, "KIND", None)
        if not isinstance(kind, str):
            continue
        if kind in members:
            fail(f"`{members[kind].__name__}` and `{module.__name__}` both claim the kind `{kind}` of `{package}`")
        members[kind] = module
    return MappingProxyType(members)


def _own(package: str) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(import_module(package).__path__):
        if not found.name.startswith("_"):
            yield import_module(f"{package}.{found.name}")


def _installed(group: str) -> Iterator[ModuleType]:
    offered = (entry for entry in _entry_points(tuple(sys.path)) if entry.group == group)
    for entry in sorted(offered, key=lambda entry: (entry.name, entry.value)):
        try:
            module = entry.load()
        except Exception as error:  # noqa: BLE001 - whatever a foreign package raises is a finding about that package
            fail(f"cannot load `{entry.value}`, the entry point `{entry.name}` of `{group}`: {error}")
        if not isinstance(getattr(module, "KIND", None), str):
            fail(f"`{entry.value}`, the entry point `{entry.name}` of `{group}`, names no `KIND`")
        yield module


@cache
def _entry_points(path: tuple[str, ...]) -> tuple[metadata.EntryPoint, ...]:
    """All entry points on the path, for all families at once: reading them opens a file per installed package."""
    installed = metadata.distributions(path=list(path))
    return tuple(dict.fromkeys(entry for distribution in installed for entry in distribution.entry_points))
