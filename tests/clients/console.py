"""A console in a few lines: opens a case, qualifies it and reads the queue of unscheduled care."""

import secrets
import sys
import time
import uuid

import grpc
from sas.dispatch.v1 import codes_pb2, common_pb2, intake_pb2, intake_pb2_grpc, regulation_pb2, regulation_pb2_grpc


def uuid7():
    """A UUIDv7: milliseconds first, then randomness. One for each act; repeat it only to repeat the same call."""
    random = 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=time.time_ns() // 1_000_000 << 80 | random))


address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
arm = [("x-sas-person", "arm-1"), ("x-sas-role", "ARM"), ("x-sas-territory", "fr-67")]

with grpc.insecure_channel(address) as channel:
    intake = intake_pb2_grpc.IntakeServiceStub(channel)
    regulation = regulation_pb2_grpc.RegulationServiceStub(channel)

    opened = intake.OpenCase(
        intake_pb2.OpenCaseRequest(
            command_id=uuid7(),
            caller=common_pb2.Caller(name="Camille Exemple", phone="06 39 98 00 01"),
            place=common_pb2.Place(commune="67482", street="1 rue de l'Exemple"),
            patients=[common_pb2.Patient(name="Camille Exemple", age_years=42)],
        ),
        metadata=arm,
    )
    qualified = regulation.Qualify(
        regulation_pb2.QualifyRequest(
            command_id=uuid7(),
            case_id=opened.case.case_id,
            version=opened.case.version,
            priority=codes_pb2.PRIORITY_P2,
            stream=codes_pb2.STREAM_SNP,
            motive="M03.14",
            symptoms=True,
        ),
        metadata=arm,
    )
    queue = regulation.ListQueue(
        regulation_pb2.ListQueueRequest(stream=codes_pb2.STREAM_SNP, at_least_seq=qualified.receipt.seq),
        metadata=arm,
    )
    for case in queue.cases:
        print(case.case_number, codes_pb2.Priority.Name(case.qualification.priority), case.qualification.motive_label)
