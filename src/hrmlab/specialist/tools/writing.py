"""Tools that change something: they end jobs, or write where the user allowed it."""

import json
from typing import Any

from hrmlab.errors import ConfigError
from hrmlab.specialist.tools.workshop import Workshop, told


def hrm_cancel(shop: Workshop, job_id: str) -> dict[str, Any]:
    """End a job with all its processes. One that is over stays as it is; calling twice is no mistake."""
    return told(shop.jobs.cancel(job_id))


def hrm_export(shop: Workshop, folder: str, dest: str) -> dict[str, Any]:
    """Write the configuration of an accepted proposal to a file inside the roots. Never overwrites; needs a server
    that was started with --allow-write."""
    from hrmlab.api.targets import find_config
    from hrmlab.config import encode
    from hrmlab.core.weights import write_atomically
    from hrmlab.specialist.proposing import FILE, kept
    from hrmlab.training.overrides import override_run

    if not shop.writes:
        raise ConfigError("this server only reads; the user can start it with `hrm mcp --allow-write --root FOLDER`")
    proposal, target = kept(shop.inside(folder) / FILE)
    if proposal.verdict != "accept":
        raise ConfigError(
            f"the proposal's verdict is {proposal.verdict or 'open'}; only accepted ones are exported (hrm_verify)"
        )
    place = shop.inside(dest)
    if place.exists():
        raise ConfigError(f"{dest} is there already; name a file that is not")
    config = override_run(find_config(shop.target(target)), shop.changes(proposal.changes))
    write_atomically(place, (json.dumps(encode(config), indent=1) + "\n").encode())
    return {"file": str(place), "changes": proposal.changes, "next": f"hrm train {place}"}
