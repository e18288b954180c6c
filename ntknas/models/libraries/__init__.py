"""Libraries of models, by what stands before the colon of a model's name: a file each."""

from __future__ import annotations

from ntknas.models.libraries.hugging_face import LIBRARY as HUGGING_FACE
from ntknas.models.libraries.timm_models import LIBRARY as TIMM
from ntknas.models.libraries.torchvision_models import LIBRARY as TORCHVISION
from ntknas.models.library import Library

LIBRARIES: dict[str, Library] = {library.name: library for library in (TIMM, TORCHVISION, HUGGING_FACE)}
