"""The evidence pack of an assessment: opened, its bytes checked, its level derived again. Pure."""

from .contents import CLAIMS, FORMAT, MANIFEST, MODEL, PackError, open_pack, write_pack
from .recomputing import Line, recompute_pack

__all__ = [
    "CLAIMS",
    "FORMAT",
    "MANIFEST",
    "MODEL",
    "Line",
    "PackError",
    "open_pack",
    "recompute_pack",
    "write_pack",
]
