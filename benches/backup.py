"""`make bench-backup`: figures of backups, shipping and restoring on a filled appliance, each beside something of the same run.

Writes the results as JSON and the tables of docs/BENCHMARKS.md between its marks. Works on a copy-free folder that `make bench` or this
script's caller has filled (SCRATCH/appliance); its configuration is put back at the end, what was written there stays. It uses the released
binary, the load generator `kontor-bench`, the loopback store `kontor-bench-store`, and Debian's sqlite3, zstd, age and restic.
"""

import argparse
import json
import os
import re
import shutil
import signal
import ssl
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SEGMENT = struct.Struct(">4s4s16sQqQI20s32sQI4s")
KEY, SECRET = "BENCHKEY", "a secret of the bench"


def say(text):
    print(text, file=sys.stderr, flush=True)


def now():
    return time.monotonic()


def percentile(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * part // 100)] if values else 0


def bytes_below(path):
    return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())


class Run:
    def __init__(self, options):
        self.options = options
        self.scratch = Path(options.scratch)
        self.dir = self.scratch / "appliance"
        self.work = self.scratch / "backup-work"
        self.config = (self.dir / "kontor.toml").read_text()
        # Whatever an earlier run that was killed has left in the configuration.
        self.config = re.sub(r"# bench begin\n.*?# bench end\n", "", self.config, flags=re.S)
        self.config = re.sub(r'^sync = .*$', 'sync = ""', self.config, flags=re.M)
        self.config = re.sub(r"^also = .*$", "also = []", self.config, flags=re.M)
        self.config = re.sub(r"^(schedule|drill) = .*$", r'\1 = ""', self.config, flags=re.M)
        self.address = (self.scratch / "address").read_text().strip()
        self.results = {}
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()

    def configure(self, targets="", sync="", also=()):
        text = self.config.replace("[backup.targets]\n", f"[backup.targets]\n# bench begin\n{targets}# bench end\n", 1)
        text = text.replace('sync = ""', f'sync = "{sync}"', 1)
        text = text.replace("also = []", f"also = {json.dumps(list(also))}", 1)
        (self.dir / "kontor.toml").write_text(text)

    def kontor(self, *arguments, check=True, **more):
        ran = subprocess.run([self.options.kontor, *map(str, arguments)], capture_output=True, text=True, **more)
        if check and ran.returncode:
            raise SystemExit(f"kontor {arguments}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}")
        return ran.stdout

    def serve(self, directory=None):
        """Starts a server and waits for its first answer; the process, and how long that took."""
        directory = directory or self.dir
        log = open(self.work / "serve.log", "a")
        begun = now()
        server = subprocess.Popen([self.options.kontor, "serve", "--dir", directory], stdout=log, stderr=log)
        context = ssl.create_default_context(cafile=str(directory / "tls/ca.pem"))
        while True:
            try:
                urllib.request.urlopen(f"https://{self.address}/healthz", context=context, timeout=5).read()
                return server, now() - begun
            except OSError:
                if server.poll() is not None:
                    raise SystemExit(f"the server ended; see {log.name}")
                time.sleep(0.02)

    def stop(self, server, how=signal.SIGTERM):
        server.send_signal(how)
        server.wait()

    def load(self, verb, per_second, seconds, connections=16, answered=None, wait=True):
        command = [self.options.bench, "--kontor", self.options.kontor, "--scratch", self.scratch, "--date", "-", "--results", "-",
                   "--verbs", verb, "--paced", per_second, "--seconds", seconds, "--connections", connections]
        command += ["--answered", answered] if answered else []
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self.figure(process) if wait else process

    @staticmethod
    def figure(process):
        out, err = process.communicate()
        if process.returncode:
            raise SystemExit(f"the load failed: {err}")
        return json.loads(out)

    def wait_for_set(self, places):
        """Until a whole set lies on each, which leads into the stream."""
        until = now() + 600
        while not all(list(place.glob("*/set-*/manifest.json")) and not list(place.glob("*/*.part")) for place in places):
            if now() > until:
                raise SystemExit("no set was made for the stream")
            time.sleep(0.2)
        # It is read back before it counts; that is over when nothing but the server's own looks is left.
        time.sleep(1)
        while "a backup set was made and read back" not in (self.work / "serve.log").read_text():
            time.sleep(0.2)


def watched(folder, seconds, begin):
    """Looks for what arrives while it lasts: what was put together is gone from its small file afterwards."""
    found = []
    seen = {}
    end = now() + seconds
    while now() < end:
        for file in folder.glob("*/stream/*.few"):
            if file.name in seen:
                continue
            try:
                arrived, data = file.stat().st_mtime, file.read_bytes()
            except OSError:
                continue
            seen[file.name] = True
            at = 0
            while at + SEGMENT.size <= len(data):
                fields = SEGMENT.unpack_from(data, at)
                if fields[4] / 1e6 >= begin:
                    found.append(max(0.0, arrived - fields[4] / 1e6) * 1000)
                at += SEGMENT.size + fields[10] + 64
        time.sleep(0.1)
    return found


