"""Programs that are run by the loop's own library, executed before and after."""

from __future__ import annotations

import sys

import pytest
from stall import module, run
from support import Case, case
from test_fix_proof import DELAYS
from test_fix_rows_proof import main, waiting

from loopsafe.model import Safety

LIST = "[python, '-c', code]"
LINE = 'f"\'{python}\' -c \\"{code}\\""'


def program(body: str, imports: str = "import os\nimport subprocess") -> Case:
    names = ("check_output", "check_call", "call", "run", "Popen", "wait", "communicate")
    callee = next((f"subprocess.{n}" for n in names if f"subprocess.{n}(" in body), "os.system")
    return case(main(body, imports), callee, code="blocking-subprocess")


def prove(found: Case, title: str) -> None:
    """The program's own start takes as long as it takes; the loop must not stand meanwhile."""
    after = found.after(title)
    for delay in DELAYS[1:]:
        with waiting(delay) as names:
            old = run(module(found.text, **names).main, repr)
            new = run(module(after, **names).main, repr)
        assert new.outcome == old.outcome
        assert old.stall >= delay
        if old.stall >= 10 * new.stall:
            return
    raise AssertionError(f"stalls: {old.stall:.3f} s before, {new.stall:.3f} s after")


@pytest.mark.parametrize(
    "body",
    [
        f"r = subprocess.run({LIST}, capture_output=True)\n"
        "return r.args[1], r.returncode, r.stdout, r.stderr",
        f"subprocess.run({LIST}, stdout=subprocess.PIPE, check=True)",
        f"subprocess.run({LIST}, stdout=subprocess.DEVNULL, check=True)",
        f"try:\n    return subprocess.check_output({LIST}, text=True)\n"
        "except subprocess.CalledProcessError as e:\n    return e.cmd[1], e.returncode, e.stdout",
        f"return subprocess.call({LIST}, stdout=subprocess.DEVNULL)",
        f"return subprocess.call({LIST}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)",
        f"command = {LIST}\nreturn subprocess.call(command, stdout=subprocess.DEVNULL)",
        "command = [python]\ncommand += ['-c', code]\n"
        "r = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)\n"
        "return r.args[1:] == ['-c', code], r.stdout",
    ],
)
def test_a_program(body: str) -> None:
    prove(program(body), "create_subprocess_exec")


@pytest.mark.skipif(sys.platform == "win32", reason="the quotes are those of a Unix shell")
@pytest.mark.parametrize(
    "body",
    [
        f"os.system({LINE})",
        f"line = {LINE}\nr = subprocess.run(line, shell=True, capture_output=True)\n"
        "return r.args == line, r.returncode, r.stdout, r.stderr",
        f"line = {LINE}\nreturn subprocess.call(line, shell=True, stdout=subprocess.DEVNULL)",
        f"line = {LINE}\nsubprocess.run(line, shell=True, check=True, stdout=subprocess.DEVNULL)",
    ],
)
def test_a_line_of_the_shell(body: str) -> None:
    prove(program(body), "create_subprocess_shell")


@pytest.mark.parametrize(
    "body",
    [
        f"p = subprocess.Popen({LIST}, stdout=subprocess.DEVNULL)\nx = p.wait()\n"
        "return x, p.returncode, p.pid > 0",
        f"p = subprocess.Popen({LIST}, stdout=subprocess.PIPE)\n"
        "return p.communicate()[0], p.returncode",
        f"p = subprocess.Popen({LIST}, stdout=subprocess.PIPE, stdin=subprocess.PIPE)\n"
        "out, err = p.communicate(b'abc')\nreturn out, err",
    ],
)
def test_a_program_beside_the_loop(body: str) -> None:
    found = program(body)
    prove(found, "create_subprocess_exec")
    used = "p.wait" if "p.wait" in body else "p.communicate"
    sink = used.replace("p.", "subprocess.Popen.")
    same = case(found.text, used, sink, code="blocking-subprocess")
    assert same.after("create_subprocess_exec") == found.after("create_subprocess_exec")


@pytest.mark.parametrize(
    "body",
    [
        f"r = subprocess.run({LIST}, capture_output=True)\n"
        "return r.args[1], r.returncode, r.stdout, r.stderr",
        f"return subprocess.run({LIST}, stdout=subprocess.DEVNULL).returncode",
        f"subprocess.run({LIST}, check=True, stdout=subprocess.DEVNULL)",
        f"try:\n    return subprocess.check_output({LIST}).strip()\n"
        "except subprocess.CalledProcessError as e:\n    return e.cmd[1], e.returncode, e.stdout",
    ],
)
def test_a_program_of_anyio(body: str) -> None:
    prove(program(body, "import subprocess\nimport anyio"), "Use await anyio.run_process()")


@pytest.mark.parametrize(
    "body",
    [
        "subprocess.run(command)",
        "command = 'ls'\nif code:\n    command = ['ls']\nsubprocess.run(command)",
        f"subprocess.run({LIST}, timeout=3)",
        f"subprocess.run({LIST}, input=b'')",
        f"subprocess.run({LIST}, encoding='ascii')",
        "subprocess.run(code, shell=python)",
        "subprocess.run([next(code)])",
        "return os.system(code)",
        f"p = subprocess.Popen({LIST})\np.kill()\np.wait()",
        f"p = subprocess.Popen({LIST}, stdout=subprocess.PIPE)\nreturn p.stdout.read(), p.wait()",
        f"p = subprocess.Popen({LIST}, text=True)\nreturn p.communicate()",
        f"p = subprocess.Popen({LIST})\np.wait(timeout=3)",
        f"p = subprocess.Popen({LIST})\nkeep(p)\np.wait()",
        f"p = subprocess.Popen({LIST})\nkeep(lambda: p.wait())\np.wait()",
        f"global p\np = subprocess.Popen({LIST})\np.wait()",
        f"with subprocess.Popen({LIST}) as p:\n    p.wait()",
    ],
)
def test_programs_that_are_left_to_a_thread(body: str) -> None:
    assert not any(title.startswith("Use ") for title in program(body).titles)


def test_a_thread_comes_first_where_it_is_safe() -> None:
    found = program(f"subprocess.run({LIST})")
    assert [fix.safety for fix in found.cures] == [Safety.SAFE, Safety.UNSAFE]
