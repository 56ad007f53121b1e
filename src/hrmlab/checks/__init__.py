"""What must hold for a part before it can be trusted: rules that any block, attention, embedding, policy or task keeps.

`hrm check` asks them of a user's part, the project's own tests of every part that is registered.
"""

from hrmlab.checks.part import FAMILIES, checked

__all__ = ["FAMILIES", "checked"]
