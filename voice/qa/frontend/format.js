/** Call time as m:ss or h:mm:ss; `tenths` for the clock beside the play button. */
export function clock(s, tenths = false) {
  const whole = Math.floor(s + 1e-6);
  const h = Math.floor(whole / 3600), m = Math.floor((whole % 3600) / 60), r = whole % 60;
  const tail = tenths ? "." + Math.floor((s - whole) * 10 + 1e-6) : "";
  return (h ? h + ":" + String(m).padStart(2, "0") : m) + ":" + String(r).padStart(2, "0") + tail;
}

/** Call time as a screen reader should say it. */
export function spoken(s) {
  const m = Math.floor(s / 60), r = Math.floor(s % 60);
  const part = (n, word) => n + " " + word + (n === 1 ? "" : "s");
  return m ? part(m, "minute") + " " + part(r, "second") : part(r, "second");
}

/** A stranger's text: control and direction-changing characters made visible, like the server does. */
export function plain(text) {
  return String(text).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, "\ufffd");
}

/** The element of this id. */
export function field(id) {
  return document.getElementById(id);
}

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const LEVELS = ["calm", "attend", "distress"];

export function levelBadge(name) {
  const known = LEVELS.includes(name) ? name : "unknown";
  return element("span", { class: "level level-" + known }, element("i", { "aria-hidden": "true" }), known);
}

/** The last window's P(distress) as a bar and a number; what the ear can't tell is said, and is not calm. */
export class Meter {
  constructor() {
    this.bar = element("meter", { min: "0", max: "1", low: "0.5", high: "0.75", optimum: "0", "aria-label": "P(distress) of the last two seconds of speech" });
    this.text = element("span", { class: "num" }, "not heard yet");
    this.bar.hidden = true;
    this.node = element("span", { class: "meter" }, this.bar, " ", this.text);
  }

  show(scored) {
    this.bar.hidden = scored.abstained;
    if (scored.abstained) {
      this.text.textContent = "cannot tell: " + plain(scored.reason || "no reason given");
      return;
    }
    this.bar.value = scored.p_distress;
    const band = typeof scored.p_low === "number" ? " (" + scored.p_low.toFixed(2) + "–" + scored.p_high.toFixed(2) + ")" : "";
    this.text.textContent = "P(distress) " + scored.p_distress.toFixed(2) + band;
  }
}

const SHOWN = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

export function localTime(rfc3339) {
  return SHOWN.format(new Date(rfc3339));
}

/** Times of day in the reader's own zone; what the server wrote, in UTC, stays as the tooltip. */
export function localTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.textContent;
    time.textContent = SHOWN.format(at);
  }
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
