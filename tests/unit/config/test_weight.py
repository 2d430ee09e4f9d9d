import subprocess
import sys

LOAD = """
import importlib, pkgutil, sys
import archsim.config
for module in pkgutil.iter_modules(archsim.config.__path__):
    importlib.import_module(f"archsim.config.{module.name}")
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_reading_files_loads_no_heavy_library() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True).stdout
    assert "'pydantic'" in loaded
    for heavy in ("numpy", "pandas", "networkx", "simpy", "plotly", "rich", "jinja2", "hypothesis"):
        assert f"'{heavy}'" not in loaded
