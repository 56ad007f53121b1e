"""Which implementation torch's scaled_dot_product_attention takes, and why: as data.

The choice itself is torch's; `explain` retells its rules (torch 2.13), so that a report can say what would have to
change for a faster one. `torch_chooses` asks torch, and the two are compared wherever there is a device to ask.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, current_flash_attention_impl

FLEX_BLOCK = 128
"""Positions that FlexAttention takes or skips together."""
FLEX_WIDTH = 16
"""Narrowest head that its kernels are written for: products of matrices on a GPU take no less."""
HALF = (torch.float16, torch.bfloat16)
NAMES = {
    SDPBackend.MATH: "math",
    SDPBackend.FLASH_ATTENTION: "flash",
    SDPBackend.EFFICIENT_ATTENTION: "memory_efficient",
    SDPBackend.CUDNN_ATTENTION: "cudnn",
}


@dataclass(frozen=True)
class Machine:
    """What the choice depends on of a device.

    capability: of the GPU, (8, 0) for A100 and (9, 0) for H100; None elsewhere.
    cudnn: version as torch gives it, 91501 for 9.15.1; 0 for none.
    triton: whether torch.compile can make GPU kernels, which FlexAttention needs.
    flash_attn: an installed newer flash-attention that torch can take, "FA3" or "FA4"; None for none.
    active: the one that torch was told to take.
    """

    device: str
    capability: tuple[int, int] | None = None
    cudnn: int = 0
    triton: bool = False
    flash_attn: str | None = None
    active: str | None = None

    @staticmethod
    def of(device: torch.device) -> "Machine":
        """The machine at hand."""
        if device.type != "cuda":
            return Machine(device.type)
        installed = {"FA4": "flash_attn.cute", "FA3": "flash_attn_interface"}
        return Machine(
            device.type,
            torch.cuda.get_device_capability(device),
            torch.backends.cudnn.version() or 0,  # type: ignore[no-untyped-call]
            find_spec("triton") is not None,
            next((name for name, module in installed.items() if _there(module)), None),
            current_flash_attention_impl(),
        )

    @property
    def sm(self) -> int:
        """Capability times ten."""
        return self.capability[0] * 10 + self.capability[1] if self.capability else 0

    @property
    def prefers_cudnn(self) -> bool:
        """Whether torch puts cuDNN first."""
        wanted = self.sm in (90, 100) and self.cudnn > 91500
        return wanted and os.environ.get("TORCH_CUDNN_SDPA_DEPRIORITIZED") != "1"


@dataclass(frozen=True)
class Request:
    """A call of attention: what of it the choice depends on.

    masked: a mask is given. mask_learns: it asks for gradient.
    local: what the mask says is a rule that keeps queries to keys nearby, so that whole blocks of it can be skipped.
    """

    positions: int
    head_width: int
    dtype: torch.dtype
    masked: bool = False
    mask_learns: bool = False
    local: bool = False

    @staticmethod
    def of(query: Tensor, mask: Tensor | None = None) -> "Request":
        """query: (B, H, N, D)."""
        learns = mask is not None and mask.requires_grad
        return Request(query.shape[-2], query.shape[-1], query.dtype, mask is not None, learns)


@dataclass(frozen=True)
class Backend:
    """One implementation. available: the device has it. chosen: it runs. why: the reason, in words."""

    name: str
    available: bool
    chosen: bool
    why: str


def explain(request: Request, machine: Machine) -> list[Backend]:
    """All implementations in order of preference, torch's but for FlexAttention, exactly one of them chosen."""
    order = ["flash", "memory_efficient", "math"]
    order.insert(0 if machine.prefers_cudnn else 3, "cudnn")
    order = ["flash_attn", *order]
    order.insert(0 if request.local else len(order), "flex")
    found: list[Backend] = []
    chosen = ""
    for name in order:
        available, hindrance = RULES[name](request, machine)
        takes = not chosen and available and not hindrance
        if takes:
            chosen, hindrance = name, GOOD[name]
        found.append(Backend(name, available, takes, hindrance or f"could run; {chosen} comes first"))
    return found


