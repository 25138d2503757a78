"""The command line: one module a group of commands. The only package that prints or exits; it may import everything."""
