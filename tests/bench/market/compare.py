"""Runs our market solver, CLP, HiGHS and GLPK on the same instances and prints one table (see ../market.sh)."""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
SIZES = "20x1k,100x10k,300x30k,1000x100k"
SEED = 1
CHANGED = "0.01"  # of the jobs, between one round and the next
OPTIMUM = 1e-6    # relative: solvers that say "optimal" agree to this
# Beyond these many jobs a solver takes hours, or more memory than a machine of ours has.
JOBS_MAX = {"glpk": 10000, "highs": 30000, "clp": 100000, "ours": 2000000}


class Run:
    """One run of a command: times, memory, what it said."""

    def __init__(self, command, limit):
        self.start = time.monotonic()
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            child = subprocess.Popen(command, stdout=out, stderr=err)
            self.timed_out = not self.wait(child, limit)
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read(), err.read()

    def wait(self, child, limit):
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid != 0:
                break
            if time.monotonic() - self.start > limit:
                child.kill()
                _, status, usage = os.wait4(child.pid, 0)
                break
            time.sleep(0.005)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.code = child.returncode
        self.wall = time.monotonic() - self.start
        self.cpu = usage.ru_utime + usage.ru_stime
        self.megabytes = usage.ru_maxrss / 1024
        return self.wall <= limit


class Failed(Exception):
    """A solver that gave no answer, and why."""


def run(command, limit):
    done = Run(command, limit)
    if done.timed_out:
        raise Failed(f"stopped after {limit:.0f} s")
    if done.code != 0:
        said = (done.err.strip() or done.out.strip()).splitlines()
        raise Failed(f"ended with {done.code}: {said[-1] if said else 'nothing said'}")
    return done


def figures(objective, read, solve, wall, megabytes, bound=None):
    return {"objective": objective, "read": read, "solve": solve, "wall": wall, "megabytes": megabytes,
            "bound": objective if bound is None else bound}


def ours(program, instance, arguments, limit):
    done = run([program, "market", "solve", instance, "--json", *arguments], limit)
    said = json.loads(done.out)
    cpu = said.get("cpu_seconds", said["seconds"])
    wall = sum(seconds for phase, seconds in said["seconds"].items() if phase == "solve")
    return figures(said["objective"], cpu["read"], cpu["solve"], wall, done.megabytes, said["upper_bound"])


def ours_warm(case, arguments, limit):
    """The second round: 1% of the jobs are others, the state is the first round's."""
    state = os.path.join(case["work"], "state")
    if os.path.exists(state):
        os.remove(state)
    run([case["program"], "market", "solve", case["instance"], "--json", "--warm", state, *arguments], limit)
    return ours(case["program"], case["later"], ["--warm", state, *arguments], limit)


def clp(case, method, limit):
    done = run(["clp", case["mps"], f"-{method}", "-quit"], limit)
    read = re.search(r"imported from .* in ([0-9.]+) seconds", done.out)
    solve = re.search(r"Optimal objective (\S+) .* time ([0-9.]+)", done.out)
    if read is None or solve is None:
        raise Failed((done.out.strip().splitlines() or ["nothing said"])[-1])
    seconds = float(solve[2])
    return figures(-float(solve[1]), float(read[1]), seconds, done.wall - (done.cpu - seconds), done.megabytes)


def glpk(case, method, limit):
    read = run(["glpsol", "--freemps", case["mps"], "--check"], limit)
    done = run(["glpsol", "--freemps", case["mps"], *method], limit)
    objective = re.findall(r"obj =\s+(\S+)", done.out)
    if "OPTIMAL" not in done.out or not objective:
        raise Failed("no optimum")
    return figures(-float(objective[-1]), read.cpu, done.cpu - read.cpu, done.wall - read.wall, done.megabytes)


def highs(case, method, limit):
    done = run(["/usr/bin/python3", os.path.join(HERE, "highs_solve.py"), case["mps"], method], limit)
    said = json.loads(done.out.splitlines()[-1])
    if said["objective"] is None:
        raise Failed(said["status"])
    return figures(said["objective"], said["read_cpu"], said["solve_cpu"], said["solve_wall"], done.megabytes)



# Solver, method, whether it claims the LP's optimum, and how it is run.
METHODS = [
    ("ours", "exact", True, lambda c, t: ours(c["program"], c["instance"], ["--method", "exact"], t)),
    ("ours", "fast", False, lambda c, t: ours(c["program"], c["instance"], ["--method", "fast"], t)),
    ("ours", "fast, warm, 1% changed", False, lambda c, t: ours_warm(c, ["--method", "fast"], t)),
    ("ours", "exact, warm, 1% changed", False, lambda c, t: ours_warm(c, ["--method", "exact"], t)),
    ("ours", "whole round, gangs", False, lambda c, t: ours(c["program"], c["instance"], ["--gangs"], t)),
    ("clp", "primal", True, lambda c, t: clp(c, "primalsimplex", t)),
    ("clp", "dual", True, lambda c, t: clp(c, "dualsimplex", t)),
    ("highs", "dual simplex", True, lambda c, t: highs(c, "highs-ds", t)),
    ("highs", "interior point", True, lambda c, t: highs(c, "highs-ipm", t)),
    # Its dual simplex takes a hundred times as long (measured at 20x1k).
    ("glpk", "primal", True, lambda c, t: glpk(c, ["--primal"], t)),
]


