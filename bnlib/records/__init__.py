"""Finished runs on disk: the store, and the provenance that each record carries."""
