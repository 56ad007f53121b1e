"""`completion`: the lines that teach a shell to complete `hrm`."""

from hrmlab.errors import ConfigError, unknown
from hrmlab.results import Completion

SHELLS = {
    "bash": "echo 'eval \"$(hrm completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(hrm completion zsh)\"' >> ~/.zshrc  # after compinit",
    "fish": "hrm completion fish > ~/.config/fish/completions/hrm.fish",
}


def completion(shell: str) -> Completion:
    """The script for a shell, and the command that keeps it.

    Raises:
        ConfigError: no such shell.
    """
    if shell not in SHELLS:
        raise ConfigError(unknown("shell", shell, SHELLS))
    import argcomplete

    script: str = argcomplete.shellcode(["hrm"], shell=shell)  # type: ignore[attr-defined]
    return Completion(shell, script, SHELLS[shell])
