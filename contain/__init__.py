"""contain runs one program in a constrained environment and is otherwise invisible."""

__version__ = "0.1.0"
