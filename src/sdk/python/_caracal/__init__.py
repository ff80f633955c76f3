"""The engine's own side of the Python sandbox. Rules never import it."""