def torch_chooses(query: Tensor, mask: Tensor | None = None) -> str:
    """What torch itself says that it would take for these tensors: their self-attention, (B, H, N, D)."""
    return NAMES[SDPBackend(torch._fused_sdp_choice(query, query, query, attn_mask=mask))]


Verdict = tuple[bool, str]
"""Whether the device has it, and what hinders it here; empty for nothing."""


def _flash(request: Request, machine: Machine) -> Verdict:
    if machine.device == "cpu":
        if request.mask_learns:
            return True, "the mask asks for gradient"
        return True, "" if request.positions else "nothing to attend to"
    if machine.active:
        return True, f"replaced by {machine.active}"
    return _flash_on_gpu(request, machine)


def _flash_on_gpu(request: Request, machine: Machine) -> Verdict:
    if not 80 <= machine.sm <= 121:
        return False, "needs a GPU of capability 8.0 to 12.1"
    if request.dtype not in HALF:
        return True, f"takes float16 and bfloat16, not {_name(request.dtype)}"
    if request.masked:
        return True, "takes no mask"
    return True, "" if request.head_width <= 256 else f"heads of {request.head_width} are wider than 256"


def _flash_attn(request: Request, machine: Machine) -> Verdict:
    if machine.flash_attn is None:
        return False, "no flash-attn 3 or 4 is installed"
    if machine.active is None:
        how = f"torch.nn.attention.activate_flash_attention_impl('{machine.flash_attn}')"
        return True, f"{machine.flash_attn} is installed but not activated: {how}"
    if machine.active == "FA3" and machine.sm != 90:
        return False, "FA3 needs a GPU of capability 9.0"
    return _flash_on_gpu(request, machine)


def _memory_efficient(request: Request, machine: Machine) -> Verdict:
    if not 50 <= machine.sm <= 121:
        return False, "needs a GPU of capability 5.0 to 12.1"
    if request.dtype not in (*HALF, torch.float32) or (request.dtype == torch.bfloat16 and machine.sm < 80):
        return True, f"does not take {_name(request.dtype)} on this GPU"
    step = 8 if request.dtype in HALF and machine.sm >= 75 else 4 if machine.sm >= 80 else 1
    return True, f"heads of {request.head_width} are no multiple of {step}" if request.head_width % step else ""


def _cudnn(request: Request, machine: Machine) -> Verdict:
    if machine.sm < 80 or not machine.cudnn:
        return False, "needs a GPU of capability 8.0 or more, and cuDNN"
    if request.dtype not in HALF:
        return True, f"takes float16 and bfloat16, not {_name(request.dtype)}"
    widest = 256 if machine.sm in (90, 100) else 128
    if request.head_width % 8 or request.head_width > widest:
        return True, f"heads of {request.head_width}; takes multiples of 8 up to {widest}"
    return True, "the mask asks for gradient" if request.mask_learns else ""


def _math(request: Request, machine: Machine) -> Verdict:
    return True, ""


def _flex(request: Request, machine: Machine) -> Verdict:
    if machine.device == "cpu" or not machine.triton:
        return False, "needs a GPU and triton"
    if request.local and request.positions <= FLEX_BLOCK:
        return True, f"{request.positions} positions are one block of {FLEX_BLOCK}, so that there is none to skip"
    if request.local and request.head_width < FLEX_WIDTH:
        return True, f"heads {request.head_width} wide; its kernels take {FLEX_WIDTH} or more"
    if request.local:
        return True, ""
    if request.masked:
        return True, "the mask is a tensor; FlexAttention gains where a rule lets it skip whole blocks"
    return True, "every position attends to every other, so that there is no block to skip"


RULES: dict[str, Callable[[Request, Machine], Verdict]] = {
    "flash_attn": _flash_attn,
    "cudnn": _cudnn,
    "flash": _flash,
    "memory_efficient": _memory_efficient,
    "math": _math,
    "flex": _flex,
}
GOOD = {
    "flash_attn": "activated; scores never reach memory",
    "cudnn": "first on this GPU; scores never reach memory",
    "flash": "fused; scores never reach memory",
    "memory_efficient": "fused, by blocks; takes masks and float32",
    "flex": "skips the blocks of positions that no query looks at",
    "math": "nothing fused takes this; scores are written to memory, (B, H, N, N)",
}


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its package is not there either
        return False


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
