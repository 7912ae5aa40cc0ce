from sessionbucket.testing._async.faulty_bucket import AsyncFaultyBucket as AsyncFaultyBucket
from sessionbucket.testing._async.faulty_bucket import AsyncPause as AsyncPause
from sessionbucket.testing._sync.faulty_bucket import FaultyBucket as FaultyBucket
from sessionbucket.testing._sync.faulty_bucket import Pause as Pause
from sessionbucket.testing.calls import Call as Call
from sessionbucket.testing.environment import local_aws_environment as local_aws_environment
from sessionbucket.testing.moto import MotoServer as MotoServer
from sessionbucket.testing.seaweedfs import SeaweedServer as SeaweedServer
from sessionbucket.testing.sessions import SessionFactory as SessionFactory

__all__ = [
    "AsyncFaultyBucket",
    "AsyncPause",
    "Call",
    "FaultyBucket",
    "MotoServer",
    "Pause",
    "SeaweedServer",
    "SessionFactory",
    "local_aws_environment",
]
