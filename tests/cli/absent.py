"""Commands in a process in which some packages are not installed."""

import json
import subprocess
import sys

_PROCESS = """
import contextlib, importlib, io, json, sys

class Without:
    def __init__(self, finder):
        self._finder = finder

    def find_spec(self, name, path=None, target=None):
        if any(f"{{name}}.".startswith(f"{{absent}}.") for absent in {absent!r}):
            return None
        return self._finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self._finder, name)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from ntknas.cli.main import run
answers = []
for arguments in json.loads(sys.stdin.read()):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    answers.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(answers))
"""


def without(packages, commands, folder):
    """Run commands where some packages cannot be found; return code, output and messages of each."""
    done = subprocess.run(
        [sys.executable, "-c", _PROCESS.format(absent=list(packages))],
        input=json.dumps([[str(argument) for argument in command] for command in commands]),
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
