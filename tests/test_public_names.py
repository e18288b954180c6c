"""Public names are what they are said to be, also after all modules are imported: no module takes a function's name."""

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType

import ntknas

ASK = "import ntknas; ntknas.explain; from ntknas.explanation import explain; assert callable(explain)"


def packages():
    return [module.name for module in pkgutil.walk_packages(ntknas.__path__, "ntknas.") if module.ispkg]


def test_no_public_name_is_a_module():
    modules = []
    for package in map(importlib.import_module, ["ntknas", *packages()]):
        names = [name for name in getattr(package, "__all__", ()) if name != "figures"]
        for name in names:
            getattr(package, name)  # imports what is imported on use, which may bind a module to the name
        modules += [f"{package.__name__}.{name}" for name in names if isinstance(getattr(package, name), ModuleType)]
    assert modules == []


def test_in_a_process_of_its_own():
    subprocess.run([sys.executable, "-c", ASK], check=True)
