"""A run as a folder for the Hugging Face Hub: safetensors, configuration, and a card with the measured numbers."""

import json
from pathlib import Path
from typing import Any

from hrmlab.config import encode
from hrmlab.core.model import HRM
from hrmlab.core.weights import save_weights, write_atomically
from hrmlab.errors import CheckpointError, MissingExtraError
from hrmlab.training.config import RunConfig
from hrmlab.training.folder import HUB_WEIGHTS as WEIGHTS


def write(model: HRM, config: RunConfig, results: dict[str, Any] | None, folder: Path) -> list[str]:
    """Write model.safetensors, config.json, results.json where there are results, and README.md; their names."""
    save_weights(model, folder / WEIGHTS)
    write_atomically(folder / "config.json", (json.dumps(encode(config), indent=1) + "\n").encode())
    names = [WEIGHTS, "config.json", "README.md"]
    if results is not None:
        write_atomically(folder / "results.json", (json.dumps(results, indent=1) + "\n").encode())
        names.append("results.json")
    write_atomically(folder / "README.md", _card(model, config, results).encode())
    return names


def _card(model: HRM, config: RunConfig, results: dict[str, Any] | None) -> str:
    schedule = model.schedule
    lines = [
        "---",
        "library_name: hrm-lab",
        "pipeline_tag: other",
        "tags: [hierarchical-reasoning-model, adaptive-computation-time, puzzles]",
        "---",
        "",
        f"# {config.name}",
        "",
        f"A model of [hrm-lab](https://pypi.org/project/hrm-lab/): {model.parameter_count():,} parameters, task "
        f"`{config.task.kind}`, schedule `{config.model.schedule.kind}` ({len(schedule.updates)} updates a segment), "
        f"block `{config.model.block.kind}`, trained with halting `{config.halting.kind}`.",
        "",
        "```",
        schedule.describe(),
        "```",
        "",
        "## Use",
        "",
        "```python",
        "from hrmlab import api",
        "",
        'api.solve("owner/name", ["..."])            # or: hrm solve owner/name PUZZLE',
        'model = api.from_pretrained("owner/name")   # a torch module',
        "```",
        "",
        "## Measured",
        "",
        *measured(results),
    ]
    return "\n".join(lines) + "\n"


def measured(results: dict[str, Any] | None) -> list[str]:
    """The lines of a card that say how good a model is."""
    if results is None:
        return ["Nothing: this run has no evaluation. `hrm eval RUN` makes one."]
    low, high = results["exact_interval"]
    protocol = results["protocol"]
    return [
        f"Exactly right: {results['exact']:.1%} of {results['n']:,} held-out puzzles (95% interval {low:.1%} to "
        f"{high:.1%}), {results['mean_segments']:.1f} segments in the mean.",
        "",
        f"Protocol: {protocol['data']}; halting `{json.dumps(protocol['halting'])}`; {protocol['weights']}; "
        f"{protocol['device']}, {protocol['dtype']}.",
    ]


def push(folder: Path, repository: str) -> str:
    """Upload such a folder to the Hub; the address of the commit. Needs the user's own login.

    Raises:
        MissingExtraError, CheckpointError: no client, or the Hub refused.
    """
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise MissingExtraError("the Hub's client is missing: pip install 'hrm-lab[hub]'") from None
    try:
        client = HfApi()
        client.create_repo(repository, exist_ok=True)
        return str(client.upload_folder(folder_path=folder, repo_id=repository))
    except Exception as error:  # the client lets errors of several HTTP libraries through
        why = (str(error).splitlines() or [""])[0]
        raise CheckpointError(f"cannot upload {folder} to {repository} ({type(error).__name__}: {why})") from None
