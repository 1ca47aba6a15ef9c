"""A scan together with its workflow, as it stands at a moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ewms.services import WorkflowDocument
from skymap_scanner.skydriver.documents import ScanDocument
from skymap_scanner.skydriver.states import Condition, Standing, standing

PARTIAL = "partial/partial.json"
"""The result so far, among the files of the workflow."""
_ARRAYS = ".npz"


def result_name(names: Iterable[str]) -> str | None:
    """The file with the final result as JSON, among those of a product: the one that there is as arrays too."""
    known = set(names)
    for name in sorted(known):
        text = f"{name.removesuffix(_ARRAYS)}.json"
        if name.endswith(_ARRAYS) and text in known:
            return text
    return None


@dataclass(frozen=True, kw_only=True)
class ScanView:
    """A scan as it stands."""

    scan: ScanDocument
    """Its document."""
    workflow: WorkflowDocument | None
    """What makes it; None while it has none."""

    @property
    def final_file(self) -> str | None:
        """Its final result among the files of the workflow."""
        return None if self.workflow is None else result_name(self.workflow.product)

    @property
    def has_final(self) -> bool:
        """Whether the final result is there."""
        given = self.scan.given_result
        return self.final_file is not None or (given is not None and given.is_final)

    @property
    def has_partial(self) -> bool:
        """Whether there is, or was, a result so far."""
        workflow = self.workflow
        was_there = workflow is not None and (bool(workflow.partial) or workflow.partial_number > 0)
        return was_there or self.scan.given_result is not None

    @property
    def standing(self) -> Standing:
        """SkyDriver's code, and plain words."""
        return standing(
            self.workflow,
            has_final=self.has_final,
            has_partial=self.has_partial,
            is_deleted=self.scan.is_deleted,
            is_elsewhere=self.scan.is_requested and self.workflow is None,
            reason=self.scan.reason,
        )

    @property
    def state(self) -> str:
        """SkyDriver's `scan_state`."""
        return self.standing.code

    @property
    def condition(self) -> Condition:
        """In plain words."""
        return self.standing.condition

    @property
    def reason(self) -> str:
        """Why it failed or waits, in one line."""
        return self.standing.reason

    @property
    def deactivated(self) -> str | None:
        """EWMS's word for why its workflow ended."""
        return self.standing.deactivated
