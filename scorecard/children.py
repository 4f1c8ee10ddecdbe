"""Child processes that cannot outlive us: each in a group of its own, and told by the kernel when we are gone."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys

_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
_SECBIT_NO_SETUID_FIXUP = 4
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(argv, *, log, death_signal=signal.SIGTERM, drop_root=False, env=None, cwd=None):
    """Start a program, its output appended to the open file `log`.

    It does not hear a Ctrl-C meant for us, and gets `death_signal` from the kernel however we end (Linux only).
    With `drop_root` it gives up root's identity, as PostgreSQL demands.
    """
    parent = os.getpid()
    drop_root = drop_root and os.geteuid() == 0

    def before_exec():
        if drop_root:
            _become_nobody()
        die_with_parent(death_signal)  # after the change of identity, which would undo it
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(
        [str(part) for part in argv],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        process_group=0,
        preexec_fn=before_exec,  # noqa: PLW1509 - system calls alone, and those who spawn have one thread
    )


def die_with_parent(death_signal=signal.SIGKILL):
    """Ask the kernel for this signal when the process that started us ends, however it ends (Linux only)."""
    if _libc:
        _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)


def stop(process, *, stop_signal=signal.SIGTERM, grace=15.0):
    """End a child: ask it, wait `grace` seconds, then kill its whole group."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def nobody():
    """The user and group that stand in for root."""
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _become_nobody():
    """Give up root but keep, where the kernel lets us, the right to pass through directories closed to others.

    Without it neither the programs nor the data could lie below a home directory of mode 0700. The security bit keeps
    the right through the change of identity, and lets access(2) count it, by which PostgreSQL looks for its programs.
    """
    uid, gid = nobody()
    if _libc:
        _libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if _libc:
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
        mask = 1 << _CAP_DAC_OVERRIDE
        if _libc.capset(header, (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)) == 0:
            _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
