// The list of workflows: rows that are shown change as they happen; what is new is told of, not pushed in between.
import { follow, number, renew } from "./live.js";
import { show } from "./workflow_state.js";

const SPREAD = 3000;
const news = new Set();
let isFirst = true;

follow("/api/stream?every=1", {
  // It is not known what changed since the page was made, or since the connection was lost.
  reset() {
    if (!isFirst) setTimeout(() => renew("list"), SPREAD * Math.random());
    isFirst = false;
  },
  workflow(workflow) {
    const row = document.querySelector(`tr[data-workflow="${CSS.escape(workflow.workflow_id)}"]`);
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
