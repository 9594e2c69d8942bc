/** Draws the lanes. Each painter gets (ctx, width, height, axis, call, ink) and draws what is in view, nothing else. */
import { clock } from "./format.js";

export class Lanes {
  constructor(root, axis, call, peaks) {
    this.axis = axis;
    this.call = call;
    this.peaks = peaks;
    this.lanes = [...root.querySelectorAll("[data-lane]")].map((row) => ({ row, canvas: row.querySelector("canvas"), name: row.dataset.lane }));
    this.overview = document.getElementById("overview-canvas");
    this.pending = false;
    axis.onChange(() => this.redraw());
    peaks.onChange(() => this.redraw());
    new ResizeObserver(() => this.redraw()).observe(root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.redraw();
  }

  redraw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      const ink = inks();
      for (const lane of this.lanes) if (!lane.row.hidden) paint(lane.canvas, PAINTERS[lane.name], this, this.axis, ink, lane.name);
      paint(this.overview, overview, this, this.axis, ink, "overview");
    });
  }
}

function paint(canvas, painter, source, axis, ink, name) {
  const box = canvas.getBoundingClientRect();
  const ratio = devicePixelRatio || 1;
  const w = Math.round(box.width), h = Math.round(box.height);
  if (!w || !h || !painter) return;
  if (canvas.width !== w * ratio || canvas.height !== h * ratio) {
    canvas.width = w * ratio;
    canvas.height = h * ratio;
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, w, h);
  painter(ctx, w, h, axis, source, ink, name);
}

/** Colours of the style sheet as it applies now, dark or light. */
function inks() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "card", "ink", "dim", "line", "wash", "accent", "calm", "attend", "distress", "unknown", "calm-bg", "attend-bg", "distress-bg", "unknown-bg", "level-ink", "caller", "agent", "human"];
  const out = Object.fromEntries(names.map((n) => [n, style.getPropertyValue("--" + n).trim()]));
  out.font = (size, weight = 400) => weight + " " + size + "px " + style.getPropertyValue("--font");
  return out;
}

const hatches = new Map();

/** Level patterns: dots, stripes, crosses, dashes. Colour alone would tell some people nothing. */
function hatch(ctx, kind, colour) {
  const key = kind + colour;
  if (!hatches.has(key)) {
    const tile = new OffscreenCanvas(8, 8);
    const c = tile.getContext("2d");
    c.strokeStyle = c.fillStyle = colour;
    c.lineWidth = 1.3;
    const lines = { attend: [[-2, 10, 10, -2], [-6, 6, 6, -6], [2, 14, 14, 2]], unknown: [[4, 0, 4, 5]] }[kind] || [];
    if (kind === "distress") lines.push([-2, 10, 10, -2], [-2, -2, 10, 10], [-6, 6, 6, -6], [2, 14, 14, 2], [6, -2, 10, 2], [-2, 6, 2, 10]);
    for (const [a, b, x, y] of lines) {
      c.beginPath();
      c.moveTo(a, b);
      c.lineTo(x, y);
      c.stroke();
    }
    if (kind === "calm") for (const [x, y] of [[2, 2], [6, 6]]) c.fillRect(x, y, 1.6, 1.6);
    hatches.set(key, ctx.createPattern(tile, "repeat"));
  }
  return hatches.get(key);
}

function visible(axis, item) {
  return item.end >= axis.start && item.start <= axis.end;
}

function label(ctx, text, x, y, room) {
  if (room < 14) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x - 2, 0, room, 400);
  ctx.clip();
  ctx.fillText(text, x, y);
  ctx.restore();
}

function ruler(ctx, w, h, axis, _source, ink) {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800].find((s) => (s / axis.span) * w > 70) || 3600;
  ctx.font = ink.font(11);
  ctx.fillStyle = ink.dim;
  ctx.strokeStyle = ink.line;
  for (let t = Math.ceil(axis.start / step) * step; t <= axis.end; t += step) {
    const x = Math.round(axis.x(t, w)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(x, h - 7);
    ctx.lineTo(x, h);
    ctx.stroke();
    if (x < w - 30) ctx.fillText(clock(t, step < 1), x + 3, h - 8);
  }
}

/** Stretches in which the caller waits are washed. */
function waits(ctx, w, h, axis, holds, ink) {
  ctx.fillStyle = ink.wash;
  for (const hold of holds) {
    if (!visible(axis, hold)) continue;
    const x = axis.x(hold.start, w);
    ctx.fillRect(x, 0, axis.x(hold.end, w) - x, h);
  }
}

