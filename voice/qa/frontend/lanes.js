/** Draws the lanes. Each painter gets (ctx, width, height, axis, source, ink) and draws what is in view, nothing else. */
import { dots, extent, hatch, inks, label, line, paint, rule, ticks, visible, windowsOf } from "./draw.js";
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

  /** The playhead moved: only the overview shows it, the lanes have a cursor of their own. */
  moved() {
    if (!this.pending) paint(this.overview, overview, this, this.axis, this.ink || (this.ink = inks()), "overview");
  }

  redraw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      const ink = (this.ink = inks());
      for (const lane of this.lanes) if (!lane.row.hidden) paint(lane.canvas, PAINTERS[lane.name], this, this.axis, ink, lane.name);
      paint(this.overview, overview, this, this.axis, ink, "overview");
    });
  }
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
  ctx.fillStyle = ink.distress;
  ctx.globalAlpha = 0.25;
  // windows overlap: one path, so that the band is as dark where two meet
  ctx.beginPath();
  for (const f of windows) {
    if (typeof f.p_low !== "number" || typeof f.p_high !== "number" || !visible(axis, f)) continue;
    ctx.rect(axis.x(f.start, w), y(f.p_high), axis.x(f.end, w) - axis.x(f.start, w), Math.max(y(f.p_low) - y(f.p_high), 1));
  }
  ctx.fill();
  ctx.globalAlpha = 1;
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

function measured(field, least, log = false) {
  return (ctx, w, h, axis, { call }, ink) => {
    const points = call.of("ProsodyMeasured").map((f) => ({ t: (f.start + f.end) / 2, v: f[field] }));
    const [low, high] = extent(points, least, log);
    const scale = log ? Math.log2 : (v) => v;
    const y = (v) => h - 5 - ((scale(v) - scale(low)) / (scale(high) - scale(low))) * (h - 10);
    let last = Infinity;
    for (const tick of ticks(low, high, log)) {
      // labels need 12 px, near the top they hang down: a tick that would write over the one below is left out
      if (last - y(tick) < (y(tick) < 14 ? 26 : 12)) continue;
      last = y(tick);
      rule(ctx, w, last, ink, String(tick));
    }
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
