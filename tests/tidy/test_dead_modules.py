"""Every module is reached: imported by another one, named by an entry point, or a verb of the command."""

import ast


def _imports(module) -> set[str]:
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.name if module.is_package else module.name.rpartition(".")[0]
                for _ in range(node.level - 1):
                    package = package.rpartition(".")[0]
                base = f"{package}.{base}".rstrip(".")
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def _named_in_strings(modules) -> set[str]:
    """Modules that are imported late, by name: `"plangate.cli.check"` or `"plangate.drivers.http:HttpDriver"`."""
    return {
        node.value.partition(":")[0]
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("plangate.")
    }


def test_no_module_is_dead(modules, project) -> None:
    reached = {"plangate", "plangate.__main__"} | _named_in_strings(modules)
    for group in project["project"]["entry-points"].values():
        reached |= {target.partition(":")[0] for target in group.values()}
    reached |= {target.partition(":")[0] for target in project["project"]["scripts"].values()}
    for module in modules:
        reached |= _imports(module) - {module.name}
    offered_to_others = {m.name for m in modules if m.name.startswith("plangate.testing")}
    dead = {m.name for m in modules if not m.is_package} - reached - offered_to_others
    assert sorted(dead) == []


def test_every_entry_point_can_be_loaded(project) -> None:
    from importlib import import_module

    for group in project["project"]["entry-points"].values():
        for target in group.values():
            module, _, name = target.partition(":")
            loaded = import_module(module)
            assert not name or hasattr(loaded, name), target
