"""How far an observed share may be from the true one."""

import math


def wilson(successes: int, trials: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's score interval of a share (1927); sound near 0 and 1 and for few trials.

    Args:
        z: normal quantile; the default gives 95%.

    Returns:
        lower and upper end, (0, 1) if there were no trials.
    """
    if not trials:
        return 0.0, 1.0
    share, z2 = successes / trials, z * z
    centre = share + z2 / (2 * trials)
    half = z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    scale = 1 + z2 / trials
    # Exact ends at 0 and 1, where rounding would leave the last digits off.
    low = 0.0 if successes == 0 else (centre - half) / scale
    high = 1.0 if successes == trials else (centre + half) / scale
    return low, high
