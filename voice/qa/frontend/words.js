/** Fetches when the words around the playhead were really said, a minute at a time, each stretch once. */
const STRETCH_S = 60, AHEAD_S = 20;

export class WordTimes {
  #asked = new Set();

  constructor(callId, duration, retime) {
    this.address = "/api/calls/" + encodeURIComponent(callId) + "/words";
    this.duration = duration;
    this.retime = retime;
  }

  /** Asks for the stretch at this time and, near its end, for the next. */
  async around(t) {
    await Promise.all([this.#stretch(Math.floor(t / STRETCH_S)), this.#stretch(Math.floor((t + AHEAD_S) / STRETCH_S))]);
  }

  async #stretch(n) {
    const start = n * STRETCH_S;
    if (this.#asked.has(n) || start >= this.duration) return;
    this.#asked.add(n);
    const reply = await fetch(this.address + "?start=" + start + "&end=" + (start + STRETCH_S));
    if (reply.ok) this.retime((await reply.json()).turns);
  }
}
