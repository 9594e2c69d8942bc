/**
 * The one time axis that everything is drawn on: which call times are in view, and which range is marked.
 * Listeners are told when either changes.
 */
export class Axis {
  #listeners = [];

  constructor(duration) {
    this.duration = Math.max(duration, 0.1);
    this.start = 0;
    this.end = this.duration;
    this.range = null;
  }

  onChange(listener) {
    this.#listeners.push(listener);
  }

  get span() {
    return this.end - this.start;
  }

  /** Pixel of a call time in a lane of this width. */
  x(t, width) {
    return ((t - this.start) / this.span) * width;
  }

  /** Call time of a pixel. */
  t(x, width) {
    return this.clamp(this.start + (x / width) * this.span);
  }

  clamp(t) {
    return Math.min(Math.max(t, 0), this.duration);
  }

  /** Shows a stretch of at least one second, moved into the call if it sticks out. */
  show(start, end) {
    const span = Math.min(Math.max(end - start, 1), this.duration);
    this.start = Math.min(Math.max(start, 0), this.duration - span);
    this.end = this.start + span;
    this.#tell();
  }

  zoom(factor, around) {
    const at = this.clamp(around);
    const before = (at - this.start) / this.span;
    const span = Math.min(Math.max(this.span * factor, 1), this.duration);
    this.show(at - before * span, at - before * span + span);
  }

  /** Turns the page when the playhead leaves the view. */
  follow(t) {
    if (t < this.start || t > this.end) this.show(t - this.span * 0.1, t + this.span * 0.9);
  }

  mark(start, end) {
    this.range = start === null ? null : { start: this.clamp(Math.min(start, end)), end: this.clamp(Math.max(start, end)) };
    this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener(this);
  }
}
