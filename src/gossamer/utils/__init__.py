"""Small helpers of layers and loaders."""

from gossamer.utils.each import apply_each
from gossamer.utils.libxsmm import is_libxsmm_enabled, use_libxsmm
from gossamer.utils.pairs import expand_as_pair
from gossamer.utils.recursive import recursive_apply

__all__ = [
    "apply_each",
    "expand_as_pair",
    "is_libxsmm_enabled",
    "recursive_apply",
    "use_libxsmm",
]
