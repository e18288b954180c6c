"""The studies: each file assigns its own to ``STUDY``, and is named after it."""
