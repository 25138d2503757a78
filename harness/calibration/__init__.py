"""How fast our own client is on this machine, measured with engines that do nothing."""
