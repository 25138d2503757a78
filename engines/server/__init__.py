"""What engines on a server share: its address and credentials, messages without credentials, a server started as a
process, answers that are decoded later, and what a collection is called. Imports the protocol only.
"""
