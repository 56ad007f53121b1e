"""`report`: where the page is, and what it found."""

from argparse import Namespace

from hrmlab import api
from hrmlab.cli.output import Outcome, say


def report(options: Namespace) -> Outcome:
    result = api.report(
        options.run,
        preset=options.preset,
        n=options.n,
        segments=options.segments,
        seed=options.seed or 0,
        device=options.device,
        threads=options.threads,
        out=options.out,
        quiet=options.quiet,
    )
    found = ", ".join(f"{count} {name}" for name, count in result.findings.items() if count) or "nothing wrong"
    lines = [f"found: {found}{' (diagnosed before, the same weights)' if result.reused else ''}"]
    if result.left_out:
        lines.append(f"not on the page: {'; '.join(result.left_out)}")
    lines += [f"data: {result.json}", f"open this in a browser: {result.html}"]
    return Outcome(result, lambda to: say(to, "\n".join(lines)), writes_out=True)
