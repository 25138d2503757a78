"""The engines, one folder each, behind the protocol in `base`."""
