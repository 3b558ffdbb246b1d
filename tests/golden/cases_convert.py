"""Construction of graphs, heterographs and blocks, right and wrong.

The expressions make their own graphs; ``x(...)`` is a tensor of the given shape.
"""

from __future__ import annotations

from golden.harness import Difference, Table

_BUILD = [
    "gs.graph(([0, 1], [1, 2]))",
    "gs.graph(([0, 1], [1, 2]), num_nodes=5)",
    "gs.graph(([0, 1], [1, 2]), num_nodes=2)",
    "gs.graph(([0, 1], [1, 2]), num_nodes=-1)",
    "gs.graph(([0, 1], [1, 2]), idtype=torch.int32)",
    "gs.graph((torch.tensor([0, 1]), torch.tensor([1, 2])), idtype=torch.int32)",
    "gs.graph((torch.tensor([0, 1], dtype=torch.int32), torch.tensor([1, 2], dtype=torch.int32)))",
    "gs.graph((torch.tensor([0, 1], dtype=torch.int32), torch.tensor([1, 2])))",
    "gs.graph((np.array([0, 1]), np.array([1, 2])))",
    "gs.graph((np.array([0, 1], dtype=np.int32), np.array([1, 2], dtype=np.int32)))",
    "gs.graph((np.array([0.0, 1.0]), np.array([1.0, 2.0])))",
    "gs.graph(([0, 1], torch.tensor([1, 2])))",
    "gs.graph([(0, 1), (1, 2)])",
    "gs.graph([[0, 1], [1, 2], [2, 0]])",
    "gs.graph([])",
    "gs.graph(([], []))",
    "gs.graph(([], []), num_nodes=3)",
    "gs.graph(((), ()))",
    "gs.graph((torch.tensor([]), torch.tensor([])))",
    "gs.graph(('coo', ([0, 1], [1, 2])))",
    "gs.graph(('csr', ([0, 1, 2], [1, 0], [])))",
    "gs.graph(('csr', ([0, 2, 2, 3], [1, 2, 0], [2, 0, 1])))",
    "gs.graph(('csr', ([0, 2, 2, 3], [1, 2, 0], [2, 0, 1]))).adj_tensors('csr')",
    "gs.graph(('csc', ([0, 1, 3], [1, 0, 1], [])))",
    "gs.graph(('csc', ([0, 1, 3], [1, 0, 1], [1, 2, 0])))",
    "gs.graph(('csr', ([0, 1, 2], [5, 0], [])))",
    "gs.graph(('csr', ([0, 1, 2], [5, 0], [])), num_nodes=6)",
    "gs.graph(('csr', ([0, 1, 2], [1, 0], [])), num_nodes=6)",
    "gs.graph(('csr', (torch.tensor([0, 1, 2]), torch.tensor([1, 0]), torch.tensor([]))))",
    "gs.graph(('csr', ([0, 2, 1], [1, 0], [])))",
    "gs.graph(('csr', ([0, 1, 3], [1, 0], [])))",
    "gs.graph(('csr', ([0, 1, 2], [1, 0], [0])))",
    "gs.graph(('nope', ([0, 1], [1, 2])))",
    "gs.graph(([0, 1], [1]))",
    "gs.graph(([0, -1], [1, 2]))",
    "gs.graph(([0.5, 1.5], [1.0, 2.0]))",
    "gs.graph(([[0, 1], [1, 2]], [[0, 1], [1, 2]]))",
    "gs.graph(([[0], [1, 2]], [0, 1]))",
    "gs.graph('nope')",
    "gs.graph(3)",
    "gs.graph(None)",
    "gs.graph(torch.tensor([[0, 1, 2], [1, 2, 0]]))",
    "gs.graph(([0, 1], [1, 2]), row_sorted=True)",
    "gs.graph(([0, 1], [1, 2]), idtype=torch.float32)",
    "gs.heterograph({('a', 'r', 'b'): ([0, 1], [1, 2])})",
    "gs.heterograph({('b', 's', 'a'): [(0, 1)], ('a', 'r', 'b'): ([0, 1], [1, 2])})",
    "gs.heterograph({('a', 'r', 'b'): ([0, 1], [1, 2])}, {'a': 4, 'b': 5})",
    "gs.heterograph({('a', 'r', 'b'): ([0, 1], [1, 2])}, {'a': 4})",
    "gs.heterograph({('a', 'r', 'b'): ([0, 1], [1, 2])}, {'a': 4, 'b': 1})",
    "gs.heterograph({('a', 'r', 'b'): ([0, 1], [1, 2])}, {'a': 4, 'b': 3, 'c': 2})",
    "gs.heterograph({('a', 'r', 'b'): ([0], [1])}, idtype=torch.int32)",
    "gs.heterograph({('a', 'r', 'b'): ([], [])})",
    "gs.heterograph({('a', 'r', 'a'): ('csr', ([0, 1, 1], [1], []))})",
    "gs.heterograph({('a', 'r', 'b'): ('csc', ([0, 1, 1], [1], [])), ('a', 's', 'b'): ([3], [3])})",
    "gs.heterograph({})",
    "gs.heterograph({'r': ([0], [1])})",
    "gs.heterograph({('a', 'r'): ([0], [1])})",
    "gs.heterograph({('a', 'r', 'b'): (torch.tensor([0], dtype=torch.int32),"
    " torch.tensor([1], dtype=torch.int32)), ('a', 's', 'b'): ([0], [1])}).idtype",
    "gs.create_block(([0, 1, 2], [0, 0, 1]))",
    "gs.create_block(([0, 1, 2], [0, 0, 1]), num_src_nodes=4, num_dst_nodes=3)",
    "gs.create_block(([0, 1, 2], [0, 0, 1]), num_src_nodes=4)",
    "gs.create_block(([0, 1, 2], [0, 0, 1]), num_src_nodes=2, num_dst_nodes=3)",
    "gs.create_block(([], []), num_src_nodes=2, num_dst_nodes=3)",
    "gs.create_block(([], []))",
    "gs.create_block(('csc', ([0, 1, 3], [1, 0, 2], [])), num_src_nodes=4, num_dst_nodes=2)",
    "gs.create_block({('a', 'r', 'b'): ([0, 1], [1, 1]), ('b', 's', 'a'): ([0], [2])})",
    "gs.create_block({('a', 'r', 'b'): ([0, 1], [1, 1])}, {'a': 3}, {'b': 4})",
    "gs.create_block({('a', 'r', 'b'): ([0, 1], [1, 1])}, {'a': 3, 'c': 1}, {'b': 4})",
    "gs.create_block({('a', 'r', 'b'): ([0, 1], [1, 1])}, {'b': 3}, {'b': 4})",
    "gs.create_block({('a', 'r', 'b'): ([0, 1], [1, 1])}, {'a': 3})",
    "gs.create_block(([0], [0]), idtype=torch.int32)",
    "gs.create_block(([0, 1, 2], [0, 0, 1]), 4, 3, node_count_check=False)",
    "gs.ALL, gs.NID, gs.EID, gs.NTYPE, gs.ETYPE",
    "gs.graph(([0, 1], [1, 2])) == gs.graph(([0, 1], [1, 2]))",
]

