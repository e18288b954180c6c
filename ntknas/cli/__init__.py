"""The command line: parses, calls the library, prints. One file a command; mathematics nowhere."""
