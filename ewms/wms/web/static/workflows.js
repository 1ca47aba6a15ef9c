// The list of workflows: rows that are shown change as they happen; what is new is told of, not pushed in between.
import { follow, number } from "./live.js";
import { show } from "./workflow_state.js";

const rows = new Map([...document.querySelectorAll("tr[data-workflow]")].map((row) => [row.dataset.workflow, row]));
const news = new Set();

follow("/api/stream?every=1", {
  workflow(workflow) {
    const row = rows.get(workflow.workflow_id);
    if (row) {
      show(row, workflow);
      return;
    }
    if (workflow.state !== "pending" || news.has(workflow.workflow_id)) return;
    news.add(workflow.workflow_id);
    const notice = document.getElementById("changed");
    notice.hidden = false;
    notice.querySelector("span").textContent = news.size === 1 ? "1 new workflow." : `${number(news.size)} new workflows.`;
  },
});
