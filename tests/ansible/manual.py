#!/usr/bin/env python3
"""The table of variables in docs/admin/ansible*.md, made from the roles: what they say of their arguments and their defaults.

    tests/ansible/manual.py write     writes the tables anew
    tests/ansible/manual.py check     says where manual, arguments and defaults disagree
"""

import json
import pathlib
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROLES = ("kontor", "recovery", "upgrade", "postgresql", "cluster", "backup_target", "monitoring", "packages")
TYPES = {"str": "text", "path": "path", "list": "list", "dict": "table", "int": "number", "bool": "true, false"}
TYPES_ZH = {"str": "文本", "path": "路径", "list": "列表", "dict": "表", "int": "数字", "bool": "true、false"}
PAGES = (
    ("docs/admin/ansible.md", "## Every variable", ("variable", "type", "default", "meaning"), TYPES, 0),
    ("docs/admin/ansible.zh-CN.md", "## 全部变量", ("变量", "类型", "默认值", "含义"), TYPES_ZH, 1),
)


def loaded(path):
    return yaml.safe_load(path.read_text()) or {}


def shown(value):
    if value == "":
        return '`""`'
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value, ensure_ascii=False)}`"


def cell(text):
    """`C(x)` and `I(x)` are Ansible's marks for code; a bar would end the cell."""
    for mark in ("C(", "I("):
        while mark in text:
            before, rest = text.split(mark, 1)
            inner, after = rest.split(")", 1)
            text = f"{before}`{inner}`{after}"
    return text.replace("|", "\\|")


def table(heading, columns, types, language):
    lines = [heading]
    for role in ROLES:
        folder = ROOT / "ansible/roles" / role
        if not folder.exists():
            continue
        specs = loaded(folder / "meta/argument_specs.yml")["argument_specs"]["main"]
        defaults = loaded(folder / "defaults/main.yml")
        lines += ["", f"### `{role}`", "", f"| {' | '.join(columns)} |", "|---|---|---|---|"]
        for name, option in specs["options"].items():
            default = shown(defaults[name]) if name in defaults else ""
            kind = ", ".join(option["choices"]) if "choices" in option else types[option["type"]]
            lines.append(f"| `{name}` | {kind} | {default} | {cell(option['description'][language])} |")
    return "\n".join(lines) + "\n"


def disagreements():
    for role in ROLES:
        folder = ROOT / "ansible/roles" / role
        if not folder.exists():
            continue
        specs = loaded(folder / "meta/argument_specs.yml")["argument_specs"]["main"]
        defaults = loaded(folder / "defaults/main.yml")
        for name in defaults.keys() - specs["options"].keys():
            yield f"{role}: {name} has a default and is not described"
        for name, option in specs["options"].items():
            if len(option["description"]) != 2:
                yield f"{role}: {name} needs a description in each of two languages"
            if option.get("required", False):
                continue
            if name not in defaults or defaults[name] != option.get("default"):
                yield f"{role}: {name}: its default is {defaults.get(name)!r} here and {option.get('default')!r} there"
    for folder in sorted((ROOT / "ansible/roles").iterdir()):
        if folder.name not in ROLES:
            yield f"{folder.name}: the manual does not know this role"


def main():
    write = sys.argv[1:] == ["write"]
    found = list(disagreements())
    for page, heading, columns, types, language in PAGES:
        path = ROOT / page
        text = path.read_text()
        kept = text[: text.index(heading)]
        wanted = kept + table(heading, columns, types, language)
        if write:
            path.write_text(wanted)
        elif text != wanted:
            found.append(f"{page}: not as the roles say; run tests/ansible/manual.py write")
    print("\n".join(found) if found else "they agree")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
