"""What our own client can do on this machine, with engines that do nothing."""
