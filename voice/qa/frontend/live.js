/** A call that is on the line: captions, level and state as they are committed. */
import { clock, element, levelBadge, localTimes, plain } from "./format.js";

localTimes();

const article = document.getElementById("call");
const turns = document.getElementById("turns");
const known = new Set([...turns.querySelectorAll("[data-seq]")].map((n) => Number(n.dataset.seq)));
const speakers = { caller: "Caller", agent: "Agent", human: "Human" };

function caption(f) {
  const who = f.fact === "Said" ? "agent" : f.leg;
  const head = element("span", { class: "who" }, speakers[who] || "");
  if (f.fact === "Said" && f.leg === "human") head.append(element("span", { class: "sub" }, "to the human alone"));
  const body = element("div", {}, head, element("p", { dir: "auto" }, plain(f.text)));
  turns.querySelector(".empty")?.remove();
  turns.append(element("li", { class: "turn who-" + (who in speakers ? who : "agent"), "data-seq": f.seq }, element("span", { class: "num dim" }, clock(f.start)), body));
}

const source = new EventSource("/api/live?call=" + encodeURIComponent(article.dataset.call));
source.addEventListener("fact", (event) => {
  const f = JSON.parse(event.data);
  document.getElementById("live-clock").textContent = clock(f.t);
  if ((f.fact === "Transcribed" || f.fact === "Said") && !known.has(f.seq)) caption(f);
  if (f.fact === "DistressChanged") document.getElementById("live-level").replaceChildren(levelBadge(f.level));
  if (f.fact === "HandoffState") document.getElementById("live-state").textContent = f.state.toLowerCase();
  known.add(f.seq);
  if (f.fact === "CallEnded") {
    source.close();
    setTimeout(() => location.reload(), 2000);
  }
});
article.dataset.ready = "yes";
