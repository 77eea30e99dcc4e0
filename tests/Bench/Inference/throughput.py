"""Requests per second over HTTP: two of Lab's workers against two gunicorn + Flask + PyTorch workers, each pair tied to
the same two cores, 16 connections, in turn. Needs Debian's python3-torch, libopenblas0-openmp, python3-flask, gunicorn
and wrk.

    dotnet build -c Release Worker
    dotnet Worker/bin/Release/net10.0/Worker.dll model make-random /tmp/full
    /usr/bin/python3 tests/Bench/Inference/throughput.py /tmp/full Worker/bin/Release/net10.0/Worker.dll [texts.tsv]"""
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROUNDS, SECONDS, CONNECTIONS, CORES = 5, 5, 16, (0, 1)
HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = "the film is a warm , funny and beautifully acted portrait of a family that never quite says what it means , and it stays with you"

SCRIPT = """
local texts = {}
for line in io.lines("%s") do texts[#texts + 1] = line end
local at = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "text/plain"
function request()
  at = at %% #texts + 1
  return wrk.format(nil, "/run_model", nil, texts[at])
end
"""


def start(command, core, environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    return subprocess.Popen(["taskset", "-c", str(core), *command], env=clean | environment,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait(port):
    for _ in range(600):
        try:
            request = urllib.request.Request(f"http://127.0.0.1:{port}/run_model", b"a", {"Content-Type": "text/plain"})
            urllib.request.urlopen(request, timeout=30).read()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise SystemExit(f"nothing answers on port {port}")


def load(ports, script):
    """Requests per second over all ports, an equal share of the connections to each."""
    share = str(CONNECTIONS // len(ports))
    runs = [subprocess.Popen(["wrk", "-t1", "-c" + share, f"-d{SECONDS}s", "--timeout", "30s", "-s", script, f"http://127.0.0.1:{port}"],
                             stdout=subprocess.PIPE, text=True) for port in ports]
    outputs = [run.communicate()[0] for run in runs]
    for output in outputs:
        if "Non-2xx" in output:
            raise SystemExit(output)
    return sum(float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]) for output in outputs)


def main(directory, worker, texts=None):
    lines = [TEXT]
    if texts:
        with open(texts, encoding="utf-8") as file:
            lines = [line.rstrip("\n").split("\t")[1] for line in list(file)[1::16]]
    environment = {"MODEL_DIRECTORY": directory, "Worker__ModelDirectory": directory, "Worker__QueueLimit": "64",
                   "Worker__CacheDirectory": os.path.join(tempfile.gettempdir(), "lab-bench-cache"), "ORT_DISABLE_TELEMETRY": "1"}
    started, subjects = [], {}
    with tempfile.TemporaryDirectory() as home:
        script = os.path.join(home, "texts.lua")
        with open(os.path.join(home, "texts"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        with open(script, "w", encoding="utf-8") as file:
            file.write(SCRIPT % os.path.join(home, "texts"))
        try:
            for core in CORES:
                started.append(start(["gunicorn", "--chdir", HERE, "--bind", f"127.0.0.1:{18200 + core}", "flask_app:app"], core, environment))
                started.append(start(["dotnet", worker, f"--urls=http://127.0.0.1:{18210 + core}"], core, environment))
            subjects = {"gunicorn + Flask + PyTorch": [18200 + core for core in CORES], "Lab": [18210 + core for core in CORES]}
            for ports in subjects.values():
                for port in ports:
                    wait(port)
            rates = {name: [] for name in subjects}
            for turn in range(ROUNDS + 1):
                for name, ports in subjects.items():
                    rate = load(ports, script)
                    if turn > 0:
                        rates[name].append(rate)
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                process.wait(30)
    print(f"two workers on two cores, {CONNECTIONS} connections, {len(lines)} texts, {ROUNDS} × {SECONDS} s each in turn, medians (least–most)\n")
    print("| | requests/s |")
    print("|---|---|")
    for name, values in rates.items():
        print(f"| {name} | {statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f}) |")
    print(f"\nLab is {statistics.median(rates['Lab']) / statistics.median(rates['gunicorn + Flask + PyTorch']):.2f} times as fast.")


main(*sys.argv[1:])
