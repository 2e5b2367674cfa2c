"""The training loop and what it needs: steps, optimisers, evaluation, timing, workers."""
