"""The command line: parses, calls the library, prints. One file per command; mathematics nowhere."""

import sys

if sys.platform == "win32":
    sys.exit("ntknas runs on Linux and macOS. On Windows it runs in the Windows Subsystem for Linux (WSL).")
