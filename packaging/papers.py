#!/usr/bin/env python3
"""What is in the binary, for those who have to answer for it: the parts (CycloneDX), their licences, known advisories.

    packaging/papers.py FOLDER

Reads Cargo.lock through cargo, the lock file of the web interface, and the packages' own licence files; asks no network.
With KONTOR_ADVISORY_DB naming a checkout of the RustSec database (else the one that cargo-deny keeps) it also takes a snapshot
of all advisories, which `kontor advisories` reads; without one it says so and there is none. The same tree and the same checkout
give the same bytes.
"""

import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import uuid

import advisories

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLATFORM = "x86_64-unknown-linux-gnu"
LICENCE_FILE = re.compile(r"^(licen[sc]e|copying|notice|unlicense)", re.IGNORECASE)


def crates():
    """The crates of the binary: what `kontor` needs at run time, with what stands in their packages."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", PLATFORM]
    answer = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in answer["packages"]}
    nodes = {node["id"]: node for node in answer["resolve"]["nodes"]}
    sums = {
        (one["name"], one["version"]): one.get("checksum")
        for one in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    }
    start = next(one["id"] for one in packages.values() if one["name"] == "kontor")
    seen, waiting = {}, [start]
    while waiting:
        at = waiting.pop()
        if at in seen:
            continue
        needed = [
            one["pkg"] for one in nodes[at]["deps"] if any(kind["kind"] is None for kind in one["dep_kinds"])
        ]
        seen[at] = needed
        waiting.extend(needed)
    found = {}
    for at, needed in seen.items():
        package = packages[at]
        found[at] = {
            "name": package["name"],
            "version": package["version"],
            "licence": (package["license"] or "").replace("/", " OR ") or "see its file",
            "ours": package["source"] is None,
            "sum": sums.get((package["name"], package["version"])),
            "ref": f"pkg:cargo/{package['name']}@{package['version']}",
            "folder": pathlib.Path(package["manifest_path"]).parent,
            "needs": sorted(f"pkg:cargo/{packages[one]['name']}@{packages[one]['version']}" for one in needed),
        }
    return sorted(found.values(), key=lambda one: (not one["ours"], one["ref"]))


def interface():
    """The packages whose code is in the web interface, from its lock file."""
    ui = ROOT / "src" / "ui"
    lock = json.loads((ui / "package-lock.json").read_text())
    found = []
    for path, package in lock["packages"].items():
        if not path or any(package.get(kind) for kind in ("dev", "devOptional", "optional", "peer")):
            continue
        name = path.split("node_modules/")[-1]
        folder = ui / path
        if not folder.is_dir():
            sys.exit(f"papers: {path} is not there; run scripts/ui.sh check first")
        purl_name = name.replace("@", "%40", 1) if name.startswith("@") else name
        found.append({
            "name": name,
            "version": package["version"],
            "licence": package.get("license", "see its file"),
            "ours": False,
            "integrity": package.get("integrity"),
            "ref": f"pkg:npm/{purl_name}@{package['version']}",
            "folder": folder,
            "needs": [],
        })
    return sorted(found, key=lambda one: one["ref"])


def component(part):
    """One part in the words of CycloneDX."""
    made = {
        "type": "library",
        "bom-ref": part["ref"],
        "name": part["name"],
        "version": part["version"],
        "purl": part["ref"],
        "licenses": [{"expression": part["licence"]}],
    }
    if part.get("sum"):
        made["hashes"] = [{"alg": "SHA-256", "content": part["sum"]}]
    return made


def bill(version, ours, parts):
    """The bill of materials; its serial number follows from its content."""
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": taken(),
            "component": {
                "type": "application",
                "bom-ref": f"pkg:generic/kontor@{version}",
                "name": "kontor",
                "version": version,
                "licenses": [{"expression": "Apache-2.0"}],
            },
        },
        "components": [component(part) for part in parts],
        "dependencies": [
            {
                "ref": f"pkg:generic/kontor@{version}",
                "dependsOn": sorted({need for part in ours for need in part["needs"]} - {part["ref"] for part in ours}
                                    | {part["ref"] for part in parts if part["ref"].startswith("pkg:npm/")}),
            }
        ] + [{"ref": part["ref"], "dependsOn": part["needs"]} for part in parts],
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    body["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}"
    return body


def taken():
    """The time of the commit, never of the build."""
    command = ["git", "log", "-1", "--format=%ct"]
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or subprocess.run(
        command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def licences(parts):
    """Every part with its licence, then each text once with the parts it belongs to."""
    texts, without = {}, []
    for part in parts:
        files = sorted(one for one in part["folder"].iterdir() if LICENCE_FILE.match(one.name) and one.is_file())
        if not files:
            without.append(part)
        for file in files:
            text = file.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n").strip()
            texts.setdefault(text, []).append(f"{part['name']} {part['version']}")
    lines = ["What is built into Kontor, and under which licences.", ""]
    lines += [f"{part['name']} {part['version']}: {part['licence']}" for part in parts]
    if without:
        lines += ["", "No text of their own is in the packages of:"]
        lines += [f"{part['name']} {part['version']}: {part['licence']}" for part in without]
    for text, names in sorted(texts.items(), key=lambda item: item[1]):
        lines += ["", "=" * 78, ", ".join(sorted(set(names))), "-" * 78, "", text]
    return "\n".join(lines) + "\n"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    all_crates = crates()
    ours = [part for part in all_crates if part["ours"]]
    parts = [part for part in all_crates if not part["ours"]] + interface()
    version = next(part["version"] for part in ours if part["name"] == "kontor")

    def put(name, value):
        (folder / name).write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    put("sbom.cdx.json", bill(version, ours, parts))
    (folder / "THIRD-PARTY.txt").write_text(licences(parts), encoding="utf-8")
    checkout = advisories.database()
    if checkout:
        put("advisories.json", advisories.snapshot(checkout))
    else:
        print("papers: no database of advisories is here (KONTOR_ADVISORY_DB): the packages hold none", file=sys.stderr)
    print(f"papers: {len(parts)} parts, written to {folder}")


if __name__ == "__main__":
    main()
