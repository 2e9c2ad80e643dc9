"""What a rule may look at: one module, what its functions reach, and where they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from loopsafe.effects.alone import is_alone, is_start_up
from loopsafe.effects.chains import Chains, Step
from loopsafe.effects.places import Places, Run
from loopsafe.effects.seldom import runs_once
from loopsafe.facts.ir import Function
from loopsafe.model import Cost, Place, Severity
from loopsafe.modules.marks import is_collected, is_in_tests
from loopsafe.modules.module import Module
from loopsafe.resolve.resolver import Resolver
from loopsafe.resolve.values import Frame, FunctionValue


@dataclass(frozen=True, slots=True)
class Root:
    """A function that the event loop runs."""

    function: Function
    number: int
    frame: Frame
    run: Run


@dataclass(frozen=True, slots=True)
class View:
    """One module's effects."""

    module: Module
    resolver: Resolver
    chains: Chains
    places: Places
    severity_of: Callable[[str, Cost], Severity]
    check_in: Callable[[], None]
    """Called between functions; raises where the answer is no longer wanted."""

    def roots(self) -> Iterator[Root]:
        """The module's functions that run on the loop without being called from one there."""
        for number, function in enumerate(self.module.facts.functions):
            self.check_in()
            run = self.places.run(self.module, number)
            if run.place is not Place.LOOP:
                continue
            if self.resolver.catalogue.word(self.qualified(function)) is False:
                continue  # The project says that it does not block.
            root = self.root(number, run)
            if root is not None:
                yield root

    def root(self, number: int, run: Run) -> Root | None:
        """A function, as if the loop ran it."""
        frame = self.resolver.function_frame(FunctionValue(self.module.name, number))
        function = self.module.facts.functions[number]
        return Root(function, number, frame, run) if frame is not None else None

    def of(self, module: Module) -> View:
        """The same for another module."""
        return self if module is self.module else replace(self, module=module)

    def is_private(self, root: Root) -> bool:
        """Whether a function only runs on loops on which nobody else waits."""
        return not root.run.role and self.places.is_private(self.module, root.number)

    def is_alone(self, root: Root) -> bool:
        """Whether nothing else runs on a function's loop when it begins: that of a command, or of
        an application which starts or ends."""
        return is_alone(self.places, self.chains, self.module, root.number)

    def is_start_up(self, root: Root) -> bool:
        """Whether a function that is alone at first only runs before anything is served."""
        return is_start_up(self.places, self.chains, self.module, root.number)

    def is_of_tests(self) -> bool:
        """Whether only tests run what stands in the module."""
        return is_collected(self.module.path) or is_in_tests(self.module.dotted)

    def runs_once(self, root: Root, steps: Sequence[Step]) -> bool:
        """Whether a chain is gone through once in the life of a program that goes on."""
        if root.run.once:
            return False  # Its cost says so already.
        return runs_once(self.places, self.chains, self.module, root.number, steps)

    def qualified(self, function: Function) -> str:
        """The function's absolute dotted name."""
        return f"{self.module.dotted}.{function.qualname}"
