"""Answers over HTTP: a front process without torch, and processes that solve behind it."""
