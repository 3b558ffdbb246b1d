"""Run a program written for DGL on Gossamer: ``python -m gossamer.compat.dgl SCRIPT ARGS``."""

from gossamer.compat.dgl._runner import main

if __name__ == "__main__":
    main()