def shipping(run):
    """Writes with and without a second place, the lag of a store, a kill, and what comes back."""
    say("writes without shipping")
    seconds, results = run.options.seconds, {}
    run.configure()
    server, _ = run.serve()
    results["without"] = {"paced": run.load("create", 500, seconds), "most": run.load("create", 0, seconds)}
    run.stop(server)
    second, store = run.work / "second", run.work / "store"
    second.mkdir()
    (store / "sets").mkdir(parents=True)
    credentials = run.work / "s3-key"
    credentials.write_text(f"{KEY}\n{SECRET}\n")
    credentials.chmod(0o600)
    s3 = subprocess.Popen([run.options.store, str(store), KEY, SECRET], stdout=subprocess.PIPE, text=True)
    try:
        address = s3.stdout.readline().strip()
        run.configure(f'second = "{second}"\nfar = {{ s3 = "http://{address}/sets", credentials_file = "{credentials}" }}\n', "second", ["far"])
        say("the set that leads into the stream")
        server, _ = run.serve()
        begun = now()
        run.wait_for_set([second, store / "sets"])
        results["base_set_seconds"] = now() - begun
        say("writes with shipping")
        begin = time.time() + 1.5
        load = run.load("create", 500, seconds, wait=False)
        arrived = watched(store / "sets", seconds + 5, begin)
        results["with"] = {"paced": run.figure(load)}
        results["lag_far"] = {"p50_ms": percentile(arrived, 50), "p99_ms": percentile(arrived, 99), "most_ms": max(arrived, default=0), "segments": len(arrived)}
        results["with"]["most"] = run.load("create", 0, seconds)
        say("the machine is lost while it writes")
        answered = run.work / "answered"
        load = run.load("create", 500, seconds, answered=answered, wait=False)
        time.sleep(max(4, seconds // 2))
        run.stop(server, signal.SIGKILL)
        run.figure(load)
    finally:
        s3.terminate()
        s3.wait()
    return results, second, answered


def restoring(run, second, answered):
    """From the second place to the first answer, with everything looked through."""
    say("restore")
    into = run.work / "restored"
    begun = now()
    told = run.kontor("backup", "restore", "--from", second, "--dir", into, "--key-file", run.dir / "keys/unseal.key")
    restored = now() - begun
    run_config = (into / "kontor.toml").read_text()
    run_config = re.sub(r"# bench begin\n.*?# bench end\n", "", run_config, flags=re.S)
    run_config = re.sub(r'^sync = .*$', 'sync = ""', run_config, flags=re.M)
    (into / "kontor.toml").write_text(re.sub(r"^also = .*$", "also = []", run_config, flags=re.M))
    server, first = run.serve(into)
    seconds = now() - begun
    run.stop(server)
    ids = {line for line in answered.read_text().split() if line}
    there = subprocess.run(["sqlite3", into / "data/kontor.db", "SELECT lower(hex(id)) FROM contact ORDER BY rowid DESC LIMIT 100000"],
                           capture_output=True, text=True, check=True).stdout.split()
    lost = {one.replace("-", "") for one in ids} - set(there)
    contacts = int(subprocess.run(["sqlite3", into / "data/kontor.db", "SELECT count(*) FROM contact"], capture_output=True, text=True, check=True).stdout)
    shutil.rmtree(into)
    return {"seconds": seconds, "restore_seconds": restored, "first_answer_seconds": first, "contacts": contacts,
            "answered_before_the_kill": len(ids), "lost": len(lost), "told": told.splitlines()[-6:]}


def set_restoring(run, one):
    """A full set without anything after it."""
    into = run.work / "restored-set"
    name = sorted(path for path in one.glob("*/set-*") if path.suffix == "")[-1]
    begun = now()
    told = run.kontor("backup", "restore", "--from", name, "--dir", into, "--key-file", run.dir / "keys/unseal.key")
    server, first = run.serve(into)
    seconds = now() - begun
    run.stop(server)
    shutil.rmtree(into)
    return {"seconds": seconds, "first_answer_seconds": first, "told": [line.strip() for line in told.splitlines() if " ms " in line]}


def speed(run, one):
    """A set, and the same bytes through sqlite3, zstd and age: same level, one thread each."""
    say("a set, and the pipe beside it")
    run.configure(f'one = "{one}"\n')
    database = run.dir / "data/kontor.db"
    recipient = subprocess.run(["age-keygen"], capture_output=True, text=True, check=True)
    public = re.search(r"public key: (\S+)", recipient.stdout + recipient.stderr).group(1)
    os.sync()
    begun = now()
    run.kontor("backup", "run", "--dir", run.dir)
    ours = now() - begun
    copy, out = run.work / "copy.db", run.work / "copy.db.zst.age"
    os.sync()
    begun = now()
    log = run.dir / "log"
    subprocess.run(["sqlite3", database, f".backup {copy}"], check=True)
    subprocess.run(f"set -o pipefail; tar -cf - '{copy}' '{log}' 2>/dev/null | zstd -q -3 -T1 | age -r {public} > '{out}' && sync '{out}'",
                   shell=True, executable="/bin/bash", check=True)
    theirs = now() - begun
    # What ours does after that: the set is read back and every hash compared.
    begun = now()
    subprocess.run(f"sha256sum '{out}'", shell=True, stdout=subprocess.DEVNULL, check=True)
    read_back = now() - begun
    data = database.stat().st_size + bytes_below(log)
    sizes = {"pipe_bytes": out.stat().st_size}
    copy.unlink()
    out.unlink()
    return {"data_bytes": data, "seconds": ours, "pipe_seconds": theirs, "pipe_read_back_seconds": read_back,
            "ratio": theirs / ours, "ratio_with_read_back": (theirs + read_back) / ours, "level": 3, "threads": 1, **sizes}


def foreground(run):
    """People at work while a set is made: 200 records opened and 50 made each second."""
    say("people at work, without and with a backup")
    server, _ = run.serve()
    seconds = run.options.seconds

    def both(length):
        opens = run.load("open", 200, length, 8, wait=False)
        creates = run.load("create", 50, length, 4, wait=False)
        return {"open": run.figure(opens), "create": run.figure(creates)}

    without = both(seconds)
    begun = now()
    backup = subprocess.Popen([run.options.kontor, "backup", "run", "--dir", run.dir], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    during = both(seconds)
    covered = backup.poll() is None
    _, told = backup.communicate()
    if backup.returncode:
        raise SystemExit(f"the backup failed: {told}")
    length = now() - begun
    after = both(max(4, seconds // 2))
    run.stop(server)
    ratio = lambda verb: during[verb]["p99_micros"] / max(1, min(without[verb]["p99_micros"], after[verb]["p99_micros"]))
    return {"without": without, "during": during, "after": after, "all_of_it_during": covered, "backup_seconds": length,
            "ratio_open": ratio("open"), "ratio_create": ratio("create")}


class Space:
    """Sets in a row, and restic's snapshots of the same data right after each; contacts are made in between."""

    def __init__(self, run, one, restic):
        self.run, self.one, self.restic, self.known, self.rows, self.before = run, one, restic, set(), [], 0
        self.repository = run.work / "restic"
        self.environment = {**os.environ, "RESTIC_REPOSITORY": str(self.repository), "RESTIC_PASSWORD": "bench",
                            "RESTIC_CACHE_DIR": str(run.work / "cache")}
        if restic:
            subprocess.run([restic, "init", "-q"], env=self.environment, check=True)

    def look(self):
        """After a set, while no server runs."""
        new = [path for path in self.one.glob("*/set-*") if path.suffix == "" and path.name not in self.known]
        self.known |= {path.name for path in new}
        row = {"set_bytes": bytes_below(new[-1])}
        if self.restic:
            begun, house = now(), self.run.dir
            subprocess.run([self.restic, "backup", "-q", *(house / name for name in ("data", "log", "keys", "tls", "kontor.toml"))],
                           env=self.environment, check=True)
            size = bytes_below(self.repository)
            row |= {"restic_bytes": size - self.before, "restic_seconds": now() - begun}
            self.before = size
        self.rows.append(row)


def machine(run):
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", text)
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1))
    disk = subprocess.run(["findmnt", "-no", "FSTYPE", "--target", str(run.scratch)], capture_output=True, text=True).stdout.strip()
    return {"processor": model.group(1) if model else "", "cores": os.cpu_count(), "memory_gib": round(memory / 1048576, 1),
            "kernel": os.uname().release, "file_system": disk, "load_before": os.getloadavg()[0]}


def verdict(met):
    return "yes" if met else "**no**"


def table(results):
    mib = lambda number: f"{number / 1048576:.0f} MiB"
    ms = lambda figure: f"{figure['p99_micros'] / 1000:.1f} ms"
    machine, shipped, quick = results["machine"], results["shipping"], results["speed"]
    restored, alone, people = results["restore"], results["restore_set"], results["foreground"]
    without, with_ = shipped["without"], shipped["with"]
    lines = [
        f"Measured {results['date']} with Kontor {results['version']} on SQLite: {machine['cores']} × {machine['processor']}, {machine['memory_gib']} GiB memory, "
        f"Linux {machine['kernel']}, {machine['file_system']}, load before {machine['load_before']:.2f}. {restored['contacts']} contacts, "
        f"{mib(quick['data_bytes'])} of database and log; server, load, store and second folder share cores and disk.",
        "",
        "| aim | measured | met |", "|---|---|---|",
        f"| what was answered before a SIGKILL at 500 writes/s is in the restore from the second folder (RPO 0) | {restored['answered_before_the_kill']} answered, {restored['lost']} lost | {verdict(restored['lost'] == 0)} |",
        f"| lag of a remote store at 500 writes/s, p99 ≤ 1 s (S3 on loopback) | {shipped['lag_far']['p99_ms']:.0f} ms (median {shipped['lag_far']['p50_ms']:.0f} ms) | {verdict(shipped['lag_far']['p99_ms'] <= 1000)} |",
        f"| a full set to the first answer, integrity and whole log verified ≤ 60 s | {alone['seconds']:.1f} s | {verdict(alone['seconds'] <= 60)} |",
        f"| the same from the second folder, with all that was shipped after the set ≤ 60 s | {restored['seconds']:.1f} s | {verdict(restored['seconds'] <= 60)} |",
        f"| a set on disk and read back, of the speed of sqlite3 .backup, tar, zstd -3 -T1 and age, synced ≥ 70 % | {quick['ratio'] * 100:.0f} % | {verdict(quick['ratio'] >= 0.7)} |",
        f"| p99 of opening a record while a set is made, of that without ≤ 1.5 × | {people['ratio_open']:.2f} × | {verdict(people['ratio_open'] <= 1.5)} |",
        f"| p99 of making a record, the same ≤ 1.5 × | {people['ratio_create']:.2f} × | {verdict(people['ratio_create'] <= 1.5)} |",
        "",
        "| writes | per second, 16 connections | p99 there | p99 at 500/s |", "|---|---|---|---|",
        f"| without shipping | {without['most']['per_second']:.0f} | {ms(without['most'])} | {ms(without['paced'])} |",
        f"| second folder before each answer, store within a second | {with_['most']['per_second']:.0f} | {ms(with_['most'])} | {ms(with_['paced'])} |",
        "",
        "| people at work: 200 opened, 50 made each second | opened, p99 | made, p99 |", "|---|---|---|",
        *[f"| {name} | {ms(people[key]['open'])} | {ms(people[key]['create'])} |" for key, name in (("without", "without a backup"), ("during", "while a set is made"), ("after", "afterwards"))],
        "",
        f"The set: {quick['seconds']:.1f} s, read back included; the pipe: {quick['pipe_seconds']:.1f} s, and {quick['pipe_read_back_seconds']:.1f} s to read it back once.",
        "",
        "| sets in a row, one to three thousand contacts between | our set | restic adds |", "|---|---|---|",
        *[f"| {number + 1} | {mib(row['set_bytes'])} | {mib(row['restic_bytes']) if 'restic_bytes' in row else 'not there'} |" for number, row in enumerate(results["space"])],
    ]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    for name in ("kontor", "bench", "store", "scratch", "date", "results"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--restic")
    parser.add_argument("--document")
    parser.add_argument("--table")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--sets", type=int, default=3)
    run = Run(options := parser.parse_args())
    results = {"date": options.date, "version": run.kontor("version").split()[1], "machine": machine(run)}
    begun = now()
    try:
        one = run.work / "one"
        one.mkdir()
        results["shipping"], second, answered = shipping(run)
        results["restore"] = restoring(run, second, answered)
        shutil.rmtree(second)
        shutil.rmtree(run.work / "store")
        results["speed"] = speed(run, one)
        space = Space(run, one, options.restic)
        space.look()
        results["restore_set"] = set_restoring(run, one)
        results["foreground"] = foreground(run)
        say("space")
        space.look()
        for _ in range(options.sets - 2):
            server, _ = run.serve()
            run.load("create", 100, 5, 4)
            run.stop(server)
            run.kontor("backup", "run", "--dir", run.dir)
            space.look()
        results["space"] = space.rows
    finally:
        run.configure()
        shutil.rmtree(run.work, ignore_errors=os.environ.get("BENCH_KEEP") is None)
    results["minutes"] = round((now() - begun) / 60, 1)
    Path(options.results).write_text(json.dumps(results, indent=2) + "\n")
    text = table(results)
    if options.table:
        Path(options.table).write_text(text)
    if options.document:
        document = Path(options.document)
        begin, end = "<!-- figures: backups -->\n", "<!-- end of figures: backups -->"
        before, rest = document.read_text().split(begin, 1)
        document.write_text(before + begin + text + end + rest.split(end, 1)[1])
    say(f"{results['minutes']} minutes; results in {options.results}")


main()
