"""Starts `sas-dispatch serve` on a free port and plays clients of other makes against it; exits 0 when all is well."""

import http.client
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sas.dispatch.v1 import intake_pb2, intake_pb2_grpc, supervision_pb2

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
PORT_OF_README = "127.0.0.1:50051"
SERVICES = ["Directory", "Intake", "Regulation", "Routing", "Slot", "Supervision", "Telephony", "Visit"]
SUPERVISOR = {"x-sas-person": "sup-1", "x-sas-role": "SUPERVISOR", "x-sas-territory": "fr-67"}
# The service's own grace for open calls is 15 seconds; a watch must not use it up.
STOPS_WITHIN_S = 10
PROGRAM, BUF = sys.argv[1:3]


class Service:
    """One running service with a store of its own."""

    def __init__(self):
        self.data = tempfile.TemporaryDirectory()
        command = [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--data", self.data.name]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # The line is printed once calls are taken; a service that does not start ends, and the line is empty.
        line = self.process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:\d+", line)
        if not found:
            raise SystemExit(f"the service did not start: {line}{self.process.stderr.read()}")
        self.address = found.group()

    def stop(self):
        """Asks it to stop as a system does; its exit status and the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        return status, time.monotonic() - started

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.data.cleanup()


def block(language, after):
    """The first code block of a language in the README after a text."""
    found = re.search(rf"```{language}\n(.*?)```", README[README.index(after) :], re.DOTALL)
    assert found, f"no {language} block after '{after}' in the README"
    return found.group(1)


def run(command, **options):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.addClassCleanup(cls.service.close)

    def test_health_says_that_the_service_serves(self):
        with grpc.insecure_channel(self.service.address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            for name in ["", "sas.dispatch.v1.IntakeService"]:
                status = health.Check(health_pb2.HealthCheckRequest(service=name)).status
                self.assertEqual(status, health_pb2.HealthCheckResponse.SERVING, name)

    def test_reflection_lists_every_service_in_both_versions(self):
        for version in ["grpc-v1", "grpc-v1alpha"]:
            listed = run(
                [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--list-services"]
                + ["--reflect-protocol", version, f"http://{self.service.address}"]
            )
            for name in SERVICES:
                self.assertIn(f"sas.dispatch.v1.{name}Service", listed.split(), version)

    def test_the_buf_curl_of_the_readme_works_as_written(self):
        command = block("sh", "With [buf]").replace(PORT_OF_README, self.service.address)
        path = f"{Path(BUF).resolve().parent}:{os.environ['PATH']}"
        answered = run(["bash", "-euc", command], env={**os.environ, "PATH": path})
        self.assertIn('"territory": "fr-67"', answered)
        self.assertIn("LEGAL_PERIOD_", answered)

    def test_the_python_console_of_the_readme_reads_its_case_in_the_queue(self):
        example = (ROOT / "tests/clients/console.py").read_text()
        self.assertEqual(block("python", "With Python,"), example, "README and tests/clients/console.py differ")
        printed = run([sys.executable, "tests/clients/console.py", self.service.address])
        self.assertRegex(printed, r"DRFR15670\d{10} PRIORITY_P2 \S+")

    def test_a_browser_calls_over_grpc_web_on_the_same_port(self):
        message = supervision_pb2.GetCalendarRequest(at="2024-12-26T10:00:00+01:00").SerializeToString()
        connection = http.client.HTTPConnection(self.service.address, timeout=30)
        self.addCleanup(connection.close)
        connection.request(
            "POST",
            "/sas.dispatch.v1.SupervisionService/GetCalendar",
            body=struct.pack(">BI", 0, len(message)) + message,
            headers={"content-type": "application/grpc-web+proto", "x-grpc-web": "1", **SUPERVISOR},
        )
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.getheader("content-type"), "application/grpc-web+proto")
        (kind, data), (trailers, status) = frames(response.read())
        self.assertEqual((kind, trailers), (0x00, 0x80))
        calendar = supervision_pb2.GetCalendarResponse.FromString(data)
        self.assertEqual((calendar.territory, calendar.holiday), ("fr-67", "Saint-Étienne"))
        self.assertIn(b"grpc-status:0", status.replace(b" ", b""))

    def test_a_wrong_call_over_grpc_web_says_why(self):
        connection = http.client.HTTPConnection(self.service.address, timeout=30)
        self.addCleanup(connection.close)
        headers = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
        path = "/sas.dispatch.v1.SupervisionService/GetCalendar"
        connection.request("POST", path, body=struct.pack(">BI", 0, 0), headers=headers)
        response = connection.getresponse()
        said = str(response.headers).lower() + response.read().decode(errors="replace").lower()
        self.assertRegex(said, r"grpc-status: ?16")
        self.assertIn("x-sas-person", said)


class Stop(unittest.TestCase):
    def test_a_service_asked_to_stop_ends_its_streams_and_exits_with_0(self):
        service = Service()
        self.addCleanup(service.close)
        with grpc.insecure_channel(service.address) as channel:
            arm = [("x-sas-person", "arm-1"), ("x-sas-role", "ARM"), ("x-sas-territory", "fr-67")]
            watch = intake_pb2_grpc.IntakeServiceStub(channel).WatchCases(
                intake_pb2.WatchCasesRequest(), metadata=arm
            )
            first = next(watch)
            self.assertEqual(first.event.WhichOneof("event"), "snapshot_done")
            status, seconds = service.stop()
            self.assertEqual(status, 0, service.process.stderr.read())
            self.assertLess(seconds, STOPS_WITHIN_S, "an open watch held the stop up")
            with self.assertRaises((grpc.RpcError, StopIteration)):
                while True:
                    next(watch)


def frames(body):
    """The frames of a gRPC-web body: (flags, content)."""
    while body:
        flags, length = struct.unpack(">BI", body[:5])
        yield flags, body[5 : 5 + length]
        body = body[5 + length :]


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
