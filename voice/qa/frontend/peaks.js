/** The outline of the sound, made on the server and fetched for what is in view. */

/** What a leg looks like before, or without, its peaks. */
export const EMPTY = { length: 0, data: [], channels: 1, sample_rate: 8000, samples_per_pixel: 80, start: 0 };

/** Peaks of every leg: the whole call once, and the stretch in view again when it is worth more points. */
export class Peaks {
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
