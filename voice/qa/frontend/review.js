/** The review form: ranges marked while listening, saved as JSON; every save is a new version. */
import { clock, element, field, levelBadge, plain, remember, remembered } from "./format.js";

export class Review {
  constructor(form, callId, axis) {
    this.form = form;
    this.callId = callId;
    this.axis = axis;
    this.ranges = [];
    this.status = field("review-status");
    this.list = field("ranges");
    this.reviewer = form.elements.reviewer;
    this.reviewer.value ||= remembered("reviewer");
    this.answered = [];
    this.turn = null;
    field("range-kind").addEventListener("change", () => this.kinds());
    this.kinds();
    form.addEventListener("change", () => this.ask());
    this.ask();
    axis.onChange(() => {
      field("range-now").textContent = axis.range ? "marked " + clock(axis.range.start, true) + " to " + clock(axis.range.end, true) : "no range marked";
    });
    field("range-add").addEventListener("click", () => {
      if (!axis.range) {
        this.say("Mark a range first: drag over the lanes, or press [ and ].");
        return;
      }
      const kind = field("range-kind").value, emotion = field("range-emotion").value;
      if (kind === "emotion" && !emotion) {
        this.say("Say which emotion is heard there.");
        field("range-emotion").focus();
        return;
      }
      const turn = this.turn && this.turn.start === axis.range.start && this.turn.end === axis.range.end ? this.turn.seq : 0;
      this.add({ ...axis.range, kind, level: kind === "distress" ? field("range-level").value : "", emotion: kind === "emotion" ? emotion : "", turn, text: field("range-text").value });
      field("range-text").value = "";
    });
    field("range-text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      field("range-add").click();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
  }

  kinds() {
    const kind = field("range-kind").value;
    field("range-level").hidden = kind !== "distress";
    field("range-emotion").hidden = kind !== "emotion";
    field("range-text").placeholder = { transcript: "what was really said", reply: "what should have been said" }[kind] || "why";
  }

  /** Takes a turn for a range: a wrong transcript of whoever spoke, a wrong reply of ours. */
  correct(turn) {
    this.turn = turn;
    this.axis.mark(turn.start, turn.end);
    field("range-kind").value = turn.who === "agent" ? "reply" : "transcript";
    this.kinds();
    field("range-text").value = turn.who === "agent" ? "" : turn.text;
    field("range-text").focus();
    field("range-text").select();
    this.say("Correct the turn at " + clock(turn.start) + ", then Enter.");
  }

  /** Shows what an earlier answer opens, and forgets what it closes. */
  ask() {
    for (const box of this.form.querySelectorAll("fieldset[data-when]")) {
      const before = this.form.querySelector(`fieldset[data-key="${box.dataset.when}"]`);
      const given = Number(before?.querySelector("input:checked")?.value || 0);
      box.hidden = !before || before.hidden || !given || given > Number(box.dataset.atMost);
      if (box.hidden) for (const input of box.querySelectorAll("input")) input.checked = false;
    }
  }

  /** Answers the first open question: a key while listening, without leaving the player. */
  answer(n) {
    const next = this.#open()[0];
    if (!next) {
      this.say("Every question is answered. Ctrl+Enter saves.");
      return;
    }
    next.querySelector(`input[value="${n}"]`).checked = true;
    this.answered.push(next.dataset.key);
    this.ask();
    const after = this.#open()[0];
    this.say(wording(next) + ": " + n + ". " + (after ? "Next: " + wording(after) : "That was the last question."));
  }

  takeBack() {
    const key = this.answered.pop();
    if (!key) return;
    for (const input of this.form.querySelectorAll(`input[name="q-${key}"]`)) input.checked = false;
    this.ask();
    this.say("Taken back.");
  }

  verdict(value) {
    this.form.querySelector(`input[name=verdict][value=${value}]`).checked = true;
    this.say("The call went " + value + ".");
  }

  #open() {
    return [...this.form.querySelectorAll("fieldset[data-key]")].filter((box) => !box.hidden && !box.querySelector("input:checked"));
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
    const review = { form: this.form.dataset.form, reviewer: given.get("reviewer"), verdict: given.get("verdict"), level: given.get("level") || "", comment: given.get("comment"), answers, ranges: this.ranges };
    const fatal = [...this.form.querySelectorAll("fieldset[data-fatal-at]")].find((box) => answers[box.dataset.key] <= Number(box.dataset.fatalAt));
    if (fatal && !review.comment.trim()) {
      this.say("“" + wording(fatal) + "” fails the whole review; say why in the comment.");
      field("comment").focus();
      return;
    }
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
    if (this.reviewer.type !== "hidden") remember("reviewer", review.reviewer);
    const others = field("others");
    field("reviews").prepend(stored(body));
    field("review-count").textContent = document.querySelectorAll("#reviews > li").length;
    others.hidden = false;
    others.open = true;
    this.ranges = [];
    this.list.replaceChildren();
    this.say("Saved as version " + body.version + (body.score === null ? "." : ": " + Math.round(body.score) + " of 100."));
  }
}

