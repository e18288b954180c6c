"""What may be wrong with a store, told apart, since only some of it can be mended."""

from __future__ import annotations

from ntknas.core.errors import StoreError


class DamagedStoreError(StoreError):
    """A file of a store does not hold what was written, or what no version writes: repair can set it aside."""


class StoreVersionError(StoreError):
    """A file of a store is of another version: it is whole, and belongs to the version that wrote it."""


class ForeignFileError(StoreError):
    """What stands in the place of a store's file is somebody else's."""
