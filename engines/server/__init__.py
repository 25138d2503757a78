"""What engines on a server share: its address and credentials, messages without credentials, a server started as a
process, which collections are ours, and what they are called. Imports the protocol only.
"""
