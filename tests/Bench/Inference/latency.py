"""Latency and throughput of the worker's models against PyTorch eager, one thread, in turn, so that whatever else the
machine does falls on all alike. The same directories, the same shapes. Without directories: DistilBERT, BERT-base and
RoBERTa-base in their full size with random weights, made for this, and the bundled model.

    dotnet build -c Release Worker
    taskset -c 1 /usr/bin/python3 tests/Bench/Inference/latency.py Worker/bin/Release/net10.0/Worker.dll [directory …]"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import peer
import torch

SHAPES = [(1, 32), (1, 128), (8, 32)]
RANDOM = {"distilbert": "DistilBERT", "bert": "BERT-base", "roberta": "RoBERTa-base"}
BUNDLED = "minilm-sst2"


def our(worker, *arguments):
    run = subprocess.run(["dotnet", worker, "model", *arguments], stdout=subprocess.PIPE, text=True)
    return run.stdout if run.returncode == 0 else sys.exit(run.returncode)


def our_milliseconds(worker, directory, seconds):
    """By precision, texts and tokens."""
    output = our(worker, "bench", directory, "--rounds", "1", "--seconds", str(seconds), "--precision", "int8", "fp32",
                 "--seq", ",".join(str(length) for length in sorted({length for _, length in SHAPES})),
                 "--batch", ",".join(str(batch) for batch in sorted({batch for batch, _ in SHAPES})))
    rows = [[cell.strip() for cell in line.split("|")] for line in output.splitlines() if line.startswith(("| int8", "| fp32"))]
    return {(row[1], int(row[3]), int(row[4])): float(row[5].split(" ")[0]) for row in rows}


def peer_milliseconds(model, batch, length, seconds):
    ids = torch.randint(0, model.embeddings["word_embeddings"].num_embeddings, (batch, length))
    times, until = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < until:
        started = time.perf_counter()
        model(ids)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.mean(times)


def measure(models, worker, rounds, seconds):
    """The samples in milliseconds, by model, whose they are, and shape."""
    samples = {}
    # The first round warms up.
    for turn in range(rounds + 1):
        for name, (directory, model) in models.items():
            print(f"round {turn} of {rounds}: {name}", file=sys.stderr)
            measured = our_milliseconds(worker, directory, seconds)
            for batch, length in SHAPES:
                measured["peer", batch, length] = peer_milliseconds(model, batch, length, seconds)
            if turn > 0:
                for (whose, *shape), value in measured.items():
                    samples.setdefault((name, whose, *shape), []).append(value)
    return samples


def table(models, samples):
    def text(values):
        return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"

    def rate(values, batch):
        return f"{1000 * batch / statistics.median(values):.0f}"

    lines = ["| model | texts × tokens | PyTorch eager fp32, ms | Lab fp32, ms | Lab int8, ms | PyTorch ÷ int8 | texts/s: PyTorch | Lab fp32 | Lab int8 |",
             "|---|---|---|---|---|---|---|---|---|"]
    for name in models:
        for batch, length in SHAPES:
            theirs, fp32, int8 = (samples[name, whose, batch, length] for whose in ("peer", "fp32", "int8"))
            lines.append(f"| {name} | {batch} × {length} | {text(theirs)} | {text(fp32)} | {text(int8)} | "
                         f"{statistics.median(theirs) / statistics.median(int8):.2f} | "
                         + " | ".join(rate(values, batch) for values in (theirs, fp32, int8)) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worker", help="Worker.dll, built for release")
    parser.add_argument("directory", nargs="*", help="model directories, instead of those made for this")
    parser.add_argument("--rounds", type=int, default=5, help="turns for each; the table has their medians, least and most")
    parser.add_argument("--seconds", type=float, default=0.7, help="length of a turn")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        directories = {os.path.basename(os.path.abspath(directory)): directory for directory in arguments.directory}
        if not directories:
            for architecture, name in RANDOM.items():
                directories[name] = os.path.join(home, architecture)
                our(arguments.worker, "make-random", directories[name], "--architecture", architecture)
            directories[BUNDLED] = os.path.join(os.path.dirname(os.path.abspath(arguments.worker)), "Models", BUNDLED)
        models = {name: (directory, peer.Classifier(directory)) for name, directory in directories.items()}
        with torch.inference_mode():
            samples = measure(models, arguments.worker, arguments.rounds, arguments.seconds)
    print(f"PyTorch {torch.__version__} with {peer.BLAS}, one thread, {arguments.rounds} × {arguments.seconds} s each in turn, medians (least–most)\n")
    print(table(models, samples))


main()
