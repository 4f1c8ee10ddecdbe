"""What dies is started again, more and more slowly; the last started is the first ended."""

import signal

import pytest

from scorecard import children
from scorecard.supervisor import Program, Supervisor


class Dead:
    """A process that ended at once."""

    pid = returncode = 1

    def poll(self):
        return 1


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "stop", lambda process, **_: None)
    program = Program("site", [], tmp_path)
    program.spawned = 0

    def spawn():
        program.spawned += 1
        return Dead()

    program.spawn = spawn
    return program


def test_the_pause_doubles_with_every_death_in_a_row_up_to_half_a_minute(program):
    said, now = [], [0.0]
    supervisor = Supervisor(said.append, clock=lambda: now[0])
    supervisor.add(program)
    due = {}
    for _ in range(10):
        supervisor._look_after(supervisor.running[0], due)
        now[0] = due["site"]
        supervisor._look_after(supervisor.running[0], due)
    pauses = [float(line.split("again in ")[1].split(" s")[0]) for line in said]
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert program.spawned == 11


def test_a_death_after_a_steady_minute_counts_as_the_first(program):
    said, now = [], [0.0]
    supervisor = Supervisor(said.append, clock=lambda: now[0])
    supervisor.add(program)
    supervisor.running[0][3] = 5
    now[0] = 61.0
    supervisor._look_after(supervisor.running[0], {})
    assert "again in 0.5 s" in said[0]


def test_the_last_started_is_the_first_ended_each_by_its_own_signal(tmp_path, monkeypatch):
    ended = []
    monkeypatch.setattr(children, "stop", lambda process, stop_signal, grace: ended.append((process, stop_signal)))
    supervisor = Supervisor()
    supervisor.add(Program("postgres", [], tmp_path, stop_signal=signal.SIGINT), process="postgres")
    supervisor.add(Program("site", [], tmp_path), process="site")
    supervisor.stop()
    assert ended == [("site", signal.SIGTERM), ("postgres", signal.SIGINT)]
