"""The training loop: epochs of compiled steps over batches, and checkpoints that it goes on from."""
