"""Latency of the worker's model against PyTorch eager, one thread, in turn, so that whatever else the machine does falls
on both alike. The same directory, the same shapes.

    dotnet build -c Release Worker
    dotnet Worker/bin/Release/net10.0/Worker.dll model make-random /tmp/full
    taskset -c 1 /usr/bin/python3 tests/Bench/Inference/latency.py /tmp/full Worker/bin/Release/net10.0/Worker.dll"""
import statistics
import subprocess
import sys
import time

import peer
import torch

ROUNDS, SECONDS = 5, 0.7
SHAPES = [(1, 32), (8, 32)]


def peer_milliseconds(model, batch, length):
    ids = torch.randint(0, model.embeddings["word_embeddings"].num_embeddings, (batch, length))
    times, until = [], time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        started = time.perf_counter()
        model(ids)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.mean(times)


def our_milliseconds(directory, worker, precision):
    output = subprocess.run(
        ["dotnet", worker, "model", "bench", directory, "--rounds", "1", "--seconds", str(SECONDS), "--precision", precision,
         "--seq", ",".join(str(length) for length in sorted({length for _, length in SHAPES})),
         "--batch", ",".join(str(batch) for batch in sorted({batch for batch, _ in SHAPES}))],
        check=True, capture_output=True, text=True).stdout
    rows = [[cell.strip() for cell in line.split("|")] for line in output.splitlines() if line.startswith(f"| {precision}")]
    return {(int(row[3]), int(row[4])): float(row[5].split(" ")[0]) for row in rows}


def main(directory, worker):
    model = peer.DistilBert(directory)
    peers = {shape: [] for shape in SHAPES}
    ours = {(precision, shape): [] for precision in ("int8", "fp32") for shape in SHAPES}
    with torch.inference_mode():
        for batch, length in SHAPES:
            peer_milliseconds(model, batch, length)
        for _ in range(ROUNDS):
            for batch, length in SHAPES:
                peers[batch, length].append(peer_milliseconds(model, batch, length))
            for precision in ("int8", "fp32"):
                measured = our_milliseconds(directory, worker, precision)
                for shape in SHAPES:
                    ours[precision, shape].append(measured[shape])

    def text(values):
        return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"

    print(f"PyTorch {torch.__version__}, one thread, {ROUNDS} × {SECONDS} s each in turn, medians (least–most), milliseconds\n")
    print("| batch | tokens | PyTorch eager fp32 | Lab fp32 | Lab int8 | PyTorch ÷ int8 |")
    print("|---|---|---|---|---|---|")
    for shape in SHAPES:
        int8, fp32 = ours["int8", shape], ours["fp32", shape]
        ratio = statistics.median(peers[shape]) / statistics.median(int8)
        print(f"| {shape[0]} | {shape[1]} | {text(peers[shape])} | {text(fp32)} | {text(int8)} | {ratio:.2f} |")


main(*sys.argv[1:])
