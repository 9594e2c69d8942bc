/** What every lane draws with: the canvas at the screen's resolution, colours, patterns, lines over time. */

export function paint(canvas, painter, source, axis, ink, name) {
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
export function inks() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "card", "ink", "dim", "line", "wash", "accent", "calm", "attend", "distress", "unknown", "calm-bg", "attend-bg", "distress-bg", "unknown-bg", "level-ink", "caller", "agent", "human"];
  const out = Object.fromEntries(names.map((n) => [n, style.getPropertyValue("--" + n).trim()]));
  out.font = (size, weight = 400) => weight + " " + size + "px " + style.getPropertyValue("--font");
  return out;
}

const hatches = new Map();

/** Level patterns: dots, stripes, crosses, dashes. Colour alone would tell some people nothing. */
export function hatch(ctx, kind, colour) {
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

export function visible(axis, item) {
  return item.end >= axis.start && item.start <= axis.end;
}

export function label(ctx, text, x, y, room) {
  if (room < 14) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x - 2, 0, room, 400);
  ctx.clip();
  ctx.fillText(text, x, y);
  ctx.restore();
}

/** A line through the middles of windows; a gap of more than `bridge` seconds is left open, not invented. */
export function line(ctx, w, axis, points, y, bridge = 2.5) {
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
export function windowsOf(ctx, w, axis, items, y) {
  ctx.save();
  ctx.globalAlpha = 0.4;
  for (const { start, end, v } of items) {
    if (v === null || v === undefined || end < axis.start || start > axis.end) continue;
    ctx.fillRect(axis.x(start, w), y(v) - 1, axis.x(end, w) - axis.x(start, w), 2);
  }
  ctx.restore();
}

export function dots(ctx, w, axis, points, y, r = 1.8) {
  for (const { t, v } of points) {
    if (v === null || v === undefined || t < axis.start || t > axis.end) continue;
    ctx.beginPath();
    ctx.arc(axis.x(t, w), y(v), r, 0, 7);
    ctx.fill();
  }
}

export function rule(ctx, w, y, ink, text, dashed = true) {
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

/** Lowest and highest value of the call with a little room: half an octave or a few dB look flat on a fixed scale. */
export function extent(points, least, log) {
  const values = points.map((p) => p.v).filter((v) => typeof v === "number" && (!log || v > 0));
  if (!values.length) return log ? [75, 300] : [0, least];
  const low = Math.min(...values), high = Math.max(...values);
  if (log) return [Math.min(low / 1.15, high / least), Math.max(high * 1.15, low * least)];
  const room = Math.max(least - (high - low), (high - low) * 0.3) / 2;
  return [low - room, high + room];
}

export function ticks(low, high, log) {
  if (log) return [50, 75, 100, 150, 200, 300, 400, 600].filter((v) => v > low * 1.03 && v < high / 1.03);
  const step = [0.5, 1, 2, 5, 10, 20, 50].find((s) => (high - low) / s <= 3.5) || 100;
  const out = [];
  for (let v = Math.ceil(low / step) * step; v < high; v += step) out.push(v);
  return out;
}
