"""Python in a process of its own, and what it has imported."""

import subprocess
import sys


def modules_after(code: str) -> set[str]:
    """Run code and return the names of all modules that are imported then; what it prints is left out."""
    last = "import sys; print(); print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{last}"], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())
