"""What engines on gRPC share: queries without waiting for their answers."""
