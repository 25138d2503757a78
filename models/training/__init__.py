"""Training: batches, losses, early stopping and checkpoints."""
