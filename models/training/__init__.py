"""Training: configuration, data, the training `loop`, early stopping, and the model folder that it leaves."""
