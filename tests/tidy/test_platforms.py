"""What only POSIX has stands in a few places that know a way for the others, and is imported nowhere by the way."""

import ast
import json
import subprocess
import sys

POSIX_ONLY = ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty")
ABSENT_ELSEWHERE = {
    "os": {
        "WNOHANG", "fork", "forkpty", "geteuid", "getgid", "getpgid", "getuid", "killpg", "mkfifo", "openpty",
        "posix_spawn", "setpgid", "setsid", "waitid", "wait3", "wait4",
    },
    "signal": {"SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm", "setitimer"},
}  # fmt: skip
POPEN_ONLY = {"pass_fds", "preexec_fn", "process_group", "start_new_session"}
AT_HOME = {
    "plangate.cli.processes",  # a branch for Windows stands beside
    "plangate.drivers.process_groups",
    "plangate.drivers.supervisor",  # a program of its own, started by process_groups on POSIX alone
}
PROGRAM = """
import builtins, importlib, json, sys
absent, names = json.loads(sys.argv[1]), json.loads(sys.argv[2])
real = builtins.__import__
def without(name, globals=None, locals=None, fromlist=(), level=0):
    if name in absent and str((globals or {}).get("__name__")).startswith("plangate"):
        raise ModuleNotFoundError(f"{globals['__name__']} imports {name}")
    return real(name, globals, locals, fromlist, level)
builtins.__import__ = without
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def _imports(tree: ast.AST, *, inside_functions: bool) -> set[str]:
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not inside_functions:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
        found |= _imports(node, inside_functions=inside_functions)
    return found


def test_no_module_imports_what_only_posix_has(modules) -> None:
    assert {
        m.where: found for m in modules if (found := _imports(m.tree, inside_functions=False) & set(POSIX_ONLY))
    } == {}


def test_what_other_platforms_lack_stands_where_a_way_for_them_does(modules) -> None:
    found = []
    for module in modules:
        if module.name in AT_HOME:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.attr in ABSENT_ELSEWHERE.get(node.value.id, ()):
                    found.append(f"{module.where}:{node.lineno} {node.value.id}.{node.attr}")
            elif isinstance(node, ast.keyword) and node.arg in POPEN_ONLY:
                found.append(f"{module.where}:{node.value.lineno} {node.arg}=")
    assert found == []


def test_the_checks_above_would_notice() -> None:
    tree = ast.parse("if True:\n    import fcntl\ndef late():\n    import pwd\n")
    assert _imports(tree, inside_functions=False) == {"fcntl"}
    assert _imports(tree, inside_functions=True) == {"fcntl", "pwd"}


def test_every_module_can_be_imported_where_these_are_missing(modules, bare_environment) -> None:
    names = [module.name for module in modules if module.name != "plangate.__main__"]
    command = [sys.executable, "-c", PROGRAM, json.dumps(POSIX_ONLY), json.dumps(names)]
    done = subprocess.run(command, capture_output=True, text=True, env=bare_environment, check=False, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, str(len(names))), done.stderr
