"""Models that are small enough for tests."""

import json
from pathlib import Path

VIT = {
    "model_type": "vit",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 16,
    "patch_size": 8,
    "hidden_dropout_prob": 0.1,
}


def vit_configuration(folder: Path) -> Path:
    """Write the configuration of a vision transformer of transformers."""
    path = folder / "config.json"
    path.write_text(json.dumps(VIT))
    return path
