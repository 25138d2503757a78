"""Commands that read finished runs for other programs and side by side: `bakeoff results`, `bakeoff compare`."""
