"""Libraries of models, by what stands before the colon of a model's name: a file each."""

from __future__ import annotations

from ntknas.models.libraries import hugging_face, timm_models, torchvision_models
from ntknas.models.library import Library

LIBRARIES: dict[str, Library] = {
    library.name: library for library in (timm_models.LIBRARY, torchvision_models.LIBRARY, hugging_face.LIBRARY)
}
