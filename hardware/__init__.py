"""Cells made of lipids, and files of them: rigs, replay, recording."""
