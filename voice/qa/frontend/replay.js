/** The replay page: fetches the call, puts the parts together, and holds the keys. */
import { Axis } from "./axis.js";
import { clock, localTimes, spoken } from "./format.js";
import { Lanes } from "./lanes.js";
import { Markers } from "./markers.js";
import { Player } from "./player.js";
import { Review, moveReview, remember, remembered } from "./review.js";
import { Transcript } from "./transcript.js";

const article = document.getElementById("call");
const id = article.dataset.call;
const field = (name) => document.getElementById(name);
const EMPTY = { length: 0, data: [], channels: 1, sample_rate: 8000, samples_per_pixel: 80, start: 0 };

/** Peaks of every leg: the whole call once, and the stretch in view again when it is worth more points. */
class Peaks {
  #listeners = [];
  #wholes = {};
  #details = {};
  #timer = 0;

  constructor(axis, legs, fetchPeaks) {
    this.axis = axis;
    this.legs = legs;
    this.fetchPeaks = fetchPeaks;
    for (const leg of legs) this.#load(leg);
    axis.onChange(() => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#refine(), 120);
    });
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  async #load(leg) {
    this.#wholes[leg] = await this.fetchPeaks(leg, 0, 0, 3000);
    this.#tell();
  }

  async #refine() {
    const { start, end, span, duration } = this.axis;
    if (span > duration * 0.6) {
      this.#details = {};
      this.#tell();
      return;
    }
    const found = await Promise.all(this.legs.map(async (leg) => [leg, await this.fetchPeaks(leg, Math.max(start - span / 2, 0), end + span / 2, 4000)]));
    this.#details = Object.fromEntries(found);
    this.#tell();
  }

  whole(leg) {
    return this.#wholes[leg] || EMPTY;
  }

  of(leg) {
    const detail = this.#details[leg];
    if (detail && detail.start <= this.axis.start && detail.start + (detail.length * detail.samples_per_pixel) / detail.sample_rate >= this.axis.end - 0.1) return detail;
    return this.#wholes[leg];
  }

  /** Largest peak of a channel as a share of full scale: quiet lines are drawn as tall as loud ones. */
  loudest(leg, channel) {
    const found = this.whole(leg);
    if (!found.loudest) {
      found.loudest = [];
      for (let c = 0; c < found.channels; c++) {
        let top = 0;
        for (let i = c * 2; i < found.data.length; i += found.channels * 2) top = Math.max(top, -found.data[i], found.data[i + 1]);
        found.loudest.push(Math.max(top / 127, 0.05));
      }
    }
    return found.loudest[channel] || 1;
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}

/** A static page carries its call in a data block; a served one fetches it. */
async function load() {
  const block = field("call-data");
  const call = block ? JSON.parse(block.textContent) : await (await fetch("/api/calls/" + id)).json();
  call.bySeq = new Map(call.facts.map((f) => [f.seq, f]));
  const named = Map.groupBy ? Map.groupBy(call.facts, (f) => f.fact) : group(call.facts);
  call.of = (name) => named.get(name) || [];
  return call;
}

function group(facts) {
  const out = new Map();
  for (const f of facts) out.set(f.fact, [...(out.get(f.fact) || []), f]);
  return out;
}

async function fetchPeaks(call, leg, start, end, points) {
  if (call.peaks) return call.peaks[leg] || EMPTY;
  const reply = await fetch(`/api/calls/${id}/peaks/${leg}?start=${start.toFixed(2)}&end=${end.toFixed(2)}&points=${points}`);
  return reply.ok ? reply.json() : EMPTY;
}

function openWhy(seq) {
  const why = field("why-" + seq);
  if (!why) return false;
  why.open = true;
  why.scrollIntoView({ block: "nearest" });
  why.querySelector("summary").focus({ preventScroll: true });
  return true;
}

function showTime(t, duration) {
  field("time").textContent = clock(t, true);
  const slider = field("overview");
  slider.setAttribute("aria-valuenow", t.toFixed(1));
  slider.setAttribute("aria-valuetext", spoken(t) + " of " + spoken(duration));
}

