"""Runs the jobs beside this file as Slurm and Kubernetes would, part by part, and merges what comes out.

Usage: check.py MURMUR, the command
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MURMUR = str(pathlib.Path(sys.argv[1]).resolve())
ROWS = ROOT / "src/test/resources/datasets/fledgling.jsonl"
MODEL = str(ROOT / "src/test/resources/models/fledgling-f16.gguf")
PARTS = 8


def run(command, environment):
    subprocess.run(command, env=os.environ | environment, check=True, stdin=subprocess.DEVNULL)


def batch(options):
    subprocess.run([MURMUR, *options, "-q"], check=True)


def slurm(environment, index):
    lines = (HERE / "murmur.slurm").read_text().splitlines()
    options = dict(line[len("#SBATCH --"):].partition("=")[::2] for line in lines if line.startswith("#SBATCH"))
    assert options["array"] == f"0-{PARTS - 1}", options
    own = {
        "SLURM_ARRAY_TASK_ID": str(index),
        "SLURM_ARRAY_TASK_COUNT": str(PARTS),
        "SLURM_CPUS_PER_TASK": "1",
    }
    run(["bash", str(HERE / "murmur.slurm")], environment | own)


def kubernetes(environment, index):
    job = yaml.safe_load((HERE / "murmur-job.yaml").read_text())
    assert (job["apiVersion"], job["kind"], job["spec"]["completionMode"]) == ("batch/v1", "Job", "Indexed")
    container = job["spec"]["template"]["spec"]["containers"][0]
    declared = {variable["name"]: variable["value"] for variable in container["env"]}
    assert int(declared["PARTS"]) == job["spec"]["completions"] == PARTS
    own = {"JOB_COMPLETION_INDEX": str(index), "THREADS": "1"}
    run(container["command"] + container["args"], declared | environment | own)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        whole = folder / "whole.jsonl"
        rows = folder / "rows.jsonl"
        # A few rows: each part is a process of its own that loads the model.
        rows.write_text("".join(f"{line}\n" for line in ROWS.read_text().splitlines()[:200]))
        batch(["batch", "-m", MODEL, "-t", "1", str(rows), "-o", str(whole)])
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "murmur").symlink_to(MURMUR)
        for job in (slurm, kubernetes):
            output = folder / job.__name__
            output.mkdir()
            environment = {
                "MODEL": MODEL,
                "INPUT": str(rows),
                "OUTPUT": str(output),
                "PATH": f"{bin_folder}:{os.environ['PATH']}",
            }
            for index in range(PARTS):
                job(environment, index)
            merged = output / "all.jsonl"
            batch(["merge", *map(str, sorted(output.glob("part-*.jsonl"))), "-o", str(merged)])
            if merged.read_bytes() != whole.read_bytes():
                raise SystemExit(f"{job.__name__}: the parts are not what one run gives")
            print(f"{job.__name__}: {PARTS} parts are what one run gives, byte for byte")


main()
