"""What the benchmarks share: nginx to compare with, the service on one core, wrk on the other."""

import atexit
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

KEY = "rk_bench_" + "k" * 32
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
FOLDER = tempfile.mkdtemp()
TICKS = os.sysconf("SC_CLK_TCK")
SERVER_CORE, CLIENT_CORE = "0", "1"
started = []
CONNECTIONS = 64


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """One worker that answers a fixed 302."""

    def __init__(self):
        self.port = free_port()
        path = os.path.join(FOLDER, "nginx.conf")
        with open(path, "w") as file:
            file.write(f"""
worker_processes 1; daemon off; pid {FOLDER}/nginx.pid; error_log {FOLDER}/nginx.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000;
  server {{ listen 127.0.0.1:{self.port}; location / {{ return 302 https://www.example.com/x; }} }} }}
""")
        self.process = subprocess.Popen(["taskset", "-c", SERVER_CORE, "nginx", "-c", path])
        started.append(self.process)
        wait_for(self.port, "/", 302)
        children = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        self.pids = [int(child) for child in children]

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Service:
    """The binary on one core, with the least that a program needs."""

    def __init__(self, binary, name, threads=1):
        self.binary = binary
        self.database = os.path.join(FOLDER, f"{name}.db")
        self.threads = threads
        self.port = free_port()
        self.process = None

    def start(self):
        environment = dict(os.environ, REFERRALD_ADMIN_KEY=KEY)
        self.process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, self.binary, "serve", "--listen",
             f"127.0.0.1:{self.port}", "--database", self.database, "--threads",
             str(self.threads)], env=environment, stdout=subprocess.DEVNULL)
        started.append(self.process)
        self.pids = [self.process.pid]
        wait_for(self.port, "/readyz", 200)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        data = json.dumps(body).encode() if body is not None else None
        connection.request(method, path, data, {
            "Authorization": f"Bearer {KEY}", "Content-Type": "application/json",
            **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            sys.exit(f"FAILED: {method} {path}: {answer.status} {data}")
        return data

    def make(self, path, body):
        return json.loads(self.call("POST", path, body))["id"]

    def prepare(self):
        """A program, a participant, a link `ada` and one lead, whose ids wrk's scripts read."""
        self.program = self.make("/v1/programs", {
            "name": "P", "currency": "USD", "destination_url": "https://www.example.com/x"})
        self.make(f"/v1/programs/{self.program}/activate", {})
        self.participant = self.make("/v1/participants", {
            "program_id": self.program, "name": "Ada", "email": "ada@p.example",
            "status": "approved"})
        self.make("/v1/links", {"participant_id": self.participant, "code": "ada"})
        self.lead = self.make("/v1/leads", {
            "program_id": self.program, "participant_id": self.participant,
            "email": "first@customer.example"})

    def metric(self, name):
        for line in self.call("GET", "/metrics").decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        sys.exit(f"FAILED: there is no metric {name}")

    def resident(self):
        """Resident memory in megabytes."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024


def wait_for(port, path, status):
    for _ in range(2000):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == status:
                return
        except OSError:
            pass
        time.sleep(0.005)
    sys.exit(f"FAILED: nothing answers {status} on port {port}")


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def milliseconds(text):
    number, unit = re.match(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def wrk(target, script, seconds, environment=None):
    """One run: requests/s, p50 and p99 in ms, CPU microseconds of the server per request."""
    before = cpu_seconds(target.pids)
    command = ["taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s",
               "--latency"]
    if script:
        command += ["-s", os.path.join(os.path.dirname(os.path.abspath(__file__)), script)]
    output = subprocess.run(
        command + [f"http://127.0.0.1:{target.port}/"], capture_output=True, text=True,
        env=dict(os.environ, **(environment or {}))).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"FAILED: {script}: {output}")
    count = int(re.search(r"(\d+) requests in", output)[1])
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1]),
        "p50": milliseconds(re.search(r"\n +50% +(\S+)", output)[1]),
        "p99": milliseconds(re.search(r"\n +99% +(\S+)", output)[1]),
        "cpu": (cpu_seconds(target.pids) - before) * 1e6 / count,
    }


def median(runs, field):
    return statistics.median(run[field] for run in runs)


@atexit.register
def clean_up():
    """Whatever way the run ends, nothing keeps running."""
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait()
    shutil.rmtree(FOLDER, ignore_errors=True)
