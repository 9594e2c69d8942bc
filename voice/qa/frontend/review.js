/** The review form: ranges marked while listening, saved as JSON; every save is a new version. */
import { clock, element, levelBadge, plain } from "./format.js";

export class Review {
  constructor(form, callId, axis) {
    this.form = form;
    this.callId = callId;
    this.axis = axis;
    this.ranges = [];
    const field = (id) => document.getElementById(id);
    this.status = field("review-status");
    this.list = field("ranges");
    form.elements.reviewer.value = remembered("reviewer");
    axis.onChange(() => {
      field("range-now").textContent = axis.range ? "marked " + clock(axis.range.start, true) + " to " + clock(axis.range.end, true) : "no range marked";
    });
    field("range-add").addEventListener("click", () => {
      if (!axis.range) {
        this.say("Mark a range first: drag over the lanes, or press [ and ].");
        return;
      }
      this.add({ ...axis.range, kind: field("range-kind").value, level: field("range-level").value, text: field("range-text").value });
      field("range-text").value = "";
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
  }

  say(text) {
    this.status.textContent = text;
  }

  add(range) {
    this.ranges.push(range);
    const remove = element("button", { type: "button", class: "quiet", "aria-label": "Remove this range" }, "remove");
    const item = element("li", {}, describe(range), " ", remove);
    remove.addEventListener("click", () => {
      this.ranges.splice(this.ranges.indexOf(range), 1);
      item.remove();
    });
    this.list.append(item);
    this.say("Range added.");
  }

  async save() {
    const given = new FormData(this.form);
    const answers = {};
    for (const [name, value] of given) if (name.startsWith("q-")) answers[name.slice(2)] = Number(value);
    const review = { reviewer: given.get("reviewer"), verdict: given.get("verdict"), level: given.get("level") || "", comment: given.get("comment"), answers, ranges: this.ranges };
    this.say("Saving…");
    let reply;
    try {
      reply = await fetch("/api/calls/" + encodeURIComponent(this.callId) + "/reviews", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(review) });
    } catch {
      this.say("Not saved: the server can't be reached. Your review is still here; try again.");
      return;
    }
    const body = await reply.json();
    if (!reply.ok) {
      this.say("Not saved: " + body.detail);
      return;
    }
    remember("reviewer", review.reviewer);
    const others = document.getElementById("others");
    document.getElementById("reviews").prepend(stored(body));
    document.getElementById("review-count").textContent = document.querySelectorAll("#reviews > li").length;
    others.hidden = false;
    others.open = true;
    this.ranges = [];
    this.list.replaceChildren();
    this.say("Saved as version " + body.version + ".");
  }
}

function describe(r) {
  return clock(r.start) + "–" + clock(r.end) + " " + r.kind + (r.level ? ": " + r.level : "") + (r.text ? " " + plain(r.text) : "");
}

function stored(r) {
  const head = element("p", {}, element("b", {}, element("bdi", {}, plain(r.reviewer))), " · " + r.verdict);
  if (r.level) head.append(" · hears ", levelBadge(r.level));
  head.append(element("span", { class: "sub" }, "version " + r.version + ", just now"));
  const item = element("li", {}, head);
  if (r.comment) item.append(element("p", { dir: "auto" }, plain(r.comment)));
  if (r.ranges.length) item.append(element("ul", {}, ...r.ranges.map((x) => element("li", {}, describe(x)))));
  return item;
}

/** Private windows and locked-down browsers refuse storage; the page works without. */
export function remembered(key) {
  try {
    return localStorage.getItem("warmline." + key) || "";
  } catch {
    return "";
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem("warmline." + key, value);
  } catch {
    return;
  }
}
