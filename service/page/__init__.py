"""The web page at `/`: its files as they are served, and `files`, which reads them and says how.

Plain HTML, style and modules of JavaScript that ask the public API of the same address; nothing comes from
elsewhere, and nothing is built.
"""
