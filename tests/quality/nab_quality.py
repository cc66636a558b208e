#!/usr/bin/env python3
"""The anomaly rules of nab.yaml on the Numenta Anomaly Benchmark, through `ticketwatch score`.

    nab_quality.py PROGRAM [OUT_DIR]       with OUT_DIR the scores stay there

Prints the score of each rule by the benchmark's own rules, and what it is with the threshold of each category chosen on the
others (cv). Exit 1 where a figure is less than FLOORS, 77 where the series or numpy and pandas are not there.
"""
import concurrent.futures
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("TICKETWATCH_SHARED", HERE.parent.parent.parent / "shared"))
PROFILES = {"standard": "standard", "reward_low_FP_rate": "low-FP", "reward_low_FN_rate": "low-FN"}
FLOORS = {"zscore": {"standard": 60}, "surprise": {"standard": 74, "reward_low_FP_rate": 68}}
SYSTEM_PYTHON = "/usr/bin/python3"
LEAST_BELOW = 2  # points that the figures of cv may be lower


def scorer():
    path, able = SHARED / "quality" / "nab_score.py", importlib.util.find_spec("numpy") and importlib.util.find_spec("pandas")
    if path.exists() and not able and SYSTEM_PYTHON not in (sys.executable, os.environ.get("_")) and os.path.exists(SYSTEM_PYTHON):
        os.execve(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv], {**os.environ, "_": SYSTEM_PYTHON})  # distributions package both for theirs
    if not (path.exists() and able):
        print("skipped: no benchmark beside the project, or Python without numpy and pandas")
        sys.exit(77)
    spec = importlib.util.spec_from_file_location("nab_score", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_scores(program, nab, rule, out):
    """Returns the largest window, in bytes."""
    def one(path):
        to = out / path.relative_to(nab / "data")
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("w") as f:
            done = subprocess.run([program, "score", "-c", str(HERE / "nab.yaml"), "--rule", rule, str(path)], stdout=f, stderr=subprocess.PIPE,
                                  check=True, text=True)
        return int(done.stderr.rsplit(":", 1)[1].split()[0])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return max(pool.map(one, sorted((nab / "data").glob("*/*.csv"))))


def main():
    nab_score, nab = scorer(), SHARED / "data" / "nab"
    program = str(pathlib.Path(sys.argv[1]).resolve())
    corpus, failed = nab_score.Corpus(str(nab)), False
    with tempfile.TemporaryDirectory() as folder:
        for rule, floors in FLOORS.items():
            out = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else folder, rule)
            window = write_scores(program, nab, rule, out)
            result = corpus.score(corpus.read_dir(str(out)), cv=True)
            for profile, name in PROFILES.items():
                r = result[profile]
                print("%-9s %-9s %5.1f   cv %5.1f   threshold %.4g, %d of %d windows, %d false" % (
                    rule, name, r["score"], r["cv_score"], r["threshold"], r["windows_hit"], r["windows"], r["fp_rows"]))
                floor = floors.get(profile, 0)
                failed |= r["score"] < floor or bool(floor) and r["cv_score"] < r["score"] - LEAST_BELOW
            print("%-9s at most %d bytes a series" % (rule, window))
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
