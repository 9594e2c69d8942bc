/** A call that is on the line: captions, level and state as they are committed. */
import { Meter, clock, element, field, levelBadge, localTimes, plain } from "./format.js";

localTimes();

const article = field("call");
const turns = field("turns");
const known = new Set([...turns.querySelectorAll("[data-seq]")].map((n) => Number(n.dataset.seq)));
const speakers = { caller: "Caller", agent: "Agent", human: "Human" };

const meter = new Meter();
field("live-meter").append(meter.node);
let level = field("live-level").textContent.trim();
/** What is being said and not yet over: shown, and replaced by what it turns out to be. */
let unfinished = null;

function caption(f) {
  unfinished?.remove();
  unfinished = null;
  const who = f.fact === "Said" ? "agent" : f.leg;
  const head = element("span", { class: "who" }, speakers[who] || "");
  if (f.fact === "Said" && f.leg === "human") head.append(element("span", { class: "sub" }, "to the human alone"));
  if (f.refused && f.final !== false) head.append(element("span", { class: "sub" }, f.refused === "noise" ? "not understood for noise" : "not understood"));
  const body = element("div", {}, head, element("p", { dir: "auto" }, plain(f.text)));
  turns.querySelector(".empty")?.remove();
  const item = element("li", { class: "turn who-" + (who in speakers ? who : "agent"), "data-seq": f.seq }, element("span", { class: "num dim" }, clock(f.start)), body);
  if (f.final === false) {
    item.classList.add("unfinished");
    unfinished = item;
  }
  turns.append(item);
  // the list alone: the page with the level on it must stay
  turns.scrollTop = turns.scrollHeight;
}

const source = new EventSource("/api/live?call=" + encodeURIComponent(article.dataset.call));
source.addEventListener("fact", (event) => {
  const f = JSON.parse(event.data);
  field("live-clock").textContent = clock(f.t);
  if ((f.fact === "Transcribed" || f.fact === "Said") && !known.has(f.seq)) caption(f);
  if (f.fact === "EmotionScored") {
    meter.show(f);
    // until a window is scored the level is unknown, which is not calm
    if (!f.abstained && level === "unknown") level = "calm";
  }
  if (f.fact === "DistressChanged") level = f.level;
  if (f.fact === "EmotionScored" || f.fact === "DistressChanged") field("live-level").replaceChildren(levelBadge(level));
  if (f.fact === "DistressChanged") field("live-why").textContent = "because of " + f.because.map((b) => plain(b.kind + ": " + (typeof b.value === "number" ? b.name + " " + b.value.toFixed(2) : b.value))).join(", ");
  if (f.fact === "HandoffState") field("live-state").textContent = f.state.toLowerCase();
  known.add(f.seq);
  if (f.fact === "CallEnded") {
    source.close();
    setTimeout(() => location.reload(), 2000);
  }
});
article.dataset.ready = "yes";
