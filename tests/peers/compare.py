"""compare.py [--peer torch|onnx|onnx-web] [--threads N] [--rounds R] [--runs K] [--isa NAME] [--precision NAME,...]
           [--ours COMMAND] NETWORK

Times a peer against stylegan.h on the same network: the peer and `stylegan bench` run in turn, each in a process of its own.
NETWORK is a weight file, or sg1-256, sg1-1024, sg2-256 or sg2-1024 with random weights (f16). Before anything is timed, both
must have drawn the same image. Prints each round, and the median of the rounds' ratios: above 1, stylegan.h is faster."""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOL = ROOT / "build" / "stylegan"
CACHE = ROOT / "build" / "peers"
PACKAGES = {"onnx": "onnxruntime-node", "onnx-web": "onnxruntime-web"}


def run(*command):
    """What the command prints, and its peak of memory in MB."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=errors, text=True, cwd=CACHE)
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{errors.read()}failed: {' '.join(map(str, command))}")
    return printed, usage.ru_maxrss * 1024e-6


def seconds(*command):
    """The median of a command's runs, and its peak of memory."""
    printed, memory = run(*command)
    return statistics.median(json.loads(line)["seconds"] for line in printed.splitlines() if line.startswith("{")), memory


class Files:
    """The network, one image's styles in two forms, our image and the exported graph."""

    def __init__(self, network):
        given = Path(network).exists()
        name = Path(network).stem if given else network
        self.model = Path(network).resolve() if given else CACHE / f"{name}.sgw"
        self.styles, self.raw = CACHE / f"{name}-ws.npy", CACHE / f"{name}-ws.f32"
        self.ours, self.theirs = CACHE / f"{name}.npy", CACHE / f"{name}-peer.f32"
        self.onnx = CACHE / f"{name}.onnx"
        if not given:
            run(TOOL, "bench", name, "--runs", 1, "--dtype", "f16", "--save", self.model)
        run(TOOL, "map", self.model, "--seeds", 1, "--trunc", 1, "--save-npy", self.styles)
        numpy.load(self.styles).tofile(self.raw)
        run(TOOL, "generate", self.model, "--ws", self.styles, "--outdir", CACHE / "images", "--save-npy", self.ours)


def peer_command(peer, files, threads, runs):
    if peer == "torch":
        return sys.executable, HERE / "run_torch.py", files.model, files.styles, threads, runs, files.theirs
    run(sys.executable, HERE / "run_torch.py", files.model, files.styles, files.onnx)
    layers = numpy.load(files.styles).shape[1]
    return "node", HERE / "run_onnx.mjs", PACKAGES[peer], files.onnx, files.raw, layers, threads, runs, files.theirs


def check_images(files):
    ours = numpy.load(files.ours).ravel()
    difference = numpy.abs(ours - numpy.fromfile(files.theirs, numpy.float32)).max() / (ours.max() - ours.min())
    print(f"largest difference of the images: {difference:.1e} of their range")
    if not difference < 1e-4:
        sys.exit("these are not the same images")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=["torch", *PACKAGES], default="onnx")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=5, help="timed runs of either in a round")
    parser.add_argument("--isa", default="auto", help="instruction set of ours")
    parser.add_argument("--precision", default="f32", help="of ours; of several, each is timed")
    parser.add_argument("--ours", metavar="COMMAND", help="what to time in place of `stylegan bench`: prints the same lines")
    parser.add_argument("network")
    given = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    files = Files(given.network)
    peer = peer_command(given.peer, files, given.threads, given.runs)
    run(*peer[:-2], 1, files.theirs)
    check_images(files)
    bench = [TOOL, "bench", files.model, "--threads", given.threads, "--runs", given.runs, "--isa", given.isa]
    ratios = {precision: [] for precision in given.precision.split(",")}
    for i in range(given.rounds):
        theirs, their_memory = seconds(*peer)
        for precision, found in ratios.items():
            command = shlex.split(given.ours) if given.ours else [*bench, "--precision", precision]
            ours, our_memory = seconds(*command)
            found.append(theirs / ours)
            print(f"round {i}: {given.peer} {theirs:.4f} s, {their_memory:.0f} MB; stylegan.h {precision} {ours:.4f} s, "
                  f"{our_memory:.0f} MB; ratio {found[-1]:.2f}", flush=True)
    for precision, found in ratios.items():
        print(f"{given.network}, {given.threads} threads, {precision}: {given.peer} takes {statistics.median(found):.2f} times as "
              f"long ({min(found):.2f} to {max(found):.2f})")


main()
