/** Calls on the line, above the list: last caption, level of distress, state of the handoff. */
import { Meter, clock, element, levelBadge, localTimes, plain } from "./format.js";

localTimes();

const section = document.getElementById("live");
const list = document.getElementById("live-calls");
const cards = new Map();

function card(id) {
  if (!cards.has(id)) {
    const parts = {
      link: element("a", { href: "/calls/" + encodeURIComponent(id) }, "live call"),
      level: element("span", {}, levelBadge("unknown")),
      state: element("span", { class: "sub" }),
      time: element("span", { class: "num dim" }),
      meter: new Meter(),
      caption: element("p", { class: "caption", dir: "auto" }),
    };
    parts.item = element("li", {}, element("div", { class: "head" }, element("span", { class: "tag tag-live" }, "live"), parts.link, parts.level, parts.time, parts.state), parts.meter.node, parts.caption);
    list.prepend(parts.item);
    cards.set(id, parts);
  }
  section.hidden = false;
  return cards.get(id);
}

const source = new EventSource("/api/live");
source.addEventListener("fact", (event) => {
  const f = JSON.parse(event.data);
  const parts = card(f.call);
  parts.time.textContent = clock(f.t);
  if (f.fact === "CallAnswered") parts.link.textContent = plain(f.from || "unknown caller");
  if (f.fact === "Transcribed" || (f.fact === "Said" && f.leg === "caller")) parts.caption.textContent = (f.fact === "Said" ? "Agent: " : "Caller: ") + plain(f.text);
  if (f.fact === "EmotionScored") parts.meter.show(f);
  if (f.fact === "EmotionScored" && !f.abstained && !parts.known) {
    parts.known = true;
    parts.level.replaceChildren(levelBadge("calm"));
  }
  if (f.fact === "DistressChanged") parts.known = true;
  if (f.fact === "DistressChanged") parts.level.replaceChildren(levelBadge(f.level));
  if (f.fact === "HandoffState") parts.state.textContent = f.state.toLowerCase();
  if (f.fact === "CallEnded") {
    parts.item.remove();
    cards.delete(f.call);
    section.hidden = cards.size === 0;
  }
});
