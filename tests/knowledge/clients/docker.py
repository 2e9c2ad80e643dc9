"""Docker's client, for a daemon on a port."""

import docker


def client(at):
    return docker.DockerClient(f"tcp://{at.host}:{at.port}", version="1.40", timeout=3)


CALLS = {
    "docker.DockerClient.ping": lambda at: client(at).ping(),
    "docker.DockerClient.info": lambda at: client(at).info(),
    "docker.models.containers.ContainerCollection.list": lambda at: client(at).containers.list(),
}