function levels(ctx, w, h, axis, { call }, ink) {
  ctx.font = ink.font(12, 600);
  ctx.textBaseline = "middle";
  for (const band of call.timeline.levels) {
    if (!visible(axis, band)) continue;
    const kind = ["calm", "attend", "distress"].includes(band.name) ? band.name : "unknown";
    const x = Math.max(axis.x(band.start, w), 0), end = Math.min(axis.x(band.end, w), w);
    ctx.fillStyle = ink[kind + "-bg"];
    ctx.fillRect(x, 0, end - x, h);
    ctx.globalAlpha = 0.55;
    ctx.fillStyle = hatch(ctx, kind, ink[kind]);
    ctx.fillRect(x, 0, end - x, h);
    ctx.globalAlpha = 1;
    ctx.fillStyle = ink[kind];
    ctx.fillRect(x, 0, 2, h);
    const text = band.name + (band.detail ? " " + band.detail : "");
    if (h < 16) continue;
    const room = end - x - 6;
    const size = Math.min(ctx.measureText(text).width + 8, room);
    if (size > 14) {
      ctx.fillStyle = ink[kind + "-bg"];
      ctx.fillRect(x + 4, 4, size, h - 8);
      ctx.fillStyle = ink["level-ink"];
      label(ctx, text, x + 8, h / 2 + 1, room - 4);
    }
  }
}

const STATE_NAMES = { OFFERED: "offered", RELEASED: "with the human" };

function states(ctx, w, h, axis, { call }, ink) {
  ctx.font = ink.font(11, 600);
  ctx.textBaseline = "middle";
  call.timeline.states.forEach((band, i) => {
    if (!visible(axis, band)) return;
    const x = Math.max(axis.x(band.start, w), 0), end = Math.min(axis.x(band.end, w), w);
    ctx.fillStyle = ink.human;
    ctx.globalAlpha = band.name === "FAILED" ? 0.35 : i % 2 ? 0.16 : 0.28;
    ctx.fillRect(x, 3, end - x, h - 6);
    ctx.globalAlpha = 1;
    ctx.fillRect(x, 3, 1.5, h - 6);
    ctx.fillStyle = ink.ink;
    label(ctx, STATE_NAMES[band.name] || band.name.toLowerCase(), x + 6, h / 2 + 1, end - x - 8);
  });
}

/** Which channels of which recording a lane shows: what each party itself sent. */
const SOURCES = { caller: ["caller", 0], agent: ["agent", 0], human: ["human", 0] };

function wave(ctx, w, h, axis, { call, peaks }, ink, name) {
  if (name === "caller") waits(ctx, w, h, axis, call.timeline.holds, ink);
  ctx.fillStyle = ink.line;
  ctx.fillRect(0, h / 2, w, 1);
  const [leg, channel] = SOURCES[name];
  const found = peaks.of(leg);
  if (!found) return;
  ctx.fillStyle = ink[name];
  const perSecond = found.sample_rate / found.samples_per_pixel;
  const stride = found.channels * 2, gain = (h / 2 - 2) / 127 / peaks.loudest(leg, channel);
  for (let x = 0; x < w; x++) {
    const a = Math.floor((axis.start + (x / w) * axis.span - found.start) * perSecond);
    const b = Math.max(a + 1, Math.floor((axis.start + ((x + 1) / w) * axis.span - found.start) * perSecond));
    let low = 0, high = 0;
    for (let i = Math.max(a, 0); i < b && i < found.length; i++) {
      low = Math.min(low, found.data[i * stride + channel * 2]);
      high = Math.max(high, found.data[i * stride + channel * 2 + 1]);
    }
    if (high - low < 1) continue;
    ctx.fillRect(x, h / 2 - high * gain, 1, Math.max((high - low) * gain, 1));
  }
  ctx.fillStyle = ink.attend;
  for (const lost of call.of("AudioLost")) {
    if (lost.leg === name && visible(axis, lost)) ctx.fillRect(axis.x(lost.start, w), 0, Math.max(axis.x(lost.end, w) - axis.x(lost.start, w), 1.5), 4);
  }
  ctx.fillStyle = ink[name];
  ctx.globalAlpha = 0.9;
  for (const [start, end] of call.timeline.speech[name] || []) {
    const x = axis.x(start, w), to = axis.x(end, w);
    if (to >= 0 && x <= w) ctx.fillRect(x, h - 2, to - x, 2);
  }
  ctx.globalAlpha = 1;
}

