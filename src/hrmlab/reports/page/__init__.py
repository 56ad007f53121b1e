"""The report's page: HTML, style and script in one file that asks nothing of the network."""

from hrmlab.reports.page.assembling import Page, assemble
from hrmlab.reports.page.films import attention_data, board_data, puzzle_data, room_for
from hrmlab.reports.page.series import divergences, halting_data, training_data

__all__ = [
    "Page",
    "assemble",
    "attention_data",
    "board_data",
    "divergences",
    "halting_data",
    "puzzle_data",
    "room_for",
    "training_data",
]
