"""The words of the tool as small types: choices, kernel, score, status, and the errors a user meets."""