/** A line through the middles of windows; a gap of more than `bridge` seconds is left open, not invented. */
function line(ctx, w, axis, points, y, bridge = 2.5) {
  ctx.beginPath();
  let last = null;
  for (const { t, v } of points) {
    if (v === null || v === undefined) { last = null; continue; }
    if (t < axis.start - 5 || t > axis.end + 5) { last = null; continue; }
    const x = axis.x(t, w);
    if (last === null || t - last > bridge) ctx.moveTo(x, y(v)); else ctx.lineTo(x, y(v));
    last = t;
  }
  ctx.stroke();
}

/** Each window as long as it is: a score is about two seconds of speech, not about an instant. */
function windowsOf(ctx, w, axis, items, y) {
  ctx.save();
  ctx.globalAlpha = 0.4;
  for (const { start, end, v } of items) {
    if (v === null || v === undefined || end < axis.start || start > axis.end) continue;
    ctx.fillRect(axis.x(start, w), y(v) - 1, axis.x(end, w) - axis.x(start, w), 2);
  }
  ctx.restore();
}

function dots(ctx, w, axis, points, y, r = 1.8) {
  for (const { t, v } of points) {
    if (v === null || v === undefined || t < axis.start || t > axis.end) continue;
    ctx.beginPath();
    ctx.arc(axis.x(t, w), y(v), r, 0, 7);
    ctx.fill();
  }
}

function rule(ctx, w, y, ink, text, dashed = true) {
  ctx.save();
  ctx.setLineDash(dashed ? [4, 4] : []);
  ctx.strokeStyle = dashed ? ink.dim : ink.line;
  ctx.globalAlpha = dashed ? 0.45 : 1;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(0, Math.round(y) + 0.5);
  ctx.lineTo(w, Math.round(y) + 0.5);
  ctx.stroke();
  ctx.restore();
  ctx.font = ink.font(10);
  ctx.fillStyle = ink.dim;
  ctx.textBaseline = y < 14 ? "top" : "bottom";
  ctx.fillText(text, w - ctx.measureText(text).width - 4, y < 14 ? y + 2 : y - 1);
}

function scores(ctx, w, h, axis, { call }, ink) {
  const y = (v) => h - 8 - v * (h - 16);
  const windows = call.of("EmotionScored");
  for (const f of windows) {
    if (!f.abstained || !visible(axis, f)) continue;
    ctx.globalAlpha = 0.5;
    ctx.fillStyle = hatch(ctx, "attend", ink.unknown);
    ctx.fillRect(axis.x(f.start, w), 0, axis.x(f.end, w) - axis.x(f.start, w), h);
    ctx.globalAlpha = 1;
  }
  rule(ctx, w, y(0), ink, "0", false);
  rule(ctx, w, y(1), ink, "1", false);
  const middle = (f, v) => ({ t: (f.start + f.end) / 2, v });
  const reasons = call.of("DistressChanged").flatMap((f) => f.because).filter((b) => b.name === "p_distress");
  ctx.fillStyle = ink["distress-bg"];
  for (const b of reasons) if (visible(axis, b)) ctx.fillRect(axis.x(b.start, w), y(1), axis.x(b.end, w) - axis.x(b.start, w), y(0) - y(1));
  if (reasons.length) rule(ctx, w, y(reasons[0].reference), ink, "reference " + reasons[0].reference);
  const changes = call.of("DistressChanged");
  if (changes.length) {
    ctx.strokeStyle = ink.ink;
    ctx.lineWidth = 2;
    ctx.setLineDash([1.5, 3]);
    ctx.beginPath();
    changes.forEach((f, i) => {
      const end = changes[i + 1]?.t ?? call.timeline.levels.at(-1)?.end ?? call.duration_s;
      ctx.moveTo(axis.x(f.t, w), y(Math.min(f.score, 1)));
      ctx.lineTo(axis.x(end, w), y(Math.min(f.score, 1)));
    });
    ctx.stroke();
    ctx.setLineDash([]);
  }
  ctx.lineWidth = 1.6;
  ctx.strokeStyle = ctx.fillStyle = ink.caller;
  ctx.setLineDash([5, 3]);
  line(ctx, w, axis, windows.map((f) => middle(f, f.arousal)), y);
  ctx.setLineDash([]);
  ctx.lineWidth = 2.4;
  ctx.strokeStyle = ctx.fillStyle = ink.distress;
  const p = windows.map((f) => middle(f, f.p_distress));
  line(ctx, w, axis, p, y);
  windowsOf(ctx, w, axis, windows.map((f) => ({ ...f, v: f.p_distress })), y);
  dots(ctx, w, axis, p, y, 2.4);
}

