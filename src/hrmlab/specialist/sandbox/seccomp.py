"""A filter of system calls: no new processes, no sockets, no looking into or signalling others, no owners, modes or
times of files (which Landlock lets pass), no memory that outlives the process. Threads are fine.

A program of the kernel's packet filter (BPF) reads the number of each call: see the kernel's `seccomp_filter` document.
"""

import ctypes
import errno
import platform
import struct
import sys

LOAD, EQUAL, SET, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
NUMBER, ARCH, ARGUMENTS = 0, 4, 16
"""Where the call's parts lie in what the filter reads."""
THREAD = 0x10000
"""The flag of `clone` that makes a thread and not a process."""
FILTER_MODE, SECCOMP, NO_NEW_PRIVILEGES = 2, 22, 38
DENIED = {
    "x86_64": (
        0xC000003E,
        {"clone": 56, "clone3": 435, "prlimit64": 302},
        {
            "execve": 59, "execveat": 322, "fork": 57, "vfork": 58, "socket": 41, "socketpair": 53, "connect": 42,
            "bind": 49, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kill": 62, "tkill": 200,
            "tgkill": 234, "pidfd_open": 434, "pidfd_send_signal": 424, "mount": 165, "umount2": 166, "unshare": 272,
            "setns": 308, "chroot": 161, "pivot_root": 155, "bpf": 321, "perf_event_open": 298, "io_uring_setup": 425,
            "keyctl": 250, "add_key": 248, "request_key": 249, "userfaultfd": 323, "init_module": 175,
            "finit_module": 313, "setrlimit": 160, "reboot": 169, "setpriority": 141,
            "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452, "chown": 92, "fchown": 93, "lchown": 94,
            "fchownat": 260, "utime": 132, "utimes": 235, "futimesat": 261, "utimensat": 280, "setxattr": 188,
            "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199,
            "setxattrat": 463, "removexattrat": 466, "truncate": 76, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297,
            "shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65, "semctl": 66, "msgget": 68,
            "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "memfd_create": 319,
            "sched_setparam": 142, "sched_setscheduler": 144,
            "sched_setaffinity": 203, "sched_setattr": 314, "ioprio_set": 251, "capset": 126, "settimeofday": 164,
            "clock_settime": 227, "kexec_load": 246, "open_by_handle_at": 304, "acct": 163, "swapon": 167,
            "swapoff": 168, "iopl": 172, "ioperm": 173,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {"clone": 220, "clone3": 435, "prlimit64": 261},
        {
            "execve": 221, "execveat": 281, "socket": 198, "socketpair": 199, "connect": 203, "bind": 200,
            "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kill": 129, "tkill": 130, "tgkill": 131,
            "pidfd_open": 434, "pidfd_send_signal": 424, "mount": 40, "umount2": 39, "unshare": 97, "setns": 268,
            "chroot": 51, "pivot_root": 41, "bpf": 280, "perf_event_open": 241, "io_uring_setup": 425, "keyctl": 219,
            "add_key": 217, "request_key": 218, "userfaultfd": 282, "init_module": 105, "finit_module": 273,
            "setrlimit": 164, "reboot": 142, "setpriority": 140,
            "fchmod": 52, "fchmodat": 53, "fchmodat2": 452, "fchown": 55, "fchownat": 54, "utimensat": 88,
            "setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "removexattr": 14, "lremovexattr": 15, "fremovexattr": 16,
            "setxattrat": 463, "removexattrat": 466, "truncate": 45, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240,
            "shmget": 194, "shmat": 196, "shmctl": 195, "semget": 190, "semop": 193, "semctl": 191, "msgget": 186,
            "msgsnd": 189, "msgrcv": 188, "msgctl": 187, "memfd_create": 279, "sched_setparam": 118,
            "sched_setscheduler": 119, "sched_setaffinity": 122, "sched_setattr": 274, "ioprio_set": 30, "capset": 91,
            "settimeofday": 170, "clock_settime": 112, "kexec_load": 104, "open_by_handle_at": 265, "acct": 89,
            "swapon": 224, "swapoff": 225,
        },
    ),
}  # fmt: skip
"""By machine: its mark, the calls that depend on their arguments, and those that are refused."""


def refuse_calls() -> bool:
    """Refuse those calls from now on, in all threads. False on systems and machines that are not known here.

    Raises:
        OSError: the kernel refuses.
    """
    if sys.platform != "linux" or platform.machine() not in DENIED:
        return False
    program = b"".join(_program(*DENIED[platform.machine()]))
    code = ctypes.create_string_buffer(program)
    whole = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code)))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) or library.prctl(SECCOMP, FILTER_MODE, whole, 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")
    return True


def _program(mark: int, special: dict[str, int], denied: dict[str, int]) -> list[bytes]:
    refuse, absent = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
    lines = [_line(LOAD, ARCH), _line(EQUAL, mark, 1, 0), _line(RETURN, KILL), _line(LOAD, NUMBER)]
    lines += [_line(0x35, 0x40000000, 0, 1), _line(RETURN, refuse)]  # the other tables of an x86-64
    for number in denied.values():
        lines += [_line(EQUAL, number, 0, 1), _line(RETURN, refuse)]
    lines += [_line(EQUAL, special["clone3"], 0, 1), _line(RETURN, absent)]  # the library then takes clone
    lines += [_line(EQUAL, special["clone"], 0, 4), _line(LOAD, ARGUMENTS), _line(SET, THREAD, 1, 0)]
    lines += [_line(RETURN, refuse), _line(RETURN, ALLOW)]
    new_limit = ARGUMENTS + 2 * 8  # limits may be read, not set: the third argument is null
    lines += [_line(EQUAL, special["prlimit64"], 0, 5), _line(LOAD, new_limit), _line(EQUAL, 0, 0, 2)]
    lines += [_line(LOAD, new_limit + 4), _line(EQUAL, 0, 1, 0), _line(RETURN, refuse)]
    return [*lines, _line(RETURN, ALLOW)]


def _line(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """An instruction: what it does, with what, and how many to skip if it holds or not."""
    return struct.pack("=HBBI", code, yes, no, value)
