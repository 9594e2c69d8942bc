/** The replay page: fetches the call and puts the parts together. */
import { Axis } from "./axis.js";
import { Comments, loadThreads, threadMarker } from "./comments.js";
import { clock, field, localTimes, spoken } from "./format.js";
import { keys } from "./keys.js";
import { Lanes } from "./lanes.js";
import { Markers } from "./markers.js";
import { EMPTY, Peaks } from "./peaks.js";
import { Player } from "./player.js";
import { Review, moveReview } from "./review.js";
import { Transcript } from "./transcript.js";
import { WordTimes } from "./words.js";

const article = document.getElementById("call");
const id = article.dataset.call;

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
  const [call, threads] = await Promise.all([load(), loadThreads(id)]);
  const axis = new Axis(call.duration_s);
  const sources = call.audio || Object.fromEntries(call.legs.map((leg) => [leg, "/api/calls/" + id + "/audio/" + leg]));
  const player = new Player(field("audio"), call.duration_s, sources);
  const peaks = new Peaks(axis, call.legs, (...args) => fetchPeaks(call, ...args));
  const seek = (t) => player.seek(t);
  const drawn = new Lanes(field("lanes"), axis, call, peaks);
  const transcript = new Transcript(field("turns"), seek);
  const marked = [...call.timeline.markers, ...threads.map(threadMarker)].sort((a, b) => a.start - b.start);
  const markers = new Markers(field("marks"), axis, marked, (m) => {
    seek(m.start);
    if (m.seq) openWhy(m.seq);
    if (m.thread) comments.show(m.thread);
  });
  const form = field("review-form");
  const review = form ? new Review(form, id, axis) : null;
  const comments = field("comments")
    ? new Comments({ callId: id, axis, threads, turnAt: () => transcript.current, now: () => player.now, onOpened: (t) => markers.add(threadMarker(t)) })
    : null;

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
  const times = call.audio ? null : new WordTimes(id, call.duration_s, (turns) => transcript.retime(turns));
  if (call.words) transcript.retime(call.words);
  let drawnAt = -1;
  player.onTime((t) => {
    if (player.playing) axis.follow(t);
    showTime(t, call.duration_s);
    times?.around(t);
    transcript.show(t, true);
    place();
    drawn.now = t;
    if (Math.abs(t - drawnAt) > call.duration_s / 1500 || !player.playing) {
      drawnAt = t;
      drawn.moved();
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
    const correct = event.target.closest(".correct");
    if (correct) review.correct(transcript.described(correct.closest(".turn")));
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
  keys({ player, axis, transcript, markers, review, comments, openWhy, decisions: [...document.querySelectorAll("details.why")], duration: call.duration_s });
  showTime(0, call.duration_s);
  const goTo = () => {
    const t = linked(transcript);
    if (t !== null) player.seek(t);
  };
  addEventListener("hashchange", goTo);
  goTo();
  localTimes();
  article.dataset.ready = "yes";
  await times?.around(player.now);
  article.dataset.words = "measured";
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

start();
