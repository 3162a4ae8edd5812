"""The contestants: each module does the same work in its own way, in a process of its own.

Each calls `equip` and `report`, so that all have what our workers have; see `equipment`.
"""