TABLE = Table(
    area="convert",
    expressions=[
        *((e, "simple") for e in _BUILD),
    ],
    differences=[
        Difference(
            "gs.graph((np.array([0.0*",
            "error",
            "Ids are integers: DGL cuts 1.5 to 1 without a word.",
        ),
        Difference(
            "gs.graph(([0.5*",
            "error",
            "Ids are integers: DGL cuts 1.5 to 1 without a word.",
        ),
        Difference(
            "gs.graph((torch.tensor([]), *",
            "value",
            "An empty edge list may have any dtype, since torch.tensor([]) is float.",
        ),
        *(
            Difference(
                f"gs.graph(('csr', ({indptr}, [*",
                "error",
                "Row pointers must rise to the number of edges; DGL reads out of bounds.",
            )
            for indptr in ("[0, 2, 1]", "[0, 1, 3]")
        ),
        Difference(
            "gs.graph(('csr', ([0, 1, 2], *",
            "value",
            "Row pointers may stop at the last node that has edges, so num_nodes may be larger.",
        ),
        Difference("gs.graph(([0, -1], *", "error", "Negative node ids are an error."),
        Difference(
            "gs.graph(torch.tensor([[0*",
            "value",
            "Edge data may be one tensor of two rows, the edge_index of other libraries.",
        ),
        Difference(
            "gs.heterograph({('a', 'r', 'b'): ('csc', *",
            "value",
            "Row pointers may stop at the last node that has edges, so num_nodes may be larger.",
        ),
        Difference(
            "gs.create_block(*",
            "value",
            "Either number of nodes may be left out, and node_count_check exists as documented.",
        ),
    ],
    names={},
)
