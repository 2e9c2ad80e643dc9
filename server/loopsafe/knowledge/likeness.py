"""Classes that are like others: `like = "requests.Session"` in a knowledge file."""

from __future__ import annotations

from dataclasses import replace

from loopsafe.knowledge.schema import Blocking, ClassKnowledge


def inherited(own: ClassKnowledge, other: ClassKnowledge) -> ClassKnowledge:
    """The knowledge of a class over that of one it is like, whose names become its own."""
    methods = {
        name: _renamed(blocking, other, own)
        for name, blocking in other.methods.items()
        if name not in own.harmless
    }
    patterns = tuple((pattern, _renamed(entry, other, own)) for pattern, entry in other.patterns)
    runners = {
        name: replace(runner, name=f"{own.name}.{name}") for name, runner in other.runners.items()
    }
    returns = {
        name: own.name if result == other.name else result for name, result in other.returns.items()
    }
    return replace(
        own,
        methods=methods | own.methods,
        patterns=own.patterns + patterns,
        runners=runners | own.runners,
        harmless=own.harmless | (other.harmless - own.methods.keys()),
        returns=returns | own.returns,
        outcomes=other.outcomes | own.outcomes,
        attributes=other.attributes | own.attributes,
        becomes=own.becomes or other.becomes,
        of_holder=own.of_holder or other.of_holder,
        keeps=other.keeps | own.keeps,
        keeps_keywords=own.keeps_keywords or other.keeps_keywords,
        stand_in=own.stand_in or other.stand_in,
        gives_back=other.gives_back | own.gives_back,
        overrides=other.overrides | own.overrides,
        once=other.once | own.once,
        made=other.made | own.made,
        makers=other.makers | own.makers,
        writers=other.writers | own.writers,
        running=other.running | own.running,
    )


def _renamed(blocking: Blocking, other: ClassKnowledge, own: ClassKnowledge) -> Blocking:
    """The other class's entry as a member of this one, its twin moved along."""
    method = blocking.name.removeprefix(other.shown)
    twin = blocking.twin
    if other.twin and twin.startswith(other.twin):
        twin = own.twin + twin.removeprefix(other.twin) if own.twin else ""
    return replace(blocking, name=own.shown + method, twin=twin)
