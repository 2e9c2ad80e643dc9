"""Where modules live: the analysed environment, dotted names to files and back, reading source.

Reads the disk and nothing else. No interpreter is started and no module of the workspace imported.
"""
