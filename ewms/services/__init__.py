"""What an author of a service plugin needs: the public face of `ewms serve`, for entry points of the group `ewms.services`.

```python
class Doubling(ServicePlugin):
    rules = {"POST /jobs": REQUEST}
    collections = {"jobs": (("owner", "timestamp"),)}

    def router(self, host: PluginHost) -> APIRouter: ...
```

Only the service imports it: pilots and workflows have no use for it.
"""

from __future__ import annotations

from ewms.core.errors import Conflict, EwmsError, Forbidden, InputError, NotFound, StoreError, Unauthenticated, UsageError
from ewms.core.query import Query
from ewms.core.service.cluster_configuration import ClusterConfiguration
from ewms.core.service.files import FileDocument
from ewms.core.service.new_workflow import NewWorkflow, WorkerRequest
from ewms.core.service.phases import FINAL, Phase, Wish, WorkflowState
from ewms.core.service.replies import projected, taskforce_object
from ewms.core.service.taskforce import TaskforceDocument
from ewms.core.service.workflow import StateEntry, TaskProgress, WorkflowDocument
from ewms.core.spec import Size
from ewms.stores.store import Add, Append, Delete, Document, Forget, Insert, Page, Replace, Stored
from ewms.wms.access.caller import Caller, CallerOf
from ewms.wms.access.roles import ANYBODY, CHANGE, KNOWN, OPERATE, REQUEST, SEE, Role, Rule
from ewms.wms.files import Content
from ewms.wms.service.errors import answer
from ewms.wms.service.plugin import ServicePlugin
from ewms.wms.service.plugin_host import PluginHost
from ewms.wms.service.plugin_store import PluginStore
from ewms.wms.web.navigation import NavigationEntry

__all__ = [
    "ANYBODY",
    "CHANGE",
    "FINAL",
    "KNOWN",
    "OPERATE",
    "REQUEST",
    "SEE",
    "Add",
    "Append",
    "Caller",
    "CallerOf",
    "ClusterConfiguration",
    "Conflict",
    "Content",
    "Delete",
    "Document",
    "EwmsError",
    "FileDocument",
    "Forbidden",
    "Forget",
    "InputError",
    "Insert",
    "NavigationEntry",
    "NewWorkflow",
    "NotFound",
    "Page",
    "Phase",
    "PluginHost",
    "PluginStore",
    "Query",
    "Replace",
    "Role",
    "Rule",
    "ServicePlugin",
    "Size",
    "StateEntry",
    "StoreError",
    "Stored",
    "TaskProgress",
    "TaskforceDocument",
    "Unauthenticated",
    "UsageError",
    "Wish",
    "WorkerRequest",
    "WorkflowDocument",
    "WorkflowState",
    "answer",
    "projected",
    "taskforce_object",
]
