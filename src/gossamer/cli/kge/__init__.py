"""`gossamer kge`: embeddings of knowledge graphs."""

__all__: list[str] = []
