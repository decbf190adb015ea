"""Pictures, networks that see them, and what these networks gave, kept on disk."""
