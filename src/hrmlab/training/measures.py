"""Losses and scores of training segments, summed until somebody asks."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hrmlab.training.ranks import Ranks


@dataclass
class Measures:
    """Sums over some segments, on the device: nothing is fetched until asked for."""

    steps: int
    terms: dict[str, Tensor]
    finished: Tensor
    exact: Tensor
    segments: Tensor

    def means(self, batch_size: int) -> dict[str, float]:
        """Losses for each slot and segment; accuracy and segments over the puzzles that were finished, if any were."""
        finished = float(self.finished)
        losses = {f"loss/{name}": float(total) / (self.steps * batch_size) for name, total in self.terms.items()}
        means = losses | {"loss": sum(losses.values()), "finished": finished}
        if finished:
            means |= {"exact": float(self.exact) / finished, "segments": float(self.segments) / finished}
        return means

    def and_(self, more: "Measures") -> "Measures":
        """Of these segments and more."""
        terms = dict(self.terms)
        for name, term in more.terms.items():  # not every step has every term: some look ahead, some do not
            terms[name] = terms[name] + term if name in terms else term
        return Measures(
            self.steps + more.steps,
            terms,
            self.finished + more.finished,
            self.exact + more.exact,
            self.segments + more.segments,
        )

    def over(self, ranks: Ranks) -> "Measures":
        """The sums of all processes."""
        if not ranks.several:
            return self
        parts = (*self.terms.values(), self.finished, self.exact, self.segments)
        *terms, finished, exact, segments = ranks.sum(torch.stack([part.double() for part in parts]))
        return Measures(self.steps, dict(zip(self.terms, terms, strict=True)), finished, exact, segments)
