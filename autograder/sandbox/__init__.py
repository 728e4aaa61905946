"""Where other people's code runs: bubblewrap, a fork server in it, and a Jupyter kernel from that."""