function drag(lanes, axis, seek) {
  let from = null;
  const time = (event) => {
    const box = lanes.querySelector("canvas").getBoundingClientRect();
    return axis.t(event.clientX - box.left, box.width);
  };
  lanes.addEventListener("pointerdown", (event) => {
    if (event.target.tagName !== "CANVAS" || event.button) return;
    from = { x: event.clientX, t: time(event) };
    lanes.setPointerCapture(event.pointerId);
  });
  lanes.addEventListener("pointermove", (event) => {
    if (from && Math.abs(event.clientX - from.x) > 4) axis.mark(from.t, time(event));
  });
  lanes.addEventListener("pointerup", (event) => {
    if (!from) return;
    if (Math.abs(event.clientX - from.x) <= 4) {
      axis.mark(null);
      seek(from.t);
    }
    from = null;
  });
  lanes.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) axis.zoom(event.deltaY > 0 ? 1.25 : 0.8, time(event));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) axis.show(axis.start + (event.deltaX / 800) * axis.span, axis.end + (event.deltaX / 800) * axis.span);
    else return;
    event.preventDefault();
  }, { passive: false });
}

async function start() {
  const call = await load();
  const axis = new Axis(call.duration_s);
  const sources = call.audio || Object.fromEntries(call.legs.map((leg) => [leg, "/api/calls/" + id + "/audio/" + leg]));
  const player = new Player(field("audio"), call.duration_s, sources);
  const peaks = new Peaks(axis, call.legs, (...args) => fetchPeaks(call, ...args));
  const seek = (t) => player.seek(t);
  const drawn = new Lanes(field("lanes"), axis, call, peaks);
  const transcript = new Transcript(field("turns"), seek);
  const markers = new Markers(field("marks"), axis, call.timeline.markers, (m) => {
    seek(m.start);
    if (m.seq) openWhy(m.seq);
  });
  const form = field("review-form");
  const review = form ? new Review(form, id, axis) : null;

  const cursor = field("cursor"), selection = field("selection"), canvas = field("lanes").querySelector("canvas");
  const place = () => {
    const width = canvas.clientWidth, t = player.now;
    cursor.hidden = t < axis.start || t > axis.end;
    cursor.style.transform = `translateX(${axis.x(t, width)}px)`;
    selection.hidden = !axis.range;
    if (axis.range) {
      const a = Math.max(axis.x(axis.range.start, width), 0), b = Math.min(axis.x(axis.range.end, width), width);
      selection.style.transform = `translateX(${a}px) scaleX(${Math.max(b - a, 0)})`;
    }
  };
  let drawnAt = -1;
  player.onTime((t) => {
    if (player.playing) axis.follow(t);
    showTime(t, call.duration_s);
    transcript.show(t, true);
    place();
    drawn.now = t;
    if (Math.abs(t - drawnAt) > call.duration_s / 1500 || !player.playing) {
      drawnAt = t;
      drawn.redraw();
    }
    field("play").textContent = player.playing ? "Pause" : "Play";
    field("play").setAttribute("aria-label", player.playing ? "Pause" : "Play");
  });
  axis.onChange(place);
  new ResizeObserver(place).observe(canvas);
  drag(field("lanes"), axis, seek);

  field("play").addEventListener("click", () => player.toggle());
  field("line").addEventListener("change", (event) => player.listen(event.target.value));
  field("speed").addEventListener("change", (event) => player.setSpeed(Number(event.target.value)));
  field("both-ears").addEventListener("change", (event) => player.mixBothEars(event.target.checked));
  field("zoom-in").addEventListener("click", () => axis.zoom(0.5, player.now));
  field("zoom-out").addEventListener("click", () => axis.zoom(2, player.now));
  field("zoom-all").addEventListener("click", () => axis.show(0, axis.duration));
  document.addEventListener("click", (event) => {
    if (event.target.closest(".move")) moveReview(event.target.closest(".move"));
    const button = event.target.closest(".seek");
    if (!button) return;
    const from = Number(button.dataset.start), to = Number(button.dataset.end);
    if (to > from) axis.mark(from, to);
    axis.follow(from);
    seek(from);
  });
  const overview = field("overview");
  const toTime = (event) => ((event.clientX - overview.getBoundingClientRect().left) / overview.clientWidth) * call.duration_s;
  overview.addEventListener("pointerdown", (event) => {
    overview.setPointerCapture(event.pointerId);
    seek(toTime(event));
    axis.follow(player.now);
  });
  overview.addEventListener("pointermove", (event) => {
    if (event.buttons) seek(toTime(event));
  });
  field("erase")?.addEventListener("click", () => erase());
  keys({ player, axis, transcript, markers, review, decisions: [...document.querySelectorAll("details.why")], duration: call.duration_s });
  showTime(0, call.duration_s);
  const goTo = () => {
    const t = linked(transcript);
    if (t !== null) player.seek(t);
  };
  addEventListener("hashchange", goTo);
  goTo();
  localTimes();
  article.dataset.ready = "yes";
}