/** Lowest and highest value of the call with a little room: half an octave or a few dB look flat on a fixed scale. */
function extent(points, least, log) {
  const values = points.map((p) => p.v).filter((v) => typeof v === "number" && (!log || v > 0));
  if (!values.length) return log ? [75, 300] : [0, least];
  const low = Math.min(...values), high = Math.max(...values);
  if (log) return [Math.min(low / 1.15, high / least), Math.max(high * 1.15, low * least)];
  const room = Math.max(least - (high - low), (high - low) * 0.3) / 2;
  return [low - room, high + room];
}

function ticks(low, high, log) {
  if (log) return [50, 75, 100, 150, 200, 300, 400, 600].filter((v) => v > low * 1.03 && v < high / 1.03);
  const step = [0.5, 1, 2, 5, 10, 20, 50].find((s) => (high - low) / s <= 3.5) || 100;
  const out = [];
  for (let v = Math.ceil(low / step) * step; v < high; v += step) out.push(v);
  return out;
}

function measured(field, least, log = false) {
  return (ctx, w, h, axis, { call }, ink) => {
    const points = call.of("ProsodyMeasured").map((f) => ({ t: (f.start + f.end) / 2, v: f[field] }));
    const [low, high] = extent(points, least, log);
    const scale = log ? Math.log2 : (v) => v;
    const y = (v) => h - 5 - ((scale(v) - scale(low)) / (scale(high) - scale(low))) * (h - 10);
    for (const tick of ticks(low, high, log)) rule(ctx, w, y(tick), ink, String(tick));
    ctx.strokeStyle = ctx.fillStyle = ink.caller;
    ctx.lineWidth = 1.6;
    line(ctx, w, axis, points, y);
    windowsOf(ctx, w, axis, call.of("ProsodyMeasured").map((f) => ({ ...f, v: f[field] })), y);
    dots(ctx, w, axis, points, y);
  };
}

function overview(ctx, w, h, axis, source, ink) {
  const whole = { start: 0, end: axis.duration, span: axis.duration, x: (t, ww) => (t / axis.duration) * ww };
  const names = ["caller", "agent", "human"].filter((n) => source.peaks.of(n));
  levels(ctx, w, 8, whole, { call: { timeline: { levels: source.call.timeline.levels.map((b) => ({ ...b, detail: "" })) } } }, ink);
  ctx.globalAlpha = 0.75;
  for (const name of names) {
    const found = source.peaks.whole(name);
    const perSecond = found.sample_rate / found.samples_per_pixel, stride = found.channels * 2, gain = (h - 12) / 2 / 127 / source.peaks.loudest(name, 0);
    ctx.fillStyle = ink[name];
    for (let x = 0; x < w; x++) {
      const a = Math.floor((x / w) * axis.duration * perSecond), b = Math.max(a + 1, Math.floor(((x + 1) / w) * axis.duration * perSecond));
      let high = 0;
      for (let i = a; i < b && i < found.length; i++) high = Math.max(high, found.data[i * stride + 1], -found.data[i * stride]);
      if (high) ctx.fillRect(x, 8 + (h - 8) / 2 - high * gain, 1, Math.max(2 * high * gain, 1));
    }
  }
  ctx.globalAlpha = 1;
  ctx.fillStyle = ink.paper;
  ctx.globalAlpha = 0.65;
  ctx.fillRect(0, 0, whole.x(axis.start, w), h);
  ctx.fillRect(whole.x(axis.end, w), 0, w, h);
  ctx.globalAlpha = 1;
  if (source.now !== undefined) {
    ctx.fillStyle = ink.ink;
    ctx.fillRect(whole.x(source.now, w) - 1, 0, 2, h);
  }
}

const PAINTERS = {
  ruler, levels, states, caller: wave, agent: wave, human: wave, scores,
  f0: measured("f0_hz", 2, true),
  loudness: measured("loudness_db", 12),
  rate: measured("rate_syl_s", 4),
};
