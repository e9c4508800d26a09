"""Images after the OCI specifications: written byte for byte the same anywhere, and registries that hold them."""

from __future__ import annotations

from tools.oci.registry import digest, push
from tools.oci.writer import Image, Layer, Platform, image, layer

__all__ = ["Image", "Layer", "Platform", "digest", "image", "layer", "push"]