def number_of(text):
    return int(float(text[:-1]) * 1000) if text.endswith("k") else int(text)


def make_case(size, program, work):
    centers, jobs = (number_of(part) for part in size.split("x"))
    case = {"size": size, "program": program, "work": work, "jobs": jobs}
    for name, more in (("instance", []), ("later", ["--changed", CHANGED])):
        case[name] = os.path.join(work, f"{size}.{name}")
        command = [program, "market", "generate", "--datacenters", str(centers), "--jobs", str(jobs),
                   "--seed", str(SEED), "--out", case[name], "--compact", *more]
        try:
            run(command, 3600)
        except Failed as failed:
            sys.exit(f"bench: {' '.join(command)}: {failed}")
    return case


def export(case):
    case["mps"] = os.path.join(case["work"], f"{case['size']}.mps")
    done = run([case["program"], "market", "export", case["instance"], "--mps", case["mps"]], 3600)
    print(f"{case['size']}: exported as MPS in {done.cpu:.2f} s CPU, "
          f"{os.path.getsize(case['mps']) / 1e6:.0f} MB, at most {done.megabytes:.0f} MB of memory", flush=True)


def median_of(rows):
    middle = dict(rows[-1])
    for key in ("read", "solve", "wall"):
        middle[key] = statistics.median(row[key] for row in rows)
    middle["megabytes"] = max(row["megabytes"] for row in rows)
    return middle


def measure(case, solver, method, call, options):
    if case["jobs"] > JOBS_MAX[solver]:
        return {"failed": f"left out above {JOBS_MAX[solver]} jobs"}
    rows = []
    try:
        for _ in range(options.runs):
            rows.append(call(case, options.limit))
            if rows[-1]["solve"] > options.limit / 10:
                break  # so slow that more runs say nothing new
    except Failed as failed:
        return {"failed": str(failed)}
    return median_of(rows)


HEADING = f"{'size':>10}  {'solver':<6} {'method':<24} {'read s':>8} {'solve s':>9} {'wall s':>9} {'MB':>6} " \
          f"{'objective':>16} {'gap':>9}"


def show(size, solver, method, row):
    if "failed" in row:
        print(f"{size:>10}  {solver:<6} {method:<24} {row['failed']}", flush=True)
        return
    gap = (row["bound"] - row["objective"]) / row["bound"] if row["bound"] else 0
    print(f"{size:>10}  {solver:<6} {method:<24} {row['read']:8.3f} {row['solve']:9.3f} {row['wall']:9.3f} "
          f"{row['megabytes']:6.0f} {row['objective']:16.6f} {gap * 100:8.4f}%", flush=True)


def best(rows, solver, claims):
    """The fastest of a solver's methods that claim the optimum."""
    times = [row["solve"] for (who, _, claim), row in rows.items()
             if who == solver and claim == claims and "failed" not in row]
    return min(times) if times else None


def conclude(size, rows):
    optima = [row["objective"] for (_, _, claim), row in rows.items() if claim and "failed" not in row]
    if optima:
        off = (max(optima) - min(optima)) / max(1.0, abs(max(optima)))
        print(f"{size:>10}  {len(optima)} optima differ by {off:.1e} relative: "
              f"{'the same' if off <= OPTIMUM else 'NOT THE SAME'}")
    mine = best(rows, "ours", True)
    for solver in ("clp", "highs", "glpk"):
        theirs = best(rows, solver, True)
        if mine and theirs:
            print(f"{size:>10}  ours exact is {theirs / mine:.1f} times as fast as {solver}'s best method")


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/market.sh")
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--solvers", default="ours,clp,highs,glpk")
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/bin/entente-economics"))
    parser.add_argument("--work", help="where instances are kept; a temporary directory")
    parser.add_argument("--limit", type=float, default=900, help="seconds a run may take")
    parser.add_argument("--json", help="the figures for programs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or temporary
        os.makedirs(work, exist_ok=True)
        print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; CPU seconds, "
              f"median of {options.runs} runs", flush=True)
        figures_of = {}
        for size in options.sizes.split(","):
            case = make_case(size, options.program, work)
            if set(options.solvers.split(",")) & {"clp", "highs", "glpk"}:
                export(case)
            print(HEADING)
            rows = {}
            for solver, method, claim, call in METHODS:
                if solver in options.solvers.split(","):
                    rows[solver, method, claim] = measure(case, solver, method, call, options)
                    show(size, solver, method, rows[solver, method, claim])
            conclude(size, rows)
            figures_of[size] = [{"solver": s, "method": m, "optimum": c, **row} for (s, m, c), row in rows.items()]
        if options.json:
            with open(options.json, "w") as to:
                json.dump(figures_of, to, indent=1)


main()