function wording(box) {
  return box.querySelector("legend").firstChild.textContent.trim();
}

function describe(r) {
  return clock(r.start) + "–" + clock(r.end) + " " + r.kind + (r.level || r.emotion ? ": " + (r.level || r.emotion) : "") + (r.text ? " " + plain(r.text) : "");
}

const MOVES = { released: "Release", acknowledged: "Acknowledge", disputed: "Dispute", upheld: "Uphold", changed: "Close as changed" };

function stored(r) {
  const head = element("p", {}, element("b", {}, element("bdi", {}, plain(r.reviewer))), " · " + r.verdict);
  if (r.score !== null) head.append(" · " + Math.round(r.score) + " of 100");
  if (r.fatal.length) head.append(" ", element("span", { class: "tag tag-broken" }, "failed: " + r.fatal.join(", ")));
  if (r.level) head.append(" · hears ", levelBadge(r.level));
  head.append(element("span", { class: "sub" }, "version " + r.version + ", just now"));
  const item = element("li", { "data-review": r.id }, head);
  if (r.comment) item.append(element("p", { dir: "auto" }, plain(r.comment)));
  if (r.ranges.length) item.append(element("ul", {}, ...r.ranges.map((x) => element("li", {}, describe(x)))));
  item.append(element("p", {}, element("span", { class: "tag" }, r.state)), element("div", { class: "row moves" }));
  offer(item, r.moves);
  return item;
}

function offer(item, moves) {
  const row = item.querySelector(".moves");
  row.replaceChildren(element("input", { maxlength: "2000", "aria-label": "Why, for review " + item.dataset.review, placeholder: "why" }), ...moves.map((m) => element("button", { type: "button", class: "quiet move", "data-to": m }, MOVES[m])));
}

/** Release, acknowledge, dispute, rule: one step of a review, added to its history. */
export async function moveReview(button) {
  const item = button.closest("[data-review]"), note = item.querySelector(".moves input").value, to = button.dataset.to;
  const actor = field("reviewer")?.value || remembered("reviewer");
  const status = element("span", { class: "sub", role: "status" });
  item.querySelector("[role=status]")?.remove();
  item.append(status);
  if (!note.trim() && ["disputed", "upheld", "changed"].includes(to)) {
    status.textContent = "Not done: say why it is " + to + ".";
    item.querySelector(".moves input").focus();
    return;
  }
  try {
    const reply = await fetch("/api/reviews/" + item.dataset.review + "/" + to, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ actor, note }) });
    const body = await reply.json();
    if (!reply.ok) {
      status.textContent = "Not done: " + body.detail;
      return;
    }
    const state = [...item.querySelectorAll("p > .tag")].at(-1);
    state.textContent = body.state;
    status.textContent = body.state + " by " + plain(body.actor) + ", just now" + (body.note ? ": " + plain(body.note) : "");
    item.querySelector(".moves").remove();
  } catch {
    status.textContent = "Not done: the server can't be reached.";
  }
}