/** A link may name a moment (#t=45.2) or what was searched for (#q=third time). */
function linked(transcript) {
  const given = new URLSearchParams(location.hash.slice(1));
  const t = Number(given.get("t"));
  if (given.has("t") && Number.isFinite(t)) return t;
  return given.has("q") ? transcript.find(given.get("q")) : null;
}

async function erase() {
  const reply = await fetch("/api/calls/" + id, { method: "DELETE" });
  if (reply.ok) location.assign("/");
}

/** Space, arrows, Page, Home and End always work; letters can be switched off (WCAG 2.1.4), and never act while one types. */
function keys({ player, axis, transcript, markers, review, decisions, duration }) {
  const letters = field("letters"), form = field("review-form");
  const apply = () => document.body.classList.toggle("letters-off", !letters.checked);
  letters.checked = remembered("letters") !== "off";
  letters.addEventListener("change", () => {
    remember("letters", letters.checked ? "on" : "off");
    apply();
  });
  apply();
  let mark = null;
  const turn = (direction) => {
    const t = transcript.neighbour(player.now, direction);
    if (t !== null) player.seek(t);
  };
  const select = (name, step) => {
    const list = field(name);
    list.selectedIndex = (list.selectedIndex + step + list.options.length) % list.options.length;
    list.dispatchEvent(new Event("change"));
  };
  const moves = {
    ArrowLeft: () => player.seek(player.now - 5), ArrowRight: () => player.seek(player.now + 5),
    PageUp: () => player.seek(player.now - 10), PageDown: () => player.seek(player.now + 10),
    Home: () => player.seek(0), End: () => player.seek(duration), " ": () => player.toggle(),
  };
  const letterMoves = {
    j: () => turn(1), k: () => turn(-1), n: () => markers.step(player.now, 1), p: () => markers.step(player.now, -1),
    d: () => {
      const next = decisions.find((x) => Number(x.dataset.start) > player.now + 0.05) || decisions[0];
      if (!next) return;
      player.seek(Number(next.dataset.start));
      openWhy(next.id.slice(4));
    },
    "[": () => { mark = player.now; axis.mark(mark, mark); },
    "]": () => axis.mark(mark ?? 0, player.now),
    r: () => { field("review")?.scrollIntoView(); (document.querySelector("#reviewer:not([type=hidden])") || document.querySelector("#verdicts input"))?.focus(); },
    ...Object.fromEntries([1, 2, 3, 4, 5].map((n) => [n, () => review?.answer(n)])),
    g: () => review?.verdict("good"), m: () => review?.verdict("mixed"), b: () => review?.verdict("bad"), u: () => review?.takeBack(),
    a: () => field("range-add")?.click(), c: () => { field("review")?.scrollIntoView(); field("comment")?.focus(); },
    s: () => select("speed", 1), l: () => select("line", 1),
    "+": () => axis.zoom(0.5, player.now), "=": () => axis.zoom(0.5, player.now), "-": () => axis.zoom(2, player.now), 0: () => axis.show(0, duration),
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form) {
      event.preventDefault();
      form.requestSubmit();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const within = event.target;
    // a radio button needs its arrows and Space; letters pass, so that one can answer and listen on
    const choosing = within.matches("input[type=radio]") && (event.key === " " || event.key.startsWith("Arrow"));
    const typing = choosing || within.matches("input:not([type=checkbox], [type=radio]), select, textarea");
    if (typing || (event.key === " " && within.closest("button, summary, input, a"))) return;
    const move = moves[event.key] || (letters.checked && letterMoves[event.key]);
    if (!move) return;
    event.preventDefault();
    move();
    axis.follow(player.now);
  });
}

start();
