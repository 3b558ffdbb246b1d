"""The methods of Graph, by topic: each class is a base class of Graph."""

from gossamer.graph.methods.batch import Batch
from gossamer.graph.methods.edits import Edits
from gossamer.graph.methods.matrices import Matrices
from gossamer.graph.methods.message_passing import MessagePassing
from gossamer.graph.methods.multi_update import MultiUpdate
from gossamer.graph.methods.queries import Queries
from gossamer.graph.methods.storage import Storage
from gossamer.graph.methods.transforms import TransformMethods

__all__ = [
    "Batch",
    "Edits",
    "Matrices",
    "MessagePassing",
    "MultiUpdate",
    "Queries",
    "Storage",
    "TransformMethods",
]
