"""Images after the OCI specifications: written byte for byte the same anywhere, and registries that hold them."""

from __future__ import annotations

from tools.oci.pull import pull
from tools.oci.registry import digest, push
from tools.oci.writer import Base, Image, Layer, Platform, image, layer

__all__ = ["Base", "Image", "Layer", "Platform", "digest", "image", "layer", "pull", "push"]
