/** Markers as buttons in three rows: what was judged, how the talk went, what the line and the handoff did. */
import { clock, element, plain } from "./format.js";

const ROWS = { distress: 0, decision: 0, comment: 0, silence: 1, overlap: 1, "barge-in": 1, lost: 1 };
const SIGNS = { distress: "!", decision: "◆", silence: "…", overlap: "∥", "barge-in": "⌁", key: "#", "opt-out": "⊘", comment: "✎", hold: "‖", lost: "×", handoff: "→", redaction: "▨", worker: "w", ended: "■" };

export class Markers {
  constructor(root, axis, markers, open) {
    this.root = root;
    this.axis = axis;
    this.markers = markers;
    this.open = open;
    this.at = 0;
    this.buttons = markers.map((m, i) => this.#button(m, i));
    root.append(...this.buttons);
    root.addEventListener("keydown", (event) => this.#move(event));
    axis.onChange(() => this.place());
    new ResizeObserver(() => this.place()).observe(root);
    this.place();
  }

  #button(m, i) {
    const text = plain(m.label), kind = m.kind in SIGNS ? m.kind : "decision";
    const button = element("button", { type: "button", class: "mark mark-" + kind, title: clock(m.start) + " " + text, tabindex: i ? "-1" : "0" }, SIGNS[kind]);
    button.append(element("span", { class: "sr" }, " " + clock(m.start) + " " + m.kind + ": " + text));
    if (m.kind === "key") button.firstChild.data = plain(m.label.split(" ")[1] || "#").slice(0, 1);
    button.addEventListener("click", () => this.go(this.markers.indexOf(m)));
    return button;
  }

  /** One more marker, put in its place by time. */
  add(m) {
    const later = this.markers.findIndex((x) => x.start > m.start), at = later < 0 ? this.markers.length : later;
    const button = this.#button(m, 1);
    this.root.insertBefore(button, this.buttons[at] || null);
    this.markers.splice(at, 0, m);
    this.buttons.splice(at, 0, button);
    if (at <= this.at && this.buttons.length > 1) this.at += 1;
    this.place();
  }

  /** A marker that would cover its neighbour moves aside, up to three widths; its time stays in its name. */
  place() {
    const width = this.root.clientWidth, taken = [0, 0, 0];
    this.markers.forEach((m, i) => {
      const button = this.buttons[i];
      button.hidden = m.end < this.axis.start || m.start > this.axis.end;
      if (button.hidden) return;
      const x = Math.max(this.axis.x(m.start, width), 0), wide = Math.min(this.axis.x(m.end, width), width) - x;
      button.classList.toggle("wide", wide > 22);
      const row = ROWS[m.kind] ?? 2;
      let left = wide > 22 ? x : Math.min(Math.max(x, 10), width - 10);
      if (wide <= 22 && left < taken[row] + 10 && taken[row] + 10 - left < 64) left = Math.min(taken[row] + 10, width - 10);
      taken[row] = Math.max(taken[row], wide > 22 ? x + 22 : left + 11);
      button.style.left = left + "px";
      button.style.width = wide > 22 ? wide + "px" : "";
      button.style.top = 1 + 21.5 * row + "px";
    });
  }

  /** Arrow keys move between markers without seeking; Enter and Space do that. */
  #move(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    this.focus(Math.min(Math.max(this.at + step, 0), this.buttons.length - 1));
  }

  focus(i) {
    this.buttons[this.at].tabIndex = -1;
    this.at = i;
    const button = this.buttons[i];
    button.tabIndex = 0;
    this.axis.follow(this.markers[i].start);
    this.place();
    button.focus();
  }

  go(i) {
    if (!this.buttons[i]) return;
    this.buttons[this.at].tabIndex = -1;
    this.at = i;
    this.buttons[i].tabIndex = 0;
    this.open(this.markers[i]);
  }

  /** The next (1) or previous (-1) marker from a call time. */
  step(now, direction) {
    const order = direction > 0 ? this.markers.findIndex((m) => m.start > now + 0.05) : this.markers.findLastIndex((m) => m.start < now - 0.5);
    if (order >= 0) this.go(order);
  }
}
