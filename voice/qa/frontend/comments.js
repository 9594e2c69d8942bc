/** Threads of comments on a stretch of the call, a turn or a question: read, opened, answered, resolved. */
import { clock, element, field, localTime, plain, remember, remembered } from "./format.js";

/** Threads of a call; none where they can't be had, as in a page saved as one file. */
export async function loadThreads(callId) {
  if (!field("comments")) return [];
  const reply = await fetch("/api/calls/" + encodeURIComponent(callId) + "/comments");
  return reply.ok ? reply.json() : [];
}

/** A thread as a marker on the time axis. */
export function threadMarker(thread) {
  const first = thread.comments[0];
  return { kind: "comment", start: thread.start, end: thread.end, label: first.author + ": " + first.text.slice(0, 80), seq: 0, thread: thread.id };
}

export class Comments {
  constructor({ callId, axis, threads, turnAt, now, onOpened }) {
    this.callId = callId;
    this.axis = axis;
    this.turnAt = turnAt;
    this.now = now;
    this.onOpened = onOpened;
    this.list = field("threads");
    this.form = field("comment-form");
    this.list.replaceChildren(...threads.map((t) => this.#thread(t)));
    this.list.addEventListener("click", (event) => this.#act(event));
    this.#count();
    if (!this.form) return;
    this.author = field("comment-author");
    this.author.value ||= remembered("reviewer");
    axis.onChange(() => this.#about());
    this.form.addEventListener("focusin", () => this.#about());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#open();
    });
    this.#about();
  }

  /** Brings a thread into view, open. */
  show(id) {
    const item = this.list.querySelector(`[data-thread="${id}"]`);
    if (!item) return;
    item.querySelector("details").open = true;
    item.scrollIntoView({ block: "nearest" });
    item.querySelector("summary").focus({ preventScroll: true });
  }

  begin() {
    if (!this.form) return;
    this.#about();
    this.form.scrollIntoView({ block: "center" });
    field("comment-text").focus();
  }

  /** What a new comment would be about: the marked range, else the turn at the playhead, else that moment. */
  #anchor() {
    const range = this.axis.range;
    if (range && range.end > range.start) return { start: range.start, end: range.end, turn: 0, name: "the marked range " + clock(range.start) + "–" + clock(range.end) };
    const turn = this.turnAt();
    if (turn) return { ...turn, turn: turn.seq, name: "the turn at " + clock(turn.start) };
    return { start: this.now(), end: this.now(), turn: 0, name: clock(this.now()) };
  }

  #about() {
    field("comment-about").textContent = "on " + this.#anchor().name;
  }

  async #open() {
    const { start, end, turn } = this.#anchor(), text = field("comment-text").value;
    const sent = await this.#send("/api/calls/" + encodeURIComponent(this.callId) + "/comments", { start, end, turn, question: field("comment-question").value, text });
    if (!sent) return;
    field("comment-text").value = "";
    const after = [...this.list.children].find((item) => Number(item.dataset.start) > sent.start);
    this.list.insertBefore(this.#thread(sent), after || null);
    this.#count();
    this.onOpened(sent);
  }

  async #act(event) {
    const button = event.target.closest("button[data-step]");
    if (!button) return;
    const item = button.closest("[data-thread]"), input = item.querySelector("input");
    const sent = await this.#send("/api/comments/" + item.dataset.thread, { text: input.value, step: button.dataset.step });
    if (!sent) return;
    const fresh = this.#thread(sent);
    fresh.querySelector("details").open = true;
    item.replaceWith(fresh);
    this.#count();
  }

  async #send(address, body) {
    const status = field("comment-status");
    if (this.author) body.author = this.author.value;
    try {
      const reply = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
      const answer = await reply.json();
      status.textContent = reply.ok ? "Saved." : "Not saved: " + answer.detail;
      if (!reply.ok) return null;
      if (this.author?.type === "text") remember("reviewer", this.author.value);
      return answer;
    } catch {
      status.textContent = "Not saved: the server can't be reached.";
      return null;
    }
  }

  #count() {
    const open = this.list.querySelectorAll(".thread:not(.resolved)").length;
    field("thread-count").textContent = this.list.children.length ? open + " open of " + this.list.children.length : "none yet";
  }

  #thread(t) {
    const first = t.comments[0];
    const seek = element("button", { type: "button", class: "seek", "data-start": t.start, "data-end": t.end }, clock(t.start) + (t.end > t.start ? "–" + clock(t.end) : ""));
    const summary = element("summary", {}, element("b", {}, element("bdi", {}, plain(first.author))), " ", element("span", { class: "dim" }, plain(first.text.slice(0, 60)) + (first.text.length > 60 ? "…" : "")));
    if (t.resolved) summary.append(" ", element("span", { class: "tag" }, "resolved"));
    const about = element("p", { class: "sub" }, "On ", seek, t.turn ? " (a turn)" : "", t.question ? " · question: " + plain(questionText(t.question)) : "");
    const said = element("ul", {}, ...t.comments.map(comment));
    const details = element("details", {}, summary, about, said);
    details.open = !t.resolved;
    if (this.form) {
      const answer = element("input", { maxlength: "4000", placeholder: "answer", "aria-label": "Answer to " + plain(first.author) + " at " + clock(t.start) });
      const step = t.resolved ? ["reopened", "Reopen"] : ["resolved", "Resolve"];
      details.append(element("div", { class: "row" }, answer, element("button", { type: "button", class: "quiet", "data-step": "said" }, "Answer"), element("button", { type: "button", class: "quiet", "data-step": step[0] }, step[1])));
    }
    return element("li", { class: "thread" + (t.resolved ? " resolved" : ""), "data-thread": t.id, "data-start": t.start }, details);
  }
}

function comment(c) {
  const head = element("span", { class: "sub" }, element("bdi", {}, plain(c.author)), c.step === "said" ? ", " : " " + c.step + " this, ", element("time", { title: c.at }, localTime(c.at)));
  return element("li", {}, head, ...(c.text ? [element("p", { dir: "auto" }, plain(c.text))] : []));
}

function questionText(key) {
  const option = [...(field("comment-question")?.options || [])].find((o) => o.value === key);
  return option ? option.textContent : key;
}
