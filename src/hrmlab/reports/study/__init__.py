"""A study on disk: tables, figures beside their data, a page, and the paragraph in words."""

from hrmlab.reports.study.writing import write_study

__all__ = ["write_study"]
